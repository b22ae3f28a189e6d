"""What a list of orders is asked for by its address: filters, columns, and from where on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final, Literal, get_args
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.datastructures import QueryParams

from domain.views.order_filters import OrderFilters
from domain.views.order_snapshot import FulfilmentStatus, OrderState, PaymentStatus
from starter.web.amounts import TwoReadings
from starter.web.desk.access import Whose, theirs
from starter.web.desk.columns import BY_NAME, STANDARD, columns_for
from starter.web.screens.visits import Visit
from starter.web.words import Words
from store.views.lists import ListedOrders
from store.views.reads import OrderSummary

PAGE: Final = 50
_TEXT_MAX: Final = 200
_TOTALS: Final = ("total_from", "total_to")
_OF_THOUSANDS: Final = 3
_DAYS: Final = ("received_from", "received_to", "placed_from", "placed_to")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "state": get_args(OrderState),
    "goods": get_args(FulfilmentStatus),
    "money": get_args(PaymentStatus),
}
"""Filter → what it can be. The sentences are `order_…`, `goods_…` and `money_…`."""
FILTERS: Final = (
    *("state", "goods", "money", "channel", "seller", "location", "needs", "held"),
    *("received_from", "received_to", "placed_from", "placed_to", "promised_by", "sku"),
    "country",
    *("currency", "total_from", "total_to"),
)
"""As they stand in an address."""


@dataclass(frozen=True)
class Asked:
    """A list as its address asks for it. `said`: each filter's text; `wrong`: those not applied.

    `standard`: the columns that nobody has to choose. `start`: behind this order; `is_back`: before
    it. `whose`: what of it is their business.
    """

    said: Mapping[str, str]
    filters: OrderFilters
    wrong: tuple[str, ...]
    columns: tuple[str, ...]
    standard: tuple[str, ...]
    is_oldest_first: bool
    start: str
    is_back: bool
    whose: Whose

    @property
    def is_of_all(self) -> bool:
        """Whether nothing is filtered."""
        return not self.filters.model_fields_set

    def pairs(self) -> list[tuple[str, str]]:
        """What its address says, but from where on."""
        told = [(name, text) for name, text in self.said.items() if text]
        if self.columns != self.standard:
            told += [("columns", name) for name in self.columns]
        if self.is_oldest_first:
            told.append(("sort", "oldest"))
        return told

    def query(self, **more: str) -> str:
        """The address's part behind the question mark: that, and `more`."""
        return urlencode([*self.pairs(), *((name, text) for name, text in more.items() if text)])


def asked_by(visit: Visit, query: QueryParams, channels: Sequence[str]) -> Asked:
    """What an address asks for. `channels`: those that this person sees.

    A filter that cannot be understood is not applied, and the list says so.
    """
    said = {name: _text(query.get(name, "")) for name in FILTERS}
    given: dict[str, Any] = {}
    wrong: list[str] = []
    for name, text in said.items():
        if not text:
            continue
        said[name] = _plain(visit.words, text) if name in _TOTALS else text
        told = _read(name, said[name], visit.words.zone)
        if name in _TOTALS and "currency" in given:
            told["currency"] = given["currency"]  # it stands before them in FILTERS
        if _fits(told) and (name != "channel" or text in channels):
            given |= told
        else:
            wrong.append(name)
            said[name] = ""
    allowed = columns_for(visit.person)
    chosen = set(query.getlist("columns"))
    standard = _standard(given, allowed)
    return Asked(
        said=said,
        filters=OrderFilters.model_validate(given),
        wrong=tuple(wrong),
        columns=tuple(name for name in allowed if name in chosen) or standard,
        standard=standard,
        is_oldest_first=query.get("sort") == "oldest",
        start=_text(query.get("start", "")),
        is_back=query.get("back") == "1",
        whose=theirs(visit),
    )


