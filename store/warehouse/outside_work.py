"""What workshops do with fulfilments in place of a warehouse, written down as facts."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.fulfilment.counter import WORKSHOP
from domain.fulfilment.outside_work import WorkAnswer, WorkLine
from domain.orders.handling import Handling
from store import clock
from store.database import Connection, load_queries
from store.faults import refusals
from store.fulfilment import fulfilments
from store.orders import events
from store.warehouse import leaving, scans

_sql = load_queries(__file__)

_TOLD: Final = {"done": "work done", "failed": "work failed", "stopped": "work stopped"}


class Work(BaseModel):
    """What a workshop is to do with a fulfilment, and how far it has come with it."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    fulfilment_id: str
    attempt: int
    state: Literal["wanted", "begun", "done", "failed", "stopped"]
    handling: Handling
    location: str
    lines: tuple[WorkLine, ...]


async def find(conn: Connection, fulfilment_id: str) -> Work | None:
    """The work on a fulfilment; None before it is wanted."""
    row = await _sql.work_of(conn, fulfilment_id=fulfilment_id)
    return None if row is None else Work(**row)


async def begun(conn: Connection, fulfilment_id: str, attempt: int) -> bool:
    """wanted → begun. False where it is not wanted any more."""
    with refusals():
        return bool(await _sql.begun(conn, fulfilment_id=fulfilment_id, attempt=attempt))


async def goes_on(conn: Connection, work: Work, number: int, note: str) -> None:
    """The workshop tells for the n-th time how far it has come."""
    effect = f"work:{work.fulfilment_id}:{work.attempt}:progress:{number}"
    await _tell(conn, work, effect, "work goes on", note)


async def ended(conn: Connection, work: Work, answer: WorkAnswer) -> None:
    """begun → done, failed or stopped, once.

    What is done has left, as if a carrier had scanned it: it is billed, whatever else is to be said
    of its order. In the caller's transaction.
    """
    with refusals():
        is_new = await _sql.ended(
            conn,
            fulfilment_id=work.fulfilment_id,
            attempt=work.attempt,
            state=answer.outcome,
            said=answer.note,
        )
    if not is_new:
        return
    effect = f"work:{work.fulfilment_id}:{work.attempt}:{answer.outcome}"
    await _tell(conn, work, effect, _TOLD[answer.outcome], answer.note)
    match answer.outcome:
        case "done":
            await _has_left(conn, work, answer)
        case "stopped":  # for good, in the same moment: no run of its order has to remember it
            await fulfilments.recall(conn, work.fulfilment_id)
        case "failed":
            why = answer.note or "it failed"
            report: fulfilments.Outcome = {"outcome": "failed", "why": why}
            await fulfilments.report(conn, work.order_id, work.fulfilment_id, report)


async def wanted_again(conn: Connection, fulfilment_id: str) -> None:
    """failed → wanted, as another attempt. A repeat changes nothing."""
    with refusals():
        await _sql.wanted_again(conn, fulfilment_id=fulfilment_id)


async def _has_left(conn: Connection, work: Work, answer: WorkAnswer) -> None:
    fulfilment_id, now = work.fulfilment_id, clock.now()
    row = await fulfilments.locked(conn, fulfilment_id)
    if row["state"] != "labelled":  # a person has handed it over
        return
    if answer.carrier is not None:
        await _sql.sent_as(
            conn,
            fulfilment_id=fulfilment_id,
            carrier=answer.carrier,
            tracking_number=answer.tracking_number,
        )
    await leaving.moved_already(conn, fulfilment_id, at=now, who=work.handling)
    if answer.carrier is None:
        await scans.carrier_event(
            conn,
            carrier=WORKSHOP,
            tracking_number=fulfilment_id,
            event_id="done",
            status="delivered",
            happened_at=now,
            detail=answer.note,
        )


async def _tell(conn: Connection, work: Work, effect: str, what: str, note: str) -> None:
    await events.tell(
        conn,
        work.order_id,
        effect,
        what,
        who=work.handling,
        why=note,
        data={"fulfilment_id": work.fulfilment_id},
    )
