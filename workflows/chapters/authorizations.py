"""Authorizations: made when the order is placed, and again before they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from workflows.chapters.holds import OrderHolds
from workflows.engine.refusals import refused
from workflows.engine.steps import GivenUp, StepRefused, Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import REST, OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.authorizations import Authorizations
    from activities.payment_asks import Authorize, Authorized, Reauthorize, TenderAsk
    from domain import ids
    from domain.amounts import spread
    from domain.continuation import PaymentsState
    from domain.messages import PayOutcome, PayRequest
    from domain.money import to_minor
    from domain.policy import Policy

DECLINED, ACTION_REQUIRED = "declined", "action_required"
_A_MOMENT = timedelta(seconds=1)


class OrderAuthorizations:
    """Authorizes payments, and waits for the customer where that takes the customer."""

    def __init__(
        self, steps: Steps, book: OrderBook, holds: OrderHolds, policy: Policy, state: PaymentsState
    ) -> None:
        self._steps = steps
        self._book = book
        self._holds = holds
        self._policy = policy
        self._order_id = book.order.order_id
        self._provider = state.provider or book.order.payment.provider
        self._token = state.token or book.order.payment.token
        self._attempt = state.attempt  # one more than there were refusals
        self._held = False
        self._offers: list[tuple[PayRequest, asyncio.Future[PayOutcome]]] = []
        self._reauthorizing = asyncio.Lock()  # what is authorized for one may serve the next

    def state(self) -> PaymentsState:
        """What the next run must know of it."""
        return PaymentsState(provider=self._provider, token=self._token, attempt=self._attempt)

    @property
    def several(self) -> bool:
        """More than one means of payment has to do with the order."""
        return bool(self._book.order.tenders) or self._attempt > 1

    async def authorize(self, *, unless: Callable[[], bool]) -> None:
        """Authorize what all units that can be sent are worth.

        Raises StepRefused for the bank's no, or when the customer had to confirm the payment and
        did not in time; and GivenUp where `unless` comes true while somebody is awaited.
        """
        parts = self._book.parts_to_authorize()
        if self._policy.charge != "at_shipment":  # charged once, all of it
            parts = {ids.prepaid_id(self._order_id): sum(parts.values())}
        amount = self._book.money(sum(parts.values()))

        async def attempt() -> Authorized:
            ask = Authorize(
                order_id=self._order_id,
                amount=amount,
                tenders=self._tenders(parts),
                attempt=self._attempt,
            )
            done: Authorized = await self._steps.call(
                Authorizations.authorize_payment,
                lambda _: ask,
                self._order_id,
                f"Authorize {amount}",
                # The bank says no, or wants the customer; or there is no such provider.
                refusable=(DECLINED, ACTION_REQUIRED, "not_found"),
                allowed=("retry", "cancel"),
                unless=unless,
            )
            return done

        self._note(await self._until_paid(attempt, unless, patient=(ACTION_REQUIRED,)))
        self._book.covered |= parts.keys() - {REST}
        self._book.authorized = amount.minor

    async def ensure_authorized(self, fulfilment: Fulfilment, *, surely: bool = False) -> None:
        """See to it that a fulfilment can be charged when it is handed over, and for a while then.

        `surely`: also where it can as far as is known here; a company may have ended it before.
        Raises StepRefused where the customer does not pay, and GivenUp where it is recalled.
        """
        # Another one may be first again.
        while self._reauthorizing.locked() and not fulfilment.recalled:
            await workflow.wait_condition(
                lambda: not self._reauthorizing.locked() or fulfilment.recalled
            )
        if fulfilment.recalled:
            raise GivenUp(fulfilment.id)
        async with self._reauthorizing:
            amount = self._book.to_charge_for(fulfilment)
            until = workflow.now() + max(self._policy.renew_before, self._policy.hand_over_within)
            # Where no expiry is known, there is nothing to renew.
            expires = self._book.authorized_until is not None
            if amount == 0 or not (self._lacks(fulfilment, until) or (surely and expires)):
                return
            amount += self._book.promised_besides(fulfilment)
            patient = (DECLINED, ACTION_REQUIRED)
            await self._reauthorize(
                fulfilment.id, amount, until, unless=lambda: fulfilment.recalled, patient=patient
            )
            self._book.covered.add(fulfilment.id)

    async def reauthorize(self, part: str, amount: int) -> None:
        """The authorization for a charge has ended before its time: make another one.

        Raises StepRefused where the customer does not pay, and GivenUp by an operator.
        """
        self._book.doubted = True  # other authorizations may have ended as well
        while self._reauthorizing.locked():
            await workflow.wait_condition(lambda: not self._reauthorizing.locked())
        async with self._reauthorizing:
            until = workflow.now() + self._policy.give_up_after
            patient = (DECLINED, ACTION_REQUIRED)
            await self._reauthorize(part, amount, until, unless=lambda: False, patient=patient)

    async def reauthorize_all(self) -> None:
        """See to it that all of the order can be charged now, however long it has waited for that.

        Raises StepRefused where the bank does not authorize it again, and GivenUp.
        """
        ends = self._book.authorized_until
        soon = workflow.now() + self._policy.give_up_after
        amount = self._book.left_to_charge
        if amount and ends is not None and ends < soon:
            part = ids.prepaid_id(self._order_id)
            await self._reauthorize(part, amount, soon, unless=lambda: False, patient=())

    async def _reauthorize(
        self,
        part: str,
        amount: int,
        until: datetime,
        *,
        unless: Callable[[], bool],
        patient: tuple[str, ...],
    ) -> None:
        async def attempt() -> Authorized:
            ask = Reauthorize(
                order_id=self._order_id,
                part=part,
                amount=amount,
                until=until,
                tenders=self._tenders({}),
                attempt=self._attempt,
            )
            done: Authorized = await self._steps.call(
                Authorizations.reauthorize_payment,
                lambda _: ask,
                part,
                f"Authorize {self._book.money(amount)} again",
                refusable=(DECLINED, ACTION_REQUIRED, "not_found"),
                allowed=("retry", "cancel"),
                unless=unless,
            )
            return done

        self._book.reauthorized = True  # or may be, where it is given up
        self._note(await self._until_paid(attempt, unless, patient=patient))

    @property
    def time_left(self) -> timedelta:
        """How long what is authorized can be charged; for ever where no expiry is known."""
        until = self._book.authorized_until
        if until is None or self._policy.charge != "at_shipment":
            return timedelta.max
        return max(until - workflow.now(), _A_MOMENT)

    def _lacks(self, fulfilment: Fulfilment, until: datetime) -> bool:
        ends = self._book.authorized_until
        own = self._book.once and fulfilment.id not in self._book.covered
        return own or self._book.doubted or (ends is not None and ends < until)

    def _note(self, authorized: Authorized) -> None:
        self._book.authorized_until = authorized.until
        self._book.once = authorized.once

    def _tenders(self, parts: dict[str, int]) -> tuple[TenderAsk, ...]:
        """Who pays how much of each part, or, of none, all who pay anything.

        The order's main payment comes last and pays the rest.
        """
        order = self._book.order
        first = [(tender.provider, tender.token) for tender in order.tenders]
        limits = [to_minor(tender.amount, order.currency) for tender in order.tenders]
        shares = spread(parts, [*limits, None])
        payers = [*first, (self._provider, self._token)]
        most = self._book.most_of(parts) if len(parts) > 1 else {}
        # What may be a minor unit more is the main payment's.
        shares_at_most: list[dict[str, int]] = [{}] * len(limits) + [
            {part: share + most[part] - parts[part] for part, share in shares[-1].items()}
            if most
            else {}
        ]
        return tuple(
            TenderAsk(number=number, provider=provider, token=token, parts=share, most=at_most)
            for number, ((provider, token), share, at_most) in enumerate(
                zip(payers, shares, shares_at_most, strict=True), start=1
            )
            if share or not parts or number == len(payers)
        )

    async def _until_paid(
        self,
        attempt: Callable[[], Any],
        unless: Callable[[], bool],
        *,
        patient: tuple[str, ...],
    ) -> Authorized:
        """Try, and after a refusal of a `patient` kind hold the order until there is a new token.

        A token that is refused as well leaves it held. Whoever brought it is told so.
        """
        until: datetime | None = None
        answer: asyncio.Future[PayOutcome] | None = None
        request: PayRequest | None = None
        try:
            while True:
                try:
                    authorized: Authorized = await attempt()
                except StepRefused as refusal:
                    self._attempt += refusal.kind != "not_found"
                    if until is None and refusal.kind not in patient:
                        raise
                    _tell(answer, request, "refused", refusal.message)
                    until = until or workflow.now() + self._policy.pay_within
                    if not self._held:
                        self._held = True
                        await self._holds.hold(refusal.message)
                    request, answer = await self._offered(until, unless)
                    self._provider = request.provider or self._provider
                    self._token = request.token
                else:
                    if self._held and request is not None:
                        await self._go_on(request.by)
                    _tell(answer, request, "accepted", "the amount is authorized")
                    return authorized
        finally:
            _tell(answer, request, "refused", "the order waits for no payment; nothing was charged")
            if self._held:
                await self._go_on("orderloom")

    async def _offered(
        self, until: datetime, unless: Callable[[], bool]
    ) -> tuple[PayRequest, asyncio.Future[PayOutcome]]:
        try:
            await workflow.wait_condition(
                lambda: bool(self._offers) or unless(),
                timeout=max(until - workflow.now(), timedelta(0)),
                timeout_summary=f"The customer's payment, until {until:%Y-%m-%d %H:%M %Z}",
            )
        except TimeoutError:
            raise StepRefused(DECLINED, f"not paid within {self._policy.pay_within}") from None
        if not self._offers:
            raise GivenUp(self._order_id)
        return self._offers.pop(0)

    async def _go_on(self, who: str) -> None:
        self._held = False
        while self._offers:  # too late for these
            request, answer = self._offers.pop(0)
            _tell(answer, request, "refused", "the order waits for no payment; nothing was charged")
        await self._holds.go_on(who)

    def check_pay(self) -> None:
        """Raises ApplicationError where no payment is awaited."""
        if not self._held:
            raise refused(f"order {self._order_id} does not wait for a payment")

    async def pay(self, request: PayRequest, request_id: str) -> PayOutcome:
        """The customer comes with a new token. Answers what became of it."""
        self.check_pay()
        answer: asyncio.Future[PayOutcome] = asyncio.get_running_loop().create_future()
        self._offers.append((request.model_copy(update={"request_id": request_id}), answer))
        return await answer


def _tell(
    answer: asyncio.Future[PayOutcome] | None, request: PayRequest | None, outcome: Any, why: str
) -> None:
    """Answer whoever brought a token, once."""
    if answer is not None and not answer.done():
        request_id = (request.request_id if request else None) or ""
        answer.set_result(PayOutcome(request_id=request_id, outcome=outcome, message=why))
