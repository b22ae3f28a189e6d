"""Goods that arrive without a purchase order: one SKU, or a delivery of any size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from domain.errors import Conflict, InvalidInput, Refused
from domain.money import Price
from domain.stock.kits import Kit
from store.accounting.valuation import NOTHING, Paid
from store.database import Connection, DatabaseFault, Record, load_queries
from store.locks import lock_stock
from store.stock import kits, locations, stock

_sql = load_queries(__file__)

ROWS_AT_ONCE: Final = 1_000
"""Stock rows that one transaction locks and books, at most; orders of these SKUs wait for it."""


async def receive(
    conn: Connection,
    key: str,
    sku: str,
    location: str,
    quantity: int,
    *,
    unit_cost: Price | None = None,
    new_location: bool = False,
    who: str,
    why: str,
) -> stock.StockLevel:
    """Receive goods: on_hand + quantity, once per key. A new SKU gets its stock row.

    `unit_cost`: the price of each unit; without it, they are valued like the units in stock.
    `new_location`: create the location if it is unknown; the very first one is always created.
    Raises InvalidInput for an impossible quantity or cost, Conflict when the key was used for
    another quantity, and NotFound for an unknown location.
    """
    if quantity < 1:
        raise InvalidInput(f"cannot receive {quantity} of {sku}; a receipt is more than zero units")
    known = await locations.names(conn)
    if location not in known and (new_location or not known):
        await locations.add(conn, [location])
    elif fault := locations.fault_of(location, known):
        raise fault
    await stock.ensure_rows(conn, [(sku, location)])
    effect = f"receive:{key}"
    async with conn.transaction():
        await lock_stock(conn, [sku])
        earlier = await stock.recorded(conn, effect, sku, location)
        if earlier is not None and earlier["on_hand_change"] != quantity:
            raise Conflict(_used(key, earlier["on_hand_change"], sku))
        goods = stock.Move(sku=sku, location=location, on_hand=quantity)
        paid = NOTHING
        if unit_cost is not None:
            paid = Paid({(sku, location): unit_cost.of(quantity)})
        await stock.move(conn, effect, "received", [goods], paid=paid, who=who, why=why)
        return await stock.row_of(conn, sku, location)


@dataclass(frozen=True)
class Arrival:
    """Units of one SKU that arrive at one location. `line`: their line in the delivery's file."""

    line: int
    sku: str
    location: str
    quantity: int
    cost: Price | None = None
    """For each unit, or None to value it like the SKU's units in stock."""


@dataclass(frozen=True)
class Rejection:
    """The reason why a row of a delivery is refused."""

    line: int
    reason: str


@dataclass
class Booked:
    """The progress of a delivery: stock rows booked, and their units.

    `before`: the rows that an earlier run of the same delivery has booked.
    """

    rows: int = 0
    units: int = 0
    before: int = 0
    rejected: list[Rejection] = field(default_factory=list)


