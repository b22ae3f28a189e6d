"""What paying back would come to, before it is asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.orders.messages import RefundKind, Units
from domain.payments.ways_back import WaysBack


class RefundPreview(BaseModel):
    """What a refund would pay back; nothing is written. `tax`: of the `amount`, where it is known.

    `asks`: it is goodwill over a limit, about which somebody in another role would decide.
    """

    model_config = ConfigDict(frozen=True)

    kind: RefundKind
    units: tuple[Units, ...] = ()
    amount: Money
    tax: Money | None = None
    ways: WaysBack
    asks: str = ""


class ClaimPreview(BaseModel):
    """What would become of a claim; nothing is written.

    `decision`: None where a person would have to decide, and `why`.
    """

    model_config = ConfigDict(frozen=True)

    decision: str | None
    why: str = ""
    units: tuple[Units, ...] = ()
    amount: Money
    ways: WaysBack
