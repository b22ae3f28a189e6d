"""Records about an order: its end, the answers it gave, its holds, and what needs a person."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from domain.errors import NotFound
from domain.ids import WHO
from domain.orders.continuation import Action, AnsweredRequest, OrderState
from domain.orders.hold_messages import TELLS_CUSTOMER
from store.database import Pool
from store.locks import lock_order
from store.orders import answers, effects, events, holds, orders, states


class CloseOrder(BaseModel):
    """The order's end. Without a `reason`: why the last units of it were cancelled."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    decision: Literal["closed", "cancelled"]
    reason: str = ""


class Late(BaseModel):
    """Names a closed order for which something came late, and the time at which it is reopened."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    opening: str


class Ended(BaseModel):
    """The reason of an order's end."""

    model_config = ConfigDict(frozen=True)

    reason: str


class ReadState(BaseModel):
    """Names the order whose state is wanted."""

    model_config = ConfigDict(frozen=True)

    order_id: str


class KeepAnswer(BaseModel):
    """What the order answered to a request that has an id."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    answered: AnsweredRequest


class Notice(BaseModel):
    """A line of the order's story. `effect` is its key: the line is written once.

    `reason`: which rule says no, as a code; "": none does.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    effect: str
    what: str
    why: str
    who: str = WHO
    reason: str = ""


class Attention(BaseModel):
    """A step that waits for a person, or no longer waits (`resolution` is set).

    `allowed` are the answers that the step takes; none when it goes on by itself. `since` tells it
    from other times at which the same step waited.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    step: str
    since: datetime
    reason: str
    allowed: tuple[Action, ...] = ()
    resolution: str | None = None
    who: str = WHO


class Hold(BaseModel):
    """An order hold for the payment begins (`note` gives the reason) or ends; numbered here.

    Where nothing came of what the order waited for, the `note` of its end says why.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    number: int
    note: str
    released: bool = False
    who: str = WHO


class OrderRecords:
    """Activities that record facts about the order itself, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def read_state(self, ask: ReadState) -> OrderState:
        """Where the order stands, for a run that goes on from an earlier one. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await states.read(conn, ask.order_id)

    @activity.defn
    async def close_order(self, ask: CloseOrder) -> Ended:
        """Record the order's end. A repeat answers with the reason that stands."""
        async with self._pool.acquire() as conn:
            reason = await orders.finish(conn, ask.order_id, ask.decision, ask.reason, who=WHO)
        return Ended(reason=reason)

    @activity.defn
    async def reopen_order(self, ask: Late) -> None:
        """Keep what the steps of a closed order do from now on, until it is closed again."""
        async with self._pool.acquire() as conn:
            await orders.reopen(conn, ask.order_id, ask.opening)

    @activity.defn
    async def close_again(self, ask: Late) -> None:
        """What came late is done, if nothing else came: nobody waits for it any more."""
        async with self._pool.acquire() as conn:
            await orders.close_again(conn, ask.order_id, ask.opening)

    @activity.defn
    async def keep_answer(self, ask: KeepAnswer) -> None:
        """Record the answer to a request that has an id: who repeats the request gets it again."""
        async with self._pool.acquire() as conn:
            await answers.keep(conn, ask.order_id, ask.answered)

    @activity.defn
    async def tell(self, ask: Notice) -> None:
        """Add to the order's story."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            data = {"reason": ask.reason} if ask.reason else None
            await events.tell(
                conn, ask.order_id, ask.effect, ask.what, who=ask.who, why=ask.why, data=data
            )

    @activity.defn
    async def note_attention(self, ask: Attention) -> None:
        """List the order as needing attention at a step, or take it off the list."""
        async with self._pool.acquire() as conn, conn.transaction():
            try:
                await lock_order(conn, ask.order_id)
            except NotFound:
                return  # Somebody started a workflow for no order; Temporal's UI shows it.
            raised = events.attention_effect(ask.step, ask.since, "raised")
            resolved = events.attention_effect(ask.step, ask.since, "resolved")
            effect = raised if ask.resolution is None else resolved
            for noted in (effect, resolved):
                if await effects.find(conn, ask.order_id, noted) is not None:
                    return  # An attempt that comes late: this, or what followed it, is noted.
            if ask.resolution is None:
                await events.raise_attention(
                    conn, ask.order_id, ask.step, ask.reason, ask.allowed, since=ask.since
                )
                what, why = f"needs attention: {ask.step}", ask.reason
            else:
                await events.resolve_attention(
                    conn, ask.order_id, ask.step, ask.resolution, since=ask.since
                )
                what, why = f"attention resolved: {ask.step}", ask.resolution
            await events.tell(conn, ask.order_id, effect, what, who=ask.who, why=why)

    @activity.defn
    async def note_hold(self, ask: Hold) -> None:
        """Record that the order is held for its payment, or that it continues."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            if ask.released:
                await holds.release_payment(conn, ask.order_id, ask.number, who=ask.who)
                what = "hold ended" if ask.note else "released"
                effect = f"hold:{ask.number}:released"
            else:
                await holds.hold_for_payment(
                    conn, ask.order_id, ask.number, note=ask.note, who=ask.who
                )
                what, effect = "held: payment", f"hold:{ask.number}:held"
            # The customer hears of the payment itself.
            quiet = {TELLS_CUSTOMER: False}
            await events.tell(
                conn, ask.order_id, effect, what, who=ask.who, why=ask.note, data=quiet
            )
