"""Goods on their way between locations: gone from one, and not yet at the other.

The dispatch is booked where the goods leave, the arrival where they arrive. The transfer holds the
units in between: sent, less arrived, less lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from store.database import Connection, Record, load_queries
from store.locks import lock_stock
from store.stock import kits, locations, stock, stock_levels

_sql = load_queries(__file__)


class TransferLine(BaseModel):
    """Units of one SKU. Those that neither arrived nor are lost are under way."""

    model_config = ConfigDict(frozen=True)

    sku: str
    sent: int
    arrived: int
    lost: int

    @property
    def under_way(self) -> int:
        """Units that may still arrive."""
        return self.sent - self.arrived - self.lost


class Transfer(BaseModel):
    """Goods from one location to another. Closed: nothing of it is under way any more."""

    model_config = ConfigDict(frozen=True)

    transfer_id: str
    from_location: str
    to_location: str
    expected_on: date | None
    sent_at: datetime
    closed_at: datetime | None
    who: str
    why: str
    lines: tuple[TransferLine, ...]


async def send(
    conn: Connection,
    transfer_id: str,
    from_location: str,
    to_location: str,
    units: Mapping[str, int],
    *,
    expected_on: date | None = None,
    who: str,
    why: str,
) -> Transfer:
    """Take units (SKU → number) out of one location and send them to another, once per id.

    Only units without any claim can go. Raises InvalidInput for no units or for the same location
    twice, NotFound for unknown stock or locations, IllegalTransition for more units than are free,
    and Conflict when the id was used for another transfer.
    """
    if not units or any(quantity < 1 for quantity in units.values()):
        raise InvalidInput("a transfer is of one unit or more of each SKU")
    if from_location == to_location:
        raise InvalidInput(f"a transfer leads elsewhere, not from {from_location} to itself")
    async with conn.transaction():
        await kits.refuse(conn, units)
        for sku in sorted(units):
            if await stock.level(conn, sku, from_location) is None:
                raise NotFound(f"no stock is kept of {sku} at {from_location}; see `stock list`")
        await locations.check(conn, [to_location])
        # Before the locks: another transaction that creates the same rows may be waiting for the
        # locks.
        await stock.ensure_rows(conn, [(sku, to_location) for sku in units])
        await lock_stock(conn, units)
        new = await _sql.send(
            conn,
            transfer_id=transfer_id,
            from_location=from_location,
            to_location=to_location,
            expected_on=expected_on,
            who=who,
            why=why,
            skus=list(units),
            units=list(units.values()),
        )
        found = await get(conn, transfer_id)
        if new is None:
            sent = {line.sku: line.sent for line in found.lines}
            if (found.from_location, found.to_location, sent) != (
                from_location,
                to_location,
                dict(units),
            ):
                raise Conflict(f"transfer {transfer_id} was sent before, with other goods or ways")
            return found
        for sku, quantity in units.items():
            level = await stock.row_of(conn, sku, from_location)
            free = level.on_hand - level.allocated - level.soft_reserved
            if quantity > free:
                raise IllegalTransition(
                    f"only {free} {sku} can leave {from_location}: the others are allocated, or "
                    "soft-reserved for baskets and backorders"
                )
        await stock.move(
            conn,
            f"transfer:{transfer_id}:sent",
            "transferred",
            [
                stock.Move(sku=sku, location=from_location, on_hand=-quantity, under_way=quantity)
                for sku, quantity in units.items()
            ],
            who=who,
            why=f"{transfer_id} to {to_location}: {why}",
        )
        return found


async def receive(
    conn: Connection,
    transfer_id: str,
    key: str,
    units: Mapping[str, int] | None = None,
    *,
    damaged: Mapping[str, int] | None = None,
    rest_is_lost: bool = False,
    who: str,
) -> Transfer:
    """Receive units (SKU → number; left out: all that are under way), once per key.

    `damaged`: units of them that are written off at once, and promised to nobody.
    Missing units may still arrive, unless the rest is lost: then they are written off. Raises
    NotFound, InvalidInput for a SKU that is not in it, IllegalTransition for more than is under
    way, and Conflict when the key was used for other units.
    """
    async with conn.transaction():
        row = await _lock(conn, transfer_id)
        lines = {line.sku: line for line in (await get(conn, transfer_id)).lines}
        effect = f"transfer:{transfer_id}:{key}"
        recorded = await stock.booked(conn, effect)
        if recorded or await stock.booked(conn, f"{effect}:lost"):
            if units is not None and recorded != {k: n for k, n in units.items() if n}:
                counted = _counted(recorded) or "nothing"
                raise Conflict(f"key {key} was used for {counted} of {transfer_id} already")
            return await get(conn, transfer_id)
        arrived = {sku: line.under_way for sku, line in lines.items()} if units is None else units
        _check(transfer_id, arrived, lines)
        came = {sku: quantity for sku, quantity in arrived.items() if quantity}
        lost = {
            sku: line.under_way - came.get(sku, 0)
            for sku, line in lines.items()
            if rest_is_lost and line.under_way > came.get(sku, 0)
        }
        if not came and not lost:
            raise IllegalTransition(
                f"nothing arrived and nothing is lost: there is nothing to report of {transfer_id}"
            )
        await lock_stock(conn, lines)
        to, origin = row["to_location"], row["from_location"]
        # On the way they are still the sender's, who bears their loss.
        owner = to if row["one_owner"] else origin
        moves = [stock.Move(sku=sku, location=to, on_hand=n) for sku, n in came.items()]
        moves += [stock.Move(sku=sku, location=owner, under_way=-n) for sku, n in came.items()]
        await stock.arrive(
            *(conn, effect, "transferred", moves),
            damaged={(sku, to): n for sku, n in (damaged or {}).items()},
            who=who,
            why=f"from {origin}",
            why_not=f"{transfer_id}: came damaged",
        )
        # No shelf changes, but the journal tells the loss where they would be the owner's.
        await stock.move(
            conn,
            f"{effect}:lost",
            "written_off",
            [stock.Move(sku=sku, location=owner, under_way=-n) for sku, n in lost.items()],
            who=who,
            why=f"{transfer_id}: {_counted(lost)} lost on the way from {origin}",
        )
        skus = sorted({*came, *lost})
        await _sql.settle(
            conn,
            transfer_id=transfer_id,
            skus=skus,
            arrived=[came.get(sku, 0) for sku in skus],
            lost=[lost.get(sku, 0) for sku in skus],
        )
        # Fewer units will arrive than purchasing counted on.
        await stock_levels.call_if_low(conn, list(lost))
        return await get(conn, transfer_id)


async def get(conn: Connection, transfer_id: str) -> Transfer:
    """One transfer. Raises NotFound."""
    rows = await find(conn, transfer_id=transfer_id)
    if not rows:
        raise NotFound(f"there is no transfer {transfer_id}; see `orderloom stock transfers`")
    return rows[0]


async def find(
    conn: Connection,
    *,
    transfer_id: str | None = None,
    under_way: bool = False,
    sku: str | None = None,
    locations: Sequence[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int | None = None,
) -> list[Transfer]:
    """Transfers, oldest first: all, one, or those with units under way.

    `sku`: with units of it. `locations`: from or to one of these. A page has `at_most` of them,
    behind the one that was sent then and has this id.
    """
    after_at, after_id = after or (None, None)
    rows = _sql.list_transfers(
        conn,
        transfer_id=transfer_id,
        open=under_way,
        sku=sku,
        locations=None if locations is None else list(locations),
        after_at=after_at,
        after_id=after_id,
        at_most=at_most,
    )
    return [Transfer(**row) async for row in rows]


async def _lock(conn: Connection, transfer_id: str) -> Record:
    row: Record | None = await _sql.lock(conn, transfer_id=transfer_id)
    if row is None:
        raise NotFound(f"there is no transfer {transfer_id}; see `orderloom stock transfers`")
    return row


def _check(transfer_id: str, units: Mapping[str, int], lines: Mapping[str, TransferLine]) -> None:
    for sku, quantity in units.items():
        if sku not in lines:
            raise InvalidInput(f"{transfer_id} has no {sku}; it has {', '.join(lines)}")
        if not 0 <= quantity <= lines[sku].under_way:
            raise IllegalTransition(
                f"{quantity} of {sku} cannot have arrived: {lines[sku].under_way} of {transfer_id} "
                "are on their way"
            )


def _counted(units: Mapping[str, int]) -> str:
    return ", ".join(f"{quantity} {sku}" for sku, quantity in sorted(units.items()))
