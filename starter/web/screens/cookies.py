"""What a browser keeps for us, and where it goes once it keeps its session."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from domain.staff.sessions import LASTS
from starter.web.screens.templates import lead

SESSION: Final = "__Host-orderloom"
"""A browser sends it over TLS alone, or to this machine, and to no other host."""

_OURS: Final = re.compile(r"app(/[\w./~:@!$&'()*+,;=%-]*)?(\?[\w./~:@!$&'()*+,;=%?-]*)?", re.ASCII)


def keep(answer: Response, name: str, value: str, *, seconds: int) -> None:
    """Have a cookie kept that no script reads, and that no form of another site's sends."""
    answer.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )


def drop(answer: Response, name: str) -> None:
    """Have it forgotten."""
    answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def signed_in(request: Request, token: str, onward: str) -> Response:
    """Give the browser its session. The next page tells where it does not keep it."""
    answer = lead(request, f"app/signed-in?next={quote(ours(onward), safe='')}")
    keep(answer, SESSION, token, seconds=int(LASTS.total_seconds()))
    return answer


def ours(path: str) -> str:
    """An address of ours, whatever somebody has written there."""
    there = path.partition("?")[0].lower().replace("%2e", ".").replace("%2f", "/")
    is_plain = _OURS.fullmatch(path) and "//" not in there and ".." not in there
    return path if is_plain else "app"
