"""When a payment is refused: the order is held until the customer comes with a new token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from temporalio import workflow

from workflows.chapters.holds import OrderHolds
from workflows.engine.outcomes import Abandoned, Done, Refused
from workflows.engine.refusals import refused
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from domain.orders.messages import PayOutcome, PayRequest
    from domain.orders.policy import Policy
    from domain.words import span

DECLINED, ACTION_REQUIRED, NO_PROVIDER = "declined", "action_required", "not_found"

TOO_LATE = "the order waits for no payment; nothing was charged"

Attempt: TypeAlias = Callable[[], Awaitable[Done[None] | Refused | Abandoned]]


class _Offer:
    """A token that the customer brought, and the answer, which is given once."""

    def __init__(self, request: PayRequest, request_id: str) -> None:
        self.request = request
        self._request_id = request_id
        self.answer: asyncio.Future[PayOutcome] = asyncio.get_running_loop().create_future()

    def tell(self, outcome: Literal["accepted", "refused"], why: str) -> None:
        if not self.answer.done():
            self.answer.set_result(
                PayOutcome(request_id=self._request_id, outcome=outcome, message=why)
            )


class PaymentOffers:
    """The token that pays for the order, and those that the customer brings in its place."""

    def __init__(self, book: OrderBook, holds: OrderHolds, policy: Policy) -> None:
        self._order_id = book.order_id
        self._holds = holds
        self._policy = policy
        self.brought = "", ""  # provider and token; those of earlier ones are rows
        self.attempt = 1  # one more than there were refusals
        self._held = False
        self._offers: list[_Offer] = []

    async def until_authorized(
        self, attempt: Attempt, unless: Callable[[], bool], *, patient: tuple[str, ...]
    ) -> Done[None] | Refused | Abandoned:
        """Try. After a refusal of a `patient` kind, hold the order until there is a new token.

        If that is refused as well, the order stays held, and the customer is told so.
        """
        until: datetime | None = None
        offer: _Offer | None = None
        unpaid = ""
        while True:
            outcome = await attempt()
            if isinstance(outcome, Done) and offer is not None:
                await self._accept(offer)
            if not isinstance(outcome, Refused):
                break
            self.attempt += outcome.kind != NO_PROVIDER
            if until is None and outcome.kind not in patient:
                break
            if offer is not None:
                offer.tell("refused", outcome.message)
            until = until or workflow.now() + self._policy.pay_within
            if not self._held:
                self._held = True
                await self._holds.hold(outcome.message, until)
            self._holds.refused_again(outcome.message)
            next_offer = await self._next(until, unless)
            if not isinstance(next_offer, _Offer):
                outcome, unpaid = next_offer, next_offer.message
                break
            offer = next_offer
            self.brought = offer.request.provider or "", offer.request.token
        if offer is not None:
            offer.tell("refused", TOO_LATE)
        if self._held:
            await self._release_hold("orderloom", unpaid=unpaid)
        return outcome

    def check_pay(self, request: PayRequest) -> None:
        """Raises ApplicationError where no payment is awaited."""
        del request  # any token may be tried
        if not self._held:
            raise refused(
                f"order {self._order_id} waits for no payment; nothing was charged",
                reason="no_payment_awaited",
            )

    async def pay(self, request: PayRequest, request_id: str) -> PayOutcome:
        """The customer comes with a new token. Answers what became of it."""
        self.check_pay(request)
        offer = _Offer(request, request_id)
        self._offers.append(offer)
        return await offer.answer

    async def _next(
        self, until: datetime, unless: Callable[[], bool]
    ) -> _Offer | Refused | Abandoned:
        try:
            await workflow.wait_condition(
                lambda: bool(self._offers) or unless(),
                timeout=max(until - workflow.now(), timedelta(0)),
                timeout_summary=f"The customer's payment, until {until:%Y-%m-%d %H:%M %Z}",
            )
        except TimeoutError:
            return Refused(DECLINED, f"not paid within {span(self._policy.pay_within)}")
        if not self._offers:
            return Abandoned("no longer needed")
        return self._offers.pop(0)

    async def _accept(self, offer: _Offer) -> None:
        if self._held:
            await self._release_hold(offer.request.by)
        offer.tell("accepted", "the amount is authorized")

    async def _release_hold(self, who: str, *, unpaid: str = "") -> None:
        self._held = False
        while self._offers:  # too late for these
            self._offers.pop(0).tell("refused", TOO_LATE)
        await self._holds.release(who, unpaid=unpaid)
