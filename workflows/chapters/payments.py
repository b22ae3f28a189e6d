"""The order's money: charge it, pay it back, and let nothing leave unpaid."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from temporalio import workflow

from workflows.chapters.authorizations import OrderAuthorizations
from workflows.chapters.exchange_settlement import ExchangeSettlement
from workflows.chapters.holds import OrderHolds
from workflows.chapters.payment_offers import DECLINED, PaymentOffers
from workflows.engine.attention import Parked
from workflows.engine.outcomes import Abandoned, ByOperator, Done, Refused, Stopped
from workflows.engine.refusals import refused
from workflows.engine.runs import broken
from workflows.engine.step_table import Activity
from workflows.engine.steps import Steps, step_name
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.payments.contracts import Charge, Charged, Refund
    from activities.payments.payments import Payments
    from domain import ids
    from domain.orders.continuation import Action, OrderState
    from domain.orders.messages import ChargeRequest, PayOutcome, RefundTo
    from domain.orders.policy import Policy
    from domain.orders.refund_rules import Granted

NOT_AUTHORIZED = "not_authorized"

RENEWALS_MAX = 5
"""Of one charge, before a person is asked: each time another authorization may have ended."""


class OrderPayments:
    """Money calls of one order. Rows say how much; a refusal is put before a person."""

    def __init__(self, steps: Steps, book: OrderBook, policy: Policy) -> None:
        self._steps = steps
        self._book = book
        self._policy = policy
        self.ahead = policy.charge != "at_shipment"  # as a whole, before anything is sent
        self.charged = False  # as a whole, before anything was sent
        self._order_id = book.order_id
        self.holds = OrderHolds(steps, self._order_id)
        self.offers = PaymentOffers(book, self.holds, policy)
        self.authorizations = OrderAuthorizations(steps, book, self.offers, policy)
        self._told_to_charge = False
        self._tried: Mapping[str, int] = {}  # tries of earlier runs, by charge or refund
        self._going_on: asyncio.Task[None] | None = None  # a charge that an earlier run has begun
        self._charging = 0
        self._settlement = ExchangeSettlement(steps, self._order_id, policy)
        self._due_before: set[str] = set()  # in an earlier run: parts that left, not all charged
        self._held = False  # until it is charged
        self._uncharged: set[str] = set()  # fulfilments that wait for the order to be charged

    async def take_up(self, state: OrderState) -> None:
        """Go on after an earlier run. A charge ahead that was begun is gone on with at once."""
        self.offers.attempt, self._tried = state.attempt, state.attempts
        self._due_before = {x.fulfilment_id for x in state.fulfilments if x.due_minor}
        self.charged = state.prepaid == "charged"
        self._told_to_charge = self.ahead and state.prepaid in ("begun", "charged")
        await self.holds.take_up(state.holds, is_held=state.is_held)

    async def charge_on(self, state: OrderState) -> None:
        """Go on with the charge of a confirmed order that an earlier run has begun, or has not."""
        if self._policy.charge == "at_confirmation" and state.prepaid in ("not_begun", "begun"):
            await self.charge_to_begin()
        elif self._told_to_charge and not self.charged:
            self._going_on = asyncio.create_task(self._charge_ahead())

    @property
    def idle(self) -> bool:
        """No charge is under way, but those that wait for what comes back for an exchange."""
        return self._charging == self._settlement.awaited

    def awaits_exchange(self, part_id: str) -> bool:
        """The rest of its charge waits until it is known what comes back for the exchange."""
        return part_id in self._settlement.parts

    async def ensure_paid_for(self, fulfilment: Fulfilment) -> Stopped | None:
        """Make sure that this one is charged, or can be: nothing is handed over unpaid.

        Stopped when the customer does not pay, and when the fulfilment is recalled.
        """
        if self.ahead and not self.charged:
            return await self._charged_ahead(fulfilment)
        return await self.authorizations.ensure_authorized(fulfilment)

    async def charge_to_begin(self) -> None:
        """Charge everything before anything else happens to the order.

        If the bank says no, nothing stays charged.
        """
        part_id = ids.prepaid_id(self._order_id)
        refusal = await self._charge(part_id, "Charge the order", or_nothing=True)
        self.charged = refusal is None
        if self.charged:
            await self._waits_no_more()  # What an edit has added may have been ready before that.
        if refusal is not None and refusal.charged:
            # Another of its means of payment had paid its part, which is owed back.
            amount = self._book.money(refusal.charged)
            await self.pay_back(Granted(refund_id=part_id, amount=amount))

    def check_charge(self, request: ChargeRequest) -> None:
        """Raises ApplicationError where nothing waits to be charged."""
        del request  # what it says does not matter
        if self._policy.charge != "manual" or self._told_to_charge:
            how = self._policy.charge.replace("_", " ")
            why = "it was told so before" if self._told_to_charge else f"it is charged {how}"
            raise refused(
                f"order {self._order_id} does not wait to be charged: {why}",
                reason="not_to_be_charged",
            )

    async def charge_now(self, request: ChargeRequest, request_id: str) -> PayOutcome:
        """Somebody says that the order is to be charged. Refused, it may be said again."""
        self.check_charge(request)
        self._told_to_charge = True
        match await self.authorizations.reauthorize_all():
            case Refused(message=message):
                self._told_to_charge = False
                why = f"the authorization has ended, and there is no other: {message}"
                return PayOutcome(request_id=request_id, outcome="refused", message=why)
            case Abandoned():
                self._told_to_charge = False
                raise refused("given up by an operator before it was charged")
        await self._charge_ahead()
        return PayOutcome(request_id=request_id, outcome="accepted", message=request.note)

    async def _charge_ahead(self) -> None:
        await self._charge(ids.prepaid_id(self._order_id), "Charge the order")
        self.charged = True
        await self._waits_no_more()

    async def charge(self, fulfilment: Fulfilment, due_minor: int) -> None:
        """Charge what is due for a fulfilment that left; where nothing is, that costs no step."""
        if due_minor:
            await self._charge(
                fulfilment.id,
                f"Charge {self._book.money(due_minor)}",
                awaits_exchange=fulfilment.awaits_exchange,
            )

    async def pay_back(self, granted: Granted | None) -> None:
        """Pay back what was granted, if anything. Until that has succeeded it stays owed."""
        if granted is None or not granted.amount.minor:
            return
        refund_id = granted.refund_id

        def ask(attempt: int, by_hand: str | None = None, way: RefundTo | None = None) -> Refund:
            return Refund(refund_id=refund_id, attempt=attempt, by_hand=by_hand, to=way)

        # A charge that is under way cannot be paid back yet: wait for its outcome.
        await workflow.wait_condition(lambda: self._charging == 0 and not self._due_before)
        undo = self._steps.undo_of(Payments.charge_payment)
        summary = f"Refund {granted.amount}"
        outcome = await self._or_by_hand(
            undo,
            ask,
            refund_id,
            summary,
            allowed=("retry", "done", "store_credit"),
            first=self._tried.get(refund_id, 1),
        )
        if isinstance(outcome, ByOperator) and outcome.action == "store_credit":
            await self._or_by_hand(
                undo,
                lambda attempt, by_hand=None: ask(attempt, by_hand, "store_credit"),
                refund_id,
                f"{summary}: as store credit",
            )

    def owes(self, refund_id: str) -> Parked | None:
        """The refund needs a person, and stays owed until then."""
        undo = self._steps.undo_of(Payments.charge_payment)
        return self._steps.attention.steps.get(step_name(undo, refund_id))

    async def _charged_ahead(self, fulfilment: Fulfilment) -> Abandoned | None:
        """Wait until the order is charged. The first that is ready holds the order until then."""
        self._uncharged.add(fulfilment.id)
        if not (self.charged or self._held):
            self._held = True
            await self.holds.hold("waits to be charged")
        await workflow.wait_condition(
            lambda: self.charged or fulfilment.recalled or broken(self._going_on)
        )
        if self._going_on is not None and broken(self._going_on):
            self._going_on.result()  # a fault of ours comes to light here, and can be mended
        self._uncharged.discard(fulfilment.id)
        if not fulfilment.recalled:
            return None
        if not self._uncharged and not self.charged:
            await self._waits_no_more()
        return Abandoned("no longer needed")

    async def _waits_no_more(self) -> None:
        """Everything is charged, or nothing is left to charge: end the order hold."""
        if self._held:
            self._held = False
            await self.holds.release("orderloom")

    async def _charge(
        self,
        part_id: str,
        summary: str,
        *,
        or_nothing: bool = False,
        awaits_exchange: bool = False,
    ) -> Refused | None:
        """Charge. For goods that have left, make an authorization again that ended too soon.

        If that does not work, ask a person, who can have it tried again. Refused: only
        `or_nothing`. `awaits_exchange`: an earlier run has charged all but what an exchange pays.
        """
        before = last = self._tried.get(part_id, 1) - 1  # tries, each with a key of its own
        left = part_id != ids.prepaid_id(self._order_id)
        renewals = 0 if left else RENEWALS_MAX

        def ask(attempt: int, by_hand: str | None = None) -> Charge:
            nonlocal last
            last = before + attempt
            return Charge(
                order_id=self._order_id,
                part_id=part_id,
                attempt=last,
                by_hand=by_hand,
                renews=left and (attempt > 1 or renewals < RENEWALS_MAX),
                or_nothing=or_nothing,
            )

        may_refuse = (DECLINED, NOT_AUTHORIZED) if or_nothing else (NOT_AUTHORIZED,)
        self._charging += 1
        self._due_before.discard(part_id)
        try:
            if awaits_exchange:
                await self._settlement.known_for(part_id)
            while True:
                known = self._book.authorizations_asked
                match await self._or_by_hand(
                    Payments.charge_payment, ask, part_id, summary, refusable=may_refuse
                ):
                    case Done(result=Charged(authorized=authorized, awaits_exchange=awaits)):
                        self._book.stays_authorized(authorized, known)
                        if not awaits:
                            return None
                        await self._settlement.known_for(part_id)
                        before = last
                        continue
                    case ByOperator():
                        return None  # So no charge used what was authorized for it.
                    case Refused(kind=kind) as refusal:
                        if kind != NOT_AUTHORIZED:
                            return refusal
                before, renewals = last, renewals + 1
                if await self.authorizations.reauthorize(part_id) is not None:
                    renewals = RENEWALS_MAX  # nobody pays
        finally:
            self._charging -= 1

    async def _or_by_hand(
        self,
        do: Activity,
        ask: Callable[..., Any],
        part_id: str,
        summary: str,
        allowed: tuple[Action, ...] = ("retry", "done"),
        refusable: tuple[str, ...] = (),
        first: int = 1,
    ) -> Done[Any] | Refused | ByOperator:
        """Do it. If an operator did it by hand, record that."""
        outcome = await self._steps.call(
            do, ask, part_id, summary, allowed=allowed, refusable=refusable, first=first
        )
        match outcome:
            case ByOperator("done", note):
                await self._steps.call(
                    do,
                    lambda n: ask(n, note),
                    part_id,
                    f"{summary}: by hand",
                    allowed=("retry",),  # nothing but to write it down is left to do
                )
        assert not isinstance(outcome, Abandoned)  # money that is owed is not given up
        return outcome
