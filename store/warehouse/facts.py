"""What a warehouse reports, written down: picks, packs, received returns; see also `leaving`.

These are facts, not decisions, counted in units. Each is one transaction that locks the order,
checks that the fact is possible, moves stock and counts, tells the story, and leaves a report for
the workflow that waits. A repeat changes nothing; a different report of the same is a conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import ids
from domain.errors import InvalidInput
from domain.orders.quantities import LineUnits
from store import waits
from store.aftersales import returns
from store.aftersales.returns import Counted
from store.database import Connection, Record, load_queries
from store.faults import refusals
from store.fulfilment import fulfilments
from store.fulfilment.fulfilments import FulfilmentLine
from store.locks import lock_stock
from store.orders import events, orders
from store.payments import billing, tallies
from store.stock import allocations, kits, locations, stock

_sql = load_queries(__file__)


async def pick(
    conn: Connection, fulfilment_id: str, counted: LineUnits | None = None, *, who: str
) -> dict[str, Any]:
    """picking → picked: the picker found this many units of each line (left out: all of it).

    Units not found are taken off the stock, whose count was wrong, and are open on the order again.
    Returns {"picked": {line: n}, "missing": {line: n}}.
    """
    if counted is None:
        return (await _picked(conn, fulfilment_id, None, who))[0]
    # What a fulfilment is to contain never changes, so it is read without the lock.
    lines = await fulfilments.lines(conn, fulfilment_id)
    picked = _complete(counted, lines) if lines else {}
    if not _missing(lines, picked):
        return (await _picked(conn, fulfilment_id, picked, who))[0]
    async with conn.transaction():
        outcome, is_new = await _picked(conn, fulfilment_id, picked, who)
        if is_new:
            await _not_found(conn, fulfilment_id, lines, outcome["missing"], who)
        return outcome


async def _picked(
    conn: Connection, fulfilment_id: str, picked: LineUnits | None, who: str
) -> tuple[dict[str, Any], bool]:
    """Record a pick. Returns what was picked and what is missing, and whether that is new."""
    with refusals():
        row = await _sql.pick(conn, fulfilment_id=fulfilment_id, counted=picked, who=who)
    return row["outcome"], row["is_new"]


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
    with refusals():
        await _sql.pack(conn, fulfilment_id=fulfilment_id, who=who)


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
    stay with the customer. What came is owed back from now on, unless it was lost. Returns
    {"received": {line: n}, "missing": {line: n}}.
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
        is_found = row["kind"] == "found"  # Its order may have ended, and its steps be forgotten.
        if is_found and row["state"] == "closed":
            return outcome
        if not is_found and await _told_before(conn, row, "approved", effect, told):
            return outcome
        await _book_in(conn, return_id, counts, place, who)
        await returns.count(conn, return_id, counts)
        await returns.set_state(conn, return_id, "closed" if is_found else "received")
        moved = {k: _moved(row["kind"], wanted[k], c.received) for k, c in counts.items()}
        await orders.move_lines(conn, order_id, moved)
        await events.tell(
            conn,
            order_id,
            effect,
            "lost goods are back" if is_found else "return received",
            who=who,
            why="units are missing" if outcome["missing"] else "",
            data={"return_id": return_id, **outcome, **told},
            answer=told,
            after_end=is_found,
        )
        if is_found:
            return outcome
        grant = await _owed_for(conn, row, counts, wanted)
        refund = None if grant is None else grant.to_pay
        if refund is None and any(count.received for count in counts.values()):
            await returns.set_state(conn, return_id, "refunded")  # It was worth nothing.
        await waits.report(
            conn,
            order_id,
            ids.wait_id("receive_return", return_id),
            {**outcome, "refund": None if refund is None else refund.model_dump(mode="json")},
        )
        await billing.credit(conn, grant)
        return outcome


def _moved(kind: str, wanted: int, received: int) -> dict[str, int]:
    """An undelivered parcel counts as never sent, and what was lost stays lost."""
    if kind == "customer":
        return {"return_requested": -wanted, "returned": received}
    return {"shipped": -wanted, "cancelled": wanted} if kind == "undeliverable" else {}


async def _owed_for(
    conn: Connection, row: Record, counts: Mapping[str, Counted], wanted: LineUnits
) -> billing.Grant | None:
    """Owe the customer what came back; of a parcel that could not be delivered, all of it."""
    found = await tallies.load(conn, row["order_id"])
    if row["kind"] == "customer":
        owed = found.charges.returned({k: count.received for k, count in counts.items()})
        why = row["reason"]
    else:
        owed = found.charges.came_back(wanted)
        why = f"{row['fulfilment_id']} could not be delivered"
    return await billing.grant(conn, found, owed, row["return_id"], kind="return", why=why)


async def _told_before(
    conn: Connection, row: Record, expected: str, effect: str, content: dict[str, Any]
) -> bool:
    """Whether this fact is recorded already; if not, the part must be in the `expected` state."""
    part = row["return_id"] if "return_id" in row else row["fulfilment_id"]
    with refusals():
        return bool(
            await _sql.told_before(
                conn,
                part_id=part,
                state=row["state"],
                is_recalled=row.get("recalled_from") is not None,
                expected=expected,
                effect=effect,
                content=content,
            )
        )


def _complete(counted: LineUnits, lines: list[FulfilmentLine]) -> dict[str, int]:
    _check_count(counted, {line.line_id: line.quantity for line in lines})
    return {line.line_id: counted.get(line.line_id, 0) for line in lines}


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
    conn: Connection,
    fulfilment_id: str,
    lines: list[FulfilmentLine],
    missing: LineUnits,
    who: str,
) -> None:
    order_id = ids.order_of(fulfilment_id)
    short = [line for line in lines if line.line_id in missing]
    await lock_stock(conn, [part for line in short for part in line.parts])
    await stock.move(
        conn,
        f"short:{fulfilment_id}",
        "adjusted",
        [
            move
            for line in short
            for units in [-missing[line.line_id]]
            for move in stock.moves(line.parts, line.location, on_hand=units, allocated=units)
        ],
        order_id=order_id,
        who=who,
        why="not found by the picker",
    )
    await allocations.take_reserved(conn, fulfilment_id, missing)
    await orders.move_lines(
        conn, order_id, {line_id: {"allocated": -n} for line_id, n in missing.items()}
    )


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
