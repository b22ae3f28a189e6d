"""Vouchers and gift cards as the API is asked for them, and as it tells them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.fields import Document, Reason, Who
from domain.payments.value_requests import IssueRequest
from domain.payments.vouchers import CodeKind, Voucher, VoucherState
from domain.views.order_snapshot import AmountText
from starter.http.amounts import amount, told
from store.payments.vouchers import Coded


class VoucherIssue(IssueRequest):
    """A gift card that was sold elsewhere, or a voucher that is given.

    `seller`: whose debt it is; left out where there is one alone. `customer`: the only one who may
    spend it; left out: whoever has the code. `valid_through`: its last day, by the seller's
    calendar. `single_use`: it pays for one order, and what that leaves expires.
    """

    by: Who | None = None


class VoucherChange(Document):
    """Why, and who asks; left out, the key."""

    reason: Reason
    by: Who | None = None


class VoucherExtension(VoucherChange):
    """The new last day, by the seller's calendar."""

    valid_through: date


class CodeLookUp(Document):
    """A code, however it is written."""

    code: Annotated[str, Field(min_length=1, max_length=40)]


class ShownVoucher(BaseModel):
    """A voucher or a gift card. `authorized`: the part that orders have taken.

    `state`: *uncoded* until somebody draws its code. `personal`: it is for one customer alone.
    `order_id`: it is a refund of that order.
    """

    model_config = ConfigDict(frozen=True)

    voucher_id: str
    kind: CodeKind
    state: VoucherState
    seller: str
    currency: str
    issued: AmountText
    balance: AmountText
    authorized: AmountText
    available: AmountText
    code_end: str | None
    valid_through: date | None
    single_use: bool
    personal: bool
    order_id: str | None
    issued_at: AwareDatetime


class ToldVoucher(BaseModel):
    """A voucher with its code, which nobody can ask again."""

    model_config = ConfigDict(frozen=True)

    voucher: ShownVoucher
    code: Annotated[str, Field(examples=["V7K3-MQ9T-X2F8-BW4H-N5C6"])]


ISSUE_EXAMPLES: Final[dict[str, Any]] = {
    "a gift card that was sold at the till": {
        "value": {
            "kind": "gift_card",
            "amount": "50.00",
            "currency": "EUR",
            "reason": "sold at the till, receipt 4711",
            "seller": "main",
            "valid_through": "2029-12-31",
            "by": "anna",
        }
    }
}
CHANGE_EXAMPLES: Final[dict[str, Any]] = {
    "by a person": {"value": {"reason": "lost it", "by": "anna"}}
}
EXTENSION_EXAMPLES: Final[dict[str, Any]] = {
    "a year more": {"value": {"valid_through": "2030-12-31", "reason": "asked for", "by": "anna"}}
}
LOOK_UP_EXAMPLES: Final[dict[str, Any]] = {
    "as written": {"value": {"code": "V7K3-MQ9T-X2F8-BW4H-N5C6"}}
}


def voucher_of(voucher: Voucher) -> ShownVoucher:
    """A voucher, without whose it is: that stands in no answer that is kept."""
    fields = told(voucher)
    return ShownVoucher(
        **{name: value for name, value in fields.items() if name in ShownVoucher.model_fields},
        available=amount(voucher.available_minor, voucher.currency),
        personal=voucher.customer_id is not None,
    )


def told_of(made: Coded) -> tuple[str, ToldVoucher]:
    """Its id, and what is told of it once with its code."""
    assert made.code is not None  # What was done with this key before is told by its id.
    return made.voucher.voucher_id, ToldVoucher(voucher=voucher_of(made.voucher), code=made.code)
