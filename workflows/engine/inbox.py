"""Messages to an order: read from signals, and answered once per request id."""

from __future__ import annotations

import asyncio
import typing
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from workflows.engine.refusals import refuse

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ValidationError

    from domain.errors import Conflict, InvalidInput
    from domain.faults import faults
    from domain.orders.continuation import AnsweredRequest
    from domain.orders.messages import AttentionAnswer, OrderRequest, digest_of
    from domain.orders.request_kinds import BY_REQUEST, KINDS, RESOLVE

SignalMessage = OrderRequest | AttentionAnswer
Message = TypeVar("Message", bound=BaseModel)
Outcome = TypeVar("Outcome", bound=BaseModel)

NOTHING = RawValue(Payload())
"""An update without its message."""

SIGNALS: dict[str, type[SignalMessage]] = {
    **{kind.signal: kind.request for kind in KINDS},
    RESOLVE: AttentionAnswer,
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
        _, field, reason = faults(error, kind)[0]
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


class _Asked:
    """A request by its id: a digest of what was asked, and the answer when it is there."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


class Inbox:
    """Knows requests and their answers, so that a repeat is not a second request.

    An answer is a row before it is given, and a later run begins with these rows. `keep` writes it
    down. `knowing`: this run knows the answers that earlier ones gave.
    """

    def __init__(
        self, keep: Callable[[AnsweredRequest], Awaitable[None]], *, knowing: bool
    ) -> None:
        self._keep = keep
        self._known = asyncio.Event()
        if knowing:
            self._known.set()
        self._asked: dict[str, _Asked] = {}

    def take_up(self, answered: Iterable[AnsweredRequest]) -> None:
        """Earlier runs have given these answers."""
        for each in answered:
            asked = self._asked[each.request_id] = _Asked(each.digest)
            asked.answer.set_result(each.outcome)
        self._known.set()

    def knows(self, request: OrderRequest) -> bool:
        """The same was asked before; or that is not known yet.

        Raises Conflict where the id was used for other content.
        """
        earlier = self._asked.get(request.request_id or "")
        if earlier is None:
            return not self._known.is_set()
        if earlier.digest != digest_of(request):
            raise refuse(
                Conflict(f"request {request.request_id} was made before with other content")
            )
        return True

    async def once(
        self, request: OrderRequest, act: Callable[[str], Awaitable[Outcome]]
    ) -> Outcome:
        """Act on the request, or answer as it was, or is being, answered before.

        A request that is refused is forgotten, so that it may be made again when it can be met.
        """
        await self._known.wait()
        if self.knows(request):
            answer = await self._asked[request.request_id or ""].answer
            return typing.cast(Outcome, BY_REQUEST[type(request)].outcome.model_validate(answer))
        # No caller can name a request like one without a name.
        request_id = request.request_id or f"unnamed:{workflow.uuid4().hex[:12]}"
        asked = self._asked[request_id] = _Asked(digest_of(request))
        try:
            outcome = await act(request_id)
        except Exception as error:
            del self._asked[request_id]
            asked.answer.set_exception(error)
            asked.answer.exception()  # nobody has to be waiting for it
            raise
        answer = outcome.model_dump(mode="json")
        if request.request_id is not None:
            await self._keep(
                AnsweredRequest(request_id=request_id, digest=asked.digest, outcome=answer)
            )
        asked.answer.set_result(answer)
        return outcome
