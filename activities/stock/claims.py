"""Claims: written down and decided, each in one transaction with what is owed for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.payments.contracts import Refusal
from activities.stock import sending_again
from activities.stock.claim_contracts import ClaimAnswer, DecideClaim, MakeClaim
from domain.aftersales.claims import Facts, Payment, pays, ruling, units_of
from domain.errors import OrderloomError, Refused
from domain.fulfilment.fulfilments import Planned
from domain.ids import WHO
from domain.orders.claim_messages import ClaimDecision, ClaimOutcome, ClaimRequest
from domain.orders.claim_rules import ClaimRules
from domain.orders.messages import RefundTo, Units
from domain.orders.quantities import LineUnits
from domain.stock.location_ranking import Measure
from store import clock
from store.aftersales import claimed_returns, claims
from store.aftersales.claims import Claim
from store.database import Connection, Pool, Record
from store.fulfilment import licences
from store.locks import lock_order
from store.orders import effects, events, orders
from store.payments import billing, payments, tallies
from store.payments.billing import Grant
from store.payments.tallies import Tallies
from store.stock import wrong_items
from store.stock.catalogue import Catalogue
from store.stock.sourcing import Sourced

Ask = TypeVar("Ask", MakeClaim, DecideClaim)


class _Decision(BaseModel):
    """How a claim is decided."""

    model_config = ConfigDict(frozen=True)

    decision: ClaimDecision
    note: str
    who: str
    to: RefundTo = "original"
    how: Payment = Payment()
    send_back: bool = False


class Claims:
    """Activities for claims, with the database pool injected.

    `measures`: how extensions measure locations, by name.
    """

    def __init__(self, pool: Pool, measures: Mapping[str, Measure] | None = None) -> None:
        self._pool = pool
        self._measures = measures

    @activity.defn
    async def make_claim(self, ask: MakeClaim) -> ClaimAnswer:
        """Write a claim down, and decide it where the rules do. Once for each request."""
        return await self._once(ask, f"claim:{ask.request_id}", self._make)

    @activity.defn
    async def decide_claim(self, ask: DecideClaim) -> ClaimAnswer:
        """Do what a person has decided about a claim. Once for each request."""
        answer = await self._once(ask, f"decide_claim:{ask.request_id}", self._decided)
        request = ask.request
        if answer.refused is None and request.sent:
            async with self._pool.acquire() as conn:
                claim = await claims.find(conn, request.claim_id)
                await wrong_items.correct(conn, claim, request.sent, who=request.by)
        return answer

    async def _once(
        self,
        ask: Ask,
        effect: str,
        act: Callable[[Connection, Record, Ask, str], Awaitable[ClaimAnswer]],
    ) -> ClaimAnswer:
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                order = await lock_order(conn, ask.order_id)
                done = await effects.settled(conn, ask.order_id, effect, ask.turn)
                if done is not None:
                    return ClaimAnswer.model_validate(done)
                try:
                    async with conn.transaction():
                        return await act(conn, order, ask, effect)
                except OrderloomError as error:
                    refused = ClaimAnswer(refused=Refusal.of(error))
                    await effects.keep_nothing(conn, ask.order_id, effect, ask.turn, refused)
                    return refused
        except OrderloomError as error:
            return ClaimAnswer(refused=Refusal.of(error))

    async def _make(
        self, conn: Connection, order: Record, ask: MakeClaim, effect: str
    ) -> ClaimAnswer:
        request, order_id = ask.request, ask.order_id
        facts, found = await _facts(conn, order_id)
        units = units_of(request, facts)
        worth = facts.charges.at_most(units) if units else 0
        decision, why = ruling(request, worth, facts, ask.rules)
        why_not = await payments.why_no_refund(conn, order_id)
        if decision and why_not:
            decision, why = None, why_not
        sourced = None
        if decision == "reship":
            try:
                sourced = await self._plan(conn, order, ask, units)
            except Refused as no:
                decision, why = None, str(no)
        claim_id = await claims.make(
            conn,
            order_id,
            request,
            units,
            why_open="" if decision else why,
            answer_by=_answer_by(request, ask.rules) if decision is None else None,
        )
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
        claim = await claims.find(conn, claim_id)
        return await _decide(conn, ask, claim, decided, facts, found, sourced, effect)

    async def _decided(
        self, conn: Connection, order: Record, ask: DecideClaim, effect: str
    ) -> ClaimAnswer:
        request = ask.request
        claim = await claims.find(conn, request.claim_id)
        claims.check_open(claim)
        decided = _Decision(
            decision=request.decision,
            note=request.note,
            who=request.by,
            to=request.to,
            how=Payment(request.amount, request.percent),
            send_back=request.send_back,
        )
        await wrong_items.check(conn, claim, request.sent)
        facts, found = await _facts(conn, ask.order_id)
        sourced = None
        if request.decision == "reship":
            await wrong_items.find_again(conn, claim, request.sent, who=request.by)
            sourced = await self._plan(conn, order, ask, claim.units)
        return await _decide(conn, ask, claim, decided, facts, found, sourced, effect)

    async def _plan(
        self, conn: Connection, order: Record, ask: MakeClaim | DecideClaim, units: LineUnits
    ) -> Sourced:
        catalogue = Catalogue(self._measures)
        return await sending_again.plan(conn, order, ask.order_id, units, ask.sourcing, catalogue)


async def _decide(
    conn: Connection,
    ask: MakeClaim | DecideClaim,
    claim: Claim,
    decided: _Decision,
    facts: Facts,
    found: Tallies,
    sourced: Sourced | None,
    effect: str,
) -> ClaimAnswer:
    why, grant = f"claim {claim.claim_id}: {claim.kind}", None
    again: tuple[Planned, ...] = ()
    if sourced is not None:
        again = await sending_again.write(conn, claim, sourced, found, who=decided.who, why=why)
    elif decided.decision != "refused":
        grant = await _grant(conn, ask, claim, decided, facts, found, why)
    to_pay = None if grant is None else grant.to_pay
    return_id = None
    if decided.send_back:
        return_id = await claimed_returns.ask_back(conn, claim, who=decided.who)
    await claims.decide(
        conn,
        claim.claim_id,
        decided.decision,
        note=decided.note,
        who=decided.who,
        refund_id=None if grant is None else grant.refund_id,
        return_id=return_id,
    )
    answer = ClaimAnswer(
        outcome=ClaimOutcome(
            request_id=ask.request_id,
            claim_id=claim.claim_id,
            outcome="decided",
            decision=decided.decision,
            lines=_lines(claim.units),
            refund_id=None if to_pay is None else to_pay.refund_id,
            amount=None if to_pay is None else to_pay.amount,
            fulfilments=tuple(planned.fulfilment_id for planned in again),
            return_id=return_id,
            message=decided.note,
        ),
        refund=to_pay,
        sent_again=again,
    )
    data: dict[str, Any] = {
        "claim_id": claim.claim_id,
        "kind": claim.kind,
        "decision": decided.decision,
        "units": claim.units,
        "fulfilments": [planned.model_dump(mode="json") for planned in again],
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
        data=data,
        answer=answer.model_dump(mode="json"),
    )
    await billing.credit(conn, grant)
    return answer


async def _grant(
    conn: Connection,
    ask: MakeClaim | DecideClaim,
    claim: Claim,
    decided: _Decision,
    facts: Facts,
    found: Tallies,
    why: str,
) -> Grant | None:
    """Owe the customer what is decided. Raises Refused."""
    if why_not := await payments.why_no_refund(conn, claim.order_id):
        raise Refused(why_not, reason="payment_disputed")
    if decided.to == "store_credit":
        await orders.check_known(conn, claim.order_id)
    owed, kind = pays(claim.kind, claim.units, decided.how, facts, ask.rules)
    paid_back = (claim.order_id, claim.claim_id, owed.units, facts.charges)
    await licences.revoke(conn, *paid_back, who=decided.who, why=why)
    return await billing.grant(
        conn,
        found,
        owed,
        claim.claim_id,
        kind=kind,
        why=why,
        who=decided.who,
        pay_to=decided.to,
    )


async def _facts(conn: Connection, order_id: str) -> tuple[Facts, Tallies]:
    found = await tallies.load(conn, order_id)
    standing = await claims.standing(conn, order_id)
    return Facts(found.charges, found.currency, **dict(standing)), found


def _answer_by(request: ClaimRequest, rules: ClaimRules) -> datetime | None:
    return clock.now() + rules.investigate_within if request.kind == "missing" else None


def _lines(units: LineUnits) -> tuple[Units, ...]:
    return tuple(Units(line_id=k, quantity=n) for k, n in units.items())
