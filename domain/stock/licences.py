"""Codes that are sold: a licence, a voucher of somebody else's, a link to a download."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from domain.fields import READABLE, Document, Sku

LicenceCode = Annotated[str, StringConstraints(min_length=1, max_length=500), *READABLE]


class Licence(Document):
    """One code, which is one unit of its SKU. The SKU's item must be digital."""

    sku: Sku
    code: LicenceCode
