"""What is answered to requests about returns, and whether such units can come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.chapters.line_requests import requested_units
from workflows.engine.refusals import refused
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from domain.orders.handling import NEVER_BACK
    from domain.orders.messages import Units
    from domain.orders.quantities import LineId, LineUnits
    from domain.orders.return_messages import (
        ReturnDecided,
        ReturnOutcome,
        ReturnRefusal,
        ReturnRequest,
    )

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


def returnable_units(book: OrderBook, request: ReturnRequest) -> LineUnits:
    """The units that shall come back. Raises ApplicationError where they cannot."""
    lines = book.lines
    if book.last_delivery is None:
        raise refused(
            "nothing has been delivered yet; cancel what is not wanted",
            reason="not_delivered",
            instead=["cancel_order"],
        )

    def check(_: int, line_id: LineId, quantity: int) -> None:
        line = lines[line_id]
        if book.handlings[line_id] in NEVER_BACK:
            reason, what = NEVER_BACK[book.handlings[line_id]]
            raise refused(
                f"line {line_id} {what}: it cannot be sent back",
                reason=reason,
                instead=["refund_order"],
            )
        if not 0 < quantity <= line.returnable:
            raise refused(
                f"line {line_id}: {quantity} cannot be returned; "
                f"{line.returnable} of {line.delivered} delivered units can",
                reason="more_than_delivered",
            )

    asked = requested_units(request.lines, lines, can=lambda line: line.returnable, check=check)
    units = {k: n for k, n in asked.items() if book.handlings[k] not in NEVER_BACK}
    if not units:
        raise refused("there is nothing left to return", reason="nothing_left")
    return units
