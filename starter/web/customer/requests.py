"""What a form asks for, as the request that goes to the order, and the answer in a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.errors import Refused
from domain.orders.claim_messages import ClaimRequest
from domain.orders.edit_messages import OrderEdit
from domain.orders.exchange_messages import ExchangeRequest
from domain.orders.messages import CancelRequest, PayRequest
from domain.orders.providers import BY_CODE
from domain.orders.return_messages import ReturnRequest
from starter.service.service import Service
from starter.service.tracking import TrackedOrder
from starter.web.customer.languages import FOLDER
from starter.web.customer.offers import Ask, replacements
from starter.web.words import Words, catalogue

BY: Final = "customer"
ADDRESS_FIELDS: Final = ("name", "company", "line1", "line2", "postal_code", "city", "region")
CANCEL_WHY: Final = ("changed_mind", "ordered_twice", "too_late", "cheaper", "other")
RETURN_WHY: Final = (
    *("did_not_fit", "damaged", "defective", "wrong_item", "not_as_described", "changed_mind"),
    *("too_late", "other"),
)
CLAIM_KINDS: Final = ("missing", "damaged", "wrong", "late")


class Incomplete(Exception):
    """Something is missing in a form. `key`: the sentence that says so."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


async def send(here: Service, order: TrackedOrder, ask: Ask, sent: Mapping[str, str]) -> str:
    """Ask the order, and answer the key of what its customer reads about it.

    The same form again is the same request. Raises Incomplete, ValidationError for what cannot be,
    Refused with the reason, and Unreachable.
    """
    order_id = order.detail.summary.order_id
    named = {"request_id": sent.get("request_id", ""), "by": BY}
    if ask == "cancel":
        why = _why("cancel", CANCEL_WHY, sent)
        asked = CancelRequest.model_validate({**named, "lines": _lines(sent), "reason": why})
        return _cancelled(await here.aftersales.cancel(order_id, asked))
    if ask == "return":
        back = await here.aftersales.request_return(order_id, return_of(sent))
        if back.outcome == "refused":
            raise Refused(back.message, reason="reason_not_taken")
        return "done_return" if back.outcome == "approved" else "done_return_asked"
    if ask == "exchange":
        other = await here.exchanges.exchange(order_id, exchange_of(order, sent))
        return "done_exchange" if other.outcome == "approved" else "done_exchange_asked"
    if ask == "claim":
        claimed = await here.aftersales.claim(order_id, _claim(named, sent))
        return "done_claim" if claimed.outcome == "open" else "done_claim_decided"
    if ask == "address":
        await here.edits.edit(order_id, _address(named, order, sent))
        return "done_address"
    token, provider = sent.get("code", ""), sent.get("kind", "")
    if not token or provider not in BY_CODE:
        raise Incomplete("not_complete")
    return await pay(here, order_id, named["request_id"], provider, token)


async def pay(here: Service, order_id: str, request_id: str, provider: str, token: str) -> str:
    """Pay the order with a code, or with what was left at a payment company. As `send`."""
    content = {"request_id": request_id, "by": BY, "provider": provider, "token": token}
    paid = await here.payments.pay(order_id, PayRequest.model_validate(content))
    if paid.outcome == "refused":
        raise Refused(paid.message, reason="declined")
    return "done_pay"


def return_of(sent: Mapping[str, str]) -> ReturnRequest:
    """The return that a form asks for. Raises Incomplete and ValidationError."""
    return ReturnRequest.model_validate(_back(sent))


def exchange_of(order: TrackedOrder, sent: Mapping[str, str]) -> ExchangeRequest:
    """The exchange that a form asks for: each SKU for what was paid for the one that comes back.

    Raises Incomplete and ValidationError, and Refused for what cannot be had for a line.
    """
    content = _back(sent)
    skus = {line.line_id: line.sku for line in order.detail.lines}
    content["wants"] = [
        {
            "sku": sent.get(f"want:{line['line_id']}", ""),
            "quantity": line["quantity"],
            "price_of": line["line_id"],
        }
        for line in content["lines"]
    ]
    for want in content["wants"]:
        if want["sku"] not in replacements(order, skus.get(want["price_of"], "")):
            raise Refused(f"{want['sku']} cannot be had for this", reason="not_to_be_had")
    return ExchangeRequest.model_validate(content)


def _back(sent: Mapping[str, str]) -> dict[str, Any]:
    """What both say: which units come back, and why."""
    return {
        "request_id": sent.get("request_id", ""),
        "by": BY,
        "lines": _lines(sent),
        "reason_code": sent.get("why", ""),
        "reason": _why("return", RETURN_WHY, sent),
    }


def _cancelled(outcome: Any) -> str:
    if outcome.outcome == "refused":
        reason = outcome.refused[0].reason if outcome.refused else "nothing_left"
        raise Refused(outcome.message, reason=reason)
    return "done_cancel" if outcome.outcome == "cancelled" else "done_cancel_partly"


def _lines(sent: Mapping[str, str]) -> list[dict[str, Any]]:
    """The units that were chosen. Raises Incomplete where none are."""
    lines = [
        {"line_id": name.removeprefix("units:"), "quantity": int(value)}
        for name, value in sent.items()
        if name.startswith("units:")
        and len(value) < 10
        and value.isascii()
        and value.isdecimal()
        and int(value) > 0
    ]
    if not lines:
        raise Incomplete("no_units")
    return lines


def _why(ask: str, known: tuple[str, ...], sent: Mapping[str, str]) -> str:
    """The reason as the shop reads it: what was chosen, in English, and what was typed."""
    code = sent.get("why", "")
    if code not in known:
        raise Incomplete("not_complete")
    chosen = str(catalogue("en", FOLDER)[f"{ask}_why_{code}"])
    return ": ".join(part for part in (chosen, sent.get("comment", "")) if part)[:500]


def _claim(named: Mapping[str, str], sent: Mapping[str, str]) -> ClaimRequest:
    kind, text = sent.get("kind", ""), sent.get("text", "")
    if kind not in CLAIM_KINDS:
        raise Incomplete("not_complete")
    if not text and kind != "late":
        raise Incomplete("no_text")
    content: dict[str, Any] = {**named, "kind": kind, "reason": text or "it came too late"}
    if kind != "late":
        content["lines"] = _lines(sent)
        content["wish"] = sent.get("wish") or None
    if evidence := sent.get("evidence"):
        content["evidence"] = [evidence]
    return ClaimRequest.model_validate(content)


def _address(named: Mapping[str, str], order: TrackedOrder, sent: Mapping[str, str]) -> OrderEdit:
    """Another address in the same country: another one has other taxes and postage."""
    before = order.detail.document["shipping"]["address"]
    after = {name: sent.get(name) or None for name in ADDRESS_FIELDS}
    return OrderEdit.model_validate(
        {
            **named,
            "reason": "the customer has given another address",
            "address": {**after, "country": before["country"]},
        }
    )


def why(reason: str, words: Words) -> str:
    """The key of the sentence that tells a customer of a refusal, by its code."""
    key = f"why_{reason}"
    return key if words.has(key) else "why_refused"
