"""The parts of the set-up, and what its forms are made of."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from starter.web.screens.rooms import SETUP_PARTS
from starter.web.screens.sections import show_in
from starter.web.screens.visits import Visit


def show(visit: Visit, name: str, **values: Any) -> Response:
    """A page of the set-up, such as keys."""
    return show_in(visit, SETUP_PARTS, f"setup/{name}", **values)
