"""Units that are taken out of a fulfilment where it stands, before its hand-over."""

from __future__ import annotations

from typing import NamedTuple

from domain.orders.quantities import LineUnits
from store.database import Connection
from store.fulfilment import fulfilments
from store.stock import allocations


class Removed(NamedTuple):
    """What is left to do: `put_back_id`, where units had been picked; a label to give back."""

    put_back_id: str | None
    label_unused: bool


async def take_out(
    conn: Connection,
    fulfilment_id: str,
    units: LineUnits,
    effect: str,
    *,
    keeps_label: bool,
    who: str,
    why: str,
) -> Removed:
    """Take units out of a fulfilment, free their stock, and count them as cancelled.

    What was picked is to be put back; a closed box is to be opened and packed again, and its label
    is kept or given back. The caller holds the locks of the order and of the stock, and has looked
    that it is possible.
    """
    smaller = await fulfilments.make_smaller(conn, fulfilment_id, units, keeps_label=keeps_label)
    await allocations.release(conn, fulfilment_id, effect, units, who=who, why=why)
    return Removed(smaller["to_put_back"], smaller["is_label_unused"])


async def empty(
    conn: Connection, fulfilment_id: str, units: LineUnits, effect: str, *, who: str, why: str
) -> Removed:
    """Take all units out of a fulfilment, which is stopped with that; otherwise as `take_out`."""
    removed = await take_out(
        conn, fulfilment_id, units, effect, keeps_label=False, who=who, why=why
    )
    await fulfilments.recall(conn, fulfilment_id)
    return removed
