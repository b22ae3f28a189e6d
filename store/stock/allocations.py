"""Allocated stock: the claims of orders' fulfilments, and the units that orders give back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from domain import ids
from domain.fulfilment.fulfilments import Planned
from domain.orders.handling import Handling
from domain.orders.quantities import LineUnits
from domain.stock.kits import Parts
from domain.stock.locations import Promise
from domain.stock.sourcing import Take
from store.database import Connection, load_queries
from store.fulfilment.fulfilments import find, lines
from store.orders import events, orders
from store.stock import stock

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Claim:
    """The units that one effect of an order takes from stock, and those that it gives up.

    `first_number` is the number of its first fulfilment. `promises`: the promised days of the
    parcels, by location. `given_up`: open units that are cancelled.
    """

    order_id: str
    effect: str
    takes: Sequence[Take] = ()
    first_number: int = 1
    promises: Mapping[str, Promise] = field(default_factory=dict)
    given_up: LineUnits = field(default_factory=dict)

    @cached_property
    def planned(self) -> tuple[Planned, ...]:
        """One fulfilment per location and handling, in their sequence."""
        parts: dict[tuple[str, Handling], dict[str, int]] = {}
        for take in self.takes:
            parts.setdefault((take.location, take.handling), {})[take.line_id] = take.quantity
        return tuple(
            Planned(
                fulfilment_id=ids.fulfilment_id(self.order_id, number),
                location=location,
                units=units,
                handling=handling,
            )
            for number, ((location, handling), units) in enumerate(parts.items(), self.first_number)
        )

    def booking(self) -> stock.Booking:
        """The movements of stock."""
        moves = [
            move
            for take in self.takes
            for move in stock.moves(take.takes, take.location, allocated=take.quantity)
        ]
        return stock.Booking(self.effect, moves, self.order_id)

    def counts(self) -> dict[str, dict[str, int]]:
        """The changes to the counts of the order's lines."""
        changes = {line_id: {"cancelled": units} for line_id, units in self.given_up.items()}
        for take in self.takes:
            change = changes.setdefault(take.line_id, {})
            change["allocated"] = change.get("allocated", 0) + take.quantity
        return changes


async def allocate(
    conn: Connection,
    claims: Sequence[Claim],
    *,
    state: Literal["open", "picking"],
    who: str,
    why: str,
    stories: Sequence[events.Event] = (),
) -> list[tuple[Planned, ...]]:
    """Claim stock as planned: movements, reservations and fulfilments, for one or more orders.

    `stories`: what their orders are told with it. The caller holds the locks of the orders and of
    the stock. Returns each claim's fulfilments. Raises IllegalTransition as `stock.book` does.
    """
    planned = [claim.planned for claim in claims]
    rows = [(claim, *total) for claim in claims for total in claim.booking().totals()]
    counts = [
        (claim.order_id, line_id, change)
        for claim in claims
        for line_id, change in claim.counts().items()
    ]
    with stock.impossible((sku, location) for _, sku, location, _, _ in rows):
        await _sql.claim(
            conn,
            effects=[claim.effect for claim, *_ in rows],
            moved_skus=[sku for _, sku, _, _, _ in rows],
            moved_locations=[location for _, _, location, _, _ in rows],
            allocated_changes=[allocated for _, _, _, _, allocated in rows],
            moved_orders=[claim.order_id for claim, *_ in rows],
            who=who,
            why=why,
            **_columns(_parts(claims, planned), state),
            counted_orders=[order_id for order_id, _, _ in counts],
            counted_lines=[line_id for _, line_id, _ in counts],
            allocated=[change.get("allocated", 0) for _, _, change in counts],
            cancelled=[change.get("cancelled", 0) for _, _, change in counts],
            told_orders=[event.order_id for event in stories],
            told_effects=[event.effect for event in stories],
            **events.columns(stories),
        )
    return planned


async def write(
    conn: Connection, claims: Sequence[Claim], *, state: Literal["open", "picking"]
) -> list[tuple[Planned, ...]]:
    """Write claims whose stock movements are booked already. Arguments as for `allocate`."""
    planned = [claim.planned for claim in claims]
    await _insert(conn, _parts(claims, planned), state)
    await orders.move_lines_of(conn, {claim.order_id: claim.counts() for claim in claims})
    return planned


