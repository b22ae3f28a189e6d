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
from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.payments.authorizations import Authorizations
    from activities.payments.contracts import Authorize, Void
    from domain import ids
    from domain.orders.policy import Policy
    from domain.orders.proposals import Proposal


class OrderAuthorizations:
    """Whether the order's payment holds. What stands at companies, and until when, is in rows."""

    def __init__(
        self, steps: Steps, book: OrderBook, offers: PaymentOffers, policy: Policy
    ) -> None:
        self._steps = steps
        self._book = book
        self._offers = offers
        self._policy = policy
        self._order_id = book.order_id
        self._authorizing = asyncio.Lock()  # One parcel's authorization may serve the next.

    async def authorize_and_confirm(self, *, unless: Callable[[], bool]) -> Stopped | None:
        """Authorize the worth of all units that can be sent. That confirms the order.

        Stopped when the bank says no, when the customer had to confirm the payment and did not do
        so in time, and when `unless` comes true while the customer or an operator is awaited.
        """
        return await self._hold("", None, unless=unless, patient=(ACTION_REQUIRED,))

    async def ensure_authorized(self, fulfilment: Fulfilment) -> Stopped | None:
        """Make sure that a fulfilment can be charged when it is handed over, and some time after.

        Stopped when the customer does not pay, and when the fulfilment is recalled.
        """
        # When the lock is free, another fulfilment may take it first: look again.
        while self._authorizing.locked() and not fulfilment.recalled:
            await workflow.wait_condition(
                lambda: not self._authorizing.locked() or fulfilment.recalled
            )
        if fulfilment.recalled:
            return Abandoned("no longer needed")
        async with self._authorizing:
            return await self._hold(
                fulfilment.id,
                workflow.now() + self.lasting,
                unless=lambda: fulfilment.recalled,
            )

    @property
    def lasting(self) -> timedelta:
        """How long an authorization must last when a parcel is about to be sent."""
        return max(self._policy.renew_before, self._policy.hand_over_within)

    async def reauthorize(self, part: str) -> Stopped | None:
        """The authorization for a charge has ended before its time: make another one.

        Stopped when the customer does not pay, or an operator gives up.
        """
        while self._authorizing.locked():
            await workflow.wait_condition(lambda: not self._authorizing.locked())
        async with self._authorizing:
            return await self._hold(part, self._soon, unless=lambda: False)

    async def authorize_edit(self, edit: Proposal, *, unless: Callable[[], bool]) -> Stopped | None:
        """Authorize what an edit costs more, before it is applied.

        Stopped when the bank says no, and when an operator gives up or `unless` comes true.
        """
        while self._authorizing.locked():
            await workflow.wait_condition(lambda: not self._authorizing.locked())
        async with self._authorizing:
            return await self._hold("", None, unless=unless, patient=(), edit=edit)

    async def release_beyond_need(self, request_id: str, why: str) -> None:
        """Release what was authorized for an edit that is not applied, as far as nothing needs it.

        The order goes on meanwhile; one that cannot be released is put before a person.
        """
        while self._authorizing.locked():
            await workflow.wait_condition(lambda: not self._authorizing.locked())
        async with self._authorizing:
            await self._steps.undo(
                Authorizations.authorize_payment,
                Void(
                    order_id=self._order_id,
                    why=why,
                    beyond=True,
                    ahead=self._policy.charge != "at_shipment",
                    spare=self._policy.renew_before,
                ),
                f"{self._order_id}:edit:{request_id}",
                "Release what was authorized for a change of the order",
            )

    async def reauthorize_all(self) -> Stopped | None:
        """Make sure that all of the order can be charged now, however long it has waited.

        Stopped when the bank does not authorize it again, or an operator gives up.
        """
        part = ids.prepaid_id(self._order_id)
        return await self._hold(part, self._soon, unless=lambda: False, patient=())

    async def void(self, why: str) -> None:
        """Release all authorizations, or the rest of them: their undo."""
        ask = Void(order_id=self._order_id, why=why)
        await self._steps.undo(
            Authorizations.authorize_payment, ask, self._order_id, "Release the authorization"
        )
        self._book.authorized = False

    @property
    def _soon(self) -> datetime:
        """Until when it takes to charge what is due now."""
        return workflow.now() + self._policy.give_up_after

    async def _hold(
        self,
        part: str,
        until: datetime | None,
        *,
        unless: Callable[[], bool],
        patient: tuple[str, ...] = (DECLINED, ACTION_REQUIRED),
        edit: Proposal | None = None,
    ) -> Stopped | None:
        """Have the payment hold for a part, or ("") for all; with a new token where one comes.

        Nothing may stand for that part any more. Rows say how much is to be charged for it.
        """
        amount = self._book.money(self._book.deliverable_worth)
        summary = f"Authorize {part} again" if part else f"Authorize {amount}"
        if edit is not None:
            summary = "Authorize more, for a change of the order"

        async def attempt() -> Done[None] | Refused | Abandoned:
            provider, token = self._offers.brought
            ask = Authorize(
                order_id=self._order_id,
                edit=edit,
                ahead=self._policy.charge != "at_shipment",
                parts=(part,) if part else (),
                until=until,
                spare=self._policy.renew_before,
                attempt=self._offers.attempt,
                provider=provider,
                token=token,
            )
            outcome = await self._steps.call(
                Authorizations.authorize_payment,
                lambda _: ask,
                part or self._order_id,
                summary,
                # The bank says no, or wants the customer; or there is no such provider.
                refusable=(DECLINED, ACTION_REQUIRED, NO_PROVIDER),
                allowed=("retry", "cancel"),
                unless=unless,
            )
            assert not isinstance(outcome, ByOperator)  # nobody can authorize by hand
            return outcome

        something = bool(part or edit or amount.minor)
        if something:
            self._book.may_be_authorized()
        try:
            outcome = await self._offers.until_authorized(attempt, unless, patient=patient)
        finally:
            if something:  # A charge that was asked for meanwhile may not know it.
                self._book.may_be_authorized()
        return None if isinstance(outcome, Done) else outcome
