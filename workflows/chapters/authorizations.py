"""Authorizations: made when the order is placed, and again before they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

from workflows.chapters.payment_offers import (
    ACTION_REQUIRED,
    DECLINED,
    NO_PROVIDER,
    PaymentOffers,
)
from workflows.engine.outcomes import Abandoned, ByOperator, Done, Refused, Stopped
from workflows.engine.step_table import Activity
from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.payments.authorizations import Authorizations
    from activities.payments.contracts import Authorize, Authorized, Reauthorize, TenderAsk, Void
    from domain import ids
    from domain.orders.amounts import spread
    from domain.orders.policy import Policy


class OrderAuthorizations:
    """The order's authorizations at payment companies, and their ends."""

    def __init__(
        self, steps: Steps, book: OrderBook, offers: PaymentOffers, policy: Policy
    ) -> None:
        self._steps = steps
        self._book = book
        self._offers = offers
        self._policy = policy
        self._order_id = book.order_id
        self._reauthorizing = asyncio.Lock()  # One parcel's authorization may serve the next.

    @property
    def several(self) -> bool:
        """More than one tender or token was tried for the order."""
        return len(self._book.terms.tenders) > 1 or self._offers.attempt > 1

    async def authorize_and_confirm(self, *, unless: Callable[[], bool]) -> Stopped | None:
        """Authorize the worth of all units that can be sent. That confirms the order.

        Stopped when the bank says no, when the customer had to confirm the payment and did not do
        so in time, and when `unless` comes true while the customer or an operator is awaited.
        """
        parts = self._book.parts_to_authorize()
        if self._policy.charge != "at_shipment":  # charged once, all of it
            parts = {ids.prepaid_id(self._order_id): sum(parts.values())}
        amount = self._book.money(sum(parts.values()))

        async def attempt() -> Done[Authorized] | Refused | Abandoned:
            ask = Authorize(
                order_id=self._order_id,
                amount=amount,
                tenders=self._tenders(parts),
                attempt=self._offers.attempt,
            )
            return await self._call(
                Authorizations.authorize_payment, ask, self._order_id, f"Authorize {amount}", unless
            )

        outcome = await self._offers.until_authorized(attempt, unless, patient=(ACTION_REQUIRED,))
        if not isinstance(outcome, Done):
            return outcome
        self._note(outcome.result)
        self._book.authorized = amount.minor
        return None

    async def ensure_authorized(self, fulfilment: Fulfilment) -> Stopped | None:
        """Make sure that a fulfilment can be charged when it is handed over, and some time after.

        Stopped when the customer does not pay, and when the fulfilment is recalled.
        """
        # When the lock is free, another fulfilment may take it first: look again.
        while self._reauthorizing.locked() and not fulfilment.recalled:
            await workflow.wait_condition(
                lambda: not self._reauthorizing.locked() or fulfilment.recalled
            )
        if fulfilment.recalled:
            return Abandoned("no longer needed")
        async with self._reauthorizing:
            amount = self._book.to_charge_for(fulfilment)
            if amount == 0:
                return None
            return await self._reauthorize(
                fulfilment.id,
                amount,
                workflow.now() + self.lasting,
                unless=lambda: fulfilment.recalled,
                patient=(DECLINED, ACTION_REQUIRED),
            )

    @property
    def lasting(self) -> timedelta:
        """How long an authorization must last when a parcel is about to be sent."""
        return max(self._policy.renew_before, self._policy.hand_over_within)

    async def reauthorize(self, part: str, amount: int) -> Stopped | None:
        """The authorization for a charge has ended before its time: make another one.

        Stopped when the customer does not pay, or an operator gives up.
        """
        while self._reauthorizing.locked():
            await workflow.wait_condition(lambda: not self._reauthorizing.locked())
        async with self._reauthorizing:
            until = workflow.now() + self._policy.give_up_after
            patient = (DECLINED, ACTION_REQUIRED)
            return await self._reauthorize(
                part, amount, until, unless=lambda: False, patient=patient
            )

    async def reauthorize_all(self) -> Stopped | None:
        """Make sure that all of the order can be charged now, however long it has waited.

        Stopped when the bank does not authorize it again, or an operator gives up.
        """
        ends = min(self._book.authorized_until.values(), default=None)
        soon = workflow.now() + self._policy.give_up_after
        amount = self._book.left_to_charge
        if amount and ends is not None and ends < soon:
            part = ids.prepaid_id(self._order_id)
            return await self._reauthorize(part, amount, soon, unless=lambda: False, patient=())
        return None

    async def void(self, why: str) -> None:
        """Release all authorizations, or the rest of them: their undo."""
        ask = Void(order_id=self._order_id, why=why)
        await self._steps.undo(
            Authorizations.authorize_payment, ask, self._order_id, "Release the authorization"
        )

    async def _reauthorize(
        self,
        part: str,
        amount: int,
        until: datetime,
        *,
        unless: Callable[[], bool],
        patient: tuple[str, ...],
    ) -> Stopped | None:
        async def attempt() -> Done[Authorized] | Refused | Abandoned:
            ask = Reauthorize(
                order_id=self._order_id,
                part=part,
                amount=amount,
                until=until,
                tenders=self._tenders({}),
                attempt=self._offers.attempt,
            )
            summary = f"Authorize {self._book.money(amount)} again"
            return await self._call(Authorizations.reauthorize_payment, ask, part, summary, unless)

        self._book.reauthorized = True  # or may be, if the step is given up
        outcome = await self._offers.until_authorized(attempt, unless, patient=patient)
        if not isinstance(outcome, Done):
            return outcome
        self._note(outcome.result)
        return None

    async def _call(
        self,
        do: Activity,
        ask: Authorize | Reauthorize,
        part_id: str,
        summary: str,
        unless: Callable[[], bool],
    ) -> Done[Authorized] | Refused | Abandoned:
        outcome = await self._steps.call(
            do,
            lambda _: ask,
            part_id,
            summary,
            # The bank says no, or wants the customer; or there is no such provider.
            refusable=(DECLINED, ACTION_REQUIRED, NO_PROVIDER),
            allowed=("retry", "cancel"),
            unless=unless,
        )
        assert not isinstance(outcome, ByOperator)  # nobody can authorize by hand
        return outcome

    def _note(self, authorized: Authorized) -> None:
        self._book.authorized_until = authorized.until
        self._book.once = authorized.once

    def _tenders(self, parts: dict[str, int]) -> tuple[TenderAsk, ...]:
        """Each tender's share of each part. Without parts: every tender that pays anything.

        The order's main payment comes last and pays the rest.
        """
        first = self._book.terms.tenders[:-1]
        shares = spread(parts, [*(tender.most for tender in first), None])
        payers = [
            *((tender.provider, tender.token) for tender in first),
            (self._offers.provider, self._offers.token),
        ]
        most = self._book.most_of(parts) if len(parts) > 1 else {}
        # Rounding can add a minor unit to a part: the main payment pays it.
        shares_at_most: list[dict[str, int]] = [{}] * len(first) + [
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
