"""What somebody asks for who gives a customer a voucher, a gift card or store credit."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import model_validator

from domain.errors import InvalidInput
from domain.fields import Amount, Currency, CustomerId, Document, Flag, Reason, inconsistent
from domain.money import Money, to_minor
from domain.payments.vouchers import CodeKind
from domain.sellers import Code


class _OfMoney(Document):
    amount: Amount
    currency: Currency
    reason: Reason

    @property
    def money(self) -> Money:
        """The amount in minor units. Raises InvalidInput where the currency has no such one."""
        return Money(minor=to_minor(self.amount, self.currency), currency=self.currency)

    @model_validator(mode="after")
    def _can_be_given(self) -> Self:
        try:
            _ = self.money
        except InvalidInput as error:
            raise inconsistent("amount", str(error)) from None
        return self


class IssueRequest(_OfMoney):
    """A gift card that was sold elsewhere, or a voucher that is given.

    `seller`: whose debt it is; left out where there is one alone. `customer`: the only one who may
    spend it; left out: whoever has the code. `valid_through`: its last day, by the seller's
    calendar. `single_use`: it pays for one order, and what that leaves expires.
    """

    kind: CodeKind
    seller: Code | None = None
    customer: CustomerId | None = None
    valid_through: date | None = None
    single_use: Flag = False


class CreditRequest(_OfMoney):
    """Store credit as a gift. `seller`: whose debt it is; left out where there is one alone."""

    customer: CustomerId
    seller: Code | None = None
