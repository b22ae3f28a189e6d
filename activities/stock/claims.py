"""Claims: written down and decided, each in one transaction with what is owed for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.payments.contracts import Refusal
from domain.aftersales.claims import Facts, Payment, pays, ruling, units_of
from domain.errors import OrderloomError, Refused
from domain.ids import WHO
from domain.orders.claim_messages import (
    ClaimDecision,
    ClaimOutcome,
    ClaimRequest,
    DecideClaimRequest,
)
from domain.orders.claim_rules import ClaimRules
from domain.orders.messages import RefundTo, Units
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from store import clock
from store.aftersales import claims
from store.aftersales.claims import Claim
from store.database import Connection, Pool
from store.locks import lock_order
from store.orders import effects, events, orders
from store.payments import billing, payments, tallies
from store.payments.tallies import Tallies


class MakeClaim(BaseModel):
    """A claim that somebody makes, and the rules of its order."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: ClaimRequest
    rules: ClaimRules


class DecideClaim(BaseModel):
    """What a person decides about a claim, and the rules of its order."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: DecideClaimRequest
    rules: ClaimRules


class ClaimAnswer(BaseModel):
    """What became of a claim; or of nothing, because it was `refused`.

    `refund`: what is owed for it from now on.
    """

    model_config = ConfigDict(frozen=True)

    outcome: ClaimOutcome | None = None
    refund: Granted | None = None
    refused: Refusal | None = None


class _Decision(BaseModel):
    """How a claim is decided, by a person or by the rules."""

    model_config = ConfigDict(frozen=True)

    decision: ClaimDecision
    note: str
    who: str
    to: RefundTo = "original"
    how: Payment = Payment()


class Claims:
    """Activities for claims, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def make_claim(self, ask: MakeClaim) -> ClaimAnswer:
        """Write a claim down, and decide it where the rules do. Once for each request."""
        effect = f"claim:{ask.request_id}"
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                await lock_order(conn, ask.order_id)
                done = await effects.find(conn, ask.order_id, effect)
                if done is not None:
                    return ClaimAnswer.model_validate(done)
                return await _make(conn, ask, effect)
        except OrderloomError as error:
            return _refused(error)

    @activity.defn
    async def decide_claim(self, ask: DecideClaim) -> ClaimAnswer:
        """Do what a person has decided about a claim. Once for each request."""
        effect, request = f"decide_claim:{ask.request_id}", ask.request
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                await lock_order(conn, ask.order_id)
                done = await effects.find(conn, ask.order_id, effect)
                if done is not None:
                    return ClaimAnswer.model_validate(done)
                claim = await claims.find(conn, request.claim_id)
                _check_open(claim)
                decision = _Decision(
                    decision=request.decision,
                    note=request.note,
                    who=request.by,
                    to=request.to,
                    how=Payment(request.amount, request.percent),
                )
                facts, found = await _facts(conn, ask.order_id)
                return await _decide(
                    conn, claim, decision, facts, found, ask.rules, ask.request_id, effect
                )
        except OrderloomError as error:
            return _refused(error)


async def _make(conn: Connection, ask: MakeClaim, effect: str) -> ClaimAnswer:
    request, order_id = ask.request, ask.order_id
    facts, found = await _facts(conn, order_id)
    units = units_of(request, facts)
    worth = facts.charges.at_most(units) if units else 0
    decision, why = ruling(request, worth, facts, ask.rules)
    why_not = await payments.why_no_refund(conn, order_id)
    if decision and why_not:
        decision, why = None, why_not
    claim_id = await claims.make(
        conn,
        order_id,
        request,
        units,
        why_open="" if decision else why,
        answer_by=_answer_by(request, ask.rules) if decision is None else None,
    )
    claim = await claims.find(conn, claim_id)
    answer = ClaimAnswer(
        outcome=ClaimOutcome(
            request_id=ask.request_id,
            claim_id=claim_id,
            outcome="open",
            lines=_lines(units),
            message=f"a person decides: {why}",
        )
    )
    await events.tell(
        conn,
        order_id,
        f"{effect}:made" if decision else effect,
        "claim made",
        who=request.by,
        why=request.reason,
        data={"claim_id": claim_id, "kind": request.kind, "units": units},
        answer=None if decision else answer.model_dump(mode="json"),
    )
    if decision is None:
        return answer
    decided = _Decision(decision=decision, note=why, who=WHO)
    return await _decide(conn, claim, decided, facts, found, ask.rules, ask.request_id, effect)


async def _decide(
    conn: Connection,
    claim: Claim,
    decided: _Decision,
    facts: Facts,
    found: Tallies,
    rules: ClaimRules,
    request_id: str,
    effect: str,
) -> ClaimAnswer:
    grant = None
    if decided.decision in ("refund", "part_refund"):
        why_not = await payments.why_no_refund(conn, claim.order_id)
        if why_not:
            raise Refused(why_not, reason="payment_disputed")
        if decided.to == "store_credit":
            await orders.check_known(conn, claim.order_id)
        owed, kind = pays(claim.kind, claim.units, decided.how, facts, rules)
        grant = await billing.grant(
            conn,
            found,
            owed,
            claim.claim_id,
            kind=kind,
            why=f"claim {claim.claim_id}: {claim.kind}",
            who=decided.who,
            pay_to=decided.to,
        )
    to_pay = None if grant is None else grant.to_pay
    await claims.decide(
        conn,
        claim.claim_id,
        decided.decision,
        note=decided.note,
        who=decided.who,
        refund_id=None if grant is None else grant.refund_id,
    )
    answer = ClaimAnswer(
        outcome=ClaimOutcome(
            request_id=request_id,
            claim_id=claim.claim_id,
            outcome="decided",
            decision=decided.decision,
            lines=_lines(claim.units),
            refund_id=None if to_pay is None else to_pay.refund_id,
            amount=None if to_pay is None else to_pay.amount,
            message=decided.note,
        ),
        refund=to_pay,
    )
    data: dict[str, Any] = {
        "claim_id": claim.claim_id,
        "kind": claim.kind,
        "decision": decided.decision,
    }
    if to_pay is not None:
        data["granted"] = to_pay.model_dump(mode="json")
    await events.tell(
        conn,
        claim.order_id,
        effect,
        "claim decided",
        who=decided.who,
        why=decided.note,
        data={**data, "units": claim.units},
        answer=answer.model_dump(mode="json"),
    )
    await billing.credit(conn, grant)
    return answer


async def _facts(conn: Connection, order_id: str) -> tuple[Facts, Tallies]:
    found = await tallies.load(conn, order_id)
    standing = await claims.standing(conn, order_id)
    return Facts(found.charges, found.currency, **dict(standing)), found


def _check_open(claim: Claim) -> None:
    if claim.decision is not None:
        raise Refused(
            f"{claim.claim_id} is decided since {claim.decided_at:%Y-%m-%d %H:%M %Z}: "
            f"{claim.decision.replace('_', ' ')}, by {claim.decided_by}",
            reason="claim_decided",
            instead=("claim_items", "refund_order"),
        )


def _answer_by(request: ClaimRequest, rules: ClaimRules) -> datetime | None:
    return clock.now() + rules.investigate_within if request.kind == "missing" else None


def _lines(units: LineUnits) -> tuple[Units, ...]:
    return tuple(Units(line_id=k, quantity=n) for k, n in units.items())


def _refused(error: OrderloomError) -> ClaimAnswer:
    no = Refusal(
        kind=error.kind, message=str(error), reason=error.reason, instead=tuple(error.instead)
    )
    return ClaimAnswer(refused=no)
