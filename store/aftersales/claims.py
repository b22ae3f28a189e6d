"""Claims: what customers say is wrong with what was delivered, and what was decided about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.errors import NotFound, Refused
from domain.orders.claim_messages import ClaimDecision, ClaimKind, ClaimRequest, ClaimWish
from domain.orders.quantities import LineUnits
from domain.orders.return_messages import ReturnState
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Standing(BaseModel):
    """What decides about a claim besides the order's money.

    `claimed`: units by line in claims that are open or were paid in part. `claims_before`: the
    customer's within a year, also of other orders. `came_late`: a parcel came after its promised
    day. `paid_for_late`: that was paid for.
    """

    model_config = ConfigDict(frozen=True)

    claimed: dict[str, int]
    claims_before: int = 0
    came_late: bool
    paid_for_late: bool


class Claim(BaseModel):
    """A claim. Without a `decision` it waits for a person, `answer_by` a moment if one is set.

    `units`: by line id; none of a late delivery. `amount_minor`, in `currency`: what is paid back
    for it under `refund_id`. `return_id`: by which its units are asked back, `return_state` how far
    that is.
    """

    model_config = ConfigDict(frozen=True)

    claim_id: str
    order_id: str
    kind: ClaimKind
    wish: ClaimWish | None
    reason: str
    evidence: tuple[str, ...]
    units: dict[str, int]
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
    amount_minor: int | None
    currency: str


async def standing(conn: Connection, order_id: str) -> Standing:
    """What decides about a claim of this order. The caller holds the order's lock."""
    before = await _sql.claims_before(conn, order_id=order_id)
    return Standing(**await _sql.claim_facts(conn, order_id=order_id), claims_before=before)


async def of_this_order(conn: Connection, order_id: str) -> Standing:
    """The same without the customer's other orders, of which there can be many."""
    return Standing(**await _sql.claim_facts(conn, order_id=order_id))


async def make(
    conn: Connection,
    order_id: str,
    request: ClaimRequest,
    units: LineUnits,
    *,
    why_open: str,
    answer_by: datetime | None,
) -> str:
    """Write an open claim down. Returns its id. The caller holds the order's lock."""
    claim_id = ids.claim_id(order_id, await _sql.next_claim(conn, order_id=order_id))
    await _sql.insert_claim(
        conn,
        order_id=order_id,
        claim_id=claim_id,
        kind=request.kind,
        wish=request.wish,
        reason=request.reason,
        evidence=list(request.evidence),
        who=request.by,
        why_open=why_open or None,
        answer_by=answer_by,
    )
    await _sql.insert_claim_lines(
        conn,
        order_id=order_id,
        claim_id=claim_id,
        line_ids=list(units),
        quantities=list(units.values()),
    )
    return claim_id


async def decide(
    conn: Connection,
    claim_id: str,
    decision: ClaimDecision,
    *,
    note: str,
    who: str,
    refund_id: str | None = None,
    return_id: str | None = None,
) -> None:
    """open → decided. The caller has read under the order's lock that it is open."""
    await _sql.decide_claim(
        conn,
        claim_id=claim_id,
        decision=decision,
        note=note,
        who=who,
        refund_id=refund_id,
        return_id=return_id,
    )


def check_open(claim: Claim) -> None:
    """Raises Refused where somebody has decided about it."""
    if claim.decision is not None:
        raise Refused(
            f"{claim.claim_id} is decided since {claim.decided_at:%Y-%m-%d %H:%M %Z}: "
            f"{claim.decision.replace('_', ' ')}, by {claim.decided_by}",
            reason="claim_decided",
            instead=("claim_items", "refund_order"),
        )


async def find(
    conn: Connection,
    claim_id: str,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
) -> Claim:
    """A claim by its id; of these channels and sellers alone. Raises NotFound."""
    found = await _found(conn, claim_id=claim_id, channels=channels, sellers=sellers)
    if not found:
        raise NotFound(f"there is no claim {claim_id}; see `orderloom claims list`")
    return found[0]


async def listed(
    conn: Connection,
    *,
    order_id: str | None = None,
    open_only: bool = False,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int = 100,
) -> Sequence[Claim]:
    """Claims, the newest first: of one order or of all; with `open_only`, those to be decided.

    `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that was made
    then and has this id.
    """
    return await _found(
        conn,
        order_id=order_id,
        open_only=open_only,
        channels=channels,
        sellers=sellers,
        after=after,
        at_most=at_most,
    )


async def _found(
    conn: Connection,
    *,
    claim_id: str | None = None,
    order_id: str | None = None,
    open_only: bool = False,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int = 1,
) -> list[Claim]:
    at, after_id = after or (None, None)
    rows = _sql.find_claims(
        conn,
        claim_id=claim_id,
        order_id=order_id,
        open_only=open_only,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_at=at,
        after_id=after_id,
        at_most=at_most,
    )
    return [Claim(**row) async for row in rows]
