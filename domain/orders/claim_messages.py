"""The requests about claims, and their answers: what a customer says is wrong, and the decision."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.fields import (
    READABLE,
    Amount,
    Document,
    Flag,
    LineId,
    Reason,
    Shape,
    Sku,
    inconsistent,
)
from domain.money import Money
from domain.orders.messages import LineRequest, OrderRequest, RefundTo, Units
from domain.orders.order import LINES_MAX

ClaimKind = Literal["missing", "wrong", "damaged", "late"]
ClaimWish = Literal["refund", "reship"]
ClaimDecision = Literal["reship", "refund", "part_refund", "refused"]
ClaimState = Literal["open", "decided"]

Evidence = Annotated[str, StringConstraints(min_length=1, max_length=500), *READABLE]
"""A link to a photo, its id elsewhere, or a sentence."""

ClaimId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300),
    Shape(r"^[^:\s]+:C[0-9]{1,6}$", "the id of a claim, such as web-1001:C1"),
]


class ClaimRequest(OrderRequest):
    """Something is wrong with what was delivered.

    `kind`: missing (the carrier says delivered, and it is not there), wrong (something else was in
    the parcel), damaged, or late (it came after its promised day; no lines). Without lines: all
    that the customer has. `wish`: what the customer would like; left out: whatever is decided.
    `late`: taken also after the time for claims.
    """

    kind: ClaimKind
    reason: Reason
    lines: Annotated[tuple[LineRequest, ...], Field(max_length=LINES_MAX)] = ()
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=20)] = ()
    wish: ClaimWish | None = None
    late: Flag = False

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "late" and (self.lines or self.wish == "reship"):
            field = "lines" if self.lines else "wish"
            raise inconsistent(field, "a late delivery is about the whole order: leave it out")
        return self


class SentInstead(Document):
    """What was in the parcel in truth, instead of the claimed units of a line."""

    line_id: LineId
    sku: Sku


class DecideClaimRequest(OrderRequest):
    """What is decided about a claim that waits for a person.

    `part_refund`: an `amount`, or `percent` of what the claimed units are worth. `to`: the way it
    was paid, as store credit, or as a voucher. `note`: why; of a refusal, the customer is told.
    `send_back`: the units are asked back. `sent`: of a claim that something else was in the parcel.
    """

    claim_id: ClaimId
    decision: ClaimDecision
    note: Reason
    amount: Amount | None = None
    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    to: RefundTo = "original"
    send_back: Flag = False
    sent: Annotated[tuple[SentInstead, ...], Field(max_length=LINES_MAX)] = ()

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        said = (self.amount is not None) + (self.percent is not None)
        if self.decision == "part_refund" and said != 1:
            raise inconsistent("amount", "a part refund needs an amount or a percent: give one")
        if self.decision != "part_refund" and said:
            raise inconsistent("amount", "only a part refund has an amount or a percent")
        if self.amount is not None and self.amount <= 0:
            raise inconsistent("amount", "must be more than zero")
        if self.to != "original" and self.decision not in ("refund", "part_refund"):
            raise inconsistent("to", "only a refund goes somewhere")
        if self.send_back and self.decision not in ("refund", "reship"):
            raise inconsistent(
                "send_back", "only what is paid back whole, or sent again, comes back"
            )
        if self.send_back and self.sent:
            raise inconsistent(
                "send_back",
                "what was sent instead is none of the order's goods: when it comes, receive it as "
                "stock of its own SKU",
            )
        if self.sent and self.decision == "refused":
            raise inconsistent("sent", "a claim that is refused says nothing about what was sent")
        return self


class ClaimOutcome(BaseModel):
    """What became of a claim: it waits for a person (open), or it is decided.

    `lines`: the claimed units; none of a late delivery. `amount`: what is paid back, with
    `refund_id`; `owed`: why it is not paid yet. `fulfilments`: those that bring units again.
    `return_id`: by which they are asked back.
    """

    model_config = ConfigDict(frozen=True)

    request_id: str
    claim_id: str
    outcome: ClaimState
    decision: ClaimDecision | None = None
    lines: tuple[Units, ...] = ()
    refund_id: str | None = None
    amount: Money | None = None
    owed: str = ""
    fulfilments: tuple[str, ...] = ()
    return_id: str | None = None
    message: str = ""
