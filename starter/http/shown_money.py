"""Payments, refunds, disputes and store credit as the API tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.orders.messages import RefundKind, RefundTo
from domain.payments.disputes import DisputeState
from domain.payments.payments import Kind
from domain.views.order_snapshot import AmountText, Units
from starter.http.amounts import amount, told
from store.payments.credit_accounts import CreditAccount, CreditOperation, OperationKind
from store.payments.money_reads import Unsettled
from store.payments.provider_reads import DisputeRow
from store.payments.refunds import Refund


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class UnsettledPayment(_Shown):
    """A call of a payment company whose outcome is not known. `attention`: a person is asked."""

    payment_key: str
    order_id: str
    kind: Kind
    amount: AmountText
    currency: str
    state: Literal["requested", "unknown"]
    provider: str
    part_of: str
    message: str
    requested_at: datetime
    attention: bool


class OwedRefund(_Shown):
    """A refund that was granted and is not paid in full, or came back. `owed`: what is left.

    `units`: line id → units paid back.
    """

    refund_id: str
    order_id: str
    kind: RefundKind
    units: Units
    amount: AmountText
    owed: AmountText
    currency: str
    reason: str
    who: str
    pay_to: RefundTo
    granted_at: datetime


class ShownDispute(_Shown):
    """A payment that a bank questions. Without an order: it is about no payment that is known."""

    provider: str
    dispute_id: str
    order_id: str | None
    payment_key: str | None
    amount: AmountText
    currency: str
    fee: AmountText
    fee_currency: str
    state: DisputeState
    reason: str
    opened_at: datetime
    respond_by: datetime | None
    closed_at: datetime | None
    said_at: datetime


class ShownAccount(_Shown):
    """Store credit with a seller in a currency. `authorized`: the part that orders have taken."""

    account_id: str
    seller: str
    currency: str
    balance: AmountText
    authorized: AmountText
    available: AmountText


class ShownOperation(_Shown):
    """One line of an account's story. A refused one has a `code`, and changed nothing."""

    operation_id: int
    at: datetime
    kind: OperationKind
    order_id: str | None
    amount: AmountText | None
    currency: str | None
    code: str | None
    who: str
    why: str


def payment_of(payment: Unsettled) -> UnsettledPayment:
    """A payment of a list."""
    return UnsettledPayment(**_of(UnsettledPayment, payment))


def refund_of(refund: Refund) -> OwedRefund:
    """A refund of a list."""
    owed = amount(refund.owed.minor, refund.currency)
    return OwedRefund(**{**_of(OwedRefund, refund), "owed": owed})


def dispute_of(dispute: DisputeRow) -> ShownDispute:
    """A dispute of a list. Its fee may be in another currency."""
    fee = amount(dispute.fee_minor, dispute.fee_currency)
    return ShownDispute(**{**_of(ShownDispute, dispute), "fee": fee})


def account_of(account: CreditAccount) -> ShownAccount:
    """An account, without whose it is: that stands in no answer that is kept."""
    available = amount(account.available_minor, account.currency)
    return ShownAccount(**_of(ShownAccount, account), available=available)


def operation_of(operation: CreditOperation) -> ShownOperation:
    """An operation of a list."""
    return ShownOperation(**_of(ShownOperation, operation))


def _of(shown: type[BaseModel], row: BaseModel) -> dict[str, Any]:
    return {name: value for name, value in told(row).items() if name in shown.model_fields}
