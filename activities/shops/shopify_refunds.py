"""The refunds of an order at Shopify, and which of its payments can be paid back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from activities.shops.client import Refunded, ShopSaysNo
from domain.errors import InvalidInput
from domain.money import Money, to_minor
from domain.shops.graphql_order import number_of
from domain.shops.news import OUR_REFUND, amount_text, is_ours

_TAKEN: Final = ("SALE", "CAPTURE")
_STANDS: Final = ("SUCCESS", "PENDING")


def refunds_of(order: Mapping[str, Any], currency: str) -> list[Refunded]:
    """The refunds of an order whose money has gone; of ours, also what is on its way."""
    found = []
    for refund in order["refunds"]:
        note = refund["note"] or ""
        key = note.removeprefix(OUR_REFUND) if is_ours(note) else ""
        for one in refund["transactions"]["nodes"]:
            stands = one["status"] in _STANDS if key else one["status"] == "SUCCESS"
            if one["kind"] == "REFUND" and stands:
                minor = to_minor(amount_text(_amount(one), currency), currency)
                found.append(
                    Refunded(
                        reference=f"shopify-refund-{number_of(one['id'])}",
                        key=key,
                        amount=Money(minor=minor, currency=currency),
                        at=datetime.fromisoformat(refund["createdAt"]),
                    )
                )
    return found


def with_left(order: Mapping[str, Any], amount: Decimal) -> Mapping[str, Any]:
    """The payment of an order of which so much can be paid back. Raises ShopSaysNo."""
    gone: dict[str, Decimal] = defaultdict(Decimal)
    standing = [one for one in order["transactions"] if one["status"] in _STANDS]
    for one in standing:
        if one["kind"] == "REFUND" and one["parentTransaction"]:
            gone[one["parentTransaction"]["id"]] += _amount(one)
    for one in standing:
        if one["kind"] in _TAKEN and _amount(one) - gone[one["id"]] >= amount:
            payment: Mapping[str, Any] = one
            return payment
    raise ShopSaysNo(f"no payment of the order has {amount} left to be paid back")


def _amount(transaction: Mapping[str, Any]) -> Decimal:
    try:
        return Decimal(transaction["amountSet"]["shopMoney"]["amount"])
    except (ArithmeticError, KeyError, TypeError) as error:
        raise InvalidInput("is no amount", where="amountSet") from error
