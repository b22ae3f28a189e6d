"""Fulfilments: the units that each location sends, their claims on stock, and their state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Required, TypedDict

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.errors import NotFound
from domain.fulfilment.fulfilments import PICKED, RECALLABLE
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import DROP_SHIP, SERVICE, Handling, is_outside
from domain.orders.quantities import LineUnits
from store import waits
from store.database import Connection, Record, load_queries
from store.faults import refusals

_sql = load_queries(__file__)


class Outcome(TypedDict, total=False):
    """What ends the wait for the warehouse, as `pick_pack_ship` answers."""

    outcome: Required[str]
    units: LineUnits
    missing: LineUnits
    why: str
    state: str
    due_minor: int


class Standing(BaseModel):
    """What a fulfilment has come to. `units` are those to be sent, or that have left.

    `missing`: those that were not found, and that nobody has replaced yet. `label` is None before
    one was asked for. `work_failed`: what the workshop said that could not do its work. `outcome`:
    what was reported last of it. `waits_since`: when its step said that it waits.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    handling: Handling
    state: FulfilmentState
    recalled_from: FulfilmentState | None
    label: str | None
    work_failed: str | None
    units: dict[str, int]
    missing: dict[str, int]
    outcome: dict[str, Any] | None
    reported_at: datetime | None
    waits_since: datetime | None


class Stage(BaseModel):
    """A fulfilment's state, since when, and for how long by the database's clock."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    state: FulfilmentState
    since: datetime
    lasted: timedelta


class FulfilmentLine(BaseModel):
    """One line of a fulfilment. `reserved` is the open claim; `picked` is None until counted.

    `quantity` is what is still to be sent; `taken_out` is no part of it any more.
    `parts`: the stock that one unit takes (SKU → units). Except for a kit, that is one of the SKU
    itself.
    """

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int
    taken_out: int
    picked: int | None
    reserved: int
    location: str
    parts: dict[str, int]


async def locked(conn: Connection, fulfilment_id: str) -> Record:
    """Lock the fulfilment's order and read the fulfilment. Raises NotFound."""
    with refusals():
        row: Record = await _sql.locked(conn, fulfilment_id=fulfilment_id)
    return row


async def find(conn: Connection, fulfilment_id: str) -> Record | None:
    """The fulfilment's row, read without a lock; None if it does not exist."""
    row: Record | None = await _sql.fulfilment_of(conn, fulfilment_id=fulfilment_id)
    return row


async def lines(conn: Connection, fulfilment_id: str) -> list[FulfilmentLine]:
    """The lines of a fulfilment, sorted by line id."""
    return [FulfilmentLine(**row) async for row in _sql.lines_of(conn, fulfilment_id=fulfilment_id)]


async def standing(conn: Connection, fulfilment_id: str) -> Standing:
    """What a fulfilment has come to, read without a lock. Raises NotFound."""
    row = await _sql.standing(
        conn, fulfilment_id=fulfilment_id, activity_id=ids.sending_id(fulfilment_id)
    )
    if row is None:
        raise NotFound(f"there is no fulfilment {fulfilment_id}")
    return Standing(**{**row, "units": row["units"] or {}, "missing": row["missing"] or {}})


async def stages(conn: Connection, fulfilment_ids: Sequence[str]) -> list[Stage]:
    """What state each fulfilment is in, and for how long."""
    rows = _sql.stages(conn, fulfilment_ids=list(fulfilment_ids))
    return [Stage(**row) async for row in rows]


async def is_late(conn: Connection, fulfilment_id: str, state: FulfilmentState) -> None:
    """Tell the order what happens next to a fulfilment that is late in this state."""
    await _sql.is_late(conn, fulfilment_id=fulfilment_id, state=state)


async def to_label(conn: Connection, older_than: timedelta, batch: int) -> list[Record]:
    """Claim packed parcels without a label: fulfilment_id, order_id.

    Each is claimed at once, and again when its last attempt is `older_than` that.
    """
    return [row async for row in _sql.to_label(conn, older_than=older_than, batch=batch)]


async def woken(conn: Connection, fulfilment_id: str) -> None:
    """Its step is buying the label already: `to_label` gives it time, as if it had claimed it."""
    await _sql.woken(conn, fulfilment_id=fulfilment_id)


