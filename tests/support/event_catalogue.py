"""The table of events in docs/events.md, from the models.

`python -m tests.support.event_catalogue` writes it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from domain.notifications.catalogue import CATALOGUE
from domain.notifications.customer_catalogue import CUSTOMER_CATALOGUE

PAGE: Final = Path(__file__).parents[2] / "docs/events.md"
PLACE: Final = re.compile(
    r"(<!-- (catalogue|customers): [^\n]*-->\n)(.*?)(<!-- end -->)", re.DOTALL
)


def table(of: str) -> str:
    """A row for each type, of orders (`catalogue`) or of `customers`."""
    whole = "order" if of == "catalogue" else "customer"
    kinds = CATALOGUE if of == "catalogue" else CUSTOMER_CATALOGUE
    rows = [
        f"| `{type_}` | {kind.when} | {_fields(kind.data, whole)} |"
        for type_, kind in kinds.items()
    ]
    return "\n".join([f"| type | when | beside `{whole}` |", "|---|---|---|", *rows, ""])


def written(page: str) -> str:
    """The page with the tables in their places."""
    return PLACE.sub(lambda found: f"{found[1]}{table(found[2])}{found[4]}", page)


def _fields(data: type[BaseModel], whole: str) -> str:
    return ", ".join(f"`{name}`" for name in data.model_fields if name != whole)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