class Delivery:
    """A delivery of many SKUs, of any size.

    Its rows are first collected in the database, and count for nothing until they are booked, some
    at a time. Each stock row is booked once per key: if a run stops halfway, the same delivery
    books the rest.
    """

    def __init__(self, conn: Connection, known: dict[str, bool], new: Iterable[str]) -> None:
        self._conn = conn
        self._known = known
        self._new = set(new)
        self._first = not known
        self.made: set[str] = set()
        """New locations that it creates."""

    async def add(self, rows: Sequence[Arrival]) -> list[Rejection]:
        """Add rows to the collected ones. Returns the refused rows."""
        found = await kits.find(self._conn, {row.sku for row in rows})
        rejected: list[Rejection] = []
        units: dict[tuple[str, str], list[Arrival]] = {}
        for row in rows:
            same = units.get((row.sku, row.location), [])
            if reason := self._fault(row, found):
                rejected.append(Rejection(row.line, reason))
            elif same and same[0].cost != row.cost:
                rejected.append(_other_cost(row))
            else:
                units.setdefault((row.sku, row.location), []).append(row)
        lines = [same[0] for same in units.values()]
        taken = {
            (row["sku"], row["location"])
            async for row in _sql.add(
                self._conn,
                skus=[row.sku for row in lines],
                locations=[row.location for row in lines],
                quantities=[sum(row.quantity for row in same) for same in units.values()],
                costs=[None if row.cost is None else row.cost.each for row in lines],
                currencies=[None if row.cost is None else row.cost.currency for row in lines],
                lines=[row.line for row in lines],
            )
        }
        for place in units.keys() - taken:
            rejected += [_other_cost(row) for row in units[place]]
        self.made |= {place for _, place in taken} - self._known.keys()
        return sorted(rejected, key=lambda one: one.line)

    def _fault(self, row: Arrival, found: dict[str, Kit]) -> str:
        if row.sku in found:
            return f"{row.sku} is a kit: take in its parts, {found[row.sku]}"
        if row.location not in self._known and (self._first or row.location in self._new):
            return ""
        fault = locations.fault_of(row.location, self._known)
        return "" if fault is None else str(fault)

    async def book(self, key: str, *, who: str, why: str) -> AsyncIterator[Booked]:
        """Book the collected rows, some at a time, and report the progress after each time."""
        await _sql.complete(self._conn)
        await locations.add(self._conn, self.made)
        effect = f"receive:{key}"
        done = Booked()
        after = ""
        while True:
            rows = [
                row
                async for row in _sql.next_of(
                    self._conn, after=after, effect=effect, at_most=ROWS_AT_ONCE
                )
            ]
            if not rows:
                return
            after = rows[-1]["sku"]
            done.rejected = [
                Rejection(row["line"], f"{_used(key, row['booked'], row['sku'])}; nothing changed")
                for row in rows
                if row["booked"] not in (None, row["quantity"])
            ]
            done.before += sum(row["booked"] == row["quantity"] for row in rows)
            new = [_arrival(row) for row in rows if row["booked"] is None]
            await self._book(new, done, effect=effect, who=who, why=why)
            yield done

    async def _book(
        self, rows: Sequence[Arrival], done: Booked, *, effect: str, who: str, why: str
    ) -> None:
        """Book rows in one transaction; if one is refused, book the others without it."""
        if not rows:
            return
        try:
            await _book(self._conn, rows, effect=effect, who=who, why=why)
        except (InvalidInput, Refused) as error:
            if len(rows) == 1:
                done.rejected.append(Rejection(rows[0].line, str(error)))
                return
            middle = len(rows) // 2
            for part in (rows[:middle], rows[middle:]):
                await self._book(part, done, effect=effect, who=who, why=why)
        else:
            done.rows += len(rows)
            done.units += sum(row.quantity for row in rows)

    async def rows(self) -> int:
        """The number of stock rows to be booked."""
        counted: int = await _sql.counted(self._conn)
        return counted


@asynccontextmanager
async def delivery(conn: Connection, *, new: Iterable[str] = ()) -> AsyncIterator[Delivery]:
    """A delivery that is collected and booked on this connection.

    It goes to known locations, or to those named as `new`. The very first delivery creates every
    location that it names.
    """
    await _sql.begin(conn)
    try:
        yield Delivery(conn, await locations.names(conn), new)
    finally:
        # If the connection is lost, its collected rows are lost with it.
        with suppress(*DatabaseFault):
            await _sql.end(conn)


async def _book(
    conn: Connection, rows: Sequence[Arrival], *, effect: str, who: str, why: str
) -> None:
    await stock.ensure_rows(conn, [(row.sku, row.location) for row in rows])
    async with conn.transaction():
        await lock_stock(conn, [row.sku for row in rows])
        for together in _by_cost(rows):
            costs = {
                (row.sku, row.location): row.cost.of(row.quantity)
                for row in together
                if row.cost is not None
            }
            goods = [
                stock.Move(sku=row.sku, location=row.location, on_hand=row.quantity)
                for row in together
            ]
            await stock.move(conn, effect, "received", goods, paid=Paid(costs), who=who, why=why)


def _by_cost(rows: Sequence[Arrival]) -> list[list[Arrival]]:
    """Groups of rows that can be booked together: each SKU has one cost. No cost comes last."""
    costs: dict[str, list[Price | None]] = {}
    parts: list[list[Arrival]] = []
    for row in sorted(rows, key=lambda row: row.cost is None):
        seen = costs.setdefault(row.sku, [])
        if row.cost not in seen:
            seen.append(row.cost)
        place = seen.index(row.cost)
        if place == len(parts):
            parts.append([])
        parts[place].append(row)
    return parts


def _arrival(row: Record) -> Arrival:
    each, currency = row["unit_cost"], row["currency"]
    cost = None if currency is None else Price(each=each, currency=currency)
    return Arrival(row["line"], row["sku"], row["location"], row["quantity"], cost)


def _other_cost(row: Arrival) -> Rejection:
    return Rejection(
        row.line,
        f"{row.sku} at {row.location} has another unit_cost in a row above: one delivery has one "
        "cost",
    )


def _used(key: str, units: int, sku: str) -> str:
    return f"key {key} was used for {units} units of {sku} already"
