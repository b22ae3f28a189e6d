"""Messages to an order: read from signals, and answered once per request id."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from workflows.engine.refusals import refuse

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ValidationError

    from domain.errors import Conflict, InvalidInput
    from domain.faults import faults
    from domain.orders.continuation import (
        Answered,
        AnsweredCancel,
        AnsweredCharge,
        AnsweredPay,
        AnsweredRefund,
        AnsweredReturn,
        InboxState,
    )
    from domain.orders.messages import (
        AttentionAnswer,
        CancelOutcome,
        CancelRequest,
        ChargeRequest,
        PayOutcome,
        PayRequest,
        RefundOutcome,
        RefundRequest,
        Request,
        ReturnOutcome,
        ReturnRequest,
    )

SignalMessage = Request | AttentionAnswer
Message = TypeVar("Message", bound=BaseModel)
Outcome = TypeVar("Outcome", CancelOutcome, ReturnOutcome, RefundOutcome, PayOutcome)

NOTHING = RawValue(Payload())
"""An update without its message."""

REMEMBERED_BYTES_MAX = 500_000
"""Of the answers that are handed on to a next run, the oldest are left out beyond this."""

SIGNALS: dict[str, type[SignalMessage]] = {
    "cancel": CancelRequest,
    "request_return": ReturnRequest,
    "refund": RefundRequest,
    "pay": PayRequest,
    "charge": ChargeRequest,
    "resolve_attention": AttentionAnswer,
}


def parse_signal(name: str, payloads: Sequence[RawValue]) -> SignalMessage:
    """The message in a signal. Raises InvalidInput that names the wrong field and the fault."""
    kind = SIGNALS.get(name)
    if kind is None:
        raise InvalidInput(f"there is no signal {name[:40]!a}; there is {', '.join(SIGNALS)}")
    if len(payloads) != 1:
        raise InvalidInput(
            f"takes one JSON object, and got {len(payloads)}; {_fields(kind)}", where=name
        )
    return parse(kind, payloads[0], where=name)


def parse(kind: type[Message], given: RawValue, *, where: str) -> Message:
    """A message that came as JSON. Raises InvalidInput that names the wrong field and the fault.

    The SDK would tell a person at a terminal about its decoder and about Python's arguments.
    """
    try:
        return kind.model_validate_json(given.payload.data)
    except ValidationError as error:
        _, field, reason = faults(error)[0]
        if field:
            raise InvalidInput(reason, where=field) from None
        raise InvalidInput(f"{reason}; {_fields(kind)}", where=where) from None


def parse_update(kind: type[Message], given: RawValue) -> Message:
    """The message in an update. Refuses it, as a validator does, where it cannot be read."""
    if not given.payload.data:
        raise refuse(InvalidInput(f"takes one JSON object, and got none; {_fields(kind)}"))
    try:
        return parse(kind, given, where="the update")
    except InvalidInput as error:
        raise refuse(error) from None


def _fields(kind: type[BaseModel]) -> str:
    must = [name for name, field in kind.model_fields.items() if field.is_required()]
    may = [name for name, field in kind.model_fields.items() if not field.is_required()]
    return f"it must have {', '.join(must) or 'no field'}, and may have {', '.join(may)}"


class Inbox:
    """Remembers requests and their answers, so that a repeat is not a second request."""

    def __init__(self, state: InboxState) -> None:
        self._asked: dict[str, tuple[Request, asyncio.Future[Any]]] = {}
        self._unnamed = state.unnamed
        for item in state.answered:
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            answer.set_result(item.outcome)
            self._asked[item.outcome.request_id] = (item.request, answer)

    def answers(self) -> tuple[Answered, ...]:
        """The requests and their answers, oldest first.

        A request without an id cannot be repeated.
        """
        return tuple(
            _answered(request, answer.result())
            for request, answer in self._asked.values()
            if request.request_id is not None and answer.done()
        )

    def state(self) -> InboxState:
        """The requests and their answers, for the next run."""
        kept: list[Answered] = []
        size = 0
        for item in reversed(self.answers()):
            size += len(item.model_dump_json().encode())
            if size > REMEMBERED_BYTES_MAX:
                break
            kept.append(item)
        return InboxState(unnamed=self._unnamed, answered=tuple(reversed(kept)))

    def knows(self, request: Request) -> bool:
        """The same was asked before. Raises Conflict where the id was, with other content."""
        earlier = self._asked.get(request.request_id or "")
        if earlier is None:
            return False
        if earlier[0] != request:
            raise refuse(
                Conflict(f"request {request.request_id} was made before with other content")
            )
        return True

    async def once(self, request: Request, act: Callable[[str], Awaitable[Outcome]]) -> Outcome:
        """Act on the request, or answer as it was, or is being, answered before.

        A request that is refused is forgotten, so that it may be made again when it can be met.
        """
        if self.knows(request):
            outcome: Outcome = await self._asked[request.request_id or ""][1]
            return outcome
        request_id = request.request_id or self._name()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[request_id] = (request, answer)
        try:
            outcome = await act(request_id)
        except Exception as error:
            del self._asked[request_id]
            answer.set_exception(error)
            answer.exception()  # nobody has to be waiting for it
            raise
        answer.set_result(outcome)
        return outcome

    def _name(self) -> str:
        self._unnamed += 1
        return f"unnamed:{self._unnamed}"  # no caller can name a request so


def _answered(request: Request, outcome: Any) -> Answered:
    match request:
        case CancelRequest():
            return AnsweredCancel(request=request, outcome=outcome)
        case ReturnRequest():
            return AnsweredReturn(request=request, outcome=outcome)
        case RefundRequest():
            return AnsweredRefund(request=request, outcome=outcome)
        case PayRequest():
            return AnsweredPay(request=request, outcome=outcome)
        case ChargeRequest():
            return AnsweredCharge(request=request, outcome=outcome)
