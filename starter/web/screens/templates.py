"""Templates of the screens, filled in. What people have typed is shown as text."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain.access.keys import Scope
from domain.staff.people import Person
from starter.web.assets import Assets
from starter.web.customer.words import Words
from starter.web.guards import HEADERS

_FOLDER: Final = Path(__file__).parent
ROOMS: Final = (_FOLDER, _FOLDER.parent / "desk")
"""Where templates and sentences of screens are."""
_PACKED_WELL: Final = 5  # of 9: more takes longer than it saves
ASSETS: Final = Assets(_FOLDER / "static")
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader([room / "templates" for room in ROOMS]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Place(NamedTuple):
    """A place that the navigation leads to: whoever has the scope sees it."""

    path: str
    key: str
    scope: Scope


PLACES: Final = (
    Place("app/orders", "orders", "orders:read"),
    Place("app/tasks", "tasks", "operations:read"),
    Place("app/staff", "staff", "access:read"),
)


def root_of(request: Request) -> str:
    """What stands before an address of ours on this page: pages work below any path of a proxy."""
    return "../" * (request.url.path.count("/") - 1) or "./"


def shown(
    request: Request,
    name: str,
    words: Words,
    person: Person | None,
    *,
    status: int = 200,
    told: str = "",
    trouble: Iterable[str] = (),
    **values: Any,
) -> Response:
    """A screen. `told`: what was done. `trouble`: what was wrong, a sentence each."""
    content = _TEMPLATES.get_template(f"{name}.html").render(
        w=words,
        person=person,
        root=root_of(request),
        here=request.url.path.lstrip("/"),
        css=ASSETS.names["screens.css"],
        script=ASSETS.names["screens.js"],
        icon=ASSETS.names["icon.svg"],
        places=[] if person is None else [x for x in PLACES if person.allows(x.scope)],
        told=told,
        trouble=list(trouble),
        **values,
    )
    return packed(request, HTMLResponse(content, status, headers=HEADERS))


def packed(request: Request, page: Response) -> Response:
    """The page as it travels: smaller, where the browser takes that."""
    page.headers["Vary"] = "Accept-Encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        page.body = gzip.compress(page.body, _PACKED_WELL, mtime=0)
        page.headers["Content-Encoding"] = "gzip"
        page.headers["Content-Length"] = str(len(page.body))
    return page


def lead(request: Request, path: str) -> Response:
    """Go on at another address of ours, such as app/me."""
    return RedirectResponse(f"{root_of(request)}{path}", 303, headers=HEADERS)
