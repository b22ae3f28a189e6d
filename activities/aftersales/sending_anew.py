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


class SendAnew(BaseModel):
    """What somebody asks for, and of which order."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: SendAnewRequest


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
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                await lock_order(conn, ask.order_id)
                return_id = await sending_anew.want(conn, ask.request, ask.request_id)
        except OrderloomError as error:
            return ToBeSent(refused=ReturnRefusal.of(error))
        return ToBeSent(return_id=return_id)