def _standard(filters: Collection[str], allowed: Collection[str]) -> tuple[str, ...]:
    """The columns of a list that nobody has chosen some for. What days are asked for is shown."""
    by_placed = not {"placed_from", "placed_to"}.isdisjoint(filters)
    columns = (*STANDARD, "placed") if by_placed else STANDARD
    return tuple(name for name in columns if name in allowed)


def _plain(words: Words, text: str) -> str:
    """An amount as addresses have it, which reads alike in all languages.

    After a point a German may read three digits as thousands, so there a fourth one stands. "",
    which fits no filter: it can be read in two ways.
    """
    try:
        amount = words.amount(text)
    except TwoReadings:
        return ""
    return f"{amount}0" if len(amount.partition(".")[2]) == _OF_THOUSANDS else amount


def _text(text: str) -> str:
    return text.replace("\0", "").strip()[:_TEXT_MAX]


def _read(name: str, text: str, zone: tzinfo) -> dict[str, Any]:
    """A filter as the doors take it. Days are those of the reader, like all moments on screens."""
    match name:
        case "needs":
            return {"needs_attention": True}
        case "held":
            return {"held": True}
        case _ if name in _DAYS:
            day = day_of(text)
            if day is None:
                return {name: text}
            first = day + timedelta(days=name.endswith("_to"))
            return {name: datetime.combine(first, time(), zone).astimezone(UTC)}
        case "country" | "currency":
            return {name: text.upper()}
        case _:
            return {name: text}


def day_of(text: str) -> date | None:
    """A day that has another one before and behind it; None: it is none."""
    try:
        day = date.fromisoformat(text)
        return day if date.min.year < day.year < date.max.year else None
    except ValueError:
        return None


def _fits(told: Mapping[str, Any]) -> bool:
    try:
        OrderFilters.model_validate(told)
    except ValidationError:
        return False
    return True


@dataclass(frozen=True)
class Listed:
    """A page of a list, and the addresses of those beside it; "" where there is none.

    `further`: where to look on, because nothing more was found among the orders looked at so far,
    and come to the moment `looked_until`. `sorted_by`: the column of the moment that sorts them.
    """

    orders: Sequence[OrderSummary]
    newer: str
    older: str
    further: str
    looked_until: datetime | None
    sorted_by: Literal["placed", "received"]


async def listed(visit: Visit, asked: Asked) -> Listed:
    """The page that an address asks for. "Newer" is what stands above it, whatever is first."""
    found: ListedOrders = await visit.here.orders.listed(
        asked.filters,
        **asked.whose,
        start=asked.start or None,
        is_rising=asked.is_oldest_first != asked.is_back,
        at_most=PAGE + 1,
    )
    orders = list(found.orders[:PAGE])
    is_more = len(found.orders) > PAGE
    if asked.is_back:
        orders.reverse()
    above = is_more if asked.is_back else bool(asked.start)
    below = bool(orders) if asked.is_back else is_more
    further, moment = "", None
    if found.looked_until is not None:
        back = "1" if asked.is_back else ""
        further = asked.query(start=found.looked_until.order_id, back=back)
        until = found.looked_until
        moment = until.placed_at if found.is_by_placed else until.received_at
    return Listed(
        orders,
        newer=asked.query(start=orders[0].order_id, back="1") if above and orders else "",
        older=asked.query(start=orders[-1].order_id) if below and orders else "",
        further=further,
        looked_until=moment,
        sorted_by="placed" if found.is_by_placed else "received",
    )


def heads_of(visit: Visit, asked: Asked) -> list[tuple[str, str, str]]:
    """The heads of the chosen columns: name, sentence, and "number" for one of numbers."""
    return [(x, label(visit.words, "column", x), BY_NAME[x].kind) for x in asked.columns]


def label(words: Words, of: Literal["column", "filter"], name: str) -> str:
    """What a column or a filter is called: as what it shows is called everywhere, mostly."""
    own = f"{of}_{name}"
    return words(own if words.has(own) else name)
