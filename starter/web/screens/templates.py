"""Templates of the screens, filled in. What people have typed is shown as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain.staff.people import Person
from starter.web.assets import Assets
from starter.web.guards import HEADERS
from starter.web.packing import packed
from starter.web.screens.labels import labelled
from starter.web.screens.rooms import LETTERS, PLACES, ROOMS
from starter.web.screens.tables import headed
from starter.web.screens.zones import time_zones
from starter.web.words import Words

_HEADERS: Final = {**HEADERS, "Referrer-Policy": "same-origin"}
"""Forms say where they come from: no address of a screen is a secret, unlike a customer's page."""


class _Environment(Environment):
    """Under a key stands what the mapping has there, or nothing: a field may be called `values`."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A dict's own `values` would else be found where no field of that name has a fault."""
        if not isinstance(obj, Mapping):
            return super().getitem(obj, argument)
        try:
            return obj[argument]
        except KeyError:
            return self.undefined(obj=obj, name=argument)


ASSETS: Final = Assets(*(room / "static" for room in ROOMS), frame="screens.css")
_TEMPLATES: Final = _Environment(
    loader=PrefixLoader({room.name: FileSystemLoader(room / "templates") for room in ROOMS}),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["time_zones"] = time_zones
_TEMPLATES.filters["headed"] = headed


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
    """A screen, such as desk/order. `told`: what was done. `trouble`: what was wrong."""
    content = filled(request, name, words, person, told=told, trouble=list(trouble), **values)
    return packed(request, HTMLResponse(content, status, headers=_HEADERS))


def filled(request: Request, name: str, words: Words, person: Person | None, **values: Any) -> str:
    """A template with its values: of a whole page, or of a piece of one."""
    here = request.url.path.lstrip("/")
    theirs = [] if person is None else [one for one in PLACES if one.is_for(person)]
    content = _TEMPLATES.get_template(f"{name}.html").render(
        w=words,
        person=person,
        root=root_of(request),
        here=here,
        files=ASSETS.names,
        letters=LETTERS,
        place_counts=getattr(request.state, "place_counts", {}),
        places=theirs,
        current_place=next((one for one in theirs if one.holds(here)), None),
        **values,
    )
    return labelled(content, here)


def lead(request: Request, path: str) -> Response:
    """Go on at another address of ours, such as app/me."""
    return RedirectResponse(f"{root_of(request)}{path}", 303, headers=HEADERS)
