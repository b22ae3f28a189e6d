"""The table of events in docs/events.md, from the models.

`python -m tests.support.event_catalogue` writes it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from domain.notifications.catalogue import CATALOGUE, EventData

PAGE: Final = Path(__file__).parents[2] / "docs/events.md"
PLACE: Final = re.compile(r"(<!-- catalogue: [^\n]*-->\n)(.*?)(<!-- end -->)", re.DOTALL)


def table() -> str:
    """A row for each type."""
    rows = [
        f"| `{type_}` | {kind.when} | {_fields(kind.data)} |" for type_, kind in CATALOGUE.items()
    ]
    return "\n".join(["| type | when | beside `order` |", "|---|---|---|", *rows, ""])


def written(page: str) -> str:
    """The page with the table in its place."""
    return PLACE.sub(lambda found: f"{found[1]}{table()}{found[3]}", page)


def _fields(data: type[EventData]) -> str:
    return ", ".join(f"`{name}`" for name in data.model_fields if name != "order")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
