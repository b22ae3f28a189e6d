"""Vouchers and gift cards: what is spent by whoever has its code."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.money import Money

OwnKind = Literal["store_credit", "gift_card", "voucher"]
"""What a shop owes its customers, who can pay with it."""
CodeKind = Literal["gift_card", "voucher"]
"""What is spent by whoever has its code: sold for money, or given."""

VoucherState = Literal["uncoded", "valid", "blocked", "expired", "spent"]

VALID_AGAIN: Final = timedelta(days=90)
"""How long something that has expired is valid again after a refund onto it."""


class ToIssue(BaseModel):
    """A voucher or a gift card to issue.

    `seller`: whose debt it is; left out, that of the order's, or of the only one. `customer_id`:
    the only one who may spend it. `order_id`: it is a refund of this order. `valid_through`: its
    last day, by the seller's calendar. `single_use`: it pays for one order, and what that leaves
    expires.
    """

    model_config = ConfigDict(frozen=True)

    kind: CodeKind
    amount: Money
    seller: str | None = None
    customer_id: str | None = None
    order_id: str | None = None
    valid_through: date | None = None
    single_use: bool = False

    @property
    def request(self) -> str:
        """Its content in one form, which tells a repeat from a conflict."""
        return json.dumps({"operation": "issue", **self.model_dump(mode="json")}, sort_keys=True)


class Voucher(BaseModel):
    """One that was issued, in minor units. `authorized`: by orders. Its code is kept nowhere.

    `state`: `uncoded` until somebody draws its code; `blocked`; `expired`; `spent`; or `valid`.
    """

    model_config = ConfigDict(frozen=True)

    voucher_id: str
    kind: CodeKind
    state: VoucherState
    seller: str
    currency: str
    issued_minor: int
    balance_minor: int
    authorized_minor: int
    code_end: str | None
    valid_through: date | None
    single_use: bool
    customer_id: str | None
    order_id: str | None
    issued_at: AwareDatetime

    @property
    def available_minor(self) -> int:
        """The amount that orders can still authorize."""
        return self.balance_minor - self.authorized_minor
