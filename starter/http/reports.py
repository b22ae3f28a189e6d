"""What the routes of goods and of the warehouse share: who reports, and ids as they stand in paths.

A SKU can be any text, with slashes too.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from fastapi import Path, Query
from pydantic import Field

from domain.fields import Document, Id, Sku, Who
from domain.stock.stock_levels import UNITS_MAX

AT_ONCE_MAX: Final = 1000
"""Rows that one request sets, or SKUs that it is about."""


class Report(Document):
    """Base of reports. `by`: a person, for the story; left out: the API key's name."""

    by: Who | None = None


OneOrMore: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=UNITS_MAX)]
"""Units, at least one."""
NoneOrMore: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=UNITS_MAX)]
"""Units, perhaps none."""

UnitsOfSkus: TypeAlias = Annotated[
    dict[Sku, OneOrMore], Field(min_length=1, max_length=AT_ONCE_MAX)
]
CountedOfSkus: TypeAlias = Annotated[
    dict[Sku, NoneOrMore], Field(min_length=1, max_length=AT_ONCE_MAX)
]

PartId: TypeAlias = Annotated[
    str,
    Path(
        max_length=200,
        description="Of a fulfilment (web-1001:1), a put-back (web-1001:1:P1) or a return"
        " (web-1001:R1).",
    ),
]

OfSku: TypeAlias = Annotated[Sku | None, Query(description="Only this SKU.")]
AtLocation: TypeAlias = Annotated[Id | None, Query(description="Only at this location.")]
