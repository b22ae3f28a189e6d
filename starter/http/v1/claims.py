"""Claims: what customers say is wrong with what they got, and what is decided about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.orders.claim_messages import (
    ClaimDecision,
    ClaimKind,
    ClaimOutcome,
    ClaimRequest,
    ClaimWish,
    DecideClaimRequest,
)
from domain.orders.return_messages import ReturnState
from domain.views.order_snapshot import AmountText, Units
from starter.http.amounts import amount
from starter.http.asking import DECIDED_LATER, Asking, asks
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from store.aftersales.claims import Claim

router = APIRouter(prefix="/v1", tags=["aftersales"], route_class=StrictRoute)


class ShownClaim(BaseModel):
    """A claim. Without a decision it waits for a person; `why_open` says why.

    `units`: line id → units. `amount`: what is paid back for it, as the refund `refund_id`.
    `return_id`: by which its units are asked back.
    """

    model_config = ConfigDict(frozen=True)

    claim_id: str
    order_id: str
    kind: ClaimKind
    wish: ClaimWish | None
    reason: str
    evidence: tuple[str, ...]
    units: Units
    who: str
    since: datetime
    why_open: str | None
    answer_by: datetime | None
    decision: ClaimDecision | None
    note: str | None
    decided_by: str | None
    decided_at: datetime | None
    refund_id: str | None
    return_id: str | None
    return_state: ReturnState | None
    amount: AmountText | None
    currency: str


@router.post(
    "/orders/{order_id}/claim",
    operation_id="claimItems",
    summary="Say what is wrong with what was delivered",
    response_model=ClaimOutcome,
    responses=DECIDED_LATER,
)
async def claim(
    content: Annotated[
        ClaimRequest,
        example(
            {
                "kind": "damaged",
                "reason": "the pot is broken",
                "lines": [{"line_id": "1", "quantity": 1}],
                "evidence": ["https://shop.example/photos/7731.jpg"],
                "wish": "refund",
            }
        ),
    ],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """What the policy allows is decided at once; everything else waits for a person."""
    return await asking.answer(content, asking.here.aftersales.claim, ClaimOutcome)


@router.post(
    "/orders/{order_id}/decide-claim",
    operation_id="decideClaim",
    summary="Decide about a claim that waits for a person",
    response_model=ClaimOutcome,
    responses=DECIDED_LATER,
)
async def decide_claim(
    content: Annotated[
        DecideClaimRequest,
        example(
            {
                "claim_id": "web-1001:C1",
                "decision": "part_refund",
                "percent": 30,
                "note": "it can still be used",
            }
        ),
    ],
    asking: Annotated[Asking, asks("payments:write")],
) -> Response:
    """Paid back whole or in part, sent again, or refused. A decision stands."""
    return await asking.answer(content, asking.here.aftersales.decide_claim, ClaimOutcome)


@router.get("/claims", operation_id="listClaims", summary="List claims, newest first")
async def list_claims(
    caller: Annotated[Caller, may("aftersales:read")],
    paged: Paged,
    order_id: Annotated[str | None, Query(max_length=300)] = None,
    open_only: Annotated[
        bool, Query(alias="open", description="Those that wait for a person.")
    ] = False,
) -> Page[ShownClaim]:
    """Of the key's channels and sellers."""
    if order_id is not None:
        await caller.check_order(order_id)
    asked: dict[str, Any] = {
        "order_id": order_id,
        "open_only": open_only,
        "channels": caller.channels,
        "sellers": caller.sellers,
    }
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.claims.list(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked, found, place=lambda one: (one.since.isoformat(), one.claim_id), show=claim_of
    )


@router.get("/claims/{claim_id}", operation_id="getClaim", summary="Read a claim")
async def get_claim(claim_id: str, caller: Annotated[Caller, may("aftersales:read")]) -> ShownClaim:
    """What is claimed, what shows it, and what was decided by whom."""
    await caller.check_part(claim_id)
    return claim_of(await caller.here.claims.get(claim_id))


def claim_of(claim: Claim) -> ShownClaim:
    """A claim as the API tells it."""
    paid = claim.amount_minor
    return ShownClaim(
        **claim.model_dump(exclude={"amount_minor"}),
        amount=None if paid is None else amount(paid, claim.currency),
    )
