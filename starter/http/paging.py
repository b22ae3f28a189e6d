"""Lists page by page: `limit` and `cursor` of a request, and the page with the way to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from starter.http.cursors import Cursors

PAGE_MAX: Final = 100
PAGE: Final = 20

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """A part of a list. `next_cursor`: send it as `cursor` for the next part; null at the end."""

    model_config = ConfigDict(frozen=True)

    items: tuple[Item, ...]
    has_more: bool
    next_cursor: str | None = None


@dataclass(frozen=True)
class Paging:
    """What a caller wants to see of a list."""

    request: Request
    limit: int
    cursor: str | None

    @property
    def at_most(self) -> int:
        """How many rows to ask for: one more than a page has, to see whether there is another."""
        return self.limit + 1

    def after(self, asked: Mapping[str, Any]) -> list[Any] | None:
        """The place of the row behind which the page begins; None: at the beginning.

        `asked`: all filters by which the list was made. Raises InvalidInput.
        """
        return None if self.cursor is None else self._cursors.place(self.cursor, self._named(asked))

    def page(
        self,
        asked: Mapping[str, Any],
        found: Sequence[Row],
        *,
        place: Callable[[Row], Sequence[Any]],
        show: Callable[[Row], Item],
    ) -> Page[Item]:
        """A page of what was found. `place`: what names a row's place in the list."""
        rows = found[: self.limit]
        following = None
        if len(found) > self.limit:
            following = self._cursors.after(place(rows[-1]), self._named(asked))
            there = self.request.url.include_query_params(cursor=following)
            self.request.state.headers["Link"] = f'<{there}>; rel="next"'
        return Page(
            items=tuple(show(row) for row in rows),
            has_more=following is not None,
            next_cursor=following,
        )

    @property
    def _cursors(self) -> Cursors:
        cursors: Cursors = self.request.app.state.cursors
        return cursors

    def _named(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"list": self.request.url.path, **asked}


async def _paging(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Rows on a page.")] = PAGE,
    cursor: Annotated[
        str | None, Query(max_length=2000, description="next_cursor of the page before.")
    ] = None,
) -> Paging:
    return Paging(request, limit, cursor)


Paged: TypeAlias = Annotated[Paging, Depends(_paging)]
