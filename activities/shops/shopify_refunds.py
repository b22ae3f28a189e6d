"""The refunds of an order at Shopify, and which of its payments can be paid back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from activities.shops.client import Refunded, ShopAway, ShopSaysNo
from domain.errors import InvalidInput
from domain.money import Money, to_minor
from domain.shops.graphql_order import number_of
from domain.shops.news import OUR_REFUND, amount_text, is_ours

REFUNDS_MAX: Final = 50
"""So many refunds of an order are read at most."""

_TAKEN: Final = ("SALE", "CAPTURE")
_GONE: Final = ("SUCCESS", "PENDING")
_REFUSED: Final = ("FAILURE", "ERROR")
_BY_HAND: Final = ("cash", "manual")
"""Gateways of which it only writes down what a person takes and gives."""


def refunds_of(order: Mapping[str, Any], currency: str) -> list[Refunded]:
    """The refunds of an order that were paid out. Ours count while their money is on its way, too.

    Raises ShopAway while nobody can say whether the money of one of ours goes, and ShopSaysNo where
    there may be more refunds than were read.
    """
    if len(order["refunds"]) >= REFUNDS_MAX:
        raise ShopSaysNo("the order has more refunds than are read")
    found = []
    for refund in order["refunds"]:
        note = refund["note"] or ""
        key = note.removeprefix(OUR_REFUND) if is_ours(note) else ""
        made = refund["transactions"]["nodes"]
        known = [one for one in made if one["status"] in (*_GONE, *_REFUSED)]
        if key and (not made or len(known) < len(made)):
            raise ShopAway("a refund is under way there")
        for one in made:
            stands = one["status"] in _GONE if key else one["status"] == "SUCCESS"
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


def check_none_waits(order: Mapping[str, Any]) -> None:
    """Raises ShopSaysNo while the money of a refund that the shop makes by itself has not gone."""
    for refund in order["refunds"]:
        states = {one["status"] for one in refund["transactions"]["nodes"]}
        if not is_ours(refund["note"] or "") and states - {"SUCCESS", *_REFUSED}:
            raise ShopSaysNo("the shop is paying something back by itself: wait for that")


def with_left(order: Mapping[str, Any], amount: Decimal) -> Mapping[str, Any]:
    """The payment of an order of which so much can be paid back. Raises ShopSaysNo."""
    gone: dict[str, Decimal] = defaultdict(Decimal)
    for one in order["transactions"]:
        if one["kind"] == "REFUND" and one["status"] not in _REFUSED and one["parentTransaction"]:
            gone[one["parentTransaction"]["id"]] += _amount(one)
    enough: list[Mapping[str, Any]] = [
        one
        for one in order["transactions"]
        if one["kind"] in _TAKEN
        and one["status"] in _GONE
        and _amount(one) - gone[one["id"]] >= amount
    ]
    for payment in enough:
        if not (payment["manualPaymentGateway"] or payment["gateway"] in _BY_HAND):
            return payment
    if enough:
        raise ShopSaysNo("the customer has paid by hand there, and only a person can pay that back")
    raise ShopSaysNo(f"no payment of the order has {amount} left to be paid back")


def _amount(transaction: Mapping[str, Any]) -> Decimal:
    try:
        return Decimal(transaction["amountSet"]["shopMoney"]["amount"])
    except (ArithmeticError, KeyError, TypeError) as error:
        raise InvalidInput("is no amount", where="amountSet") from error
