"""Marketplaces' order files: a row for each item, and the amounts of whole lines.

The marketplace has been paid: nothing is charged here, and what is paid back is paid back there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from domain.errors import InvalidInput
from domain.money import (
    PRICE_DECIMALS_MAX,
    decimals,
    price_text,
    to_decimal,
    to_minor,
    worth_of_units,
)
from domain.orders.providers import ELSEWHERE
from starter.channels.countries import country_code
from starter.channels.csv_dialect import columns_of
from starter.channels.csv_rows import Row, header_fault, lines_in
from starter.channels.marketplace_rows import readable, that_count
from starter.channels.marketplace_tables import TABLES, Table
from starter.channels.order_rows import Key, OrderRows, Places, gather, to_records
from starter.channels.read_results import Problem, Record, unreadable

CHANNEL: Final = "marketplace"
"""Whose orders they are, where nobody says otherwise: the file does not."""

_NUMBER: Final = re.compile(r"\S.{0,99}")
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_COMMA: Final = re.compile(r"[0-9]{1,12},[0-9]{1,2}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_MISSING: Final = "is missing"
_FINEST: Final = Decimal(1).scaleb(-PRICE_DECIMALS_MAX)


def table_of(text: str, tables: Sequence[Table] = TABLES) -> Table | None:
    """The marketplace whose file this is, by its header; None: of none that is known."""
    for table in tables:
        columns = columns_of(lines_in(text)).named(table.columns)
        if set(table.known_by) <= set(columns):
            return table
    return None


def read_marketplace(
    text: str, table: Table, channel: str, *, is_utf8: bool = True
) -> Iterator[Record]:
    """The orders of a file. `is_utf8`: it was read as such, or should have been."""
    lines = lines_in(text)
    columns = columns_of(lines).named(table.columns)
    columns.quotes = table.quoted or columns.separator != "\t"
    if fault := header_fault(columns, table.must, None):
        yield unreadable(columns.line, fault)
        return
    western: set[int] = set()
    may_be_western = is_utf8 and table.western
    told = readable(lines, columns, table, western) if may_be_western else lines
    key = Key(table.number, _NUMBER, "a number")
    # Marketplaces write amounts with a point, spreadsheets of some countries with a comma.
    gathered, strays = gather(told, columns, key, {table.quantity: True})
    yield from to_records(
        gathered,
        strays,
        lambda one: _Mapped(table, channel, one, western).document(),
        _places(table),
    )


class _Mapped:
    """One order, made of its rows. What is wrong with them is added to their problems."""

    def __init__(self, table: Table, channel: str, one: OrderRows, western: set[int]) -> None:
        self._table = table
        self._channel = channel
        self._one = one
        self._western = western
        one.must_agree(table.of_the_order)
        self._first = one.rows[0]
        one.rows = that_count(one.rows, table)
        self._currency = self._first.cells[table.currency].upper()
        self._is_known = _is_known(self._currency)

    def document(self) -> dict[str, Any]:
        """The canonical order."""
        table, first = self._table, self._first
        if not self._is_known:
            self._wrong(first, table.currency, "must be an ISO 4217 code such as USD")
        for row in self._one.rows:
            self._check(row)
        shipping = self._sum(table.shipping) - self._sum(table.shipping_discount)
        if shipping < 0:
            self._wrong(first, table.shipping_discount, "is more than shipping costs")
        wrapping = self._sum(table.wrapping)
        fee = {"name": "Gift wrap", "amount": self._text(wrapping)}
        return {
            "channel": self._channel,
            "channel_order_id": self._one.number,
            "placed_at": first.cells[table.placed_at],
            "customer": {
                "name": self._cell(first, table.buyer),
                "email": self._cell(first, table.email),
                "phone": self._cell(first, table.phone),
                "company": self._cell(first, table.company) or None,
            },
            "currency": self._currency,
            "prices_include_tax": self._currency not in table.net_in,
            "lines": [self._line(row) for row in self._one.rows],
            "shipping": {
                "service": self._service(),
                "price": self._text(max(shipping, Decimal(0))),
                **self._taxed(table.shipping_tax),
                "address": self._address(),
            },
            "fees": [{**fee, **self._taxed(table.wrapping_tax)}] if wrapping else [],
            "gift_message": self._gift_message(),
            "payment": {"provider": ELSEWHERE, "token": self._token()},
        }

    def _line(self, row: Row) -> dict[str, Any]:
        table = self._table
        told = row.cells[table.quantity]
        units = int(told) if _WHOLE.fullmatch(told) else 0
        if not units:
            self._wrong(row, table.quantity, _no_units(told))
        price, discount = self._amount(row, table.price), self._amount(row, table.discount)
        each, too_much = self._each(price, units or 1)
        line = {
            "sku": row.cells[table.sku],
            "quantity": units or 1,
            "unit_price": each,
            "discount": self._text(discount + too_much),
        }
        if line_id := self._cell(row, table.line_id):
            line["line_id"] = line_id
        if self._cell(row, table.tax):
            line["tax"] = self._text(self._amount(row, table.tax))
        return line

    def _each(self, price: Decimal, units: int) -> tuple[str, Decimal]:
        """What a unit costs, and by how much the line costs more by that than it should."""
        if not self._is_known:
            return "0", Decimal(0)
        each = (price / units).quantize(_FINEST, rounding=ROUND_CEILING)
        whole = to_decimal(worth_of_units(each, units, self._currency), self._currency)
        return price_text(each.normalize(), self._currency), whole - price

    def _check(self, row: Row) -> None:
        """What the order's document could not say as well."""
        table = self._table
        if table.paid_at in row.cells and not row.cells[table.paid_at]:
            self._wrong(row, table.paid_at, "is empty: it is not paid yet; place it when it is")
        if self._cell(row, table.shipped) not in ("", "0"):
            self._wrong(row, table.shipped, "is not 0: these have left, and would be sent again")
        if not row.cells[table.price]:
            self._wrong(row, table.price, _MISSING)
        country = country_code(row.cells[table.country])
        if row.line in self._western and country not in table.western:
            reason = "is not UTF-8, and its country writes other letters: save the file in UTF-8"
            self._wrong(row, "", reason)

    def _amount(self, row: Row, column: str) -> Decimal:
        """An amount; 0: there is none. A discount may be written below zero."""
        cell = self._cell(row, column)
        if not cell:
            return Decimal(0)
        if column in (self._table.discount, self._table.shipping_discount):
            cell = cell.removeprefix("-")
        if _COMMA.fullmatch(cell):
            cell = cell.replace(",", ".")
        if not _AMOUNT.fullmatch(cell) or not self._fits(cell):
            self._wrong(row, column, f"must be an amount in {self._currency}, such as 12.50")
            return Decimal(0)
        return Decimal(cell)

    def _fits(self, cell: str) -> bool:
        try:
            return not self._is_known or to_minor(cell, self._currency) is not None
        except InvalidInput:
            return False

    def _sum(self, column: str) -> Decimal:
        return sum((self._amount(row, column) for row in self._one.rows), Decimal(0))

    def _taxed(self, column: str) -> dict[str, str]:
        """The tax of what stands in all rows; nothing where none tells it."""
        told = any(self._cell(row, column) for row in self._one.rows)
        return {"tax": self._text(self._sum(column))} if told else {}

    def _text(self, amount: Decimal) -> str:
        return price_text(amount, self._currency) if self._is_known else str(amount)

    def _service(self) -> str:
        told = self._cell(self._first, self._table.service)
        return self._table.services.get(told, told.lower())

    def _address(self) -> dict[str, str]:
        table, first = self._table, self._first
        named = country_code(first.cells[table.country])
        if named is None and first.cells[table.country]:
            self._wrong(first, table.country, "must be a country, such as DE")
        streets = [self._cell(first, name) for name in (table.line1, table.line2, table.line3)]
        region = self._cell(first, table.region)
        line1, *rest = [street for street in streets if street] or [""]
        return {
            "name": first.cells[table.recipient],
            "line1": line1,
            "line2": ", ".join(rest),
            "city": first.cells[table.city] or (region if named in table.city_in_region else ""),
            "region": region,
            "postal_code": self._cell(first, table.postal_code),
            "country": named or "",
        }

    def _gift_message(self) -> str | None:
        told = (self._cell(row, self._table.gift_message) for row in self._one.rows)
        return "\n".join(dict.fromkeys(message for message in told if message)) or None

    def _token(self) -> str:
        """The payment there, by which a person finds it when something is to be paid back."""
        number = self._one.number
        if not _TOKEN.fullmatch(number):
            number = hashlib.sha256(number.encode()).hexdigest()[:24]
        return f"{self._table.name}-{number}"

    @staticmethod
    def _cell(row: Row, column: str) -> str:
        return row.cells.get(column, "")

    def _wrong(self, row: Row, column: str, reason: str) -> None:
        self._one.problems.append(Problem(row.line, column, reason))


def _no_units(told: str) -> str:
    if not told:
        return _MISSING
    if _WHOLE.fullmatch(told):
        return "is 0: what was cancelled there is not placed; take it out of the file"
    return "must be a whole number of units"


def _is_known(currency: str) -> bool:
    try:
        decimals(currency)
    except InvalidInput:
        return False
    return True


def _places(table: Table) -> Places:
    return Places(
        of_order={
            "channel_order_id": table.number,
            "placed_at": table.placed_at,
            "currency": table.currency,
            "customer.name": table.buyer,
            "shipping.service": table.service,
            "shipping.price": table.shipping,
            "shipping.tax": table.shipping_tax,
            "shipping.address.name": table.recipient,
            "shipping.address.line1": table.line1,
            "shipping.address.city": table.city,
            "shipping.address.postal_code": table.postal_code,
            "shipping.address.country": table.country,
        },
        of_line={
            "line_id": table.line_id or table.number,
            "sku": table.sku,
            "quantity": table.quantity,
            "unit_price": table.price,
            "discount": table.discount or table.price,
            "tax": table.tax or table.price,
        },
    )
