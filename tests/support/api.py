"""The HTTP API in front of a test's shop, without a socket, and callers with keys of their own."""

from __future__ import annotations

import uuid
from copy import copy
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp

from domain.access.api_keys import KeyRequest
from domain.access.keys import SCOPES
from domain.orders.order import Order
from starter.http.app import application, described
from starter.http.cursors import Cursors
from starter.http.front import Limits
from starter.http.health import Health
from starter.http.metrics import Metrics
from starter.service.pay_pages import CompanyPages
from starter.service.service import Service
from starter.web.screens.openid import OpenId

PER_MINUTE = 100_000

described_once = cache(described)
"""All routes. To make them anew takes half as long as a test."""


def with_routes_of(app: FastAPI) -> FastAPI:
    """An application with the routes of this one, and nothing else of it."""
    mine = copy(app)
    mine.state = State()
    mine.user_middleware = []
    return mine


class Api:
    """All routes over the doors of one shop."""

    def __init__(
        self,
        here: Service,
        limits: Limits | None = None,
        pay_pages: CompanyPages | None = None,
        openid: OpenId | None = None,
        temporal_ui: str | None = None,
    ) -> None:
        self.here = here
        self.app = application(
            *(here, Health({}, {}), Cursors(b"of a test" * 4)),
            limits=limits or Limits(),
            metrics=Metrics(),
            pay_pages=pay_pages,
            openid=openid,
            temporal_ui=temporal_ui,
            routes=with_routes_of(described_once()),
        )

    async def caller(self, *scopes: str, **options: Any) -> Caller:
        """Somebody with a key. Without scopes: with all of them."""
        wanted = KeyRequest.model_validate(
            {"name": "test", "scopes": scopes or SCOPES, "per_minute": PER_MINUTE, **options}
        )
        made = await self.here.access.make(wanted, who="test")
        return Caller(self.app, made.key.key_id, made.secret_text.get_secret_value())


class Caller(httpx.AsyncClient):
    """A program that asks with its key, and gives each POST a key of its own."""

    def __init__(self, app: ASGIApp, key_id: str, token: str) -> None:
        self.key_id = key_id
        super().__init__(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://api.example",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )

    async def send_once(
        self,
        path: str,
        content: Any = None,
        *,
        key: str | None = None,
        method: str = "POST",
        **headers: str,
    ) -> httpx.Response:
        """Ask for a change, under a key; headers as `if_match="*"`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.request(
            method,
            path,
            json=content,
            headers={"Idempotency-Key": key or uuid.uuid4().hex, **named},
        )

    async def listed(self, path: str, *, limit: int = 2, **filters: Any) -> list[dict[str, Any]]:
        """A whole list, read page by page."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            answer = await self.get(path, params={"limit": limit, **filters, **cursor})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert len(page["items"]) <= limit
            found += page["items"]
            if not page["has_more"]:
                return found
            cursor = {"cursor": page["next_cursor"]}

    async def placed(self, order: Order, **headers: str) -> dict[str, Any]:
        """Place an order; it must be confirmed."""
        answer = await self.send_once("/v1/orders", sent(order), **headers)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        assert told["outcome"] == "confirmed", told
        return told


def sent(order: Order) -> dict[str, Any]:
    """An order as a program sends it."""
    content: dict[str, Any] = order.model_dump(mode="json", exclude_none=True)
    return content


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document that must be the answer."""
    kind = answer.headers.get("content-type")
    assert (answer.status_code, kind) == (status, "application/problem+json"), answer.text
    told: dict[str, Any] = answer.json()
    assert told["code"] == code, told
    assert told["retryable"] is ("retry-after" in answer.headers)
    return told
