"""Exchanges: shows what one, or a return, would come to, and asks for it."""

from __future__ import annotations

from domain.orders.exchange_messages import ExchangeOutcome, ExchangePreview, ExchangeRequest
from domain.orders.return_messages import ReturnPreview, ReturnRequest
from starter.service.order_requests import OrderRequests
from starter.service.payments import token_to_send
from starter.service.updates import Taken
from store.database import Pool
from store.payments import exchange_quotes


class ExchangeRecords:
    """Previews. They need the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def preview(self, order_id: str, request: ExchangeRequest) -> ExchangePreview:
        """What an exchange would come to, and whether a person decides; nothing is written.

        Raises NotFound, InvalidInput, and Refused where a rule says no.
        """
        async with self._pool.acquire() as conn:
            return await exchange_quotes.preview(conn, order_id, request)

    async def preview_return(self, order_id: str, request: ReturnRequest) -> ReturnPreview:
        """What a return would pay back, and whether a person decides; nothing is written.

        Raises as `preview` does.
        """
        async with self._pool.acquire() as conn:
            return await exchange_quotes.preview_return(conn, order_id, request)


class Exchanges(ExchangeRecords):
    """Exchanges of delivered units. The order decides; each call may be repeated."""

    def __init__(self, pool: Pool, requests: OrderRequests) -> None:
        super().__init__(pool)
        self._requests = requests

    async def exchange(
        self, order_id: str, request: ExchangeRequest, *, taken: Taken | None = None
    ) -> ExchangeOutcome:
        """Ask to send units back and get others for them. Raises Refused with the reason, and
        InvalidInput for a payment with what can be no code.

        The order is told of a code that pays the rest only what is kept of it. `taken` is called
        once the order has the request: it is met then, whoever waits for the answer.
        """
        if request.payment is not None:
            given = request.payment
            token = token_to_send(given.provider, given.token, where="payment.token")
            payment = given.model_copy(update={"token": token})
            request = request.model_copy(update={"payment": payment})
        return await self._requests.send(order_id, request, ExchangeOutcome, taken=taken)
