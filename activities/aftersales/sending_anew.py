"""Parcels that come back undelivered, and are to go out once more instead of being paid back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from domain.errors import OrderloomError
from domain.orders.interception_messages import SendAnewRequest
from domain.orders.return_messages import ReturnRefusal
from store.aftersales import sending_anew
from store.database import Pool
from store.locks import lock_order
from store.orders import effects


class SendAnew(BaseModel):
    """What somebody asks for, and of which order.

    `turn`: what is refused in it stays refused, also for an attempt that comes late. The request
    may be made again in another turn.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: SendAnewRequest
    turn: str = ""


class ToBeSent(BaseModel):
    """The return at whose count it goes out again; or it is `refused`."""

    model_config = ConfigDict(frozen=True)

    return_id: str = ""
    refused: ReturnRefusal | None = None


class SendingAnew:
    """An activity, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def send_anew(self, ask: SendAnew) -> ToBeSent:
        """Record that a parcel goes out again when it is back, once for each request."""
        effect = sending_anew.effect_of(ask.request_id)
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            done = await effects.settled(conn, ask.order_id, effect, ask.turn)
            if done is not None:
                return ToBeSent.model_validate(done)
            try:
                async with conn.transaction():
                    return_id = await sending_anew.want(conn, ask.request, ask.request_id)
            except OrderloomError as error:
                refused = ToBeSent(refused=ReturnRefusal.of(error))
                await effects.keep_nothing(conn, ask.order_id, effect, ask.turn, refused)
                return refused
        return ToBeSent(return_id=return_id)
