"""Versions of an order in HTTP's words: ETag, If-None-Match, If-Match (RFC 9110, 13.1)."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from domain.views.order_snapshot import OrderSnapshot
from starter.http.problems import Fault, ProblemError

_ONE: Final = r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_TAG: Final = re.compile(_ONE)
_TAGS: Final = re.compile(rf"[ \t,]*{_ONE}(?:[ \t]*,[ \t,]*{_ONE})*[ \t,]*")
VERSIONS: Final = r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'
"""If-Match as the document tells it: `*`, or tags. More blanks are taken, too."""
_TOLD_MAX: Final = 20


def tag(shown: OrderSnapshot) -> str:
    """The ETag of an order."""
    return f'"{shown.version}"'


def is_known(request: Request, shown: OrderSnapshot) -> bool:
    """Whether the caller has this version already, so that 304 says it all."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    named = _named(given) or []
    return given.strip() == "*" or shown.version in [tag for tag, _ in named]


def check_unchanged(request: Request, shown: OrderSnapshot) -> None:
    """Raises ProblemError: 428 without If-Match, 400 for one that cannot be read, 412 for a change.

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
    named = _named(given)
    if named is None:
        raise ProblemError(
            400,
            "no_version",
            'If-Match names versions as the ETag has them, such as "17-5d41402abc4b", or is *',
        )
    # A weak one tells that two answers mean the same, not that they are (RFC 9110, 8.8.3.2).
    tags = [tag for tag, is_weak in named if not is_weak]
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


def _named(given: str) -> list[tuple[str, bool]] | None:
    """The tags in a header, and whether each is weak; none for `*`. None: it is no list of tags."""
    if given.strip() == "*":
        return []
    if not _TAGS.fullmatch(given):
        return None
    return [(tag, bool(weak)) for weak, tag in _TAG.findall(given)]


def _last_event(version: str) -> int:
    first, _, _ = version.partition("-")
    return int(first) if first.isdecimal() and len(first) < 19 else 0
