"""What may be paid back because somebody asks for it, and what it comes to.

Returns, losses and cancellations are paid back by themselves. Here: units that stay with the
customer, shipping alone, and goodwill.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.errors import InvalidInput, Refused
from domain.money import Money, to_minor
from domain.orders.charges import Charges, Owed
from domain.orders.goodwill import Goodwill
from domain.orders.line_requests import requested_units
from domain.orders.messages import RefundKind, RefundRequest
from domain.orders.quantities import LineId, LineUnits


class Granted(BaseModel):
    """A refund that is owed to the customer, and is to be paid back."""

    model_config = ConfigDict(frozen=True)

    refund_id: str
    amount: Money


def owed_for(
    charges: Charges, currency: str, goodwill: Goodwill, request: RefundRequest
) -> tuple[Owed, RefundKind]:
    """What is asked for. Raises Refused or InvalidInput where a rule does not allow it."""
    if request.lines:
        return charges.concede(_units(charges, request), shipping=request.shipping), "units"
    if request.amount is not None:
        amount = _goodwill(charges, currency, goodwill, request.amount, request.role)
        return charges.refund_amount(amount), "goodwill"
    if not charges.refundable.only_shipping.total:
        raise Refused(
            "no shipping and no fee is charged that could be paid back",
            reason="nothing_to_pay_back",
        )
    return charges.refund_shipping(), "shipping"


def _goodwill(
    charges: Charges, currency: str, goodwill: Goodwill, asked: Decimal, role: str | None
) -> int:
    """The goodwill asked for, in minor units."""
    try:
        amount = to_minor(asked, currency)
    except InvalidInput as error:
        raise InvalidInput(str(error), where="amount", reason=error.reason) from None

    def shown(minor: int) -> Money:
        return Money(minor=minor, currency=currency)

    left = charges.refundable.total
    if amount > left:
        raise Refused(
            f"{shown(amount)} is more than the {shown(left)} that can be paid back",
            reason="more_than_charged",
        )
    goodwill.check(*(amount, currency, role), charged=charges.charged.total, given=charges.goodwill)
    return amount


def _units(charges: Charges, request: RefundRequest) -> LineUnits:
    most = {line_id: charges.concedable(line_id) for line_id in charges.worth}

    def check(_: int, line_id: LineId, quantity: int) -> None:
        if not 0 < quantity <= most[line_id]:
            raise Refused(
                f"line {line_id}: {quantity} cannot be paid back; {most[line_id]} can: "
                "the customer has them, is not sending them back, and has not been paid back",
                reason="units_not_to_be_paid_back",
                instead=("return_items", "cancel_order"),
            )

    return requested_units(request.lines, most, check=check)
