"""Versions of an order in HTTP's words: ETag, If-None-Match, If-Match (RFC 9110, 13.1)."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from domain.views.order_snapshot import OrderSnapshot
from starter.http.problems import Fault, ProblemError

_TAG: Final = re.compile(r'(?:W/)?"([^"]*)"')
_TOLD_MAX: Final = 20


def tag(shown: OrderSnapshot) -> str:
    """The ETag of an order."""
    return f'"{shown.version}"'


def is_known(request: Request, shown: OrderSnapshot) -> bool:
    """Whether the caller has this version already, so that 304 says it all."""
    given = request.headers.get("if-none-match")
    return given is not None and (given.strip() == "*" or shown.version in _TAG.findall(given))


def check_unchanged(request: Request, shown: OrderSnapshot) -> None:
    """Raises ProblemError: 428 without If-Match, 412 where the order has changed since.

    It guards against a decision by an old page. What comes between this look and the order's own
    decision is met by the order, unit by unit.
    """
    given = request.headers.get("if-match")
    if given is None:
        raise ProblemError(
            428,
            "version_needed",
            "say by If-Match which version of the order this is about: the ETag with which it was "
            "read, or * for whatever it is now",
        )
    tags = _TAG.findall(given)
    if given.strip() == "*" or shown.version in tags:
        return
    since = max((_last_event(one) for one in tags), default=0)
    later = [event for event in shown.happened if event.event_id > since]
    raise ProblemError(
        412,
        "order_changed",
        f"order {shown.order_id} has changed since it was read"
        + (f": {', '.join(event.what for event in later[:_TOLD_MAX])}" if later else "")
        + ". Read it again, and decide anew",
        errors=[
            Fault(
                pointer=f"/happened/{event.event_id}",
                code="happened",
                detail=f"{event.at.isoformat()} {event.what}, by {event.by}",
            )
            for event in later[:_TOLD_MAX]
        ],
    )


def _last_event(version: str) -> int:
    first, _, _ = version.partition("-")
    return int(first) if first.isdecimal() and len(first) < 19 else 0
