"""Which refund of an order at Shopify is ours, and which of its payments can be paid back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from activities.shops.client import Refunded, ShopSaysNo
from domain.errors import InvalidInput
from domain.money import Money, to_minor
from domain.shops.graphql_order import number_of
from domain.shops.news import OUR_REFUND

_TAKEN: Final = ("SALE", "CAPTURE")
_STANDS: Final = ("SUCCESS", "PENDING")


def made_under(order: Mapping[str, Any], key: str, currency: str) -> Refunded | None:
    """The refund whose note has the key, and whose money has gone or is on its way."""
    for refund in order["refunds"]:
        if (refund["note"] or "") != f"{OUR_REFUND}{key}":
            continue
        for one in refund["transactions"]["nodes"]:
            if one["kind"] == "REFUND" and one["status"] in _STANDS:
                minor = to_minor(str(_amount(one)), currency)
                reference = f"shopify-refund-{number_of(one['id'])}"
                return Refunded(reference, Money(minor=minor, currency=currency))
    return None


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
