"""Columns of a list of orders: what each says, on a page and in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from domain.access.keys import Scope
from domain.money import to_decimal
from domain.staff.people import Person
from starter.web.desk.reasons import held_told
from starter.web.words import Words
from store.views.lists import ToldOfOrder
from store.views.reads import OrderSummary


class Row(NamedTuple):
    """An order of a list. `more`: None where no column asks for it."""

    order: OrderSummary
    more: ToldOfOrder | None


class Column(NamedTuple):
    """What a column says on a page, and in a file that programs read.

    `kind`: "number" or "". `asks_more`: it says what a summary does not. `scope`: whoever has it
    sees the column.
    """

    shown: Callable[[Row, Words], str]
    written: Callable[[Row], str | int]
    kind: str = ""
    asks_more: bool = False
    scope: Scope | None = None


def _text(name: str) -> Column:
    def written(row: Row) -> str:
        return str(getattr(row.order, name) or "")

    return Column(lambda row, _: written(row), written)


def _more(name: str, scope: Scope | None = None) -> Column:
    def written(row: Row) -> str:
        return "" if row.more is None else str(getattr(row.more, name) or "")

    return Column(lambda row, _: written(row), written, asks_more=True, scope=scope)


def _moment(name: str) -> Column:
    return Column(
        lambda row, words: words.brief(getattr(row.order, name)),
        lambda row: getattr(row.order, name).isoformat(),
    )


def _state(name: str, prefix: str) -> Column:
    return Column(
        lambda row, words: words(f"{prefix}_{getattr(row.order, name)}"),
        lambda row: str(getattr(row.order, name)),
    )


def _units(name: str) -> Column:
    return Column(
        lambda row, words: words.number(getattr(row.order, name)),
        lambda row: int(getattr(row.order, name)),
        kind="number",
    )


def _amount(minor: Callable[[OrderSummary], int]) -> Column:
    return Column(
        lambda row, words: words.money(minor(row.order), row.order.currency),
        lambda row: f"{to_decimal(minor(row.order), row.order.currency):f}",
        kind="number",
    )


def _promised(row: Row, words: Words) -> str:
    day = None if row.more is None else row.more.promised_on
    return "" if day is None else words.day(day)


def _country(row: Row, words: Words) -> str:
    return "" if row.more is None else words.country(row.more.country)


def _held(row: Row, words: Words) -> str:
    return held_told(words, row.order.held or "")


BY_NAME: Final[Mapping[str, Column]] = {
    "customer": _more("customer", "customers:read"),
    "total": _amount(lambda order: order.total_minor),
    "charged": _amount(lambda order: order.captured_minor),
    "refunded": _amount(lambda order: order.refunded_minor),
    "owed": _amount(lambda order: order.refund_granted_minor - order.refunded_minor),
    "currency": _text("currency"),
    "state": _state("state", "order"),
    "goods": _state("fulfilment_status", "goods"),
    "money": _state("payment_status", "money"),
    "held": _text("held")._replace(shown=_held),
    "units": _units("ordered"),
    "shipped": _units("shipped"),
    "skus": _more("skus"),
    "country": _more("country")._replace(shown=_country),
    "locations": _more("locations"),
    "promised": _more("promised_on")._replace(shown=_promised),
    "channel": _text("channel"),
    "number": _text("channel_order_id"),
    "seller": _text("seller"),
    "received": _moment("received_at"),
    "placed": _moment("placed_at"),
}
"""Name → column, in the sequence in which they stand. The sentences are `column_…`.

What matters first stands first, because a phone shows the rows line by line.
"""
STANDARD: Final = ("customer", "total", "state", "goods", "money", "channel", "received")
"""Those of a list whose address says nothing of them, for whoever may see each of them."""


def columns_for(person: Person) -> list[str]:
    """The columns that somebody may choose."""
    return [name for name, one in BY_NAME.items() if one.scope is None or person.allows(one.scope)]


def ask_more(columns: tuple[str, ...]) -> bool:
    """Whether a column says what a summary does not."""
    return any(BY_NAME[name].asks_more for name in columns)
