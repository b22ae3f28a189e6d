"""The application: its routes, and how every error becomes a problem document."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from domain.errors import OrderloomError
from starter.http import health, pages, problems
from starter.http.front import Front, Limits
from starter.http.metrics import Metrics
from starter.http.problems import DEFECT, Problem, ProblemError
from starter.http.reading import StrictRoute

_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_WHY_NOT: Final[dict[str, Any]] = {
    "description": "Why it was not done.",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_WHAT_TO_DO: Final = {
    404: "there is no such path: /openapi.json lists those that are there",
    405: "this path takes other methods: the header Allow names them",
}


def application(looks: health.Health, *, limits: Limits, metrics: Metrics) -> ASGIApp:
    """Everything that is answered, in front of the servers that `looks` asks."""
    app = described()
    app.state.health = looks
    return Front(app, limits=limits, metrics=metrics)


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """The document, with the schema of the problems that every operation may answer with."""
        document = super().openapi()
        _, problem = models_json_schema(
            [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
        )
        document["components"]["schemas"].update(problem["$defs"])
        return document


def described() -> FastAPI:
    """The routes alone: enough for the OpenAPI document."""
    app = _App(
        title="Orderloom",
        version=version("orderloom"),
        description="Order management and fulfilment: every order is one durable workflow.",
        docs_url=None,
        redoc_url=None,
        responses={"default": _WHY_NOT},
    )
    app.router.route_class = StrictRoute
    app.include_router(health.router)
    app.include_router(pages.router)
    app.add_exception_handler(OrderloomError, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(Exception, _defect)
    return app


def _of(request: Request) -> dict[str, Any]:
    return {"instance": request.url.path, "request_id": request.state.request_id}


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, OrderloomError)
    return problems.of_refusal(error, **_of(request))


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = problems.faults_of(error.errors())
    return problems.answer(
        status=422,
        code="invalid_input",
        title="The input cannot be used",
        detail="; ".join(f"{one.pointer}: {one.detail}" for one in found[:3]),
        errors=found,
        **_of(request),
    )


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    return problems.answer(
        status=status,
        code=_CODES.get(status, "refused"),
        detail=_WHAT_TO_DO.get(status, error.detail),
        headers=error.headers,
        **_of(request),
    )


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problems.answer(
        status=error.status_code,
        code=error.code,
        detail=error.detail,
        retryable=error.retryable,
        **_of(request),
    )


async def _defect(request: Request, _: Exception) -> Response:
    # The framework sends this answer and raises the error again. `Front` then logs it.
    return problems.answer(status=500, code="defect", detail=DEFECT, **_of(request))
