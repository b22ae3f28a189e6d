"""Every error as a problem document (RFC 9457), also those of the framework itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from domain.errors import InvalidInput, OrderloomError, printable
from domain.faults import faults_in
from starter.http.wording import in_http

MEDIA_TYPE: Final = "application/problem+json"


class Fault(BaseModel):
    """What is wrong with one value. `pointer`: where it stands, as a JSON Pointer (RFC 6901)."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    code: str
    detail: str


class Problem(BaseModel):
    """Why a request was not met.

    `code` is stable: programs decide by it. `reason`: which of several rules says no, as stable.
    `instead`: what can be asked of the order in its place, as the names of its updates.
    `retryable`: the same request may succeed later.
    """

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    code: str
    reason: str = ""
    instead: tuple[str, ...] = ()
    request_id: str
    retryable: bool = False
    errors: tuple[Fault, ...] = ()


class _Kind(NamedTuple):
    status: int
    title: str
    retryable: bool = False


KINDS: Final[Mapping[str, _Kind]] = {
    "invalid_input": _Kind(422, "The input cannot be used"),
    "unknown_currency": _Kind(422, "There is no such currency"),
    "cannot_decrypt": _Kind(503, "A value cannot be decrypted"),
    "refused": _Kind(409, "A rule says no"),
    "beyond_key": _Kind(403, "The API key may not do that"),
    "conflict": _Kind(409, "It was used before with other content"),
    "key_reused": _Kind(422, "The key was used before with other content"),
    "not_found": _Kind(404, "There is no such thing"),
    "ending": _Kind(409, "It is just coming to its end", retryable=True),
    "not_authorized": _Kind(409, "The authorization has ended"),
    "illegal_transition": _Kind(409, "It cannot move that way"),
    "unreachable": _Kind(503, "A server does not answer", retryable=True),
    "error": _Kind(500, "Something went wrong"),
}
"""The errors of `domain.errors` by their kind."""

RETRY_AFTER_S: Final = 2

FAULTS_MAX: Final = 100
"""So many faults are told of a request: all of a large one would be larger than itself."""

DEFECT: Final = "This is a fault of Orderloom: its log says more under this id"


class ProblemError(HTTPException):
    """A request that the HTTP door itself refuses."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retryable: bool = False,
        errors: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.retryable = retryable
        self.errors = errors


def answer(
    *,
    status: int,
    code: str,
    detail: str,
    instance: str,
    request_id: str,
    title: str | None = None,
    retryable: bool = False,
    errors: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document. `instance`: the path that was asked for."""
    problem = Problem(
        title=title or HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=instance,
        code=code,
        request_id=request_id,
        retryable=retryable,
        errors=tuple(errors),
    )
    return response(problem, headers)


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem as an answer."""
    again = {"Retry-After": str(RETRY_AFTER_S)} if problem.retryable else {}
    return JSONResponse(
        problem.model_dump(mode="json"),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**again, **(headers or {})},
    )


def problem_of(error: OrderloomError, *, instance: str, request_id: str) -> Problem:
    """What a door of the service has refused."""
    kind = KINDS.get(error.kind, KINDS["error"])
    return Problem(
        status=kind.status,
        code=error.kind,
        reason=error.reason,
        instead=error.instead,
        title=kind.title,
        detail=in_http(str(error)),
        instance=instance,
        request_id=request_id,
        retryable=kind.retryable,
        errors=_of_one(error),
    )


def _of_one(error: OrderloomError) -> tuple[Fault, ...]:
    """The value that a door has found wrong, where it names one: `lines[0].sku`."""
    if not isinstance(error, InvalidInput) or error.where is None:
        return ()
    place = re.sub(r"\[(\d+)\]", r".\1", error.where).split(".")
    return (
        Fault(
            pointer="".join(f"/{_escaped(part)}" for part in place),
            code=error.kind,
            detail=in_http(str(error).removeprefix(f"{error.where}: ")),
        ),
    )


def of_faults(errors: Sequence[Mapping[str, Any]], *, instance: str, request_id: str) -> Problem:
    """What is wrong with the values of a request."""
    found = faults_of(errors)
    return Problem(
        status=422,
        code="invalid_input",
        title=KINDS["invalid_input"].title,
        detail="; ".join(f"{one.pointer}: {one.detail}" for one in found[:3]),
        instance=instance,
        request_id=request_id,
        errors=tuple(found),
    )


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """The first faults that the framework found, in the words of every other door."""
    told = errors[:FAULTS_MAX]
    return [
        Fault(
            pointer="".join(f"/{_escaped(part)}" for part in place),
            code=str(error["type"]),
            detail=in_http(reason),
        )
        for error, (place, _, reason) in zip(told, faults_in(told), strict=True)
    ]


def _escaped(part: Any) -> str:
    return printable(str(part)).replace("~", "~0").replace("/", "~1")
