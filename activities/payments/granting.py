"""Refunds that somebody asks for: granted once for each request, or refused by a rule."""

from __future__ import annotations

from typing import Final

from activities.payments.contracts import GrantRefund, RefundGranted, Refusal
from domain import ids
from domain.errors import OrderloomError
from domain.money import Money, to_minor
from domain.orders.messages import RefundRequest
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.refund_rules import Granted
from store.database import Connection
from store.fulfilment import licences
from store.orders import effects, events
from store.payments import asked_refunds, billing, goodwill_asks, refunds, tallies
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
        request, owed, kind = await asked_refunds.due(conn, found, request)
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
    if not asked_refunds.may_ask(request, error):
        return None
    assert isinstance(request, RefundRequest)  # a price match is no goodwill
    assert request.amount is not None  # and goodwill has an amount
    amount = Money(minor=to_minor(request.amount, found.currency), currency=found.currency)
    answer = RefundGranted(asked=amount)
    told = answer.model_dump(mode="json")
    await goodwill_asks.ask(conn, ask.order_id, ask.request_id, request, str(error), told)
    return answer
