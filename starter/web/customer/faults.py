"""What somebody with a browser reads where there is no page: never a document for programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from starter.web.customer.languages import words_of_browser
from starter.web.customer.templates import page

_KEYS: Final[Mapping[int, str]] = {
    404: "nothing_here",
    405: "not_so",
    408: "too_slow",
    413: "too_large",
    429: "too_often",
    500: "defect",
    503: "away",
}
_OURS: Final = re.compile(r"/(?:o|track|pages)(?:/.*)?", re.DOTALL)
_OF_AN_ORDER: Final = re.compile(r"/o/([A-Za-z0-9_-]{20,80})/.*", re.DOTALL)
_DEPTH_MAX: Final = 20
"""Deeper than any page of ours: a made-up address is not repeated in its answer at length."""


def fault_page(scope: Scope, status: int, headers: Mapping[str, str]) -> Response | None:
    """A page that says what is wrong, and what to do. None: a program asked.

    It needs no database. `headers`: such as Retry-After.
    """
    path: str = scope["path"]
    request = Request(scope)
    reads_pages = "text/html" in request.headers.get("accept", "")
    is_ours = _OURS.fullmatch(path) is not None
    if not is_ours and (path.startswith("/v1/") or not reads_pages):
        return None
    # As it was sent: an encoded slash is no folder.
    sent: bytes = scope.get("raw_path") or path.encode()
    order = _OF_AN_ORDER.fullmatch(path)
    key = _KEYS.get(status, "refused")
    answer = page(
        *("apart", request, words_of_browser(request), None),
        depth=min(sent.count(b"/") - 1, _DEPTH_MAX),
        status=status,
        key=key,
        # Elsewhere nobody came with a link from a mail, such as those who work here.
        about=f"{key}_about" if is_ours else "elsewhere_about",
        customers=not path.startswith("/app"),
        number=scope["state"]["request_id"] if status == 500 else "",
        token=order[1] if order and status not in (404, 410) else "",
    )
    for name, value in headers.items():
        answer.headers.setdefault(name, value)
    return answer
