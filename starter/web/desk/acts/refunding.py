"""Money that goes back without a return: units that stay, shipping, goodwill, a lower price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from domain.errors import Refused
from domain.orders.handling import DIGITAL
from domain.orders.messages import RefundOutcome, RefundRequest
from domain.orders.price_match_messages import PriceMatchRequest
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, Asking, Field, Option, Seen, reason
from starter.web.desk.acts.money_told import paid_back
from starter.web.desk.possible import roles_of
from starter.web.desk.reasons import role_told, told
from starter.web.screens.forms import NotAsked

TO: Final = ("original", "store_credit", "voucher")


def to_field(asking: Asking) -> Field:
    """Where money goes back to."""
    return Field("choice", "to", "refund_to", options=asking.options("to_", *TO))


def line_options(asking: Asking) -> list[Option]:
    """The lines of the order."""
    words = asking.visit.words
    return [
        Option(line.line_id, words("line_and_sku", line=line.line_id, sku=asking.shown.goods(line)))
        for line in asking.detail.lines
    ]


# Units that the customer keeps, and shipping -----------------------------------------------------


def _refund_fields(asking: Asking) -> Sequence[Field]:
    charges = asking.facts.claim.charges
    most = {line_id: n for line_id in charges.worth if (n := charges.concedable(line_id))}
    return (
        Field("units", label="left_with_customer", most=most),
        Field("tick", "shipping", "refund_shipping", about="refund_shipping_about"),
        to_field(asking),
        reason(),
    )


def _refund(asking: Asking) -> RefundRequest:
    lines, shipping = asking.lines(), bool(asking.field("shipping"))
    if not lines and not shipping:
        raise NotAsked("nothing_chosen")
    said = {"reason": asking.field("reason"), "to": asking.field("to") or "original"}
    return RefundRequest.model_validate(
        {**asking.named(), **said, "lines": lines, "shipping": shipping}
    )


# Goodwill ----------------------------------------------------------------------------------------


def _roles(asking: Asking) -> list[str]:
    return roles_of(asking.visit.person.roles, asking.facts.goodwill_roles)


def _role_field(asking: Asking) -> Sequence[Field]:
    roles = _roles(asking)
    if len(roles) == 1:
        return ()
    options = [Option(role, role_told(asking.visit.words, role)) for role in roles]
    return (Field("choice", "role", "goodwill_in_role", options=options),)


def _role(asking: Asking) -> str:
    roles = _roles(asking)
    return asking.field("role") if asking.field("role") in roles else roles[0]


def _goodwill_fields(asking: Asking) -> Sequence[Field]:
    roles = asking.facts.goodwill_roles
    ask = Field("tick", "ask", "goodwill_ask", about="goodwill_ask_about")
    return (
        Field("money", "amount", "amount_in", required=True),
        to_field(asking),
        *_role_field(asking),
        *((ask,) if roles else ()),
        reason(),
    )


def _goodwill(asking: Asking) -> RefundRequest:
    said: dict[str, Any] = {"amount": asking.amount("amount"), "reason": asking.field("reason")}
    said |= {"to": asking.field("to") or "original", "role": _role(asking)}
    return RefundRequest.model_validate(
        {**asking.named(), **said, "ask": bool(asking.field("ask"))}
    )


def _approve_fields(asking: Asking) -> Sequence[Field]:
    asked = {f"goodwill {one}": one for one in asking.facts.goodwill_asked}
    options = [
        Option(asked[task.step], told(asking.visit.words, task.reason))
        for task in asking.detail.attention
        if task.step in asked
    ]
    return (
        Field("choice", "approves", "which_goodwill", options=options),
        *_role_field(asking),
        reason(),
    )


def _approve(asking: Asking) -> RefundRequest:
    said = {name: asking.field(name) for name in ("approves", "reason")}
    return RefundRequest.model_validate({**asking.named(), **said, "role": _role(asking)})


# A lower price -----------------------------------------------------------------------------------


def _match_fields(asking: Asking) -> Sequence[Field]:
    return (
        Field("choice", "line", "line", options=line_options(asking)),
        Field("money", "unit_price", "lower_price", about="lower_price_about", required=True),
        Field("text", "evidence", "seen_where", required=True),
        to_field(asking),
    )


def _match(asking: Asking) -> PriceMatchRequest:
    said = {"unit_price": asking.amount("unit_price"), "evidence": asking.field("evidence")}
    said |= {"line_id": asking.field("line"), "to": asking.field("to") or "original"}
    return PriceMatchRequest.model_validate({**asking.named(), **said})


# -------------------------------------------------------------------------------------------------


async def _preview(asking: Asking, request: RefundRequest | PriceMatchRequest) -> Seen:
    words = asking.visit.words
    found = await asking.here.previews.refund(asking.order_id, request)
    rows = [(words("for_units"), asking.units(found.units))] if found.units else []
    rows += paid_back(asking, found.amount, found.ways)
    if found.tax is not None and found.tax.minor:
        rows.append((words("of_it_tax"), asking.money(found.tax)))
    notes = [f"{told(words, found.asks)}.", words("goodwill_asks")] if found.asks else []
    codes = [x for x in found.units if asking.facts.handlings.get(x.line_id) == DIGITAL]
    if codes:
        notes.append(words("codes_revoked", units=asking.units(codes)))
    return Seen(rows, notes, button="do_it_ask_goodwill" if found.asks else "")


async def _preview_goodwill(asking: Asking, request: RefundRequest) -> Seen:
    """What is more than somebody may give is asked for, where another role may give it."""
    try:
        return await _preview(asking, request)
    except Refused as no:
        if no.reason != "goodwill_limit" or not no.instead:
            raise
    seen = await _preview(asking, request.model_copy(update={"ask": True}))
    return replace(seen, carry={"ask": "1"})


async def _do(here: Service, order_id: str, request: RefundRequest) -> str:
    return _outcome(await here.aftersales.refund(order_id, request))


async def _do_match(here: Service, order_id: str, request: PriceMatchRequest) -> str:
    return _outcome(await here.aftersales.match_price(order_id, request))


def _outcome(found: RefundOutcome) -> str:
    return {"refunded": "refunded", "owed": "refund_owed", "asked": "goodwill_asked"}[found.outcome]


REFUND = Act("refund", _refund_fields, _refund, _do, _preview)
GOODWILL = Act("goodwill", _goodwill_fields, _goodwill, _do, _preview_goodwill)
APPROVE = Act("approve", _approve_fields, _approve, _do, _preview)
PRICE_MATCH = Act("price-match", _match_fields, _match, _do_match, _preview)
