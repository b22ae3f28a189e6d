"""Requests and their answers: each is met once, and its answer is a row before it is given."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.exceptions import ApplicationError

from domain.orders.continuation import AnsweredRequest
from domain.orders.messages import CancelOutcome, CancelRequest, digest_of
from workflows.engine.inbox import Inbox

ASKED = CancelRequest(reason="ordered twice", request_id="call-1")


class Desk:
    """Keeps what an inbox has kept, and counts what it had done."""

    def __init__(self) -> None:
        self.kept: list[AnsweredRequest] = []
        self.acted: list[str] = []
        self.inbox = Inbox(self.keep, knowing=True)

    async def keep(self, answered: AnsweredRequest) -> None:
        self.kept.append(answered)

    async def act(self, request_id: str) -> CancelOutcome:
        self.acted.append(request_id)
        return CancelOutcome(request_id=request_id, outcome="cancelled", message="done")


async def test_an_answer_is_kept_and_a_later_run_gives_it_again_without_acting() -> None:
    first = Desk()
    answer = await first.inbox.once(ASKED, first.act)
    assert [each.request_id for each in first.kept] == ["call-1"]
    later = Desk()
    later.inbox.take_up(first.kept)
    assert await later.inbox.once(ASKED, later.act) == answer
    assert (later.acted, later.kept) == ([], [])


async def test_a_repeat_with_other_content_is_a_conflict_also_in_a_later_run() -> None:
    later = Desk()
    outcome = CancelOutcome(request_id="call-1", outcome="cancelled").model_dump(mode="json")
    later.inbox.take_up(
        [AnsweredRequest(request_id="call-1", digest=digest_of(ASKED), outcome=outcome)]
    )
    with pytest.raises(ApplicationError, match="was made before with other content"):
        later.inbox.knows(ASKED.model_copy(update={"by": "somebody else"}))


async def test_two_that_ask_the_same_at_once_get_one_answer() -> None:
    desk = Desk()
    answers = await asyncio.gather(*(desk.inbox.once(ASKED, desk.act) for _ in range(3)))
    assert desk.acted == ["call-1"]
    assert len({each.model_dump_json() for each in answers}) == 1


async def test_a_request_that_was_refused_may_be_made_again() -> None:
    desk = Desk()

    async def no(_: str) -> CancelOutcome:
        raise ApplicationError("not now", type="refused")

    with pytest.raises(ApplicationError, match="not now"):
        await desk.inbox.once(ASKED, no)
    assert desk.kept == []
    await desk.inbox.once(ASKED, desk.act)
    assert desk.acted == ["call-1"]
