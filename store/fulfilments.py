"""Fulfilments: what each location is to send, the claims on stock behind it, and its parcel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.errors import NotFound
from domain.fulfilments import RECALLABLE, FulfilmentState, Planned
from domain.locations import Promise
from domain.sourcing import Take
from store import orders, stock
from store.database import Connection, Record, load_queries
from store.locks import lock_order

_sql = load_queries("fulfilments")


class FulfilmentLine(BaseModel):
    """One line of a fulfilment. `reserved` is the open claim; `picked` is None until counted."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int
    picked: int | None
    reserved: int
    location: str


async def allocate(
    conn: Connection,
    order_id: str,
    effect: str,
    takes: Sequence[Take],
    *,
    first_number: int,
    state: Literal["open", "picking"],
    promises: Mapping[str, Promise],
    who: str,
    why: str,
) -> tuple[Planned, ...]:
    """Claim stock as planned: movements, reservations and one fulfilment per location.

    The caller holds the order's and the stock's locks; fulfilments are numbered on from
    `first_number`. `promises`: what the customer is told of a parcel, by location. Returns the
    fulfilments in their sequence.
    """
    by_location: dict[str, list[Take]] = {}
    for take in takes:
        by_location.setdefault(take.location, []).append(take)
    planned = tuple(
        Planned(
            fulfilment_id=ids.fulfilment_id(order_id, number),
            location=location,
            units={take.line_id: take.quantity for take in by_location[location]},
        )
        for number, location in enumerate(by_location, start=first_number)
    )
    await stock.move(
        conn,
        effect,
        "allocated",
        [stock.Move(sku=t.sku, location=t.location, allocated=t.quantity) for t in takes],
        order_id=order_id,
        who=who,
        why=why,
    )
    skus = {take.line_id: take.sku for take in takes}
    await _insert(conn, order_id, planned, skus, state, promises)
    taken: dict[str, int] = {}
    for take in takes:
        taken[take.line_id] = taken.get(take.line_id, 0) + take.quantity
    await orders.move_lines(conn, order_id, {k: {"allocated": v} for k, v in taken.items()})
    return planned


async def _insert(
    conn: Connection,
    order_id: str,
    planned: Sequence[Planned],
    skus: Mapping[str, str],
    state: str,
    promises: Mapping[str, Promise],
) -> None:
    promised = [promises.get(fulfilment.location) for fulfilment in planned]
    await _sql.insert_fulfilments(
        conn,
        order_id=order_id,
        state=state,
        fulfilment_ids=[fulfilment.fulfilment_id for fulfilment in planned],
        locations=[fulfilment.location for fulfilment in planned],
        leaves=[None if promise is None else promise.leaves_on for promise in promised],
        arrivals=[None if promise is None else promise.arrives_on for promise in promised],
    )
    rows = [(f, line_id, units) for f in planned for line_id, units in f.units.items()]
    await _sql.insert_fulfilment_lines(
        conn,
        order_id=order_id,
        fulfilment_ids=[f.fulfilment_id for f, _, _ in rows],
        line_ids=[line_id for _, line_id, _ in rows],
        skus=[skus[line_id] for _, line_id, _ in rows],
        locations=[f.location for f, _, _ in rows],
        quantities=[units for _, _, units in rows],
    )


async def locked(conn: Connection, fulfilment_id: str) -> Record:
    """Lock the fulfilment's order and read the fulfilment. Raises NotFound."""
    try:
        await lock_order(conn, ids.order_of(fulfilment_id))
        row: Record | None = await _sql.fulfilment_of(conn, fulfilment_id=fulfilment_id)
    except NotFound:
        row = None
    if row is None:
        raise NotFound(f"there is no fulfilment {fulfilment_id}; see `orderloom warehouse tasks`")
    return row


async def lines(conn: Connection, fulfilment_id: str) -> list[FulfilmentLine]:
    """The lines of a fulfilment, sorted by line id."""
    return [FulfilmentLine(**row) async for row in _sql.lines_of(conn, fulfilment_id=fulfilment_id)]


async def release_to_warehouse(conn: Connection, order_id: str) -> None:
    """open → picking, for all fulfilments of the order."""
    await _sql.release_to_warehouse(conn, order_id=order_id)


