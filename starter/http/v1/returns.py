"""Returns: read, and the rules by which they are approved."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from domain.aftersales.return_rules import ReturnRules
from domain.orders.return_messages import ReturnState
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.label_files import LABEL_RESPONSES, LabelFormat, label_file
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from store.views.returns import Return

router = APIRouter(prefix="/v1", tags=["aftersales"], route_class=StrictRoute)

Reads = Annotated[Caller, may("aftersales:read")]


@router.get(
    "/returns",
    operation_id="listReturns",
    summary="List returns, those that changed last first",
)
async def list_returns(
    caller: Reads,
    paged: Paged,
    state: ReturnState | None = None,
    order_id: Annotated[str | None, Query(max_length=200)] = None,
) -> Page[Return]:
    """Of orders of the key's channels and sellers. `requested`: a person decides about them."""
    asked: dict[str, Any] = {
        "state": state,
        "order_id": order_id,
        "channels": caller.channels,
        "sellers": caller.sellers,
    }
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.returns.list(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked,
        found,
        place=lambda one: (one.changed_at.isoformat(), one.return_id),
        show=lambda one: one,
    )


@router.get("/returns/{return_id}", operation_id="getReturn", summary="Read a return")
async def get_return(
    return_id: Annotated[str, Path(max_length=200, examples=["web-1001:R1"])], caller: Reads
) -> Return:
    """With the reason of each line, and what became of its units."""
    await caller.check_part(return_id)
    return await caller.here.returns.get(return_id)


@router.get(
    "/returns/{return_id}/label",
    operation_id="downloadReturnLabel",
    summary="Download the label of a return's parcel",
    response_class=Response,
    responses=LABEL_RESPONSES,
)
async def download_return_label(
    return_id: Annotated[str, Path(max_length=200, examples=["web-1001:R1"])],
    caller: Reads,
    form: LabelFormat = None,
) -> Response:
    """For the customer, whom it names.

    Refused (409) where there is none to print, with the reason: no rule wants one, it is not bought
    yet, the carrier refuses it, it was given back, or it was deleted some time after the return.
    """
    await caller.check_part(return_id)
    found = await caller.here.labels.of_return(return_id)
    return label_file(found, return_id, form)


@router.get("/return-rules", operation_id="getReturnRules", summary="Read the rules of returns")
async def get_return_rules(caller: Annotated[Caller, may("sellers:read")]) -> ReturnRules:
    """The less exact ones first: a rule for a category counts before one for a channel."""
    return ReturnRules(rules=tuple(await caller.here.returns.rules()))


@router.put(
    "/return-rules",
    operation_id="setReturnRules",
    summary="Set all rules of returns",
)
async def set_return_rules(
    content: Annotated[
        ReturnRules,
        example(
            {
                "rules": [
                    {"window_days": 30, "review_above": {"amount": "500.00", "currency": "EUR"}},
                    {"category": "food", "final_sale": True},
                ]
            }
        ),
    ],
    caller: Annotated[Caller, may("sellers:write")],
) -> ReturnRules:
    """They count from the next request on, also for orders that came before.

    A rule without a seller, a channel or a category is for any.
    """
    await caller.here.returns.set_rules(content.rules)
    return content
