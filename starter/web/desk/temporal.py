"""From an order to the run of its workflow in the Temporal UI."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from domain.errors import NotFound
from domain.ids import workflow_id
from starter.web.desk.access import check_order
from starter.web.guards import HEADERS
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/orders/{order_id}/temporal")
async def temporal(
    visit: Annotated[Visit, may("orders:read", "operations:read")], order_id: str
) -> Response:
    """To its latest run. Raises NotFound where it has none, or no address of the UI is set."""
    await check_order(visit, order_id)
    address = ui_of(visit.request)
    run = None if address is None else await visit.here.orders.run_of(order_id)
    if run is None:
        raise NotFound(f"Temporal knows no workflow of {order_id}", reason="no_workflow")
    place = f"{quote(workflow_id(order_id), safe='')}/{quote(run, safe='')}/history"
    return RedirectResponse(f"{address}/workflows/{place}", 303, headers=HEADERS)


def ui_of(request: Request) -> str | None:
    """The address of the namespace in the Temporal UI; None: none is set."""
    found: str | None = getattr(request.app.state, "temporal_ui", None)
    return found