async def set_state(conn: Connection, fulfilment_id: str, state: FulfilmentState) -> None:
    """Move a fulfilment whose present state the caller has read under the order's lock."""
    await _sql.set_state(conn, fulfilment_id=fulfilment_id, state=state)


async def recall(conn: Connection, fulfilment_id: str) -> FulfilmentState | None:
    """Stop a fulfilment before its hand-over, for good: the warehouse can no longer report on it.

    Returns the state in which it was caught, or None when it is too late (or was stopped by a
    short pick of everything). Recalling again answers the same. This row is where cancel and ship
    meet: whichever commits first wins, and the other is told.
    """
    row = await locked(conn, fulfilment_id)
    caught: FulfilmentState | None = row["recalled_from"]
    if caught is None and row["state"] in RECALLABLE:
        caught = row["state"]
        await _sql.recall(conn, fulfilment_id=fulfilment_id)
    return caught


async def release(
    conn: Connection,
    fulfilment_id: str,
    effect: str,
    units: Mapping[str, int],
    *,
    who: str,
    why: str,
) -> None:
    """Give claimed units (line id → units) back to stock and cancel them on the order's lines.

    The caller holds the order's and the stock's locks.
    """
    given = await give_back(conn, fulfilment_id, effect, units, who=who, why=why)
    await orders.move_lines(
        conn, ids.order_of(fulfilment_id), {k: {"cancelled": n} for k, n in given.items()}
    )


async def give_back(
    conn: Connection,
    fulfilment_id: str,
    effect: str,
    units: Mapping[str, int],
    *,
    who: str,
    why: str,
) -> dict[str, int]:
    """Give claimed units (line id → units) back to stock; on the order's lines they are open again.

    The caller holds the order's and the stock's locks. Returns them, without lines of which there
    are none.
    """
    wanted = {line_id: quantity for line_id, quantity in units.items() if quantity}
    if not wanted:
        return {}
    held = {line.line_id: line for line in await lines(conn, fulfilment_id)}
    await stock.move(
        conn,
        effect,
        "released",
        [
            stock.Move(sku=held[line_id].sku, location=held[line_id].location, allocated=-quantity)
            for line_id, quantity in wanted.items()
        ],
        order_id=ids.order_of(fulfilment_id),
        who=who,
        why=why,
    )
    await take_reserved(conn, fulfilment_id, wanted)
    await orders.move_lines(
        conn, ids.order_of(fulfilment_id), {k: {"allocated": -n} for k, n in wanted.items()}
    )
    return wanted


async def reassign(
    conn: Connection, fulfilment_id: str, to: str, units: Mapping[str, int]
) -> Planned:
    """Move claims (line id → units) to a new fulfilment `to` at the same location, to be picked.

    No stock moves: the units stay allocated where they are. What was promised stays promised.
    """
    row = await _sql.fulfilment_of(conn, fulfilment_id=fulfilment_id)
    promised = {}
    if row["promised_leave"] is not None:
        promised[row["location"]] = Promise(
            leaves_on=row["promised_leave"], arrives_on=row["promised_on"]
        )
    held = {line.line_id: line for line in await lines(conn, fulfilment_id)}
    location = next(iter(held.values())).location
    planned = Planned(fulfilment_id=to, location=location, units=dict(units))
    await take_reserved(conn, fulfilment_id, units)
    skus = {line_id: held[line_id].sku for line_id in units}
    await _insert(conn, ids.order_of(fulfilment_id), [planned], skus, "picking", promised)
    return planned


async def set_picked(conn: Connection, fulfilment_id: str, picked: Mapping[str, int]) -> None:
    """Record what the picker counted (line id → units)."""
    await _sql.set_picked(
        conn,
        fulfilment_id=fulfilment_id,
        line_ids=list(picked),
        picked=list(picked.values()),
    )


async def take_reserved(conn: Connection, fulfilment_id: str, units: Mapping[str, int]) -> None:
    """Lower a fulfilment's claims (line id → units)."""
    await _sql.take_reserved(
        conn,
        fulfilment_id=fulfilment_id,
        line_ids=list(units),
        quantities=list(units.values()),
    )
