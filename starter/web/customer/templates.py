"""Templates, filled in. What people have typed is shown as text, whatever it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from domain.sellers import Seller
from starter.web.assets import Assets, colours, logo
from starter.web.customer.languages import choices, query
from starter.web.guards import HEADERS
from starter.web.packing import packed
from starter.web.words import Words

_LATER_S: Final = {429: 60, 503: 5}
"""Statuses → after how many seconds it is worth another try."""

_FOLDER: Final = Path(__file__).parent
ASSETS: Final = Assets(_FOLDER / "static", frame="page.css")
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    name: str,
    request: Request,
    words: Words,
    seller: Seller | None,
    *,
    depth: int,
    status: int = 200,
    **values: Any,
) -> Response:
    """A page. `depth`: how many folders deep its address is: what it loads is named from there.

    So the pages work below any path that a proxy has for them.
    """
    picture = logo(seller)
    told = str(values.get("told", ""))
    done = told.removeprefix("done_") if told.startswith("done_") else ""
    content = _TEMPLATES.get_template(f"{name}.html").render(
        w=words,
        seller=seller,
        root="../" * depth,
        kept=query(request),
        languages=choices(words, done),
        css=ASSETS.names["page.css"],
        script=ASSETS.names["live.js"],
        colours=colours(seller).name,
        logo=None if picture is None else picture.name,
        **values,
    )
    headers = dict(HEADERS)
    if status in _LATER_S:
        headers["Retry-After"] = str(_LATER_S[status])
    return packed(request, HTMLResponse(content, status, headers=headers))