@dataclass(frozen=True)
class _Part:
    """A fulfilment to be inserted. `made_of`: line id → its SKU, and the parts of one unit."""

    order_id: str
    planned: Planned
    made_of: Mapping[str, tuple[str, Parts]]
    promise: Promise | None


def _parts(claims: Sequence[Claim], planned: Sequence[tuple[Planned, ...]]) -> list[_Part]:
    return [
        _Part(
            claim.order_id,
            fulfilment,
            {take.line_id: (take.sku, take.takes) for take in claim.takes},
            claim.promises.get(fulfilment.location),
        )
        for claim, fulfilments in zip(claims, planned, strict=True)
        for fulfilment in fulfilments
    ]


async def _insert(conn: Connection, parts: Sequence[_Part], state: str) -> None:
    if parts:
        await _sql.insert_fulfilments(conn, **_columns(parts, state))


def _columns(parts: Sequence[_Part], state: str) -> dict[str, Any]:
    """The fulfilments to insert, as the statements that do so take them."""
    lines = [(p, line_id, units) for p in parts for line_id, units in p.planned.units.items()]
    return {
        "state": state,
        "fulfilment_ids": [part.planned.fulfilment_id for part in parts],
        "order_ids": [part.order_id for part in parts],
        "locations": [part.planned.location for part in parts],
        "handlings": [part.planned.handling for part in parts],
        "leaves": [None if part.promise is None else part.promise.leaves_on for part in parts],
        "arrivals": [None if part.promise is None else part.promise.arrives_on for part in parts],
        "line_fulfilments": [part.planned.fulfilment_id for part, _, _ in lines],
        "line_orders": [part.order_id for part, _, _ in lines],
        "line_ids": [line_id for _, line_id, _ in lines],
        "skus": [part.made_of[line_id][0] for part, line_id, _ in lines],
        "line_locations": [part.planned.location for part, _, _ in lines],
        "quantities": [units for _, _, units in lines],
        "line_parts": [part.made_of[line_id][1] for part, line_id, _ in lines],
    }


async def release(
    conn: Connection,
    fulfilment_id: str,
    effect: str,
    units: LineUnits,
    *,
    who: str,
    why: str,
) -> None:
    """Give claimed units back to stock and cancel them on the order's lines.

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
    units: LineUnits,
    *,
    who: str,
    why: str,
) -> dict[str, int]:
    """Give claimed units back to stock; on the order's lines they are open again.

    The caller holds the order's and the stock's locks. Returns the units by line, without zeros.
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
            move
            for line_id, quantity in wanted.items()
            for move in stock.moves(
                held[line_id].parts, held[line_id].location, allocated=-quantity
            )
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


async def reassign(conn: Connection, fulfilment_id: str, to: str, units: LineUnits) -> Planned:
    """Move claims to a new fulfilment `to` at the same location, to be picked.

    No stock moves: the units stay allocated where they are. The promised days stay.
    """
    row = await find(conn, fulfilment_id)
    assert row is not None  # it was recalled
    promise = None
    if row["promised_leave"] is not None:
        promise = Promise(leaves_on=row["promised_leave"], arrives_on=row["promised_on"])
    held = {line.line_id: line for line in await lines(conn, fulfilment_id)}
    location = next(iter(held.values())).location
    planned = Planned(
        fulfilment_id=to, location=location, units=dict(units), handling=row["handling"]
    )
    await take_reserved(conn, fulfilment_id, units)
    made_of = {line_id: (held[line_id].sku, held[line_id].parts) for line_id in units}
    part = _Part(ids.order_of(fulfilment_id), planned, made_of, promise)
    await _insert(conn, [part], "picking")
    return planned


async def take_reserved(conn: Connection, fulfilment_id: str, units: LineUnits) -> None:
    """Lower a fulfilment's claims."""
    await _sql.take_reserved(
        conn,
        fulfilment_id=fulfilment_id,
        line_ids=list(units),
        quantities=list(units.values()),
    )


async def leave(conn: Connection, fulfilment_id: str, *, at: datetime, who: str) -> None:
    """labelled → shipped, for a parcel whose goods have just been booked out of stock.

    Its claims end, and its order counts the units as shipped. The caller holds both locks.
    """
    await _sql.leave(conn, fulfilment_id=fulfilment_id, at=at, who=who)
