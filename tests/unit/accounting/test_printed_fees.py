"""Shipping and fees on documents: each adds up to its own amount, at its own rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.accounting.documents import Content, Earlier, Kind
from domain.accounting.printed_lines import rate_text
from domain.orders.amounts import Worth, value_lines, worth_of
from domain.orders.order import Order
from tests.support.builders import a_document, shipping
from tests.support.rows import Parcel, Rows
from tests.support.strategies import orders
from tests.unit.accounting.test_documents import a_content, by_rate, check_sums, issued

Amounts = list[tuple[int, int]]
"""Net and tax of the shipping, and of each fee."""


def with_two_fees(*, included: bool) -> Order:
    document = a_document(
        ("TEA", 2, "50.00"), ("CUP", 1, "100.00"), currency="EUR", prices_include_tax=included
    )
    document["lines"][0] |= {"tax_rate": "7"}
    document["lines"][1] |= {"tax_rate": "19"}
    document["shipping"] = shipping("10.00", tax_rate="19") | {"tax": None}
    document["fees"] = [
        {"name": "Gift wrap", "amount": "3.00", "tax_rate": "7", "tax_category": "reduced"},
        {"name": "Cash on delivery", "amount": "1.99", "tax_rate": "19"},
    ]
    return Order.model_validate(document)


def beside_goods(content: Content) -> Amounts:
    fees = [(fee.net_minor, fee.tax_minor) for fee in content.fees]
    return [(content.shipping_minor, content.shipping_tax_minor), *fees]


def wholes(order: Order) -> Amounts:
    return [(part.net, part.tax) for part in (order.prices.shipping, *order.prices.fees)]


def an_invoice(order: Order, units: dict[str, int], *earlier: Earlier) -> Content:
    values = value_lines(order)
    sent = {k: sum(one.units.get(k, 0) for one in earlier) for k in units}
    after = {k: sent[k] + count for k, count in units.items()}
    worth = worth_of(values, after) - worth_of(values, sent)
    return a_content(order, units, worth, earlier=earlier)


def test_an_invoice_has_each_fee_with_its_name_and_its_rate() -> None:
    order = with_two_fees(included=False)
    content = an_invoice(order, {"1": 2, "2": 1})
    assert [(fee.name, fee.tax_rate, fee.tax_category) for fee in content.fees] == [
        ("Gift wrap", "7", "reduced"),
        ("Cash on delivery", "19", None),
    ]
    assert (content.shipping_tax_rate, content.shipping_tax_category) == ("19", None)
    assert beside_goods(content) == [(1000, 190), (300, 21), (199, 38)]
    assert by_rate(content) == [
        ("19", None, 10000 + 1000 + 199, 1900 + 190 + 38),
        ("7", None, 10000, 700),
        ("7", "reduced", 300, 21),
    ]


def test_of_prices_with_tax_each_fee_has_the_tax_that_is_in_it() -> None:
    content = an_invoice(with_two_fees(included=True), {"1": 2, "2": 1})
    assert beside_goods(content) == [(840, 160), (280, 20), (167, 32)]
    assert [fee.total_minor for fee in content.fees] == [300, 199]


def test_two_parcels_share_each_fee_and_the_second_has_the_rest() -> None:
    order = with_two_fees(included=False)
    first = an_invoice(order, {"1": 1})
    # A quarter of the goods: of 2.49 of tax 0.62, rounded down, and that by largest remainder.
    assert beside_goods(first) == [(250, 47), (75, 5), (50, 10)]
    second = an_invoice(order, {"1": 1, "2": 1}, issued(first, "INV-1"))
    assert beside_goods(second) == [(750, 143), (225, 16), (149, 28)]


def test_many_small_parcels_have_every_fee_in_proportion_all_the_way() -> None:
    document = a_document(("TEA", 300, "1.00"), shipping=shipping("2.00"))
    document["fees"] = [{"name": "Wrap", "amount": "0.50"}, {"name": "Deposit", "amount": "0.50"}]
    order = Order.model_validate(document)
    earlier: list[Earlier] = []
    total = [0, 0, 0]
    for number in range(300):
        content = an_invoice(order, {"1": 1}, *earlier)
        earlier = [*earlier, issued(content, f"INV-{number}")]
        total = [sum(x) for x in zip(total, (net for net, _ in beside_goods(content)), strict=True)]
        for part, whole in zip(total, (200, 50, 50), strict=True):
            assert abs(part - sum(total) * whole / 300) <= 1
    assert total == [200, 50, 50]


def test_goodwill_takes_from_the_shipping_and_from_each_fee() -> None:
    order = with_two_fees(included=False)
    whole = worth_of(value_lines(order), {"1": 2, "2": 1})
    earlier = [issued(an_invoice(order, {"1": 2, "2": 1}), "INV-1")]
    gift = a_content(order, {}, whole.part(2_000), kind="credit_note", earlier=earlier)
    earlier.append(issued(gift, "CRN-1"))
    assert all(net > 0 for net, _ in beside_goods(gift))
    rest = whole - whole.part(2_000)
    last = a_content(order, {"1": 2, "2": 1}, rest, kind="credit_note", earlier=earlier)
    given = [beside_goods(one) for one in (gift, last)]
    assert [(a + x, b + y) for (a, b), (x, y) in zip(*given, strict=True)] == wholes(order)


def test_a_document_that_was_issued_without_fees_leaves_them_to_the_next_one() -> None:
    order = with_two_fees(included=False)
    bare = an_invoice(order, {"1": 1})
    earlier = issued(bare, "INV-1").model_copy(
        update={"fees": (), "shipping_minor": 375, "shipping_tax_minor": 62}
    )
    next_one = an_invoice(order, {"1": 1, "2": 1}, earlier)
    check_sums(next_one, Worth(goods=15000, tax=2250, shipping=1124, shipping_tax=187))
    assert beside_goods(next_one) == [(625, 128), (300, 21), (199, 38)]


class Papers:
    """An order's life with all documents that it gets, and their sums."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.rows = Rows(order)
        self.documents: list[Earlier] = []
        self.kept: Amounts = [(0, 0)] * len(wholes(order))
        self.invoiced = self.kept
        self.by_amount = False

    def write(self, kind: Kind, units: Mapping[str, int], worth: Worth) -> None:
        if kind == "credit_note" and not worth.total:
            return  # Nothing of it was invoiced, so there is no credit note.
        content = a_content(self.order, dict(units), worth, kind=kind, earlier=self.documents)
        check_sums(content, worth)
        if not self.by_amount:
            assert taxes_of(content) == taxes_of_rows(content)
        parts = beside_goods(content)
        sign = 1 if kind == "invoice" else -1
        self.kept = added(self.kept, parts, sign)
        if kind == "invoice":
            self.invoiced = added(self.invoiced, parts, 1)
        self.documents.append(issued(content, f"{kind}-{len(self.documents)}"))
        for kept, invoiced, whole in zip(self.kept, self.invoiced, wholes(self.order), strict=True):
            for at in (0, 1):
                assert 0 <= kept[at] <= invoiced[at] <= whole[at]
        standing = self.rows.charges.invoiced
        assert sum(net for net, _ in self.kept) == standing.shipping
        assert sum(tax for _, tax in self.kept) == standing.shipping_tax


