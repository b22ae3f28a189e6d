"""Refunds that somebody asks for: granted once for each request, or refused by a rule."""

from __future__ import annotations

from typing import Final

from activities.payments.contracts import GrantRefund, RefundGranted, Refusal
from domain import ids
from domain.errors import OrderloomError, Refused
from domain.money import Money
from domain.orders.goodwill import Goodwill
from domain.orders.refund_rules import Granted, owed_for
from store.database import Connection
from store.fulfilment import licences
from store.orders import effects, events, orders
from store.payments import billing, payments, refunds, tallies

BY_REQUEST: Final = ("units", "shipping", "goodwill")
"""The kinds of refunds that somebody has asked for."""


async def grant_refund(conn: Connection, ask: GrantRefund) -> RefundGranted:
    """Grant it once for each request, or say why not. The caller holds the order's lock."""
    effect, request = f"refund:{ask.request_id}", ask.request
    done = await effects.find(conn, ask.order_id, effect)
    if done is not None:
        return RefundGranted.model_validate(done)
    found = await tallies.load(conn, ask.order_id)
    try:
        why_not = await payments.why_no_refund(conn, ask.order_id)
        if why_not:
            raise Refused(why_not, reason="payment_disputed")
        if request.to == "store_credit":
            await orders.check_known(conn, ask.order_id)
        goodwill = Goodwill(found.goodwill_percent_max)
        if request.amount is not None:
            goodwill = await refunds.goodwill(conn, ask.order_id, goodwill, request)
        owed, kind = owed_for(found.charges, found.currency, goodwill, request)
    except OrderloomError as error:
        return RefundGranted(refused=Refusal.of(error))
    number = 1 + await refunds.count(conn, ask.order_id, BY_REQUEST)
    refund_id = ids.refund_id(ask.order_id, number)
    grant = await billing.grant(
        conn,
        found,
        owed,
        refund_id,
        kind=kind,
        why=request.reason,
        who=request.by,
        pay_to=request.to,
        role=request.role if kind == "goodwill" else None,
    )
    amount = Money(minor=owed.worth.total, currency=found.currency)
    answer = RefundGranted(granted=Granted(refund_id=refund_id, amount=amount))
    revoked = await licences.revoke(conn, ask.order_id, owed.units) if owed.units else {}
    await events.tell(
        conn,
        ask.order_id,
        effect,
        "refund granted",
        who=request.by,
        why=request.reason,
        data=answer.model_dump(mode="json"),
        answer=answer.model_dump(mode="json"),
    )
    if revoked:
        await events.tell(
            conn,
            ask.order_id,
            f"revoke:{ask.request_id}",
            "codes revoked",
            who=request.by,
            why=request.reason,
            data={"units": revoked},
        )
    await billing.credit(conn, grant)
    return answer
