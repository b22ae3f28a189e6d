"""Requests to orders: which version they are about, once per key, and answered in time or later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Protocol, TypeAlias, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_jsonable_python
from starlette.responses import JSONResponse, Response

from domain.access.keys import Scope
from domain.errors import InvalidInput, NotFound, OrderloomError, Refused, Unreachable
from domain.orders.messages import AttentionAnswer, OrderRequest, RefundRequest, digest_of
from starter.http import problems
from starter.http.callers import Caller, may
from starter.http.once import REPLAYED, Keyed, Once
from starter.http.problems import Problem
from starter.http.shown_orders import mine
from starter.http.versions import VERSIONS, check_unchanged
from starter.http.waiting import Preference, Waits
from starter.service.updates import Taken, UnderWay

Content = TypeVar("Content", bound=OrderRequest)
Outcome = TypeVar("Outcome", bound=BaseModel)
Outcome_co = TypeVar("Outcome_co", bound=BaseModel, covariant=True)
Content_contra = TypeVar("Content_contra", contravariant=True)

LAST_WORD_S: Final = 5.0
"""So much longer than it wants to wait, a caller waits to hear that the order has its request."""

IfMatch: TypeAlias = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag with which the order was read, or `*`: an order that has changed "
        "since is not touched (412).",
        examples=['"17-5d41402abc4b"', "*"],
        max_length=1000,
        # Told, and not checked by it: what it does not fit is answered 400 (`check_unchanged`).
        json_schema_extra={"pattern": VERSIONS},
    ),
]


class Command(BaseModel):
    """A request that an order has taken, and what became of it.

    running: the order has it, and will meet or refuse it. done: `outcome` is its answer. refused:
    nothing was done, and `problem` tells why.
    """

    model_config = ConfigDict(frozen=True)

    command_id: str
    order_id: str
    what: str
    asked_at: datetime
    status: Literal["running", "done", "refused"]
    outcome: dict[str, Any] | None = None
    problem: Problem | None = None


CHANGED: Final[dict[int | str, dict[str, Any]]] = {
    412: {"description": "The order has changed since the version that If-Match names."},
    428: {"description": "If-Match is missing."},
}
DECIDED_LATER: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": Command, "description": "The order has the request, and answers it later."},
    **CHANGED,
}


class Ask(Protocol[Content_contra, Outcome_co]):
    """A door that sends a request to an order."""

    def __call__(
        self, order_id: str, request: Content_contra, *, taken: Taken | None = None
    ) -> Awaitable[Outcome_co]: ...


class Asking:
    """One request of a caller to one order."""

    def __init__(
        self, request: Request, caller: Caller, once: Once, waits: Preference, order_id: str
    ) -> None:
        self._request = request
        self._caller = caller
        self._once = once
        self._waits = waits
        self._order_id = order_id
        self.here = caller.here

    async def answer(
        self, content: Content, ask: Ask[Content, Outcome], outcome: type[Outcome]
    ) -> Response:
        """Ask once, and answer with the outcome, or with a command where it takes longer.

        Raises NotFound for somebody else's order; ProblemError where it is not about the order's
        newest version; KeyReused where the key had other content; and what the order refuses.
        """
        if content.request_id is not None:
            raise InvalidInput("is made of the Idempotency-Key: leave it out", where="request_id")
        shown = await mine(self._caller, self._order_id)
        by = content.by if "by" in content.model_fields_set else None
        asked = content.model_copy(
            update={"request_id": self._once.request_id, "by": self._caller.who(by)}
        )
        if isinstance(asked, RefundRequest):
            asked = asked.model_copy(update={"role": self._caller.role(asked.role)})
        with self._once.alone():
            # A repeat is answered before the version is looked at: the first one has changed that.
            kept = await self._caller.here.orders.answer_of(self._order_id, self._once.request_id)
            if kept is not None:
                self._once.check_same_content(is_same=kept.digest == digest_of(asked))
                return self._done(outcome.model_validate(kept.outcome), replayed=True)
            told = await self._once.begun(lambda: check_unchanged(self._request, shown))
            try:
                before = None if told is None else Command.model_validate(told)
                if before is not None:
                    await self._raise_if_refused(before)
                return await self._asked(asked, ask, before)
            except (Refused, InvalidInput):
                await self._once.refused()
                raise

    async def _raise_if_refused(self, before: Command) -> None:
        """Tell the refusal that came after the first request was told that it is under way."""
        *_, update_id, run_id = self._request.app.state.cursors.place(before.command_id, _COMMANDS)
        under_way = UnderWay(str(update_id), str(run_id))
        refusal = await _refusal(self._caller, self._order_id, under_way)
        if refusal is not None:
            raise refusal

    async def _asked(
        self, asked: Content, ask: Ask[Content, Outcome], before: Command | None
    ) -> Response:
        """`before`: the command that the first request was told of."""
        began = datetime.now(UTC)
        has_it: asyncio.Future[UnderWay] = asyncio.get_running_loop().create_future()
        work = asyncio.ensure_future(ask(self._order_id, asked, taken=has_it.set_result))
        wait_s = self._waits.long.total_seconds()
        await asyncio.wait({work}, timeout=wait_s)
        if not work.done() and not has_it.done():
            # Without the order's word, nobody may say that it will be met.
            either: set[asyncio.Future[Any]] = {work, has_it}
            await asyncio.wait(either, timeout=LAST_WORD_S, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return self._done(work.result())
        if has_it.done():
            work.add_done_callback(_heard)
            if before is not None:
                return self._under_way(before, replayed=True)
            command = self._command(type(asked).__name__, began, has_it.result())
            await self._once.told(202, self._where(command), command)
            return self._under_way(command)
        return self._done(await work)

    def _done(self, outcome: BaseModel, *, replayed: bool = False) -> Response:
        headers = self._waits.applied() | (REPLAYED if replayed else {})
        return JSONResponse(to_jsonable_python(outcome), headers=headers)

    def _command(self, what: str, began: datetime, under_way: UnderWay) -> Command:
        return Command(
            command_id=self._request.app.state.cursors.after(
                [self._order_id, self._once.request_id, what, began.isoformat(), *under_way],
                _COMMANDS,
            ),
            order_id=self._order_id,
            what=what,
            asked_at=began,
            status="running",
        )

    def _where(self, command: Command) -> str:
        return str(self._request.app.url_path_for("get_command", command_id=command.command_id))

    def _under_way(self, command: Command, *, replayed: bool = False) -> Response:
        headers = {"Location": self._where(command), **self._waits.applied()}
        headers |= REPLAYED if replayed else {}
        return JSONResponse(to_jsonable_python(command), status_code=202, headers=headers)


def asks(scope: Scope) -> Any:
    """What a route needs that sends a request to an order: `asking: Annotated[Asking, asks("…")]`.

    It needs this scope, the order's id in its path, a key, and If-Match.
    """

    needed: Any = may(scope)

    async def asking(
        request: Request,
        order_id: str,
        # The caller before the key, which is unique for an API key alone.
        caller: Caller = needed,
        *,
        once: Keyed,
        waits: Waits,
        _: IfMatch = None,
    ) -> Asking:
        return Asking(request, caller, once, waits, order_id)

    return Depends(asking)


_COMMANDS: Final = {"list": "commands"}


async def command(request: Request, caller: Caller, command_id: str) -> Command:
    """What became of a request. Raises NotFound for an id that was not given here."""
    try:
        place = request.app.state.cursors.place(command_id, _COMMANDS)
    except InvalidInput:
        raise NotFound("there is no such command") from None
    order_id, request_id, what, began, *under_way = map(str, place)
    await caller.check_order(order_id)
    orders = caller.here.orders
    told: dict[str, Any] = {"status": "running"}
    kept = await orders.answer_of(order_id, request_id)
    if kept is None and (refusal := await _refusal(caller, order_id, UnderWay(*under_way))):
        known = {"instance": request.url.path, "request_id": request.state.request_id}
        told = {"status": "refused", "problem": problems.problem_of(refusal, **known)}
    elif kept is not None:
        told = {"status": "done", "outcome": kept.outcome}
    return Command(
        command_id=command_id,
        order_id=order_id,
        what=what,
        asked_at=datetime.fromisoformat(began),
        **told,
    )


async def _refusal(caller: Caller, order_id: str, request: UnderWay) -> OrderloomError | None:
    try:
        return await caller.here.orders.refusal_of(order_id, request)
    except Unreachable:  # What is not known to be refused is under way.
        return None


def _heard(work: asyncio.Future[Any]) -> None:
    """The order has written down what it answered, and nobody here waits for it."""
    if not work.cancelled():
        work.exception()


async def decide(
    caller: Caller, request: Request, order_id: str, answer: AttentionAnswer, once: Once
) -> None:
    """Tell a step of an order what a person has decided. Raises as `Asking.answer` does."""
    shown = await mine(caller, order_id)
    check_unchanged(request, shown)
    by = answer.by if "by" in answer.model_fields_set else None
    told = answer.model_copy(update={"by": caller.who(by)})
    await caller.here.resolve(order_id, told, request_id=once.request_id)
