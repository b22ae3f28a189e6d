"""What is answered to requests about returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.engine.refusals import refused

with workflow.unsafe.imports_passed_through():
    from domain.orders.messages import Units
    from domain.orders.quantities import LineUnits
    from domain.orders.return_messages import ReturnDecided, ReturnOutcome, ReturnRefusal

_ENDS: Final[Mapping[str, Literal["approved", "refused", "cancelled"]]] = {
    "approve": "approved",
    "refuse": "refused",
    "cancel": "cancelled",
}
_MESSAGES: Final = {
    "approve": "write {} on the parcel; it is paid back when it has been counted",
    "refuse": "{} is refused: its units stay with the customer, who has paid for them",
    "cancel": "{} is given up: its units stay with the customer",
}


def answered(
    request_id: str, return_id: str, units: LineUnits, asks: tuple[str, ...]
) -> ReturnOutcome:
    """The answer to a request that the rules have approved, or about which a person is asked."""
    message = f"write {return_id} on the parcel; it is paid back when it has been counted"
    if asks:
        message = f"a person decides about {return_id} first: {', '.join(asks)}"
    return ReturnOutcome(
        request_id=request_id,
        outcome="requested" if asks else "approved",
        return_id=return_id,
        lines=tuple(Units(line_id=k, quantity=n) for k, n in units.items()),
        asks=asks,
        message=message,
    )


def said_no(refusal: ReturnRefusal) -> ApplicationError:
    """A rule has said no."""
    return refused(refusal.message, reason=refusal.reason, instead=refusal.instead)


def decided_as(
    request_id: str, return_id: str, choice: Literal["approve", "refuse", "cancel"]
) -> ReturnDecided:
    """The answer to somebody who has decided about a return, or has given it up."""
    return ReturnDecided(
        request_id=request_id,
        return_id=return_id,
        outcome=_ENDS[choice],
        message=_MESSAGES[choice].format(return_id),
    )
