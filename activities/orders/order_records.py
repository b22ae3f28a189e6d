"""Records about an order: its end, the answers it gave, its holds, and what needs a person."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from domain.errors import NotFound
from domain.ids import WHO
from domain.orders.continuation import Action, Answered
from domain.orders.terms import Terms
from store.database import Pool
from store.locks import lock_order
from store.orders import answers, effects, events, orders


class CloseOrder(BaseModel):
    """The order's end.

    `answers` are kept for callers who repeat a request with the same id later.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    decision: Literal["closed", "cancelled"]
    reason: str
    answers: tuple[Answered, ...] = ()


class ReadTerms(BaseModel):
    """Names the order whose terms are wanted."""

    model_config = ConfigDict(frozen=True)

    order_id: str


class KeepAnswers(BaseModel):
    """The answers of an order that ended before it was confirmed."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    answers: tuple[Answered, ...]


class Notice(BaseModel):
    """A line of the order's story. `effect` is its key: the line is written once."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    effect: str
    what: str
    why: str
    who: str = WHO


class Attention(BaseModel):
    """A step that waits for a person, or no longer waits (`resolution` is set).

    `allowed` are the answers that the step takes; none when it goes on by itself.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    step: str
    number: int
    reason: str
    allowed: tuple[Action, ...] = ()
    resolution: str | None = None
    who: str = WHO


class Hold(BaseModel):
    """An order hold begins (`note` gives the reason) or ends. The workflow numbers its holds.

    Where nothing came of what the order waited for, the `note` of its end says why.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    number: int
    reason: Literal["payment", "fraud_review", "address", "stock", "other"] = "payment"
    note: str
    released: bool = False
    who: str = WHO


class OrderRecords:
    """Activities that record facts about the order itself, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def read_terms(self, ask: ReadTerms) -> Terms:
        """What the order's workflow decides on, for a run that goes on from an earlier one."""
        async with self._pool.acquire() as conn:
            found = await orders.on_record(conn, [ask.order_id])
        return found[ask.order_id].terms

    @activity.defn
    async def close_order(self, ask: CloseOrder) -> None:
        """Record the order's end."""
        async with self._pool.acquire() as conn:
            if ask.answers:
                # Kept first: if the rest fails, the step runs again and keeps them again.
                async with conn.transaction():
                    await lock_order(conn, ask.order_id)
                    await answers.keep(conn, ask.order_id, ask.answers)
            await orders.finish(conn, ask.order_id, ask.decision, ask.reason, who=WHO)

    @activity.defn
    async def keep_answers(self, ask: KeepAnswers) -> None:
        """Record the answers to requests that have an id."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            await answers.keep(conn, ask.order_id, ask.answers)

    @activity.defn
    async def tell(self, ask: Notice) -> None:
        """Add to the order's story."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            await events.tell(conn, ask.order_id, ask.effect, ask.what, who=ask.who, why=ask.why)

    @activity.defn
    async def note_attention(self, ask: Attention) -> None:
        """List the order as needing attention at a step, or take it off the list."""
        async with self._pool.acquire() as conn, conn.transaction():
            try:
                await lock_order(conn, ask.order_id)
            except NotFound:
                return  # Somebody started a workflow for no order; Temporal's UI shows it.
            raised, resolved = (f"attention:{ask.number}:{x}" for x in ("raised", "resolved"))
            effect = raised if ask.resolution is None else resolved
            for noted in (effect, resolved):
                if await effects.find(conn, ask.order_id, noted) is not None:
                    return  # An attempt that comes late: this, or what followed it, is noted.
            if ask.resolution is None:
                await events.raise_attention(conn, ask.order_id, ask.step, ask.reason, ask.allowed)
                what, why = f"needs attention: {ask.step}", ask.reason
            else:
                await events.resolve_attention(conn, ask.order_id, ask.step, ask.resolution)
                what, why = f"attention resolved: {ask.step}", ask.resolution
            await events.tell(conn, ask.order_id, effect, what, who=ask.who, why=why)

    @activity.defn
    async def note_hold(self, ask: Hold) -> None:
        """Record that the order is held, or that it continues."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            if ask.released:
                await events.release_hold(conn, ask.order_id, ask.number, who=ask.who)
                what = "hold ended" if ask.note else "released"
                effect = f"hold:{ask.number}:released"
            else:
                await events.hold(
                    conn,
                    ask.order_id,
                    ask.number,
                    reason=ask.reason,
                    note=ask.note,
                    who=ask.who,
                )
                what, effect = f"held: {ask.reason}", f"hold:{ask.number}:held"
            await events.tell(conn, ask.order_id, effect, what, who=ask.who, why=ask.note)
