"""Units that come back for others: the sums first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from domain.errors import Refused
from domain.orders.exchange_messages import ExchangeRequest
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, Asking, Field, FieldLacks, Seen
from starter.web.desk.acts.money_told import way_name
from starter.web.desk.acts.returning import asks_told, return_content, return_fields

WANTS: Final = ("want1", "want2", "want3")
"""Rows of what the customer gets; more lines than these are asked for over the API."""


_more = partial(Field, fold="exchange_more")


def _fields(asking: Asking) -> Sequence[Field]:
    return (
        *return_fields(asking),
        Field("item", WANTS[0], "gets_instead"),
        *(Field("item", name, "gets_besides", fold="gets_more") for name in WANTS[1:]),
        Field("tick", "advance", "exchange_advance", about="exchange_advance_about"),
        _more("text", "service", "shipping_service"),
        _more("money", "shipping_price", "shipping_price", about="exchange_shipping_about"),
        _more("text", "provider", "pay_by", about="exchange_pay_about"),
        _more("text", "token", "pay_token"),
    )


def _read(asking: Asking) -> ExchangeRequest:
    said = asking.field
    shipping = {
        "service": said("service") or None,
        "price": asking.amount("shipping_price") or None,
    }
    payment = {"provider": said("provider"), "token": said("token")}
    content: dict[str, Any] = {
        **return_content(asking),
        "mode": "advance" if said("advance") else "standard",
        "wants": [item for name in WANTS if (item := asking.item(name)) is not None],
        "shipping": shipping if any(shipping.values()) else None,
        "payment": payment if any(payment.values()) else None,
    }
    return ExchangeRequest.model_validate(content)


async def _preview(asking: Asking, request: ExchangeRequest) -> Seen:
    words = asking.visit.words
    try:
        found = await asking.here.exchanges.preview(asking.order_id, request)
    except Refused as no:
        if no.reason == "price_missing":
            raise _with_prices(asking, request) from None
        raise
    gets = ", ".join(
        words("n_of_sku", n=words.number(one.quantity), sku=one.sku) for one in request.wants
    )
    rows = [
        (words("comes_back"), asking.units(found.lines)),
        (words("customer_gets"), gets or words("the_same_again")),
        (words("is_worth"), asking.money(found.comes_back)),
        (words("shipping_in_worth"), asking.money(found.shipping_back)),
        (words("replacement_costs"), asking.money(found.total)),
        (words("shipping_in_costs"), asking.money(found.shipping)),
        (words("of_it_tax"), asking.money(found.tax)),
    ]
    if found.owed.minor:
        rows.append((words("customer_pays"), asking.money(found.owed)))
    if found.paid_back.minor:
        ways = await asking.here.previews.ways_back(asking.order_id, found.paid_back)
        names = ", ".join(way_name(asking, way.provider) for way in ways.ways)
        rows.append((words("customer_gets_back"), f"{asking.money(found.paid_back)} ({names})"))
    if not found.owed.minor and not found.paid_back.minor:
        rows.append((words("customer_pays"), words("nothing_paid_back")))
    sent = "sent_before" if found.mode == "advance" else "sent_after"
    notes = [words("sku_not_known", sku=sku) for sku in await _not_known(asking, request)]
    return Seen(rows, [*notes, words(sent), words("as_new"), *asks_told(asking, found.asks)])


async def _not_known(asking: Asking, request: ExchangeRequest) -> list[str]:
    """What the customer is to get and no item has: it would wait for stock, perhaps for ever."""
    catalogue, ordered = asking.here.catalogue, {line.sku for line in asking.detail.lines}
    return [
        sku
        for sku in dict.fromkeys(one.sku for one in request.wants)
        if sku not in ordered
        and not await catalogue.items(sku=sku)
        and not await catalogue.kits(sku)
    ]


def _with_prices(asking: Asking, request: ExchangeRequest) -> FieldLacks:
    """What the fields lack that say what the other goods cost, with what the order suggests.

    That is the price of the same SKU in the order; else of the first line that comes back.
    """
    words = asking.visit.words
    lines = {line.line_id: line for line in asking.detail.lines}
    coming = [lines[one.line_id] for one in request.lines if one.line_id in lines]
    free = {
        name: item for name in WANTS if (item := asking.item(name)) and "unit_price" not in item
    }
    other = {k: item for k, item in free.items() if item.get("sku") not in {x.sku for x in coming}}
    faults, filled = {}, {}
    for name, item in (other or free).items():
        sku = item.get("sku", "")
        same = [line for line in lines.values() if line.sku == sku]
        like = next(iter([*same, *coming]), None)
        ordered = {} if like is None else asking.shown.ordered_line(like)
        if like is None or "unit_price" not in ordered:
            faults[f"{name}-unit_price"] = words("price_lacks", sku=sku)
            continue
        of = asking.shown.goods(like)
        faults[f"{name}-unit_price"] = words("price_suggested", sku=sku, of=of)
        filled[f"{name}-unit_price"] = words.typed(str(ordered["unit_price"]))
        if ordered.get("tax_rate") and not same:
            filled[f"{name}-tax_rate"] = words.typed(str(ordered["tax_rate"]))
    return FieldLacks("why_price_missing", faults, filled)


async def _do(here: Service, order_id: str, request: ExchangeRequest) -> str:
    outcome = await here.exchanges.exchange(order_id, request)
    return "exchange_approved" if outcome.outcome == "approved" else "exchange_requested"


EXCHANGE = Act("exchange", _fields, _read, _do, _preview)
