"""What an order hands on to its next run: all of it, and not more than fits in a message."""

from __future__ import annotations

from domain.orders.continuation import (
    AnsweredCancel,
    AnsweredReturn,
    InboxState,
    OrderState,
    ReturnsState,
    ReturnState,
)
from domain.orders.messages import CancelOutcome, CancelRequest, ReturnOutcome, ReturnRequest
from workflows.engine.inbox import REMEMBERED_BYTES_MAX, Inbox


def cancelled(request_id: str, reason: str = "ordered twice") -> AnsweredCancel:
    return AnsweredCancel(
        request=CancelRequest(reason=reason, request_id=request_id),
        outcome=CancelOutcome(request_id=request_id, outcome="cancelled", message=reason),
    )


def returned(request_id: str) -> AnsweredReturn:
    return AnsweredReturn(
        request=ReturnRequest(reason="ordered twice", request_id=request_id),
        outcome=ReturnOutcome(request_id=request_id, outcome="approved", return_id="web-1:R1"),
    )


def test_a_cancellation_and_a_return_in_the_same_words_stay_what_they_are() -> None:
    state = OrderState(
        inbox=InboxState(unnamed=3, answered=(cancelled("a"), returned("b"))),
        returns=ReturnsState(
            numbered=2,
            under_way=(ReturnState(return_id="web-1:R2", units={"1": 2}, reason="too big"),),
        ),
    )
    assert OrderState.model_validate_json(state.model_dump_json()) == state


async def test_answers_are_handed_on_in_their_order() -> None:
    state = InboxState(unnamed=3, answered=(cancelled("a"), returned("b"), cancelled("c")))
    assert Inbox(state).state() == state


async def test_a_request_without_a_name_is_not_handed_on() -> None:
    inbox = Inbox(InboxState())

    async def act(request_id: str) -> CancelOutcome:
        return CancelOutcome(request_id=request_id, outcome="refused")

    await inbox.once(CancelRequest(reason="no name"), act)
    assert inbox.state() == InboxState(unnamed=1)


async def test_of_too_many_answers_the_oldest_are_forgotten() -> None:
    answered = tuple(cancelled(f"call-{number}", "x" * 400) for number in range(1000))
    kept = Inbox(InboxState(answered=answered)).state().answered
    assert kept == answered[-len(kept) :]
    assert 0 < len(kept) < len(answered)
    assert len(InboxState(answered=kept).model_dump_json()) <= REMEMBERED_BYTES_MAX * 1.01
