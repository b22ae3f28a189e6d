"""Pages of long lists: `--limit` rows, and `--after` names the row before the next page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Annotated, Any, Generic, TypeVar

import typer

from domain.errors import InvalidInput
from starter.cli.terminal.output import Output

T = TypeVar("T")

AfterRow = Annotated[
    str | None,
    typer.Option(
        "--after",
        metavar="SKU@LOCATION",
        help="Begin behind this row: the next page.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Page(Generic[T]):
    """The rows of one page. `after`: where the next one begins; None on the last page."""

    rows: Sequence[T]
    after: str | None

    @property
    def told(self) -> dict[str, Any]:
        """The same fields in every JSON document: whether there are more rows, and after which."""
        return {"more": self.after is not None, "after": self.after}

    def tell(self, out: Output) -> None:
        """One line for people, if there are more rows."""
        if self.after is not None:
            out.say(f"… and more: --after {quote(self.after)} shows the next page")


def page_of(found: Sequence[T], limit: int, name: Callable[[T], str]) -> Page[T]:
    """A page of `limit` rows. One row more was asked for: it says that there is another page."""
    rows = found[:limit]
    return Page(rows, name(rows[-1]) if len(found) > limit else None)


def read_row(text: str | None) -> tuple[str, str] | None:
    """`TEA@main` → ("TEA", "main"). Raises InvalidInput."""
    if text is None:
        return None
    sku, at, location = text.rpartition("@")
    if not (sku and at and location):
        raise InvalidInput(f"{text!r} is no row; write SKU@LOCATION", where="--after")
    return sku, location