async def not_woken(conn: Connection, fulfilment_ids: Sequence[str]) -> None:
    """Their steps could not be reached: claim them again soon."""
    await _sql.not_woken(conn, fulfilment_ids=list(fulfilment_ids))


async def tell_unpaid(
    conn: Connection, order_nos: Sequence[int], fulfilment_ids: Sequence[str]
) -> list[str]:
    """Tell the orders of parcels that wait for their hand-over: the money does not hold.

    Returns the fulfilments of those that were told.
    """
    rows = _sql.tell_unpaid(conn, order_nos=list(order_nos), fulfilment_ids=list(fulfilment_ids))
    told = {row["fulfilment_id"]: row["order_id"] async for row in rows}
    if told:
        waiting = {ids.sending_id(part): order_id for part, order_id in told.items()}
        await waits.report_to_all(conn, waiting, {"outcome": "unpaid"}, anew=True)
    return list(told)


async def report(conn: Connection, order_id: str, fulfilment_id: str, outcome: Outcome) -> None:
    """Tell the order what needs its decision, or that the fulfilment has left."""
    await waits.report_anew(conn, order_id, ids.sending_id(fulfilment_id), dict(outcome))


async def set_state(conn: Connection, fulfilment_id: str, state: FulfilmentState) -> None:
    """Move a fulfilment whose present state the caller has read under the order's lock."""
    await _sql.set_state(conn, fulfilment_id=fulfilment_id, state=state)


async def make_smaller(
    conn: Connection, fulfilment_id: str, units: LineUnits, *, keeps_label: bool
) -> Record:
    """Take units out of a fulfilment that has not left.

    The caller holds the order's lock, and ends the claims and counts of the units after this; if
    these are all of its units, the caller stops it as well.
    Columns: to_put_back (an id, where units had been picked), is_label_unused (to be given back).
    """
    row: Record = await _sql.make_smaller(
        conn, fulfilment_id=fulfilment_id, taken=dict(units), keeps_label=keeps_label
    )
    return row


async def label_anew(conn: Connection, fulfilment_id: str) -> bool:
    """Have a label that was bought given back, and another one bought. False: there is none.

    The caller holds the order's lock, and has looked that no label is just being bought.
    """
    had_one: bool = await _sql.label_anew(conn, fulfilment_id=fulfilment_id)
    return had_one


async def next_number(conn: Connection, order_id: str) -> int:
    """The number of the order's next fulfilment. The caller holds the order's lock."""
    number: int = await _sql.next_number(conn, order_id=order_id)
    return number


async def recall(conn: Connection, fulfilment_id: str) -> FulfilmentState | None:
    """Stop a fulfilment before its hand-over, for good: the warehouse can no longer report it.

    Returns the state in which it was stopped, or None when it is too late (or a short pick of
    everything has stopped it). A repeat gives the same answer. Cancel and ship meet at this row:
    the first to commit wins, and the other is told.

    The step that waits for the warehouse ends with that. While a label is being bought it ends by
    itself, when the carrier has answered: so no label is left that nobody voids. What was picked is
    to be put back.
    """
    row = await locked(conn, fulfilment_id)
    caught: FulfilmentState | None = row["recalled_from"]
    if caught is None and row["state"] in RECALLABLE and await _is_here(conn, row):
        caught = row["state"]
        await _sql.recall(conn, fulfilment_id=fulfilment_id)
        if caught in PICKED:
            opens_box = caught != "picked"
            await _sql.to_put_back(conn, fulfilment_id=fulfilment_id, opens_box=opens_box)
        if not (caught == "packed" and await _is_buying(conn, fulfilment_id)):
            await report(conn, row["order_id"], fulfilment_id, {"outcome": "recalled"})
    return caught


async def _is_here(conn: Connection, row: Record) -> bool:
    if is_outside(row["handling"]):
        return bool(await _sql.work_stopped(conn, fulfilment_id=row["fulfilment_id"]))
    if row["handling"] == SERVICE:
        return not await _sql.is_firm(conn, fulfilment_id=row["fulfilment_id"])
    # What the supplier has sent is gone, whatever its row says yet.
    return bool(row["handling"] != DROP_SHIP)


async def _is_buying(conn: Connection, fulfilment_id: str) -> bool:
    return (await standing(conn, fulfilment_id)).label == "requested"
