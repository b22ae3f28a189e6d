"""Any sequence of fulfilments, cancellations, losses, returns and refunds, on the real database.

The order's book says what is to be charged, invoiced and paid back, as in an order's workflow, and
the activities do it. In the end all of the money is accounted for, by what it is for: what was
charged and not paid back, invoices less credit notes, and each account of the journal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.payments.contracts import Capture, Invoice, Refund, Void
from activities.payments.provider import PaymentProvider
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.store_credit import StoreCredit
from domain import ids
from domain.accounting.accounts import Account
from domain.fulfilment.fulfilments import Planned
from domain.orders.amounts import Worth, sum_of
from domain.orders.messages import RefundTo
from domain.orders.order import Order
from domain.payments.cover import Need
from store.database import Pool, open_pool
from store.orders import intake
from store.views import audit
from tests.support import strategies
from tests.support.bench import authorizing
from tests.support.builders import terms_of
from tests.support.mishaps import Worker
from tests.support.servers import Databases
from workflows.state.charges import Owed
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import Due, OrderBook

STEPS_MAX = 10
EXAMPLES = 40
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

FULFILMENT = """
    insert into fulfilment (fulfilment_id, order_no, location, state)
    values ($1, order_no_of($2), 'main', 'open')
"""


@pytest.fixture(scope="module")
async def database(databases: Databases) -> AsyncIterator[Pool]:
    """One database for all examples: each is an order of its own."""
    async with databases.fresh() as url:
        pool = await open_pool(url)
        await pool.execute("insert into location (location) values ('main') on conflict do nothing")
        yield pool
        pool.terminate()


class Life:
    """An order that is lived by chance: what its book says is done on the database."""

    def __init__(self, pool: Pool, order: Order, data: st.DataObject) -> None:
        self.pool, self.order, self.data = pool, order, data
        self.book = OrderBook(order.order_id)
        self.book.learn(terms_of(order))
        self.once = data.draw(st.booleans(), label="charged once")
        self.ahead = not self.once and data.draw(st.booleans(), label="charged ahead")
        sandbox = SandboxPayment(
            pool, random=Random(1), captures="once" if self.once else "several"
        )
        providers: dict[str, PaymentProvider] = {
            "sandbox": sandbox,
            "store_credit": StoreCredit(pool),
        }
        self.worker = Worker(pool, providers)
        self.waiting: list[Fulfilment] = []
        self.there: list[Fulfilment] = []
        self.invoiced, self.credited = Worth(), Worth()
        self.as_credit = self.refunds = 0
        self.exact = True
        """Nothing was paid back for no unit, or before something else was charged."""

    def some(self, units: Mapping[str, int]) -> dict[str, int]:
        chosen = {
            k: self.data.draw(st.integers(0, n), label=f"units of {k}") for k, n in units.items()
        }
        return {line_id: n for line_id, n in chosen.items() if n}

    def count(self, what: str) -> dict[str, int]:
        return {line_id: getattr(line, what) for line_id, line in self.book.lines.items()}

    async def reserve(self, units: dict[str, int]) -> None:
        if units:
            number = self.book.next_fulfilment_id()
            planned = Planned(fulfilment_id=number, location="main", units=units)
            self.waiting.append(self.book.allocated(planned))
            await self.pool.execute(FULFILMENT, number, self.order.order_id)

    async def authorize(self) -> None:
        self.book.charges.set_limits()
        needs = self.book.needs()
        if self.ahead:
            amount = self.book.left_to_charge
            needs = [Need(ids.prepaid_id(self.order.order_id), amount, amount)]
        ask = authorizing(self.order, needs=tuple(needs))
        await self.worker.authorizations.authorize_payment(ask)
        if self.ahead:
            self.book.charged_ahead = True
            due = self.book.charge_all()[0]
            if due.units:
                part = ids.prepaid_id(self.order.order_id)
                await self.capture(part, due, prepaid=True)

    async def capture(self, part: str, due: Due, *, prepaid: bool) -> None:
        ask = Capture(
            order_id=self.order.order_id,
            fulfilment_id=part,
            worth=due.worth,
            currency=self.order.currency,
            units=dict(due.units),
            prepaid=prepaid,
            after_refund=due.after_refund,
        )
        await self.worker.payments.charge_payment(ask)
        self.exact = self.exact and not due.after_refund

    async def ship(self) -> None:
        if not self.waiting:
            return
        fulfilment = self.waiting.pop()
        if self.book.need_of(fulfilment).most and self.once:
            ask = authorizing(
                self.order,
                needs=tuple(self.book.needs(fulfilment)),
                parts=(fulfilment.id,),
                until=datetime.now(UTC) + timedelta(days=1),
            )
            await self.worker.authorizations.authorize_payment(ask)
        due = self.book.shipped(fulfilment)
        self.invoiced += due.invoiced
        if due.units:
            await self.capture(fulfilment.id, due, prepaid=False)
        elif due.invoiced_units:
            invoice = Invoice(
                order_id=self.order.order_id,
                fulfilment_id=fulfilment.id,
                units=dict(due.invoiced_units),
                worth=due.invoiced,
                currency=self.order.currency,
                after_refund=due.after_refund,
            )
            await self.worker.payments.invoice_shipment(invoice)
        self.there.append(fulfilment)

    async def refund(self, owed: Owed, kind: Any) -> None:
        self.credited += owed.credited
        if not owed:
            return
        self.refunds += 1
        ways: tuple[RefundTo, ...] = ("original", "store_credit")
        to = self.data.draw(st.sampled_from(ways), label="to")
        ask = Refund(
            order_id=self.order.order_id,
            refund_id=ids.refund_id(self.order.order_id, self.refunds),
            worth=owed.worth,
            credited=owed.credited,
            currency=self.order.currency,
            units=dict(owed.units),
            unconceded=dict(owed.unconceded),
            why="test",
            kind=kind,
            to=to,
        )
        await self.worker.payments.refund_payment(ask)
        self.as_credit += owed.worth.total if to == "store_credit" else 0

    async def cancel(self) -> None:
        if self.waiting:
            fulfilment = self.waiting.pop()
            await self.pool.execute(
                "update fulfilment set state = 'cancelled' where fulfilment_id = $1", fulfilment.id
            )
            gone = self.some(fulfilment.units)
            keep = {
                k: n - gone.get(k, 0) for k, n in fulfilment.units.items() if n > gone.get(k, 0)
            }
            fulfilment.recalled = True
            await self.refund(self.book.cancelled(gone, allocated=True), "cancelled")
            if keep:
                number = self.book.next_fulfilment_id()
                planned = Planned(fulfilment_id=number, location="main", units=keep)
                self.waiting.append(self.book.reassigned(planned))
                await self.pool.execute(FULFILMENT, number, self.order.order_id)

    async def deliver(self) -> None:
        if self.there:
            self.book.delivered(self.there.pop(), NOON)

    async def lose(self) -> None:
        if self.there:
            fulfilment = self.there.pop()
            replaced = self.some(fulfilment.units)
            given_up = {k: n - replaced.get(k, 0) for k, n in fulfilment.units.items()}
            await self.refund(self.book.lost(replaced, given_up), "lost")
            await self.reserve(replaced)

    async def come_back(self) -> None:
        if self.there:
            await self.refund(self.book.came_back(self.there.pop()), "return")

    async def give_back(self, units: dict[str, int] | None = None) -> None:
        units = self.some(self.count("returnable")) if units is None else units
        if units:
            self.book.return_requested(units)
            await self.refund(self.book.return_received(units, units), "return")

    async def concede(self) -> None:
        if units := self.some(self.count("concedable")):
            shipping = self.data.draw(st.booleans(), label="with shipping")
            await self.refund(self.book.charges.concede(units, shipping=shipping), "units")

    async def shipping(self) -> None:
        self.exact = False
        await self.refund(self.book.charges.refund_shipping(), "shipping")

    async def goodwill(self) -> None:
        self.exact = False
        most = self.book.charges.refundable.total
        amount = self.data.draw(st.integers(0, most), label="goodwill")
        await self.refund(self.book.charges.refund_amount(amount), "goodwill")

    async def end(self, *, give_back: bool) -> None:
        """All that is left goes out and arrives; and comes back, if it is to."""
        await self.reserve({k: n for k, n in self.count("open").items() if n})
        while self.waiting:
            await self.ship()
        while self.there:
            await self.deliver()
        if give_back:
            await self.give_back({k: n for k, n in self.count("returnable").items() if n})
        ask = Void(order_id=self.order.order_id, why="test")
        await self.worker.authorizations.void_payment(ask)


async def worth_in(pool: Pool, query: str, order_id: str) -> Worth:
    row = await pool.fetchrow(
        "select coalesce(sum(goods_minor), 0)::bigint as goods, "
        "coalesce(sum(tax_minor), 0)::bigint as tax, "
        "coalesce(sum(shipping_minor), 0)::bigint as shipping, "
        f"coalesce(sum(shipping_tax_minor), 0)::bigint as shipping_tax from {query}",
        order_id,
    )
    assert row is not None
    return Worth(**row)


async def journal(pool: Pool, order_id: str) -> dict[str, int]:
    rows = await pool.fetch(
        "select account, sum(amount_minor)::bigint from posting "
        "join journal_entry using (entry_id) where order_no = order_no_of($1) group by account",
        order_id,
    )
    return {account: minor for account, minor in rows if minor}


def without_zeros(balances: dict[Account, int]) -> dict[str, int]:
    return {account.value: minor for account, minor in balances.items() if minor}


async def accounted_for(life: Life) -> None:
    """The database, its documents and its journal say what the book says."""
    pool, order_id, charges = life.pool, life.order.order_id, life.book.charges
    money = await pool.fetchrow(
        "select * from order_money where order_no = order_no_of($1)", order_id
    )
    assert money is not None
    charged, refunded = charges.charged, charges.refunded
    assert (money["captured"], money["capture_granted"]) == (charged.total,) * 2
    assert (money["refunded"], money["refund_granted"]) == (refunded.total,) * 2
    assert await worth_in(pool, "refund where order_no = order_no_of($1)", order_id) == refunded
    documents = "document where order_no = order_no_of($1) and kind = '{}'"
    invoices = await worth_in(pool, documents.format("invoice"), order_id)
    notes = await worth_in(pool, documents.format("credit_note"), order_id)
    assert (invoices.total, notes.total) == (life.invoiced.total, life.credited.total)
    assert (invoices, notes) == (life.invoiced, life.credited)
    kept = invoices - notes
    deferred = charged - refunded - kept
    assert await journal(pool, order_id) == without_zeros(
        {
            Account.CASH_IN_TRANSIT: charged.total - refunded.total + life.as_credit,
            Account.STORE_CREDIT: -life.as_credit,
            Account.REVENUE: -invoices.goods,
            Account.SHIPPING_INCOME: -invoices.shipping,
            Account.REFUNDS: notes.goods + notes.shipping,
            Account.TAX_PAYABLE: -(kept.tax + kept.shipping_tax),
            Account.DEFERRED_REVENUE: -deferred.total,
        }
    )
    lines = await pool.fetch(
        "select line_id, charged, refunded, invoiced, conceded from order_line "
        "where order_no = order_no_of($1)",
        order_id,
    )
    for row in lines:
        line = life.book.lines[row["line_id"]]
        counts = (line.charged, line.refunded, line.invoiced, line.conceded)
        assert tuple(row)[1:] == counts


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(order=strategies.orders(lines_max=2, quantity_max=3), data=st.data())
async def test_whatever_happens_all_money_is_accounted_for_by_what_it_is_for(
    database: Pool, order: Order, data: st.DataObject
) -> None:
    life = Life(database, order, data)
    async with database.acquire() as conn:
        await intake.take_in(conn, [intake.Received(order)])
    await life.reserve(life.some(life.count("open")))
    await life.reserve(life.some(life.count("open")))
    await life.authorize()
    steps = [life.ship, life.ship, life.deliver, life.deliver, life.lose, life.come_back]
    steps += [life.cancel, life.give_back, life.concede, life.shipping, life.goodwill]
    for step in data.draw(st.lists(st.sampled_from(steps), max_size=STEPS_MAX), label="steps"):
        await step()
    give_back = data.draw(st.booleans(), label="all comes back")
    await life.end(give_back=give_back)
    await accounted_for(life)
    charges = life.book.charges
    worth = sum_of(
        charges.worth[line_id].first(line.charged - line.refunded) + charges.lines[line_id].withheld
        for line_id, line in life.book.lines.items()
    )
    if give_back:  # nothing is kept of what came back
        assert charges.refundable == Worth()
    assert charges.refundable == (
        worth if life.exact else charges.refundable.within(Worth(), worth)
    )


async def test_the_audit_finds_nothing_wrong_with_any_of_them(database: Pool) -> None:
    async with database.acquire() as conn:
        found = await audit.look(conn)
    wrong = [fault for fault in (*found.violations, *found.suspects) if fault.rule != "lines"]
    assert wrong == []
