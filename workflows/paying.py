"""The order's money: authorize, charge what ships, pay back, release the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from temporalio import workflow

from workflows.book import OrderBook
from workflows.steps import ByHand, Steps

with workflow.unsafe.imports_passed_through():
    from activities.payments import Authorize, Capture, Payments, Refund, Void
    from domain.amounts import Worth


class Paying:
    """Money calls of one order. The book says how much; a refusal is put before a person."""

    def __init__(self, steps: Steps, book: OrderBook) -> None:
        self._steps = steps
        self._book = book
        self._order_id = book.order.order_id
        self._charging = 0

    async def authorize(self, *, unless: Callable[[], bool]) -> None:
        """Set aside what all units that can be sent are worth.

        Raises StepRefused for the bank's no, and GivenUp where `unless` comes true while an
        operator is awaited.
        """
        amount = self._book.money(self._book.deliverable_worth)
        ask = Authorize(
            order_id=self._order_id,
            amount=amount,
            provider=self._book.order.payment.provider,
            token=self._book.order.payment.token,
        )
        await self._steps.call(
            Payments.authorize_payment,
            lambda _: ask,
            self._order_id,
            f"Authorize {amount}",
            refusable=("declined", "not_found"),  # the bank says no, or there is no such provider
            allowed=("retry", "cancel"),
            unless=unless,
        )
        self._book.authorized = amount.minor

    async def charge(self, fulfilment_id: str, units: Mapping[str, int], worth: Worth) -> None:
        """Charge for units (line id → units) that ship."""

        def ask(attempt: int, by_hand: str | None = None) -> Capture:
            return Capture(
                order_id=self._order_id,
                fulfilment_id=fulfilment_id,
                worth=worth,
                currency=self._book.order.currency,
                units=dict(units),
                attempt=attempt,
                by_hand=by_hand,
            )

        summary = f"Charge {self._book.money(worth.total)}"
        self._charging += 1
        try:
            await self._or_by_hand(Payments.capture_payment, ask, fulfilment_id, summary)
        finally:
            self._charging -= 1

    async def refund(
        self,
        refund_id: str,
        units: Mapping[str, int],
        worth: Worth,
        why: str,
        *,
        return_id: str | None = None,
    ) -> None:
        """Pay units back. Until that has succeeded, the amount stays owed, and visible as such."""

        def ask(attempt: int, by_hand: str | None = None) -> Refund:
            return Refund(
                order_id=self._order_id,
                refund_id=refund_id,
                worth=worth,
                currency=self._book.order.currency,
                units={k: n for k, n in units.items() if n},
                why=why,
                return_id=return_id,
                attempt=attempt,
                by_hand=by_hand,
            )

        # What is being charged cannot be paid back yet: its outcome is awaited first.
        await workflow.wait_condition(lambda: self._charging == 0)
        summary = f"Refund {self._book.money(worth.total)}"
        await self._or_by_hand(Payments.refund_payment, ask, refund_id, summary)

    async def release(self, why: str) -> None:
        """Undo of the authorization, or of what is left of it."""
        ask = Void(order_id=self._order_id, why=why)
        with suppress(ByHand):  # recorded with its note when the attention was resolved
            await self._steps.call(
                Payments.void_payment, lambda _: ask, self._order_id, "Release the authorization"
            )

    async def _or_by_hand(
        self, do: Any, ask: Callable[..., Any], part_id: str, summary: str
    ) -> None:
        try:
            await self._steps.call(do, ask, part_id, summary)
        except ByHand as hand:
            note = hand.note
            await self._steps.call(
                do,
                lambda n: ask(n, note),
                part_id,
                f"{summary}: by hand",
                allowed=("retry",),  # nothing but to write it down is left to do
            )