def added(sums: Amounts, parts: Amounts, sign: int) -> Amounts:
    pairs = zip(sums, parts, strict=True)
    return [(net + sign * x, tax + sign * y) for (net, tax), (x, y) in pairs]


def taxes_of(content: Content) -> dict[Any, tuple[int, int]]:
    """Net and tax by rate, of the lines and all that stands beside them."""
    net, tax = Counter[Any](), Counter[Any]()
    for line in content.lines:
        net[line.tax_rate, line.tax_category] += line.net_minor
        tax[line.tax_rate, line.tax_category] += line.tax_minor
    shipping = (content.shipping_tax_rate, content.shipping_tax_category)
    rates = [shipping, *((fee.tax_rate, fee.tax_category) for fee in content.fees)]
    for rate, (more, more_tax) in zip(rates, beside_goods(content), strict=True):
        net[rate] += more
        tax[rate] += more_tax
    return {rate: (net[rate], tax[rate]) for rate in net if net[rate] or tax[rate]}


def taxes_of_rows(content: Content) -> dict[Any, tuple[int, int]]:
    return {(row.rate, row.category): (row.net_minor, row.tax_minor) for row in content.taxes}


def test_what_is_sent_after_a_return_invoices_the_rest_of_each_fee() -> None:
    document = a_document(("TEA", 6, "1.00"), shipping=shipping("0.03"))
    document["fees"] = [{"name": "Wrap", "amount": "0.03"}]
    papers = Papers(Order.model_validate(document))
    rows = papers.rows
    first = rows.shipped(rows.reserve({"1": 1}))
    papers.write("invoice", first.invoiced_units, first.invoiced)
    owed = rows.came_back(Parcel(0, {"1": 1}))
    papers.write("credit_note", owed.units, owed.credited)
    assert papers.kept == [(0, 0), (0, 0)]
    second = rows.shipped(rows.reserve({"1": 5}))
    papers.write("invoice", second.invoiced_units, second.invoiced)
    assert papers.invoiced == [(3, 0), (3, 0)]
    assert papers.kept == [(2, 0), (3, 0)]


