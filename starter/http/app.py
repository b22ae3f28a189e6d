"""The application: its routes, and how every error becomes a problem document."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from importlib.metadata import version
from itertools import chain
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from domain.errors import OrderloomError
from starter.http import health, pages, problems, told, v1
from starter.http.callers import Limiter
from starter.http.cursors import Cursors
from starter.http.front import Front, Limits
from starter.http.metrics import Metrics
from starter.http.openapi import completed
from starter.http.problems import DEFECT, ProblemError
from starter.http.reading import StrictRoute
from starter.http.streams import Streams
from starter.service.pay_pages import CompanyPages
from starter.service.service import Service
from starter.web import buying, customer, day, desk, floor, money, screens, setup
from starter.web.customer.faults import fault_page
from starter.web.screens import nowhere
from starter.web.screens.openid import OpenId

_ASKED: Final = ("If-Match", "If-None-Match", "Prefer", "X-Request-Id", "Last-Event-ID")
_TOLD: Final = ("ETag", "Link", "Location", "Idempotent-Replayed", "Retry-After", "X-Request-Id")
_ROUTERS: Final = (
    health.router,
    pages.router,
    *customer.ROUTERS,
    *screens.ROUTERS,
    *desk.ROUTERS,
    *floor.ROUTERS,
    *buying.ROUTERS,
    *day.ROUTERS,
    *money.ROUTERS,
    *setup.ROUTERS,
    nowhere.router,
    *v1.ROUTERS,
)
_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_SAID: Final = ("allow", "retry-after")
"""Headers of a problem that its page has, too."""
_WHAT_TO_DO: Final = {
    404: "there is no such path: /openapi.json lists those that are there",
    405: "this path takes other methods: the header Allow names them",
}


def application(
    here: Service,
    looks: health.Health,
    cursors: Cursors,
    *,
    limits: Limits,
    metrics: Metrics,
    origins: Collection[str] = (),
    tracking_urls: Mapping[str, str] | None = None,
    pay_pages: CompanyPages | None = None,
    openid: OpenId | None = None,
    temporal_ui: str | None = None,
    stop: asyncio.Event | None = None,
    routes: FastAPI | None = None,
) -> ASGIApp:
    """Everything that is answered, in front of the servers that `looks` asks.

    `stop`: when streams end. `origins`: whose pages may ask, such as https://shop.example; of
    others a browser lets none. `tracking_urls`: carrier → where customers follow its parcels.
    `pay_pages`: of payment companies, on which customers pay.
    `temporal_ui`: where the Temporal UI shows the namespace.
    `openid`: who says who people are; None: they sign in by passwords alone. `routes`: of
    `described`, where somebody has them already.
    """
    app = routes or described()
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", *_ASKED],
            expose_headers=list(_TOLD),
            max_age=600,
        )
    app.state.health = looks
    app.state.service = here
    app.state.cursors = cursors
    app.state.limiter = Limiter()
    app.state.tracking_urls = tracking_urls or {}
    app.state.pay_pages = pay_pages or CompanyPages()
    app.state.openid = openid
    app.state.temporal_ui = temporal_ui
    app.state.under_way = set()
    app.state.streams = Streams(here)
    app.state.stop = stop or asyncio.Event()
    return Front(app, limits=limits, metrics=metrics)


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """The document of the routes, completed once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def described() -> FastAPI:
    """The routes alone: enough for the OpenAPI document."""
    app = _App(
        title="Orderloom",
        version=version("orderloom"),
        description="Order management and fulfilment: every order is one durable workflow.",
        docs_url=None,
        redoc_url=None,
        # A redirect would lead where the client's own Host header says, with its key.
        redirect_slashes=False,
    )
    app.router.route_class = StrictRoute
    told.describe(app)
    for router in _ROUTERS:
        app.include_router(router)
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
    return _readable(request, problems.response(problems.problem_of(error, **_of(request))))


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _readable(request, problems.response(problems.of_faults(error.errors(), **_of(request))))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(_methods(request))
    problem = problems.answer(
        status=status,
        code=_CODES.get(status, "refused"),
        detail=_WHAT_TO_DO.get(status, error.detail),
        headers=headers,
        **_of(request),
    )
    return _readable(request, problem)


def _methods(request: Request) -> list[str]:
    """What this path takes. The framework names the methods of the first route alone."""
    routes = chain(request.app.routes, *(router.routes for router in _ROUTERS))
    taken = {
        method
        for route in routes
        if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE
        for method in route.methods or ()
    }
    return sorted(taken | ({"HEAD"} if "GET" in taken else set()))


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problems.answer(
        status=error.status_code,
        code=error.code,
        detail=error.detail,
        retryable=error.retryable,
        errors=error.errors,
        headers=error.headers,
        **_of(request),
    )


async def _defect(request: Request, _: Exception) -> Response:
    # The framework sends this answer and raises the error again. `Front` then logs it.
    problem = problems.answer(status=500, code="defect", detail=DEFECT, **_of(request))
    return _readable(request, problem)


def _readable(request: Request, problem: Response) -> Response:
    """The problem, or for somebody with a browser a page that says what to do."""
    told = {name: problem.headers[name] for name in _SAID if name in problem.headers}
    return fault_page(request.scope, problem.status_code, told) or problem
