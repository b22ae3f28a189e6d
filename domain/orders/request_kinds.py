"""What can be asked of an order: each kind's update, its signal, and what it is answered with.

The order, its callers and the tests read this one table, so a new kind of request is a row here,
and a row in `workflows/chapters/messages.py` that says how it is met.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import BaseModel

from domain.orders.claim_messages import ClaimOutcome, ClaimRequest, DecideClaimRequest
from domain.orders.edit_messages import EditOutcome, EditRequest
from domain.orders.exchange_messages import ExchangeOutcome, ExchangeRequest
from domain.orders.hold_messages import (
    ExtendRequest,
    HoldOutcome,
    HoldRequest,
    RejectOutcome,
    RejectRequest,
    ReleaseRequest,
)
from domain.orders.interception_messages import (
    InterceptOutcome,
    InterceptRequest,
    SendAnewOutcome,
    SendAnewRequest,
)
from domain.orders.messages import (
    CancelOutcome,
    CancelRequest,
    ChargeRequest,
    OrderRequest,
    PayOutcome,
    PayRequest,
    RefundOutcome,
    RefundRequest,
)
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.return_messages import (
    ReturnAnswer,
    ReturnDecided,
    ReturnGivenUp,
    ReturnOutcome,
    ReturnRequest,
)


class RequestKind(NamedTuple):
    """`update` is answered, `signal` is not: both are met in the same way."""

    request: type[OrderRequest]
    outcome: type[BaseModel]
    update: str
    signal: str


KINDS: Final = (
    RequestKind(CancelRequest, CancelOutcome, "cancel_order", "cancel"),
    RequestKind(ReturnRequest, ReturnOutcome, "return_items", "request_return"),
    RequestKind(ExchangeRequest, ExchangeOutcome, "exchange_items", "exchange"),
    RequestKind(ReturnAnswer, ReturnDecided, "decide_return", "decide_return"),
    RequestKind(ReturnGivenUp, ReturnDecided, "cancel_return", "cancel_return"),
    RequestKind(RefundRequest, RefundOutcome, "refund_order", "refund"),
    RequestKind(PriceMatchRequest, RefundOutcome, "match_price", "match_price"),
    RequestKind(ClaimRequest, ClaimOutcome, "claim_items", "claim"),
    RequestKind(DecideClaimRequest, ClaimOutcome, "decide_claim", "decide_claim"),
    RequestKind(PayRequest, PayOutcome, "pay_order", "pay"),
    RequestKind(ChargeRequest, PayOutcome, "charge_order", "charge"),
    RequestKind(HoldRequest, HoldOutcome, "hold_order", "hold"),
    RequestKind(ReleaseRequest, HoldOutcome, "release_order", "release"),
    RequestKind(ExtendRequest, HoldOutcome, "extend_hold", "extend"),
    RequestKind(RejectRequest, RejectOutcome, "reject_order", "reject"),
    RequestKind(EditRequest, EditOutcome, "edit_order", "edit"),
    RequestKind(InterceptRequest, InterceptOutcome, "intercept_parcel", "intercept"),
    RequestKind(SendAnewRequest, SendAnewOutcome, "send_anew", "send_anew"),
)

BY_REQUEST: Final = {kind.request: kind for kind in KINDS}

ALSO_LATE: Final = (RefundRequest, ReturnRequest, ClaimRequest, DecideClaimRequest)
"""What a closed order takes, too; a return where it is a late one, or its rules allow it."""

RESOLVE: Final = "resolve_attention"
"""The update and the signal of an `AttentionAnswer`: a decision about a step, not a request."""
