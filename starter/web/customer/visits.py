"""Somebody who comes with a link: the order behind it, and their words; or why there is no page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from fastapi import Request
from starlette.responses import Response

from domain.errors import NotFound, Refused, Unreachable
from starter.service.service import Service
from starter.service.tracking import NoOrder, TrackedOrder
from starter.web.customer import offers
from starter.web.customer.languages import words_for, words_of_browser
from starter.web.customer.templates import page

Handler = Callable[..., Awaitable[Response]]


class NoPageError(Exception):
    """There is no page here. `key`: why, as a sentence's key."""

    def __init__(self, key: str, status: int) -> None:
        super().__init__(key)
        self.key = key
        self.status = status


def pages_at(depth: int) -> Callable[[Handler], Handler]:
    """A handler whose errors are pages, too. `depth`: of its address."""

    def around(handler: Handler) -> Handler:
        @wraps(handler)
        async def answer(*arguments: Any, **named: Any) -> Response:
            request: Request = named["request"]
            try:
                return await handler(*arguments, **named)
            except NoPageError as none:
                return apart(request, none.key, none.status, depth)
            except NotFound:
                return apart(request, "nothing_here", 404, depth)
            except (Refused, Unreachable):
                return apart(request, "away", 503, depth)

        return answer

    return around


def apart(request: Request, key: str, status: int, depth: int) -> Response:
    """A page about no order."""
    return page(
        *("apart", request, words_of_browser(request), None),
        depth=depth,
        status=status,
        key=key,
        about=f"{key}_about",
        customers=True,
        number="",
        token="",
    )


def here(request: Request) -> Service:
    """All doors."""
    found: Service = request.app.state.service
    return found


class Visit:
    """Somebody who came with a good link: the order behind it, and their words."""

    def __init__(self, request: Request, token: str, order: TrackedOrder, *, whole: bool) -> None:
        self.token = token
        self.order = order
        self.whole = whole
        locale = order.detail.document.get("customer", {}).get("locale") or "en"
        self.words = words_for(request, locale, order.seller.time_zone)
        self.now = datetime.now(UTC)
        self.offers = offers.offers(order, self.words, self.now)


async def visit_by(request: Request, token: str, *, whole: bool = False) -> Visit:
    """Raises NoPageError. `whole`: only for those who may see all of the page."""
    tracking = here(request).tracking
    behind = await tracking.behind(token)
    if isinstance(behind, NoOrder):
        if behind.why in ("expired", "erased"):
            raise NoPageError(behind.why, 410)
        raise NoPageError("nothing_here", 404)
    if whole and not behind.whole:
        raise NoPageError("nothing_here", 404)
    return Visit(request, token, await tracking.order(behind.order_id), whole=behind.whole)
