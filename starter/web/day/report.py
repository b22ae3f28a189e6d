"""The day as a report that can be printed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from domain.days.figures import Trend
from starter.service.day_book import DayReport
from starter.web import charts
from starter.web.day.asked import asked, not_yet
from starter.web.day.tiles import MONEY, fresh, sees_stock
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_LOSSES: Final = 15
"""So many of each currency: more would not fit on two pages."""


@router.get("/app/day/report")
async def report(visit: Annotated[Visit, may("orders:read")]) -> Response:
    """The figures of a day with those before, and the orders that lost money, on a page or two."""
    wanted = await asked(visit)
    sees_money = any(visit.person.allows(scope) for scope in MONEY)
    sees_books = visit.person.allows("accounting:read")
    made: DayReport = await visit.here.days.report(
        wanted.day,
        **wanted.whose,
        money=sees_money,
        books=sees_books,
        stock=sees_stock(visit),
    )
    told, _ = fresh(visit.words, made.book.counted_at, datetime.now(UTC))
    words = visit.words

    def line(name: str, trend: Trend, currency: str = "") -> Markup:
        show = partial(words.money, currency=currency) if currency else words.number
        return charts.sparkline(words, words("of_a_month", what=name), trend.days, show)

    values: dict[str, Any] = {
        "report": made,
        "rows": [
            (row, line(words(f"figure_{row.figure}"), row.trend, row.currency)) for row in made.rows
        ],
        "channels": [(name, trend, line(name, trend)) for name, trend in made.channels],
        "losses": made.worst(_LOSSES),
        "day": visit.words.day(made.book.day),
        "fresh": told if made.book.is_today else "",
        "not_yet": not_yet(visit.words, wanted, made.book),
        "whose": ", ".join(filter(None, (wanted.seller, wanted.channel))),
        "made": visit.words.moment(datetime.now(UTC)),
        "back": wanted.address("app/day"),
    }
    return visit.show("day/report", **{**IN_TEMPLATES, **values})
