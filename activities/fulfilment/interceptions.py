"""Parcels that their carriers stop on their way, where they can."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.fulfilment.carrier import Intercepted, Intercepts
from activities.fulfilment.carriers import Carriers
from activities.provider_errors import Declined
from domain.errors import OrderloomError, Refused
from domain.money import Money
from domain.orders.interception_messages import InterceptRequest
from store.database import Connection, Pool
from store.fulfilment import interceptions
from store.locks import lock_order
from store.orders import effects


class Intercept(BaseModel):
    """What somebody asks for, and of which order.

    `turn`: what is refused in it stays refused, also for an attempt that comes late. The request
    may be made again in another turn. `given_up`: nobody waits for the carrier any more. What it
    has not accepted by now is refused.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: InterceptRequest
    turn: str = ""
    given_up: bool = False


class InterceptRefusal(BaseModel):
    """A rule or the carrier says no, as in the error of that kind."""

    model_config = ConfigDict(frozen=True)

    kind: str
    message: str
    reason: str = ""
    instead: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: OrderloomError) -> InterceptRefusal:
        """The refusal that an error says."""
        return cls(kind=error.kind, message=str(error), reason=error.reason, instead=error.instead)


class InterceptAnswer(BaseModel):
    """The carrier has accepted it, for this `fee`; or it is `refused`."""

    model_config = ConfigDict(frozen=True)

    fee: Money | None = None
    refused: InterceptRefusal | None = None


class Interceptions:
    """Activities for parcels on their way, with the database pool and the carriers injected."""

    def __init__(self, pool: Pool, carriers: Carriers) -> None:
        self._pool = pool
        self._carriers = carriers

    @activity.defn
    async def intercept_parcel(self, ask: Intercept) -> InterceptAnswer:
        """Have the carrier stop a parcel, once for each request.

        A carrier that does not answer is asked again with the same key.
        """
        try:
            if ask.given_up:
                return await self._give_up(ask)
            return await self._intercept(ask)
        except OrderloomError as error:
            return InterceptAnswer(refused=InterceptRefusal.of(error))

    async def _intercept(self, ask: Intercept) -> InterceptAnswer:
        request = ask.request
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            effect = f"intercept:{ask.request_id}"
            done = await effects.settled(conn, ask.order_id, effect, ask.turn)
            if done is not None:
                return InterceptAnswer.model_validate(done)
            try:
                async with conn.transaction():
                    carrier = await self._carrier_of(conn, request.fulfilment_id)
                    asked = await interceptions.ask(conn, request, ask.request_id)
            except Refused as no:
                refused = InterceptAnswer(refused=InterceptRefusal.of(no))
                await effects.keep_nothing(conn, ask.order_id, effect, ask.turn, refused)
                return refused
        if asked.answer != "asked":
            return _answered(request, asked)
        try:
            stopped: Intercepted = await carrier.intercept(
                key=asked.key, tracking_number=asked.tracking_number, to=asked.to
            )
        except Declined as no:
            async with self._pool.acquire() as conn, conn.transaction():
                await lock_order(conn, ask.order_id)
                await interceptions.refused(conn, request, ask.request_id, no.message)
            raise _refused(request, no.message) from no
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            await interceptions.accepted(conn, request, ask.request_id, asked, stopped.fee)
        return InterceptAnswer(fee=stopped.fee)

    async def _give_up(self, ask: Intercept) -> InterceptAnswer:
        request = ask.request
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            effect = f"intercept:{ask.request_id}"
            done = await effects.settled(conn, ask.order_id, effect, ask.turn)
            if done is not None:
                return InterceptAnswer.model_validate(done)
            asked = await interceptions.give_up(conn, request, ask.request_id)
            if asked is None:  # so that no attempt that comes late asks the carrier
                nothing = InterceptAnswer(refused=InterceptRefusal.of(_no_answer(request)))
                await effects.keep_nothing(conn, ask.order_id, effect, ask.turn, nothing)
                return nothing
        return _answered(request, asked)

    async def _carrier_of(self, conn: Connection, fulfilment_id: str) -> Intercepts:
        """The carrier that has the parcel. Raises Refused where it stops none."""
        name = await interceptions.carrier_of(conn, fulfilment_id)
        carrier = self._carriers.named(name)
        if not isinstance(carrier, Intercepts):
            raise Refused(
                f"the carrier {name} stops no parcel on its way",
                reason="cannot_intercept",
                instead=("return_items", "claim_items"),
            )
        return carrier


def _answered(request: InterceptRequest, asked: interceptions.Asked) -> InterceptAnswer:
    """What came of one that was answered or given up. Raises Refused."""
    match asked.answer:
        case "accepted":
            return InterceptAnswer(fee=asked.fee)
        case "given_up":
            raise _no_answer(request)
    raise _refused(request, "it said so before")


def _no_answer(request: InterceptRequest) -> Refused:
    return Refused(
        f"the carrier has not answered whether it stops {request.fulfilment_id}",
        reason="no_answer",
        instead=("intercept_parcel", "claim_items"),
    )


def _refused(request: InterceptRequest, why: str) -> Refused:
    return Refused(
        f"the carrier does not stop {request.fulfilment_id}: {why}",
        reason="carrier_refused",
        instead=("return_items", "claim_items"),
    )
