"""The order's money: charge, pay back, release the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import workflow

from workflows.chapters.authorizations import DECLINED, OrderAuthorizations
from workflows.chapters.holds import OrderHolds
from workflows.engine.refusals import refused
from workflows.engine.steps import AsStoreCredit, ByHand, GivenUp, StepRefused, Steps
from workflows.state.charges import Owed
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import Due, OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.authorizations import Authorizations
    from activities.payment_asks import Capture, Invoice, Refund, Void
    from activities.payments import Payments
    from domain import ids
    from domain.continuation import PaymentsState
    from domain.messages import ChargeRequest, PayOutcome, RefundKind, RefundTo
    from domain.policy import Policy

NOT_AUTHORIZED = "not_authorized"

RENEWALS_MAX = 5
"""Of one charge, before a person is asked: each time another authorization may have ended."""


class OrderPayments:
    """Money calls of one order. The book says how much; a refusal is put before a person."""

    def __init__(self, steps: Steps, book: OrderBook, policy: Policy, state: PaymentsState) -> None:
        self._steps = steps
        self._book = book
        self._policy = policy
        self._order_id = book.order.order_id
        self._holds = OrderHolds(steps, self._order_id, state.holds)
        self.authorizations = OrderAuthorizations(steps, book, self._holds, policy, state)
        self._told_to_charge = state.told_to_charge
        self.charged_by_hand = state.charged_by_hand  # so the authorization for it is not used
        self._charging = 0
        self._uncharged: set[str] = set()  # fulfilments that wait for the order to be charged

    def state(self) -> PaymentsState:
        """What the next run must know."""
        return self.authorizations.state().model_copy(
            update={
                "holds": self._holds.numbered,
                "told_to_charge": self._told_to_charge,
                "charged_by_hand": self.charged_by_hand,
            }
        )

    @property
    def idle(self) -> bool:
        """Nothing is being charged, nor waits for the customer to be."""
        return self._charging == 0

    async def ensure_paid_for(self, fulfilment: Fulfilment, *, surely: bool = False) -> None:
        """Nothing is handed over unpaid: see to it that the fulfilment is charged, or can be.

        Raises StepRefused where the customer does not pay, and GivenUp where it is recalled.
        """
        if self._policy.charge == "at_shipment":
            await self.authorizations.ensure_authorized(fulfilment, surely=surely)
        else:
            await self._charged_ahead(fulfilment)

    async def charge_all(self) -> None:
        """Charge everything before it is sent, once."""
        if not self._book.charged_ahead:
            due, _ = self._book.charge_all()
            if due.units:
                await self._capture(ids.prepaid_id(self._order_id), due, prepaid=True)
            if self._uncharged:
                await self._holds.go_on("orderloom")

    async def charge_to_begin(self) -> None:
        """Charge everything before anything else happens to the order.

        Raises StepRefused for the bank's no. Nothing stays charged then.
        """
        due, take_back = self._book.charge_all()
        if due.units:
            try:
                await self._capture(
                    ids.prepaid_id(self._order_id), due, prepaid=True, refusable=(DECLINED,)
                )
            except StepRefused as refusal:
                take_back()
                part = Owed(worth=due.worth.part(refusal.charged))
                why = "the rest of the charge was refused"
                await self.refund(ids.prepaid_id(self._order_id), part, why, kind="cancelled")
                raise

    def check_charge(self) -> None:
        """Raises ApplicationError where nothing waits to be charged."""
        if self._policy.charge != "manual" or self._told_to_charge:
            how = self._policy.charge.replace("_", " ")
            why = "it was told so before" if self._told_to_charge else f"it is charged {how}"
            raise refused(f"order {self._order_id} does not wait to be charged: {why}")

    async def charge_now(self, request: ChargeRequest, request_id: str) -> PayOutcome:
        """Somebody says that the order is to be charged. Refused, it may be said again."""
        self.check_charge()
        self._told_to_charge = True
        try:
            await self.authorizations.reauthorize_all()
        except StepRefused as refusal:
            self._told_to_charge = False
            why = f"the authorization has ended, and there is no other: {refusal.message}"
            return PayOutcome(request_id=request_id, outcome="refused", message=why)
        except GivenUp:
            self._told_to_charge = False
            raise refused("given up by an operator before it was charged") from None
        await self.charge_all()
        return PayOutcome(request_id=request_id, outcome="accepted", message=request.note)

    async def _charged_ahead(self, fulfilment: Fulfilment) -> None:
        """Wait until the order is charged. The first that is ready holds the order until then."""
        first = not self._book.charged_ahead and not self._uncharged
        self._uncharged.add(fulfilment.id)
        if first:
            await self._holds.hold("waits to be charged")
        await workflow.wait_condition(
            lambda: (self._book.charged_ahead and not self._charging) or fulfilment.recalled
        )
        self._uncharged.discard(fulfilment.id)
        if fulfilment.recalled:
            if not self._uncharged and not self._book.charged_ahead:
                await self._holds.go_on("orderloom")
            raise GivenUp(fulfilment.id)

    async def charge(self, fulfilment: Fulfilment, due: Due) -> None:
        """Charge for one that went out, as far as it is not charged yet, and invoice it."""
        if due.units:
            await self._capture(fulfilment.id, due, prepaid=False)
        elif due.invoiced_units:
            ask = Invoice(
                order_id=self._order_id,
                fulfilment_id=fulfilment.id,
                units=dict(due.invoiced_units),
                worth=due.invoiced,
                currency=self._book.order.currency,
                after_refund=due.after_refund,
            )
            await self._steps.record(
                Payments.invoice_shipment, ask, fulfilment.id, "Invoice what went"
            )

    async def _capture(
        self,
        part_id: str,
        due: Due,
        *,
        prepaid: bool,
        refusable: tuple[str, ...] = (),
    ) -> None:
        """Charge. For goods that have left, an authorization that ended too soon is made again.

        Where that cannot be, a person is asked, who may have it tried again.
        """
        before = last = 0  # tries, each with a key of its own
        renewals = RENEWALS_MAX if prepaid else 0

        def ask(attempt: int, by_hand: str | None = None) -> Capture:
            nonlocal last
            last = before + attempt
            return Capture(
                order_id=self._order_id,
                fulfilment_id=part_id,
                worth=due.worth,
                currency=self._book.order.currency,
                units=dict(due.units),
                attempt=last,
                by_hand=by_hand,
                prepaid=prepaid,
                after_refund=due.after_refund,
                renews=not prepaid and (attempt > 1 or renewals < RENEWALS_MAX),
            )

        summary = f"Charge {self._book.money(due.worth.total)}"
        self._charging += 1
        try:
            while True:
                try:
                    if await self._or_by_hand(
                        Payments.capture_payment,
                        ask,
                        part_id,
                        summary,
                        refusable=(*refusable, NOT_AUTHORIZED),
                    ):
                        self.charged_by_hand = True
                    return
                except StepRefused as refusal:
                    if refusal.kind != NOT_AUTHORIZED:
                        raise
                before, renewals = last, renewals + 1
                try:
                    await self.authorizations.reauthorize(part_id, due.worth.total)
                except (StepRefused, GivenUp):
                    renewals = RENEWALS_MAX  # nobody pays
        finally:
            self._charging -= 1

    async def refund(
        self,
        refund_id: str,
        owed: Owed,
        why: str,
        *,
        kind: RefundKind,
        return_id: str | None = None,
        to: RefundTo = "original",
        who: str = "orderloom",
    ) -> None:
        """Pay back what is owed. Until that has succeeded it stays owed, and visible as such."""
        if not owed:
            return

        def ask(attempt: int, by_hand: str | None = None, way: RefundTo = to) -> Refund:
            return Refund(
                order_id=self._order_id,
                refund_id=refund_id,
                worth=owed.worth,
                credited=owed.credited,
                currency=self._book.order.currency,
                units=dict(owed.units),
                unconceded=dict(owed.unconceded),
                why=why,
                return_id=return_id,
                attempt=attempt,
                by_hand=by_hand,
                kind=kind,
                to=way,
                customer_id=self._book.order.customer.id,
                who=who,
            )

        # What is being charged cannot be paid back yet: its outcome is awaited first.
        await workflow.wait_condition(lambda: self._charging == 0)
        summary = f"Refund {self._book.money(owed.worth.total)}"
        try:
            await self._or_by_hand(
                Payments.refund_payment,
                ask,
                refund_id,
                summary,
                allowed=("retry", "done", "store_credit"),
            )
        except AsStoreCredit:
            await self._or_by_hand(
                Payments.refund_payment,
                lambda attempt, by_hand=None: ask(attempt, by_hand, "store_credit"),
                refund_id,
                f"{summary}: as store credit",
            )

    async def void(self, why: str) -> None:
        """Undo of the authorization, or of what is left of it."""
        ask = Void(order_id=self._order_id, why=why)
        try:
            await self._steps.call(
                Authorizations.void_payment,
                lambda _: ask,
                self._order_id,
                "Release the authorization",
            )
        except ByHand:
            return  # recorded with its note when the attention was resolved

    async def _or_by_hand(
        self,
        do: Any,
        ask: Callable[..., Any],
        part_id: str,
        summary: str,
        allowed: tuple[Any, ...] = ("retry", "done"),
        refusable: tuple[str, ...] = (),
    ) -> bool:
        """Whether it was done by hand."""
        try:
            await self._steps.call(do, ask, part_id, summary, allowed=allowed, refusable=refusable)
            return False
        except ByHand as hand:
            note = hand.note
            await self._steps.call(
                do,
                lambda n: ask(n, note),
                part_id,
                f"{summary}: by hand",
                allowed=("retry",),  # nothing but to write it down is left to do
            )
            return True
