"""Orders that wait for their payment, or until somebody says that they are to be charged."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import Refused
from domain.money import Money
from domain.orders.messages import ChargeRequest, PayOutcome, PayRequest
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, Asking, Field, Seen, reason
from starter.web.desk.acts.money_told import way_name


def _pay_fields(asking: Asking) -> Sequence[Field]:
    del asking  # the same for each
    return (
        Field("text", "token", "pay_token", about="pay_token_about", required=True),
        Field("text", "provider", "pay_by", about="pay_by_about"),
    )


def _pay(asking: Asking) -> PayRequest:
    said = {"token": asking.field("token"), "provider": asking.field("provider") or None}
    return PayRequest.model_validate({**asking.named(), **said})


async def _preview_pay(asking: Asking, request: PayRequest) -> Seen:
    words, facts = asking.visit.words, asking.facts
    covered = sum(means.left for means in asking.shown.means)
    lacks = max(0, facts.claim.charges.left_to_charge - covered)
    amount = Money(minor=lacks, currency=facts.claim.currency)
    way = way_name(asking, request.provider or facts.provider)
    holds = [one for one in facts.holds if one.is_asked_for]
    rows = [(words("is_authorized"), words("amount_by", amount=asking.money(amount), way=way))]
    rows.append((words("if_accepted"), words("still_held" if holds else "order_goes_on")))
    rows.append((words("if_refused"), words("waits_for_payment")))
    return Seen([*rows, await asking.customer_told("orderloom.order.confirmed.v1")])


async def _do_pay(here: Service, order_id: str, request: PayRequest) -> str:
    return _accepted(await here.payments.pay(order_id, request), "paid")


def _charge_fields(asking: Asking) -> Sequence[Field]:
    del asking  # the same for each
    return (reason("note"),)


def _charge(asking: Asking) -> ChargeRequest:
    return ChargeRequest.model_validate({**asking.named(), "note": asking.field("note")})


async def _preview_charge(asking: Asking, _: ChargeRequest) -> Seen:
    facts = asking.facts.claim
    amount = Money(minor=facts.charges.left_to_charge, currency=facts.currency)
    return Seen([(asking.visit.words("is_charged_now"), asking.money(amount))])


async def _do_charge(here: Service, order_id: str, request: ChargeRequest) -> str:
    return _accepted(await here.payments.charge(order_id, request), "is_charged")


def _accepted(found: PayOutcome, done: str) -> str:
    if found.outcome == "refused":
        raise Refused(found.message, reason="declined_payment")
    return done


PAY = Act("pay", _pay_fields, _pay, _do_pay, _preview_pay)
CHARGE = Act("charge", _charge_fields, _charge, _do_charge, _preview_charge)
