"""What is wrong with what was delivered, and what is decided about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from domain.orders.claim_messages import (
    ClaimDecision,
    ClaimKind,
    ClaimOutcome,
    ClaimRequest,
    ClaimWish,
    DecideClaimRequest,
)
from domain.payments.refund_previews import ClaimPreview
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, Asking, Field, Option, Seen, late, reason
from starter.web.desk.acts.money_told import paid_back
from starter.web.desk.acts.refunding import to_field
from starter.web.screens.forms import whole

SENT: Final = "sent:"
"""The names of fields that say what was in a parcel instead of a line begin so."""


def _fields(asking: Asking) -> Sequence[Field]:
    facts = asking.facts.claim
    most = {line_id: n for line_id in facts.charges.worth if (n := facts.claimable(line_id))}
    wishes = asking.options("wish_", *get_args(ClaimWish))
    return (
        Field(
            "choice", "kind", "claim_kind", options=asking.options("claim_", *get_args(ClaimKind))
        ),
        Field("units", label="left_with_customer", about="claim_units_about", most=most),
        reason("reason", "in_words"),
        Field("text", "evidence", "claim_evidence", about="claim_evidence_about"),
        Field("choice", "wish", "claim_wish", options=[asking.none("wish_none"), *wishes]),
        late(asking, "claim_items", "late_claim_about"),
    )


def _read(asking: Asking) -> ClaimRequest:
    evidence = asking.field("evidence")
    content: dict[str, Any] = {
        **asking.named(),
        "kind": asking.field("kind"),
        "reason": asking.field("reason"),
        "lines": asking.lines(),
        "evidence": [evidence] if evidence else [],
        "wish": asking.field("wish") or None,
        "late": bool(asking.field("late")),
    }
    return ClaimRequest.model_validate(content)


async def _preview(asking: Asking, request: ClaimRequest) -> Seen:
    found = await asking.here.previews.claim(asking.order_id, request)
    return _seen(asking, found)


def _seen(asking: Asking, found: ClaimPreview) -> Seen:
    words = asking.visit.words
    decided = found.decision or "none"
    rows = [(words("decision"), words(f"claim_then_{decided}"))]
    if found.units:
        rows.append((words("for_units"), asking.units(found.units)))
    if found.decision in ("refund", "part_refund"):
        rows += paid_back(asking, found.amount, found.ways)
    return Seen(rows, [words("person_decides")] if found.decision is None else [])


async def _do(here: Service, order_id: str, request: ClaimRequest) -> str:
    return _outcome(await here.aftersales.claim(order_id, request))


def _outcome(found: ClaimOutcome) -> str:
    if found.outcome == "open":
        return "claim_made"
    return "claim_owed" if found.owed else "claim_decided"


# Decisions ---------------------------------------------------------------------------------------


def _decide_fields(asking: Asking) -> Sequence[Field]:
    words = asking.visit.words
    waiting = [one for one in asking.shown.page.claims if one.decision is None]
    stand = [
        Option(
            one.claim_id,
            words(
                "claim_named",
                id=one.claim_id,
                kind=words(f"claim_{one.kind}"),
                units=asking.counted(one.units),
            ),
        )
        for one in waiting
    ]
    lines = dict.fromkeys(line for one in waiting if one.kind == "wrong" for line in one.units)
    decisions = asking.options("decide_claim_", *get_args(ClaimDecision))
    return (
        Field("choice", "claim_id", "which_claim", options=stand),
        Field("choice", "decision", "decision", options=decisions),
        Field("money", "amount", "part_amount", about="part_amount_about"),
        Field("whole", "percent", "part_percent"),
        to_field(asking),
        Field("tick", "send_back", "claim_send_back"),
        *(Field("text", f"{SENT}{line}", "claim_sent", place=line) for line in lines),
        reason("note"),
    )


def _decide(asking: Asking) -> DecideClaimRequest:
    said = {name: asking.field(name) for name in ("claim_id", "decision", "note")}
    sent = [
        {"line_id": name.removeprefix(SENT), "sku": asking.field(name)}
        for name in asking.visit.sent
        if name.startswith(SENT) and asking.field(name)
    ]
    content: dict[str, Any] = {
        **asking.named(),
        **said,
        "amount": asking.amount("amount") or None,
        "percent": whole(asking.field("percent")) or None,
        "to": asking.field("to") or "original",
        "send_back": bool(asking.field("send_back")),
        "sent": sent,
    }
    return DecideClaimRequest.model_validate(content)


async def _preview_decision(asking: Asking, request: DecideClaimRequest) -> Seen:
    found = await asking.here.previews.decide_claim(asking.order_id, request)
    seen = _seen(asking, found)
    if not request.send_back:
        return seen
    words = asking.visit.words
    return Seen([*seen.rows, (words("comes_back"), asking.units(found.units))], seen.notes)


async def _do_decide(here: Service, order_id: str, request: DecideClaimRequest) -> str:
    return _outcome(await here.aftersales.decide_claim(order_id, request))


CLAIM = Act("claim", _fields, _read, _do, _preview)
DECIDE_CLAIM = Act("decide-claim", _decide_fields, _decide, _do_decide, _preview_decision)
