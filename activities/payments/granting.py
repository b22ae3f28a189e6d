"""Refunds that somebody asks for: granted once for each request, or refused by a rule."""

from __future__ import annotations

from typing import Final

from activities.payments.contracts import GrantRefund, RefundGranted, Refusal
from domain import ids
from domain.errors import OrderloomError, Refused
from domain.money import Money, to_minor
from domain.orders.charges import Owed
from domain.orders.goodwill import Goodwill
from domain.orders.messages import RefundKind, RefundRequest
from domain.orders.price_match import owed_for_match
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.refund_rules import Granted, owed_for
from store import clock
from store.database import Connection
from store.fulfilment import licences
from store.orders import effects, events, orders
from store.payments import billing, goodwill_asks, payments, refunds, tallies
from store.payments.tallies import Tallies

BY_REQUEST: Final = ("units", "shipping", "goodwill", "price_match")
"""The kinds of refunds that somebody has asked for."""


async def grant_refund(conn: Connection, ask: GrantRefund) -> RefundGranted:
    """Grant it once for each request, or say why not. The caller holds the order's lock."""
    effect, request = f"refund:{ask.request_id}", ask.request
    why = (
        f"a lower price: {request.evidence}"
        if isinstance(request, PriceMatchRequest)
        else request.reason
    )
    done = await effects.settled(conn, ask.order_id, effect, ask.turn)
    if done is not None:
        return RefundGranted.model_validate(done)
    found = await tallies.load(conn, ask.order_id)
    try:
        if isinstance(request, RefundRequest) and request.approves is not None:
            request = await goodwill_asks.approved(conn, ask.order_id, request)
        why_not = await payments.why_no_refund(conn, ask.order_id)
        if why_not:
            raise Refused(why_not, reason="payment_disputed")
        if request.to == "store_credit":
            await orders.check_known(conn, ask.order_id)
        owed, kind = await _owed(conn, found, request)
    except OrderloomError as error:
        asked = await _asked(conn, ask, found, error)
        if asked is not None:
            return asked
        refused = RefundGranted(refused=Refusal.of(error))
        await effects.keep_nothing(conn, ask.order_id, effect, ask.turn, refused)
        return refused
    number = 1 + await refunds.count(conn, ask.order_id, BY_REQUEST)
    refund_id = ids.refund_id(ask.order_id, number)
    grant = await billing.grant(
        conn,
        found,
        owed,
        refund_id,
        kind=kind,
        why=why,
        who=request.by,
        pay_to=request.to,
        role=request.role if isinstance(request, RefundRequest) and kind == "goodwill" else None,
        about=request.line_id if isinstance(request, PriceMatchRequest) else None,
    )
    amount = Money(minor=owed.worth.total, currency=found.currency)
    answer = RefundGranted(granted=Granted(refund_id=refund_id, amount=amount))
    await events.tell(
        conn,
        ask.order_id,
        effect,
        "refund granted",
        who=request.by,
        why=why,
        data=answer.model_dump(mode="json"),
        answer=answer.model_dump(mode="json"),
    )
    paid_back = (ask.order_id, ask.request_id, owed.units, found.charges)
    await licences.revoke(conn, *paid_back, who=request.by, why=why)
    if isinstance(request, RefundRequest):
        await goodwill_asks.given(conn, ask.order_id, request)
    await billing.credit(conn, grant)
    return answer


async def _asked(
    conn: Connection, ask: GrantRefund, found: Tallies, error: OrderloomError
) -> RefundGranted | None:
    """Goodwill that another role may give is put before a person, if that is asked for."""
    request = ask.request
    if (
        not isinstance(request, RefundRequest)
        or not request.ask
        or request.amount is None
        or error.reason != "goodwill_limit"
        or not error.instead
    ):
        return None
    amount = Money(minor=to_minor(request.amount, found.currency), currency=found.currency)
    answer = RefundGranted(asked=amount)
    told = answer.model_dump(mode="json")
    await goodwill_asks.ask(conn, ask.order_id, ask.request_id, request, str(error), told)
    return answer


async def _owed(
    conn: Connection, found: Tallies, request: RefundRequest | PriceMatchRequest
) -> tuple[Owed, RefundKind]:
    """What is asked for. Raises Refused or InvalidInput where a rule does not allow it."""
    if isinstance(request, PriceMatchRequest):
        listed = await refunds.listed(conn, found.order_id, request.line_id)
        return owed_for_match(
            found.charges, found.currency, listed, request, clock.now()
        ), "price_match"
    goodwill = Goodwill(found.goodwill_percent_max)
    if request.amount is not None:
        goodwill = await refunds.goodwill(conn, found.order_id, goodwill, request)
    return owed_for(found.charges, found.currency, goodwill, request)
