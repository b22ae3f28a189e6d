"""What people decide about returns: approved or refused where rules asked, or given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from domain import ids
from domain.orders.quantities import LineUnits
from domain.orders.return_messages import ReturnRefusal
from store import waits
from store.aftersales import return_labels, return_rules, returns
from store.database import Connection
from store.orders import events, orders

Choice = Literal["approve", "refuse", "cancel"]

_WHY: Final = {
    "worth_more": "it is worth more than the rules approve",
    "returns_much": "the customer sends back more than the rules approve",
    "is_listed": "the customer, or the address, is on a list",
}


async def ask(conn: Connection, return_id: str, asks: Sequence[str]) -> None:
    """Have a person decide about a return: it is listed until somebody does."""
    why = "; ".join(_WHY[each] for each in asks)
    reason = f"{return_id}: {why}; decide by `orderloom returns approve` or `returns refuse`"
    await events.raise_attention(conn, ids.order_of(return_id), _step(return_id), reason, [])


async def decide(
    conn: Connection,
    order_id: str,
    return_id: str,
    choice: Choice,
    *,
    effect: str,
    who: str,
    why: str,
) -> ReturnRefusal | None:
    """requested → approved or refused; requested or approved → closed, because it is given up.

    Returns why it cannot be. The caller holds the order's lock.
    """
    row = await returns.find(conn, return_id) if ids.order_of(return_id) == order_id else None
    if row is None or row["kind"] != "customer":
        return ReturnRefusal(
            message=f"{return_id} is no return of {order_id} that somebody asked for",
            reason="no_open_return",
        )
    may = ("requested", "approved") if choice == "cancel" else ("requested",)
    if row["state"] not in may:
        return ReturnRefusal(
            message=f"{return_id} is {row['state']}; it must be {' or '.join(may)}",
            reason=f"return_{row['state']}",
        )
    if row["state"] == "requested":
        await events.resolve_attention(conn, order_id, _step(return_id), f"{choice}: {why}")
    if choice == "approve":
        await returns.set_state(conn, return_id, "approved")
        lines = await returns.lines(conn, return_id)
        asked = await return_rules.asked(
            conn,
            order_id,
            {line.line_id: line.quantity for line in lines},
            {line.line_id: line.reason_code for line in lines},
            late=True,
        )
        await return_labels.want(conn, return_id, asked)
        what = "return approved"
    else:
        await end(conn, return_id, "refused" if choice == "refuse" else "closed", because=why)
        what = "return declined" if choice == "refuse" else "return cancelled"
    await events.tell(
        conn,
        order_id,
        effect,
        what,
        who=who,
        why=why,
        data={"return_id": return_id},
        answer={},
    )
    return None


async def end(
    conn: Connection, return_id: str, state: Literal["refused", "closed"], *, because: str
) -> LineUnits:
    """requested or approved → ended before anything came: its units stay with the customer.

    The order's workflow, which waits for the parcel, hears of it. For goods for which
    nothing is owed, nobody waits.
    Returns the units.
    """
    order_id = ids.order_of(return_id)
    units = {line.line_id: line.quantity for line in await returns.lines(conn, return_id)}
    await returns.set_state(conn, return_id, state, because=because)
    await return_labels.give_up(conn, return_id)
    row = await returns.find(conn, return_id)
    if row is not None and row["kind"] != "customer":
        return units
    await orders.move_lines(conn, order_id, {k: {"return_requested": -n} for k, n in units.items()})
    await waits.report(
        conn,
        order_id,
        ids.wait_id("receive_return", return_id),
        {"received": {}, "missing": units, "refund": None},
    )
    return units


def _step(return_id: str) -> str:
    return f"decide_return {return_id}"