@given(st.data(), orders(lines_max=3, quantity_max=4))
def test_whatever_is_sent_cancelled_and_paid_back_each_fee_is_exact_in_the_end(
    data: st.DataObject, order: Order
) -> None:
    """Parcels, cancellations, returns, shipping and goodwill by chance, decided by real rules."""
    papers = Papers(order)
    rows = papers.rows
    kept = dict.fromkeys(rows.lines, 0)

    def some(most: dict[str, int]) -> dict[str, int]:
        drawn = {k: data.draw(st.integers(0, n)) for k, n in most.items()}
        return {k: n for k, n in drawn.items() if n}

    def send(units: dict[str, int]) -> None:
        due = rows.shipped(rows.reserve(units))
        for line_id, count in units.items():
            kept[line_id] += count
        if due.invoiced_units:
            papers.write("invoice", due.invoiced_units, due.invoiced)

    def come_back(units: dict[str, int]) -> None:
        owed = rows.came_back(Parcel(0, units))
        for line_id, count in units.items():
            kept[line_id] -= count
        papers.write("credit_note", owed.units, owed.credited)

    if data.draw(st.booleans()):
        rows.charges.charge_all()
    for _ in range(data.draw(st.integers(1, 6))):
        steps = ["send", "send", "cancel", "return", "return", "shipping", "gift"]
        step = data.draw(st.sampled_from(steps))
        open_units = {k: line.open for k, line in rows.lines.items()}
        if step == "send" and (units := some(open_units)):
            send(units)
        elif step == "cancel" and (units := some(open_units)):
            owed = rows.cancelled(units, allocated=False)
            papers.write("credit_note", owed.units, owed.credited)
        elif step == "return" and (units := some(kept)):
            come_back(units)
        elif step == "shipping" and rows.charges.refundable.only_shipping.total:
            papers.by_amount = True
            papers.write("credit_note", {}, rows.charges.refund_shipping().credited)
        elif step == "gift" and (most := rows.charges.refundable.total):
            papers.by_amount = True
            owed = rows.charges.refund_amount(data.draw(st.integers(1, most)))
            papers.write("credit_note", {}, owed.credited)
        if not papers.by_amount:
            values = value_lines(order)
            paid_for = {k: m.charged - m.refunded for k, m in rows.charges.money.items()}
            charged = rows.charges.refundable.total
            # A limit that binds after a refund moves a minor unit a line and component.
            assert abs(charged - worth_of(values, paid_for).total) <= 4 * len(values)
    credited = any(one.kind == "credit_note" for one in papers.documents)
    if left := {k: line.open for k, line in rows.lines.items() if line.open}:
        send(left)
    cancelled = any(line.cancelled for line in rows.lines.values())
    if not (papers.by_amount or credited or cancelled):
        assert papers.invoiced == wholes(order)
    come_back({k: n for k, n in kept.items() if n})
    assert papers.kept == [(0, 0)] * len(papers.kept)


@given(st.data(), orders(lines_max=3, quantity_max=6))
def test_all_parcels_of_an_order_invoice_each_fee_to_the_minor_unit(
    data: st.DataObject, order: Order
) -> None:
    papers = Papers(order)
    rows = papers.rows
    by_rate_now: Counter[Any] = Counter()
    while left := {k: line.open for k, line in rows.lines.items() if line.open}:
        units = {k: data.draw(st.integers(0, n)) for k, n in left.items()}
        units = {k: n for k, n in units.items() if n} or left
        due = rows.shipped(rows.reserve(units))
        papers.write("invoice", due.invoiced_units, due.invoiced)
        for row in papers.documents[-1].taxes:
            by_rate_now[row.rate, "net"] += row.net_minor
            by_rate_now[row.rate, "tax"] += row.tax_minor
    assert papers.invoiced == wholes(order)
    expected: Counter[Any] = Counter()
    for part in (*order.prices.lines, *order.prices.beside_goods):
        expected[rate_text(part.rate), "net"] += part.net
        expected[rate_text(part.rate), "tax"] += part.tax
    if not order.rounding:
        assert +by_rate_now == +expected
