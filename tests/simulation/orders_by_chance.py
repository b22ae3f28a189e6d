"""An order and a policy, as chance has them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from domain.orders.claim_rules import ClaimRules
from domain.orders.order import Order
from domain.orders.policy import Policy
from tests.simulation.chance import Chance
from tests.simulation.driver import BEGAN

ALONE: Final = ClaimRules(alone_up_to={"EUR": Decimal(50)}, alone_per_customer=3, late_percent=5)
"""Small claims need no person."""


def an_order(chance: Chance, *, paid: bool = False) -> Order:
    """One to four lines, sometimes two of one SKU, and one to three tenders, `paid` for or not."""
    rng = chance.of("order")
    lines = [
        {
            "line_id": str(number),
            "sku": rng.choice(("TEA", "CUP", "POT", "JAM")),
            "quantity": rng.randint(1, 6),
            "unit_price": rng.choice(("0.00", "0.01", "3.33", "10.00", "99.99")),
            "tax": rng.choice(("0.00", "0.07", "1.00")),
        }
        for number in range(1, rng.choice((1, 1, 2, 3, 4)) + 1)
    ]
    token = rng.choices(("tok_ok", "tok_action_required", "tok_decline"), (90, 7, 3))[0]
    if paid:
        token = "tok_ok"
    document: dict[str, Any] = {
        "channel": "web",
        "channel_order_id": "1",
        "placed_at": BEGAN,
        "currency": "EUR",
        "customer": {"id": "C-1", "name": "Kim Minji"},
        "lines": lines,
        "shipping": {
            "price": rng.choice(("0.00", "4.99")),
            "tax": rng.choice(("0.00", "0.80")),
            "address": {"name": "Kim", "line1": "Street 1", "city": "Seoul", "country": "KR"},
        },
        "payment": {"token": token},
    }
    tenders = rng.choice((0, 0, 0, 1, 2))
    if tenders:
        amounts = [rng.choice(("0.50", "2.00", "7.77")) for _ in range(tenders)]
        provider = chance.of("kind of tender").choice(("store_credit", "gift_card", "voucher"))
        document["tenders"] = [
            {"provider": provider, "token": f"tok_{n}", "amount": amount}
            for n, amount in enumerate(amounts)
        ]
    try:
        return Order.model_validate(document)
    except ValueError:  # the tenders come to more than the order
        return Order.model_validate({**document, "tenders": []})


def a_policy(chance: Chance) -> Policy:
    """Any way of charging, windows from hours to weeks."""
    rng = chance.of("policy")

    def days(*options: float) -> timedelta:
        return timedelta(days=rng.choice(options))

    # Some have so little patience that a short step in the database runs out of it, too.
    patience = chance.of("patience").choices((10, 1), (9, 1))[0]
    return Policy(
        give_up_after=timedelta(minutes=patience),
        partly_available=rng.choice(("ship_available", "ship_available", "all_or_nothing")),
        backorder=rng.random() < 0.7,
        backorder_within=days(3, 20, 60),
        replace_missing=rng.random() < 0.8,
        charge=rng.choice(("at_shipment", "at_shipment", "at_confirmation", "manual")),
        pay_within=days(1, 4),
        renew_before=days(1, 3),
        pick_within=days(0.1, 2),
        pack_within=days(0.1, 1),
        hand_over_within=days(0.1, 2),
        scan_within=days(2, 5),
        return_window=days(0.1, 14),
        return_within=days(2, 30),
        claims=chance.of("claim rules").choice((ClaimRules(), ALONE)),
        refund_tenders=chance.of("refund tenders").choice(("last_first", "by_ratio")),
    )
