"""Returns: approve one, then wait for its parcel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.waiting import wait_for_report
from domain import ids
from domain.aftersales.return_rules import decide
from domain.errors import Refused
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from domain.orders.return_messages import ReturnReason, ReturnRefusal
from store.aftersales import return_decisions, return_labels, return_rules, returns, unannounced
from store.aftersales.return_decisions import Choice
from store.database import Connection, Pool
from store.locks import lock_order
from store.orders import effects, events, orders


class ApproveReturn(BaseModel):
    """The units that the customer may send back, by line id.

    One request gets one return. An undeliverable parcel has its fulfilment's id for a request.
    `asked_at`: when the customer asked, by which the window is judged; None: now. `turn`: what is
    refused in it stays refused, also for an attempt that comes late. The request may be made again
    in another turn.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    kind: Literal["customer", "undeliverable"] = "customer"
    fulfilment_id: str | None = None
    units: LineUnits
    reason: str
    reason_codes: dict[str, ReturnReason] = {}
    late: bool = False
    asked_at: datetime | None = None
    turn: str = ""
    who: str


class Approved(BaseModel):
    """The return that was approved; or a person is asked about it, by the rules in `asks`.

    `refusal`: a rule said no, and there is no return.
    """

    model_config = ConfigDict(frozen=True)

    return_id: str = ""
    asks: tuple[str, ...] = ()
    refusal: ReturnRefusal | None = None


class DecideReturn(BaseModel):
    """What a person decides about a return, or that the customer gives it up (`cancel`)."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    return_id: str
    decision: Choice
    why: str
    who: str


class Decided(BaseModel):
    """Done, or a rule said no."""

    model_config = ConfigDict(frozen=True)

    refusal: ReturnRefusal | None = None


class ReturnPart(BaseModel):
    """Names one return."""

    model_config = ConfigDict(frozen=True)

    return_id: str


class ReceivedReturn(BaseModel):
    """The warehouse's count of a return parcel. `refund`: what it grants; None: nothing.

    Nothing was received of a return that was refused or given up. `paid_early`: a carrier has the
    parcel, and the refund is paid at once; it is still to be counted. `anew`: its units, which
    could not be delivered, go out again.
    """

    model_config = ConfigDict(frozen=True)

    received: LineUnits
    missing: LineUnits = {}
    refund: Granted | None = None
    paid_early: bool = False
    anew: bool = False


class Returns:
    """Activities for goods on their way back, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def approve_return(self, ask: ApproveReturn) -> Approved:
        """Decide by the rules whether these units may come back, and expect them if so."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            return await approve(conn, ask)

    @activity.defn
    async def decide_return(self, ask: DecideReturn) -> Decided:
        """Record a decision. A return that is refused or given up waits for no parcel any more."""
        effect = f"decide_return:{ask.request_id}"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            if await effects.find(conn, ask.order_id, effect) is not None:
                return Decided()
            refusal = await return_decisions.decide(
                *(conn, ask.order_id, ask.return_id, ask.decision),
                effect=effect,
                who=ask.who,
                why=ask.why,
            )
            return Decided(refusal=refusal)

    @activity.defn
    async def receive_return(self, part: ReturnPart) -> ReceivedReturn:
        """Wait until the warehouse has the return parcel and has counted it."""
        await wait_for_report(self._pool, "receive_return", part.return_id)

    @activity.defn
    async def receive_paid_return(self, part: ReturnPart) -> ReceivedReturn:
        """Wait for the count of a return that was paid back before it arrived."""
        await wait_for_report(self._pool, "receive_paid_return", part.return_id)


async def approve(conn: Connection, ask: ApproveReturn) -> Approved:
    """Decide by the rules, once for each request. The caller holds the order's lock."""
    order_id, effect = ask.order_id, f"approve_return:{ask.request_id}"
    done = await effects.settled(conn, order_id, effect, ask.turn)
    if done is not None:
        return Approved.model_validate(done)
    asks: tuple[str, ...] = ()
    asked = None
    if ask.kind == "customer":
        try:
            asked = await return_rules.asked(
                *(conn, order_id, ask.units, ask.reason_codes),
                late=ask.late,
                asked_at=ask.asked_at,
            )
            asks = decide(asked).asks
        except Refused as error:
            refused = Approved(refusal=ReturnRefusal.of(error))
            await effects.keep_nothing(conn, order_id, effect, ask.turn, refused)
            return refused
    number = await returns.next_number(conn, order_id)
    approved = Approved(return_id=ids.return_id(order_id, number), asks=asks)
    await returns.create(
        conn,
        approved.return_id,
        kind=ask.kind,
        fulfilment_id=ask.fulfilment_id,
        units=ask.units,
        skus=await orders.skus(conn, order_id),
        reason=ask.reason,
        reason_codes=ask.reason_codes,
        asks=asks,
    )
    if ask.kind == "customer":
        moves = {k: {"return_requested": units} for k, units in ask.units.items()}
        await orders.move_lines(conn, order_id, moves)
    await events.tell(
        conn,
        order_id,
        effect,
        _told(ask.kind, asks),
        who=ask.who,
        why=ask.reason,
        data={"return_id": approved.return_id, "units": ask.units, "asks": asks},
        answer=approved.model_dump(),
    )
    if ask.kind == "customer":
        await unannounced.becomes(conn, approved.return_id, ask.request_id)
    if asks:
        await return_decisions.ask(conn, approved.return_id, asks)
    elif asked is not None:
        await return_labels.want(conn, approved.return_id, asked)
    return approved


def _told(kind: str, asks: Sequence[str]) -> str:
    if kind != "customer":
        return "coming back"
    return "return requested" if asks else "return approved"
