"""Orders and policies for tests, with everything a test does not care about filled in."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from domain.money import to_minor
from domain.orders.amounts import value_lines
from domain.orders.order import Address, Order
from domain.orders.policy import Policy
from domain.orders.terms import LineTerms, TenderTerms, Terms
from domain.purchasing.purchase_orders import PurchasingPolicy

# Long enough never to pass by itself in a test, short enough that a hang ends one.
QUICK = Policy(
    give_up_after=timedelta(seconds=2),
    pick_within=timedelta(seconds=600),
    pack_within=timedelta(seconds=600),
    hand_over_within=timedelta(seconds=600),
    scan_within=timedelta(seconds=600),
    return_window=timedelta(seconds=0.5),
    return_within=timedelta(seconds=600),
)

BRISK_BUYING = PurchasingPolicy(
    give_up_after=timedelta(seconds=60),
    acknowledge_within=timedelta(seconds=60),
    chase_every=timedelta(seconds=60),
)


def a_policy(**changes: Any) -> Policy:
    """QUICK with changes: `a_policy(return_window=60)` sets seconds."""
    seconds = {
        name: timedelta(seconds=value) if isinstance(value, int | float) else value
        for name, value in changes.items()
        if not isinstance(value, bool) and not name.endswith("_max")
    }
    return QUICK.model_copy(update={**changes, **seconds})


def shipping(
    price: str, tax: str = "0", *, postal_code: str = "04524", **fields: Any
) -> dict[str, Any]:
    """The shipping part of an order document."""
    address = {
        "name": "Kim Minji",
        "line1": "1 Sejong-daero",
        "city": "Seoul",
        "postal_code": postal_code,
        "country": "KR",
    }
    return {"price": price, "tax": tax, "address": address, **fields}


def a_document(
    *lines: tuple[str, int] | tuple[str, int, str], token: str = "tok_ok", **fields: Any
) -> dict[str, Any]:
    """An order document. Lines are (sku, quantity) or (sku, quantity, unit price)."""
    document: dict[str, Any] = {
        "channel": "web",
        "channel_order_id": uuid.uuid4().hex[:12],
        "placed_at": "2026-11-20T10:00:00+09:00",
        "customer": {"id": "C-1", "name": "Kim Minji", "locale": "ko-KR"},
        "currency": "USD",
        "lines": [
            {
                "line_id": str(number),
                "sku": line[0],
                "quantity": line[1],
                "unit_price": line[2] if len(line) == 3 else "10.00",
            }
            for number, line in enumerate(lines, start=1)
        ],
        "shipping": shipping("5.00"),
        "payment": {"token": token},
    }
    return {**document, **fields}


def address_of(order: Order) -> Address:
    """Where an order goes that is sent."""
    assert order.shipping.address is not None
    return order.shipping.address


def terms_of(order: Order) -> Terms:
    """The order's terms, as its rows have them."""
    worth = value_lines(order)
    return Terms(
        order_id=order.order_id,
        channel=order.channel,
        currency=order.currency,
        service=order.shipping.service,
        lines=tuple(LineTerms(sku=line.sku, **dict(worth[line.line_id])) for line in order.lines),
        tenders=(
            *(
                TenderTerms(
                    provider=tender.provider,
                    token=tender.token,
                    most=to_minor(tender.amount, order.currency),
                )
                for tender in order.tenders
            ),
            TenderTerms(provider=order.payment.provider, token=order.payment.token),
        ),
    )


def an_order(
    *lines: tuple[str, int] | tuple[str, int, str], token: str = "tok_ok", **fields: Any
) -> Order:
    """The order of `a_document`."""
    return Order.model_validate(a_document(*lines, token=token, **fields))
