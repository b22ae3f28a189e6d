"""What protects pages: headers, a look at where a form comes from, and how often somebody asks."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlsplit

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every page. What it loads comes from here, and nobody else learns where it was."""

_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_MAX: Final = 2_000
_OWN: Final = ("same-origin", "none")


class BadForm(Exception):
    """A body that no form of ours sends."""


def is_foreign(request: Request, *, null_is_ours: bool = True) -> bool:
    """Whether a form was sent by a page of somebody else's.

    Browsers say so in `Sec-Fetch-Site`. Older ones that do not, say `Origin`. `null_is_ours`: that
    is `null` from pages that tell no referrer; then the address has to do, whose token nobody else
    knows. What says neither is no browser of today.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OWN
    origin = request.headers.get("origin")
    if origin is None:
        return False
    if origin == "null":
        return not null_is_ours
    try:
        return urlsplit(origin).netloc != request.headers.get("host")
    except ValueError:  # it is no address at all
        return True


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, each once. Raises BadForm."""
    return {name: values[0] for name, values in (await form_lists(request)).items()}


async def form_lists(request: Request) -> dict[str, list[str]]:
    """The fields of a form, each with all of its values. Raises BadForm."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise BadForm
    try:
        found = parse_qs(
            (await request.body()).decode("ascii"),
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise BadForm from None
    if any("\0" in part for name, values in found.items() for part in (name, *values)):
        raise BadForm
    return {name: [value.strip() for value in values] for name, values in found.items()}


class Turns:
    """How often somebody may ask; counted by this process alone."""

    def __init__(self) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def takes(self, limit: RateLimitItem, who: str) -> bool:
        """Count a try. False: there were too many."""
        return bool(self._windows.hit(limit, who))


def turns_of(request: Request) -> Turns:
    """How often somebody may ask of this application."""
    state = request.app.state
    if not hasattr(state, "turns"):
        state.turns = Turns()
    turns: Turns = state.turns
    return turns
