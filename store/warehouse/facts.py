"""What a warehouse reports, written down: picks, packs, hand-overs, received returns.

These are facts, not decisions: actions of the warehouse, counted in units. Each is
one transaction that locks the order, checks that the fact is possible, moves stock and counts,
tells the story, and leaves a report for the workflow that waits. Except for a workflow's own steps,
only this module writes about orders. A repeat of a fact changes nothing. A different report of the
same fact is a conflict, and a report about a recalled fulfilment is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain import ids
from domain.errors import Conflict, IllegalTransition, InvalidInput
from domain.fulfilment.fulfilments import FulfilmentState
from domain.orders.quantities import LineUnits
from domain.words import count_of
from store import clock, waits
from store.aftersales import returns
from store.aftersales.returns import Counted
from store.database import Connection, Record
from store.fulfilment import fulfilments, shipments
from store.fulfilment.fulfilments import FulfilmentLine
from store.locks import lock_stock
from store.orders import effects, events, orders
from store.payments import payments
from store.stock import allocations, kits, locations, stock

# The warehouse's task for a fulfilment in each state.
TASKS = {"picking": "pick", "picked": "pack", "labelled": "handover"}


async def pick(
    conn: Connection, fulfilment_id: str, counted: LineUnits | None = None, *, who: str
) -> dict[str, Any]:
    """picking → picked: the picker found this many units of each line (left out: all of it).

    Units not found are taken off the stock, whose count was wrong, and are open on the order again.
    Returns {"picked": {line: n}, "missing": {line: n}}.
    """
    async with conn.transaction():
        row = await fulfilments.locked(conn, fulfilment_id)
        lines = await fulfilments.lines(conn, fulfilment_id)
        picked = _complete(counted, {line.line_id: line.quantity for line in lines})
        effect = f"pick:{fulfilment_id}"
        if await _told_before(conn, row, "picking", effect, {"picked": picked}):
            return {"picked": picked, "missing": _missing(lines, picked)}
        missing = _missing(lines, picked)
        found = {line_id: units for line_id, units in picked.items() if units}
        await fulfilments.set_picked(conn, fulfilment_id, picked)
        await orders.move_lines(conn, row["order_id"], {k: {"picked": n} for k, n in found.items()})
        if missing:
            await _not_found(conn, row, lines, missing, who)
        await fulfilments.set_state(conn, fulfilment_id, "picked" if found else "cancelled")
        outcome = {"picked": picked, "missing": missing}
        await events.tell(
            conn,
            row["order_id"],
            effect,
            "short pick" if missing else "picked",
            who=who,
            why=f"{count_of(sum(missing.values()), 'unit')} not found" if missing else "",
            data={"fulfilment_id": fulfilment_id, **outcome},
            answer=outcome,
        )
        if missing:
            short: fulfilments.Outcome = {"outcome": "short", "units": found}
            await fulfilments.report(conn, row["order_id"], fulfilment_id, short)
        else:
            await _was_late(conn, row, "picked")
        return outcome


async def refuse(conn: Connection, fulfilment_id: str, reason: str, *, who: str) -> dict[str, Any]:
    """picking → cancelled: the location will not send it. Its units stay there and are free.

    For the order it is a pick of no units, so the units are sourced again, from other locations.
    Returns {"picked": {}, "missing": {line: n}, "refused": reason}.
    """
    async with conn.transaction():
        row = await fulfilments.locked(conn, fulfilment_id)
        lines = await fulfilments.lines(conn, fulfilment_id)
        effect = f"pick:{fulfilment_id}"
        units = {line.line_id: line.quantity for line in lines}
        outcome = {"picked": {}, "missing": units, "refused": reason}
        if await _told_before(conn, row, "picking", effect, outcome):
            return outcome
        await lock_stock(conn, [part for line in lines for part in line.parts])
        await allocations.give_back(
            conn, fulfilment_id, f"refuse:{fulfilment_id}", units, who=who, why=reason
        )
        await fulfilments.set_state(conn, fulfilment_id, "cancelled")
        data = {"fulfilment_id": fulfilment_id, **outcome}
        await events.tell(
            conn,
            row["order_id"],
            effect,
            "refused by the warehouse",
            who=who,
            why=reason,
            data=data,
            answer=outcome,
        )
        await fulfilments.report(
            conn, row["order_id"], fulfilment_id, {"outcome": "refused", "why": reason}
        )
        return outcome


async def pack(conn: Connection, fulfilment_id: str, *, who: str) -> None:
    """picked → packed. The label is bought next, by the step that waits for the hand-over."""
    async with conn.transaction():
        row = await fulfilments.locked(conn, fulfilment_id)
        effect = f"pack:{fulfilment_id}"
        if await _told_before(conn, row, "picked", effect, {}):
            return
        await fulfilments.pack(conn, fulfilment_id)
        data = {"fulfilment_id": fulfilment_id}
        await events.tell(conn, row["order_id"], effect, "packed", who=who, data=data)
        await _was_late(conn, row, "packed")


async def hand_over(conn: Connection, fulfilment_id: str, *, at: datetime, who: str) -> None:
    """labelled → shipped: the carrier has the parcel. On-hand drops now, not before."""
    async with conn.transaction():
        row = await fulfilments.locked(conn, fulfilment_id)
        if await _told_before(conn, row, "labelled", f"handover:{fulfilment_id}", {}):
            return
        # Take the reported time, but never a time in the future.
        then = min(at, clock.now())
        shipment = await shipments.find(conn, fulfilment_id)
        unpaid = shipment is not None and shipment.to_charge_minor > 0
        if unpaid and await payments.has_ended(conn, row["order_id"], fulfilment_id, then):
            raise IllegalTransition(
                f"{fulfilment_id} is not paid any more: its authorization has ended; keep "
                f"it until `orderloom show {row['order_id']}` says that it is renewed"
            )
        await ship(conn, row, at, who)


async def receive_return(
    conn: Connection,
    return_id: str,
    counted: Mapping[str, Counted] | None = None,
    *,
    location: str | None = None,
    who: str,
) -> dict[str, Any]:
    """approved → received: the count of the return parcel, by line. Left out: all, restocked.

    Restocked units are on hand again; scrapped ones are booked in and written off. Missing units
    stay with the customer. Returns {"received": {line: n}, "missing": {line: n}}.
    """
    async with conn.transaction():
        row = await returns.locked(conn, return_id)
        order_id = row["order_id"]
        lines = await returns.lines(conn, return_id)
        wanted = {line.line_id: line.quantity for line in lines}
        if counted is None:
            counted = {line_id: Counted(restocked=units) for line_id, units in wanted.items()}
        counts = {line_id: counted.get(line_id, Counted()) for line_id in wanted}
        _check_count({k: c.received for k, c in counted.items()}, wanted)
        outcome = {
            "received": {line_id: count.received for line_id, count in counts.items()},
            "missing": {
                k: wanted[k] - c.received for k, c in counts.items() if wanted[k] > c.received
            },
        }
        effect = f"receive_return:{return_id}"
        place = location or await returns.default_location(conn, order_id)
        told = {"counted": {k: c.model_dump() for k, c in counts.items()}, "location": place}
        if await _told_before(conn, row, "approved", effect, told):
            return outcome
        await _book_in(conn, return_id, counts, place, who)
        await returns.count(conn, return_id, counts)
        await returns.set_state(conn, return_id, "received")
        if row["kind"] == "customer":
            moves = {
                k: {"return_requested": -wanted[k], "returned": c.received}
                for k, c in counts.items()
            }
        else:  # An undelivered parcel counts as never sent.
            moves = {k: {"shipped": -wanted[k], "cancelled": wanted[k]} for k in counts}
        await orders.move_lines(conn, order_id, moves)
        await events.tell(
            conn,
            order_id,
            effect,
            "return received",
            who=who,
            why="units are missing" if outcome["missing"] else "",
            data={"return_id": return_id, **outcome, **told},
            answer=told,
        )
        await waits.report(conn, order_id, ids.wait_id("receive_return", return_id), outcome)
        return outcome


async def _told_before(
    conn: Connection, row: Record, expected: str, effect: str, content: dict[str, Any]
) -> bool:
    """Whether this fact is recorded already; if not, the part must be in the `expected` state."""
    recorded = await effects.find(conn, row["order_id"], effect)
    part = row["return_id"] if "return_id" in row else row["fulfilment_id"]
    if recorded is not None:
        if any(recorded.get(key) != value for key, value in content.items()):
            raise Conflict(f"{effect} was reported before, and differently; nothing was changed")
        return True
    if row["state"] == expected:
        return False
    if row.get("recalled_from") is not None:
        others = ", ".join(await events.put_in_place_of(conn, row["order_id"], part))
        instead = f"; {others} took its place" if others else ""
        raise IllegalTransition(
            f"{part} was recalled: the order or some of its units were cancelled; put the goods "
            f"back{instead}"
        )
    if row["state"] == "packed" and expected == "labelled":
        held = await events.open_hold(conn, row["order_id"])
        if held is not None:
            raise IllegalTransition(
                f"{part} waits for its payment ({held}): keep it; it gets its label, and can be "
                "handed over, when the order is paid"
            )
    raise IllegalTransition(f"{part} is {row['state']}; this can be reported when it is {expected}")


async def _was_late(conn: Connection, row: Record, state: FulfilmentState) -> None:
    """Tell the order that a fulfilment goes on, if a person was told that it is late."""
    if row["overdue"]:
        await fulfilments.report(
            conn, row["order_id"], row["fulfilment_id"], {"outcome": "goes_on", "state": state}
        )


def _complete(counted: LineUnits | None, wanted: LineUnits) -> dict[str, int]:
    if counted is None:
        return dict(wanted)
    _check_count(counted, wanted)
    return {line_id: counted.get(line_id, 0) for line_id in wanted}


def _check_count(counted: LineUnits, wanted: LineUnits) -> None:
    for line_id, units in counted.items():
        if line_id not in wanted:
            raise InvalidInput(
                f"has no line {line_id}; its lines are {', '.join(wanted)}", where="counts"
            )
        if not 0 <= units <= wanted[line_id]:
            raise InvalidInput(
                f"counted {units}, but it must be from 0 to {wanted[line_id]}",
                where=f"counts, line {line_id}",
            )


def _missing(lines: list[FulfilmentLine], picked: LineUnits) -> dict[str, int]:
    return {
        line.line_id: line.quantity - picked[line.line_id]
        for line in lines
        if line.quantity > picked[line.line_id]
    }


async def _not_found(
    conn: Connection, row: Record, lines: list[FulfilmentLine], missing: LineUnits, who: str
) -> None:
    short = [line for line in lines if line.line_id in missing]
    await lock_stock(conn, [part for line in short for part in line.parts])
    await stock.move(
        conn,
        f"short:{row['fulfilment_id']}",
        "adjusted",
        [
            move
            for line in short
            for units in [-missing[line.line_id]]
            for move in stock.moves(line.parts, line.location, on_hand=units, allocated=units)
        ],
        order_id=row["order_id"],
        who=who,
        why="not found by the picker",
    )
    await allocations.take_reserved(conn, row["fulfilment_id"], missing)
    await orders.move_lines(
        conn, row["order_id"], {line_id: {"allocated": -n} for line_id, n in missing.items()}
    )


async def ship(conn: Connection, row: Record, at: datetime, who: str) -> None:
    """labelled → shipped, under the order's lock: its units leave the stock and the claims."""
    fulfilment_id, order_id = row["fulfilment_id"], row["order_id"]
    lines = [line for line in await fulfilments.lines(conn, fulfilment_id) if line.reserved]
    units = {line.line_id: line.reserved for line in lines}
    await lock_stock(conn, [part for line in lines for part in line.parts])
    await stock.move(
        conn,
        f"ship:{fulfilment_id}",
        "shipped",
        [
            move
            for line in lines
            for move in stock.moves(
                line.parts, line.location, on_hand=-line.reserved, allocated=-line.reserved
            )
        ],
        order_id=order_id,
        who=who,
        why=f"parcel {fulfilment_id} handed over",
    )
    await allocations.leave(conn, fulfilment_id, at=at, who=who)
    await fulfilments.report(conn, order_id, fulfilment_id, {"outcome": "shipped", "units": units})


async def _book_in(
    conn: Connection,
    return_id: str,
    counts: Mapping[str, Counted],
    location: str,
    who: str,
) -> None:
    order_id = ids.order_of(return_id)
    made_of = await kits.claimed(conn, order_id)
    parts = {part for line_id in counts for part in made_of[line_id]}
    await locations.check(conn, [location])
    await stock.ensure_rows(conn, [(part, location) for part in parts])
    await lock_stock(conn, parts)
    bookings: tuple[tuple[stock.MovementKind, str, int, dict[str, int]], ...] = (
        ("returned", f"return:{return_id}", 1, {k: c.received for k, c in counts.items()}),
        ("written_off", f"scrap:{return_id}", -1, {k: c.scrapped for k, c in counts.items()}),
    )
    for kind, effect, sign, units in bookings:
        await stock.move(
            conn,
            effect,
            kind,
            [
                move
                for k, n in units.items()
                if n
                for move in stock.moves(made_of[k], location, on_hand=sign * n)
            ],
            order_id=order_id,
            who=who,
            why=f"return {return_id}",
        )
