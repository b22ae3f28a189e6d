"""Units that come back: asked for on the customer's behalf, decided about, given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from domain.orders.return_messages import (
    ReturnAnswer,
    ReturnGivenUp,
    ReturnReason,
    ReturnRequest,
    ReturnState,
)
from starter.service.service import Service
from starter.web.desk.acts.acting import CODE, Act, Asking, Field, Option, Seen, late, reason
from starter.web.desk.acts.money_told import paid_back
from starter.web.screens.forms import NotAsked

REASONS: Final[tuple[ReturnReason, ...]] = get_args(ReturnReason)


def return_fields(asking: Asking) -> Sequence[Field]:
    """What comes back, and why; of each line where it has a reason of its own."""
    codes = asking.options("reason_", *REASONS)
    return (
        Field("units", label="left_with_customer", most=asking.facts.returnable, options=codes),
        Field("choice", "reason_code", "return_reason", options=codes, value="other"),
        reason("reason", "in_words"),
        late(asking, "return_items", "late_too_about"),
    )


def return_content(asking: Asking) -> dict[str, Any]:
    """The same as it was typed. Raises NotAsked."""
    lines = asking.lines()
    if not lines:
        raise NotAsked("no_units")
    for line in lines:
        code = asking.field(f"{CODE}{line['line_id']}")
        if code:
            line["reason_code"] = code
    return {
        **asking.named(),
        "lines": lines,
        "reason": asking.field("reason"),
        "reason_code": asking.field("reason_code") or "other",
        "late": bool(asking.field("late")),
    }


def asks_told(asking: Asking, asks: Sequence[str]) -> list[str]:
    """Why a person decides about it first."""
    words = asking.visit.words
    return (
        [words("asks_first", why=", ".join(words(f"asks_{one}") for one in asks))] if asks else []
    )


def _read(asking: Asking) -> ReturnRequest:
    return ReturnRequest.model_validate(return_content(asking))


async def _preview(asking: Asking, request: ReturnRequest) -> Seen:
    words = asking.visit.words
    found = await asking.here.exchanges.preview_return(asking.order_id, request)
    ways = await asking.here.previews.ways_back(asking.order_id, found.comes_back)
    rows = [(words("comes_back"), asking.units(found.lines))]
    rows += paid_back(asking, found.comes_back, ways)
    if found.kept is not None and found.kept.minor:
        rows.append((words("kept_of_it"), asking.money(found.kept)))
    if found.label_fee is not None:
        fee = found.label_fee
        costs = asking.money(fee) if fee.minor else words("free")
        rows.append((words("return_label"), costs))
    rows.append((words("pays_when"), words("at_once" if found.is_at_once else "when_counted")))
    return Seen(rows, [words("as_new"), *asks_told(asking, found.asks)])


async def _do(here: Service, order_id: str, request: ReturnRequest) -> str:
    outcome = await here.aftersales.request_return(order_id, request)
    return {"approved": "return_approved", "requested": "return_requested"}[outcome.outcome]


# Returns that there are --------------------------------------------------------------------------


def _returns(asking: Asking, *states: ReturnState) -> Field:
    """One of the returns that a customer asked for, in one of these states."""
    words = asking.visit.words
    options = [
        Option(
            one.return_id,
            words("return_named", id=one.return_id, state=words(f"return_{one.state}")),
        )
        for one in asking.detail.returns
        if one.kind == "customer" and one.state in states
    ]
    return Field("choice", "return_id", "which_return", options=options)


def _decide_fields(asking: Asking) -> Sequence[Field]:
    decisions = asking.options("decide_return_", "approve", "refuse")
    return (
        _returns(asking, "requested"),
        Field("choice", "decision", "decision", options=decisions),
        reason("note"),
    )


def _decide(asking: Asking) -> ReturnAnswer:
    said = {name: asking.field(name) for name in ("return_id", "decision", "note")}
    return ReturnAnswer.model_validate({**asking.named(), **said})


async def _preview_decision(asking: Asking, request: ReturnAnswer) -> Seen:
    return await _expected(asking, request.return_id, comes=request.decision == "approve")


async def _do_decide(here: Service, order_id: str, request: ReturnAnswer) -> str:
    outcome = await here.aftersales.decide_return(order_id, request)
    return "return_approved" if outcome.outcome == "approved" else "return_refused"


def _give_up_fields(asking: Asking) -> Sequence[Field]:
    return _returns(asking, "requested", "approved"), reason()


def _give_up(asking: Asking) -> ReturnGivenUp:
    said = {name: asking.field(name) for name in ("return_id", "reason")}
    return ReturnGivenUp.model_validate({**asking.named(), **said})


async def _preview_giving_up(asking: Asking, request: ReturnGivenUp) -> Seen:
    return await _expected(asking, request.return_id, comes=False)


async def _do_give_up(here: Service, order_id: str, request: ReturnGivenUp) -> str:
    await here.aftersales.cancel_return(order_id, request)
    return "return_given_up"


async def _expected(asking: Asking, return_id: str, *, comes: bool) -> Seen:
    """What becomes of a return's units and money."""
    words = asking.visit.words
    row = next((one for one in asking.detail.returns if one.return_id == return_id), None)
    if row is None:
        raise NotAsked("why_no_open_return")
    amount = await asking.here.returns.expected_refund(return_id)
    units = asking.counted({line: counts["quantity"] for line, counts in row.lines.items()})
    if not comes:
        return Seen(
            [(words("stays_with_customer"), units), (words("not_paid_back"), asking.money(amount))]
        )
    ways = await asking.here.previews.ways_back(asking.order_id, amount)
    rows = [(words("comes_back"), units), *paid_back(asking, amount, ways)]
    return Seen(rows, [words("as_new")])


RETURN = Act("return", return_fields, _read, _do, _preview)
DECIDE_RETURN = Act("decide-return", _decide_fields, _decide, _do_decide, _preview_decision)
CANCEL_RETURN = Act("cancel-return", _give_up_fields, _give_up, _do_give_up, _preview_giving_up)
