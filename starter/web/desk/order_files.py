"""What a list of orders shows, as a file: the same filters, the same columns, all pages of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from starter.web.desk.columns import BY_NAME, Column, Row
from starter.web.desk.listing import Asked
from starter.web.desk.order_list import asked_of, not_applied, rows_of
from starter.web.guards import HEADERS
from starter.web.screens.visits import Elsewhere, ScreenRoute, Visit, apart, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

ROWS_MAX: Final = 50_000
"""More are not for a spreadsheet: `orderloom jobs export orders` writes any number."""

_TOGETHER: Final = 500
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - Excel takes wide ones, too
_BOM: Final = "\ufeff"
"""Excel takes a file that does not begin so for one of another alphabet."""

_KINDS: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
Written = Callable[[Asked, Sequence[Row]], str]


@router.get("/app/orders/export.{form}")
async def export(
    visit: Annotated[Visit, may("orders:read")], form: Literal["csv", "jsonl"]
) -> Response:
    """All orders of a list, from its first page on; behind 50,000 a line says that more are."""
    asked = await asked_of(visit)
    if asked.wrong:
        # A file of more orders than somebody asked for would not be noticed.
        raise Elsewhere(apart(visit.request, 422, *not_applied(visit, asked)))
    flows = getattr(visit.request.state, "flows", None)
    if flows is not None:
        flows()
    return StreamingResponse(
        _parts(visit, asked, form),
        media_type=_KINDS[form],
        headers={**HEADERS, "Content-Disposition": f'attachment; filename="orders.{form}"'},
    )


async def _parts(visit: Visit, asked: Asked, form: str) -> AsyncIterator[str]:
    """A part of the file for each look at the database."""
    write, rows, start = _WRITE[form], 0, None
    yield _head(asked) if form == "csv" else ""
    while True:
        found = await visit.here.orders.listed(
            asked.filters,
            **asked.whose,
            start=start,
            is_rising=asked.is_oldest_first,
            at_most=_TOGETHER,
        )
        orders = found.orders[: ROWS_MAX - rows]
        rows += len(orders)
        yield write(asked, await rows_of(visit, asked, orders))
        if len(orders) < len(found.orders):
            break
        last = orders[-1] if len(orders) == _TOGETHER else found.looked_until
        if last is None:
            return
        start = last.order_id
    yield f"... {ROWS_MAX}\r\n" if form == "csv" else json.dumps({"cut_after": ROWS_MAX}) + "\n"


def _head(asked: Asked) -> str:
    return _BOM + _lines([["order", *asked.columns]])


def _csv(asked: Asked, rows: Sequence[Row]) -> str:
    return _lines(
        [
            [_harmless(row.order.order_id), *(_cell(BY_NAME[x], row) for x in asked.columns)]
            for row in rows
        ]
    )


def _cell(column: Column, row: Row) -> str | int:
    """What a number says, nobody else has written: one below 0 stays a number."""
    told = column.written(row)
    return told if column.kind == "number" else _harmless(str(told))


def _jsonl(asked: Asked, rows: Sequence[Row]) -> str:
    told = (
        {"order": row.order.order_id, **{x: BY_NAME[x].written(row) for x in asked.columns}}
        for row in rows
    )
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in told)


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    line = " ".join(cell.split())
    return f"'{line}" if line.startswith(_FORMULA) else line


def _lines(rows: Sequence[Sequence[str | int]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


_WRITE: Final[dict[str, Written]] = {"csv": _csv, "jsonl": _jsonl}
