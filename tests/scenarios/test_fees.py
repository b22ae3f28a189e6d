"""Fees end to end: sent in parts, partly cancelled and returned, they stay exact on every paper."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from domain.accounting.documents import Issued
from domain.orders.messages import CancelRequest, RefundRequest
from domain.orders.order import Order
from store.accounting import documents, tax_report
from tests.scenarios.test_amounts import balance, one, sums, take_back
from tests.support.builders import a_document, a_policy, shipping
from tests.support.shop import Shop


def an_order_with_fees(*, included: bool) -> Order:
    """5 units in 2 lines, and two fees of different rates, in one kind of prices or the other."""
    document = a_document(
        ("TEA", 3, "3.33"), ("MUG", 2, "9.99"), currency="EUR", prices_include_tax=included
    )
    document["lines"][0]["tax_rate"] = "7"
    document["lines"][1]["tax_rate"] = "19"
    document["shipping"] = shipping("4.99", tax_rate="19") | {"tax": None}
    document["fees"] = [
        {"name": "Gift wrap", "amount": "3.34", "tax_rate": "7", "tax_category": "reduced"},
        {"name": "Cash on delivery", "amount": "1.99", "tax_rate": "25.5"},
    ]
    return Order.model_validate(document)


async def papers_of(shop: Shop, order: Order) -> list[Issued]:
    async with shop.pool.acquire() as conn:
        rows = await documents.of_order(conn, order.order_id)
        return [await documents.get(conn, row.number) for row in rows]


def left_of(papers: list[Issued]) -> Counter[tuple[str, str]]:
    """What is invoiced and not credited: net and tax of the shipping and of each fee."""
    left: Counter[tuple[str, str]] = Counter()
    for paper in papers:
        sign = 1 if paper.kind == "invoice" else -1
        left["shipping", "net"] += sign * paper.shipping_minor
        left["shipping", "tax"] += sign * paper.shipping_tax_minor
        for fee in paper.fees:
            left[fee.name, "net"] += sign * fee.net_minor
            left[fee.name, "tax"] += sign * fee.tax_minor
    return left


def whole_of(order: Order) -> Counter[tuple[str, str]]:
    names = ("shipping", *(fee.name for fee in order.fees))
    whole: Counter[tuple[str, str]] = Counter()
    for name, part in zip(names, order.prices.beside_goods, strict=True):
        whole[name, "net"], whole[name, "tax"] = part.net, part.tax
    return whole


async def two_parcels(shop: Shop, order: Order) -> None:
    """Place it with each SKU at a location of its own."""
    await shop.stocked("TEA", 9, "east")
    await shop.stocked("MUG", 9, "west")
    await shop.placed(order, a_policy(give_up_after=60, return_window=2.0))


async def delivered(shop: Shop, order: Order, units: int) -> None:
    """Bring both parcels to the customer, whatever was recalled and made anew."""

    async def both() -> list[str] | None:
        found = (await shop.orders.get(order.order_id)).fulfilments
        parcels = [each.fulfilment_id for each in found if each.recalled_from is None]
        return parcels if len(parcels) == 2 else None

    for parcel in await shop.until(both, "two parcels that are not recalled"):
        await shop.drive(parcel, "delivered")
    await shop.heard(order.order_id, "delivered", units)
    await shop.until_many(order.order_id, "charged", 2)


async def taxes_agree(shop: Shop, papers: list[Issued]) -> None:
    """The tax report has each rate as the papers have it, and all of it is booked."""
    by_rate: Counter[tuple[str | None, str | None]] = Counter()
    for paper in papers:
        sign = 1 if paper.kind == "invoice" else -1
        for row in paper.taxes:
            by_rate[row.rate, row.category] += sign * row.tax_minor
    today = datetime.now(UTC).date()
    async with shop.pool.acquire() as conn:
        report = await tax_report.of_days(conn, "main", today - timedelta(days=1), today)
    assert {(row.rate, row.category): row.tax_minor for row in report.rates} == by_rate
    assert [(each.tax_minor, each.booked_minor) for each in report.sums] == [
        (sum(by_rate.values()),) * 2
    ]


@pytest.mark.parametrize("included", [False, True])
async def test_two_parcels_a_cancelled_unit_and_a_return_leave_books_and_papers_agreed(
    shop: Shop, included: bool
) -> None:
    order = an_order_with_fees(included=included)
    await two_parcels(shop, order)
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="one less", lines=one("1")))
    await delivered(shop, order, 4)
    await take_back(shop, order, "2")
    await shop.told(order.order_id, "refunded")
    await shop.settled()
    papers = await papers_of(shop, order)
    assert [paper.kind for paper in papers] == ["invoice", "invoice", "credit_note"]
    left, whole = left_of(papers), whole_of(order)
    assert all(0 < left[part] < whole[part] for part in whole)
    charged = await balance(shop, order)
    invoices = left_of(papers[:2])
    assert -charged["shipping_income"] == sum(
        amount for (_, part), amount in invoices.items() if part == "net"
    )
    paid = await sums(shop, order)
    assert paid["capture"] - paid["refund"] == sum(
        paper.total_minor if paper.kind == "invoice" else -paper.total_minor for paper in papers
    )
    await taxes_agree(shop, papers)


@pytest.mark.parametrize("included", [False, True])
async def test_shipping_that_is_paid_back_takes_every_fee_with_it(
    shop: Shop, included: bool
) -> None:
    order = an_order_with_fees(included=included)
    await two_parcels(shop, order)
    await delivered(shop, order, 5)
    assert left_of(await papers_of(shop, order)) == whole_of(order)
    paid_back = await shop.aftersales.refund(
        order.order_id, RefundRequest(reason="came late", shipping=True)
    )
    assert paid_back.amount is not None
    assert paid_back.amount.minor == sum(part.total for part in order.prices.beside_goods)
    await shop.settled()
    papers = await papers_of(shop, order)
    assert set(left_of(papers).values()) == {0}
    await taxes_agree(shop, papers)


async def test_a_cancelled_order_gets_shipping_and_every_fee_back(shop: Shop) -> None:
    order = an_order_with_fees(included=True)
    await shop.stocked("TEA", 9)
    await shop.stocked("MUG", 9)
    await shop.placed(order, a_policy(give_up_after=60, charge="at_confirmation"))
    await shop.told(order.order_id, "charged")
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="no"))
    await shop.result(order.order_id)
    paid = await sums(shop, order)
    assert paid["capture"] == paid["refund"] == order.total_minor
    assert await papers_of(shop, order) == []
    await shop.settled()
