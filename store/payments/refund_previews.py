"""What paying back would come to, and what would be decided about a claim. Nothing is written."""

from __future__ import annotations

from domain.aftersales.claims import Facts, Payment, pays, ruling, units_of
from domain.errors import NotFound, Refused
from domain.money import Money, to_minor
from domain.orders.charges import Owed
from domain.orders.claim_messages import ClaimRequest, DecideClaimRequest
from domain.orders.messages import RefundRequest, RefundTo, Units
from domain.orders.policy import Policy
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.quantities import LineUnits
from domain.payments.refund_previews import ClaimPreview, RefundPreview
from store.aftersales import claims
from store.database import Connection, load_queries
from store.locks import lock_order
from store.orders import orders
from store.payments import asked_refunds, payments, tallies, ways_back

_sql = load_queries(__file__)


async def refund(
    conn: Connection, order_id: str, request: RefundRequest | PriceMatchRequest
) -> RefundPreview:
    """What would be paid back. Raises NotFound, and Refused or InvalidInput as the request would
    be; goodwill over a limit that may be asked for is told, and not refused.
    """
    async with conn.transaction():
        await lock_order(conn, order_id)
        found = await tallies.load(conn, order_id)
        try:
            due = await asked_refunds.due(conn, found, request)
        except Refused as no:
            if not asked_refunds.may_ask(request, no):
                raise
            assert isinstance(request, RefundRequest)  # a price match is no goodwill
            assert request.amount is not None  # and goodwill has an amount
            amount = Money(minor=to_minor(request.amount, found.currency), currency=found.currency)
            ways = await ways_back.of(conn, order_id, amount, request.to)
            return RefundPreview(kind="goodwill", amount=amount, ways=ways, asks=str(no))
        amount = Money(minor=due.owed.worth.total, currency=found.currency)
        ways = await ways_back.of(conn, order_id, amount, due.request.to)
    return RefundPreview(
        kind=due.kind,
        units=_units(due.owed.units),
        amount=amount,
        tax=_tax(due.owed, amount),
        ways=ways,
    )


async def claim(conn: Connection, order_id: str, request: ClaimRequest) -> ClaimPreview:
    """What the rules would decide at once, or why a person has to. Raises as the claim would."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        facts, rules = await _facts(conn, order_id)
        units = units_of(request, facts)
        worth = facts.charges.at_most(units) if units else 0
        decision, why = ruling(request, worth, facts, rules.claims)
        why_not = await payments.why_no_refund(conn, order_id)
        if decision and why_not:
            decision, why = None, why_not
        back = Owed()
        if decision == "refund":
            back, _ = pays(request.kind, units, Payment(), facts, rules.claims)
        return await _told(conn, order_id, facts, back, units, decision=decision, why=why)


async def decide_claim(
    conn: Connection, order_id: str, request: DecideClaimRequest
) -> ClaimPreview:
    """What a decision would pay back. Raises NotFound and Refused as the decision would be."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        found = await claims.find(conn, request.claim_id)
        if found.order_id != order_id:
            raise NotFound(f"there is no claim {request.claim_id} of {order_id}")
        claims.check_open(found)
        facts, rules = await _facts(conn, order_id)
        back = Owed()
        if request.decision in ("refund", "part_refund"):
            if why_not := await payments.why_no_refund(conn, order_id):
                raise Refused(why_not, reason="payment_disputed")
            if request.to == "store_credit":
                await orders.check_known(conn, order_id)
            how = Payment(request.amount, request.percent)
            back, _ = pays(found.kind, found.units, how, facts, rules.claims)
        return await _told(
            *(conn, order_id, facts, back, found.units), decision=request.decision, to=request.to
        )


async def _facts(conn: Connection, order_id: str) -> tuple[Facts, Policy]:
    found = await tallies.load(conn, order_id)
    standing = await claims.standing(conn, order_id)
    policy = Policy.model_validate(await _sql.policy(conn, order_id=order_id))
    return Facts(found.charges, found.currency, **dict(standing)), policy


async def _told(
    conn: Connection,
    order_id: str,
    facts: Facts,
    back: Owed,
    units: LineUnits,
    *,
    decision: str | None,
    why: str = "",
    to: RefundTo = "original",
) -> ClaimPreview:
    amount = Money(minor=back.worth.total, currency=facts.currency)
    return ClaimPreview(
        decision=decision,
        why=why,
        units=_units(units),
        amount=amount,
        ways=await ways_back.of(conn, order_id, amount, to),
    )


def _units(units: LineUnits) -> tuple[Units, ...]:
    return tuple(Units(line_id=line_id, quantity=n) for line_id, n in units.items() if n)


def _tax(owed: Owed, amount: Money) -> Money:
    worth = owed.worth
    return Money(minor=worth.tax + worth.shipping_tax, currency=amount.currency)
