"""What a warehouse reports, written down: picks and packs; see also `leaving` and `returning`.

These are facts, not decisions, counted in units. Each is one transaction that locks the order,
checks that the fact is possible, moves stock and counts, tells the story, and leaves a report for
the workflow that waits. A repeat changes nothing; a different report of the same is a conflict.
"""

from __future__ import annotations

from typing import Any

from domain import ids
from domain.errors import InvalidInput
from domain.orders.quantities import LineUnits
from store.database import Connection, Record, load_queries
from store.faults import refusals
from store.fulfilment import fulfilments
from store.fulfilment.fulfilments import FulfilmentLine
from store.locks import lock_stock
from store.orders import events, orders
from store.stock import allocations, stock

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
    # What a fulfilment was to contain at first never changes, so it is read without the lock.
    lines = await fulfilments.lines(conn, fulfilment_id)
    picked = _complete(counted, lines) if lines else {}
    if not _missing(lines, picked):
        return (await _picked(conn, fulfilment_id, picked, who))[0]
    async with conn.transaction():
        outcome, is_new = await _picked(conn, fulfilment_id, picked, who)
        if is_new and outcome["missing"]:
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
        units = {line.line_id: line.quantity for line in lines if line.quantity}
        outcome = {"picked": {}, "missing": units, "refused": reason}
        if await told_before(conn, row, "picking", effect, outcome):
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
        report: fulfilments.Outcome = {"outcome": "refused", "missing": units, "why": reason}
        await fulfilments.report(conn, row["order_id"], fulfilment_id, report)
        return outcome


async def pack(
    conn: Connection,
    fulfilment_id: str,
    *,
    who: str,
    box: str | None = None,
    grams: int | None = None,
) -> None:
    """picked → packed. The label is bought next, by the step that waits for the hand-over.

    `box`: in which it was packed. `grams`: what it weighs. Both are told in the story.
    """
    with refusals():
        await _sql.pack(conn, fulfilment_id=fulfilment_id, who=who, box=box, grams=grams)


async def told_before(
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
    check_count(counted, {line.line_id: line.quantity + line.taken_out for line in lines})
    return {line.line_id: counted.get(line.line_id, 0) for line in lines}


def check_count(counted: LineUnits, wanted: LineUnits) -> None:
    """Raises InvalidInput for a line that is not among these, and for more units than there are."""
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
