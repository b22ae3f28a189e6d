"""Any sequence of fulfilments, cancellations, losses, returns and refunds, on the real database.

Each fact is one transaction, which takes or grants what it means for the money, and the activities
charge it and pay it back. The same decisions are made in memory, to compare. In the end all of the
money is accounted for, by what it is for: what was charged and not paid back, invoices less credit
notes, and each account of the journal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.payments.contracts import Refund, Void
from activities.payments.provider import PaymentProvider
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.store_credit import StoreCredit
from domain import ids
from domain.accounting.accounts import Account
from domain.orders.amounts import LineMoney, Worth, sum_of
from domain.orders.charges import Charges, Owed
from domain.orders.messages import RefundKind, RefundTo
from domain.orders.order import Order
from domain.orders.quantities import LineUnits
from store.database import Connection, Pool, open_pool
from store.locks import lock_order
from store.orders import intake, orders
from store.payments import billing, tallies
from store.views import audit
from tests.support import strategies
from tests.support.bench import authorizing, charging, securing
from tests.support.billing import billed
from tests.support.mishaps import Worker
from tests.support.rows import Parcel, Rows
from tests.support.servers import Databases

STEPS_MAX = 10
EXAMPLES = 40

CLAIM = """
    with fulfilled as (
        insert into fulfilment (fulfilment_id, order_no, location, state)
        values ($1, order_no_of($2), 'main', 'open') on conflict do nothing
    ), owned as (
        insert into inventory (sku) values ($4) on conflict do nothing
    ), shelf as (
        insert into stock (sku, location) values ($4, 'main') on conflict do nothing
    )
    insert into reservation (fulfilment_id, order_no, line_id, sku, location, quantity)
    values ($1, order_no_of($2), $3, $4, 'main', $5)
"""
UNCLAIM = """
    with ended as (update fulfilment set state = $2 where fulfilment_id = $1)
    update reservation set quantity = 0 where fulfilment_id = $1
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
    """An order that is lived by chance: each fact is one transaction, and its money calls follow.

    `rows` decides the same in memory, to compare.
    """

    def __init__(self, pool: Pool, order: Order, data: st.DataObject) -> None:
        self.pool, self.order, self.data = pool, order, data
        self.rows = Rows(order)
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
        self.there: list[Parcel] = []
        self.invoiced, self.credited = Worth(), Worth()
        self.as_credit = self.refunds = 0
        self.exact = True
        """Nothing was paid back for no unit, or before something else was charged."""

    @property
    def waiting(self) -> list[Parcel]:
        return self.rows.to_leave

    def some(self, units: Mapping[str, int]) -> dict[str, int]:
        chosen = {
            k: self.data.draw(st.integers(0, n), label=f"units of {k}") for k, n in units.items()
        }
        return {line_id: n for line_id, n in chosen.items() if n}

    def count(self, what: str) -> dict[str, int]:
        return {line_id: getattr(line, what) for line_id, line in self.rows.lines.items()}

    def part(self, parcel: Parcel) -> str:
        return ids.fulfilment_id(self.order.order_id, parcel.number)

    @asynccontextmanager
    async def fact(self, units: LineUnits, **moves: int) -> AsyncIterator[Connection]:
        """A transaction that moves counts of units: `shipped=1` adds the units to those."""
        async with self.pool.acquire() as conn, conn.transaction():
            await lock_order(conn, self.order.order_id)
            changes = {k: {name: by * n for name, by in moves.items()} for k, n in units.items()}
            await orders.move_lines(conn, self.order.order_id, changes)
            yield conn

    async def claim(self, conn: Connection, parcel: Parcel) -> None:
        skus = {line.line_id: line.sku for line in self.order.lines}
        for line_id, units in parcel.units.items():
            await conn.execute(
                *(CLAIM, self.part(parcel), self.order.order_id),
                *(line_id, skus[line_id], units),
            )

    async def unclaim(self, conn: Connection, parcel: Parcel, state: str) -> None:
        await conn.execute(UNCLAIM, self.part(parcel), state)

    async def reserve(self, units: dict[str, int]) -> None:
        if units:
            parcel = self.rows.reserve(units)
            async with self.fact(units, allocated=1) as conn:
                await self.claim(conn, parcel)

    async def authorize(self) -> None:
        ask = authorizing(self.order, ahead=self.ahead)
        await self.worker.authorizations.authorize_payment(ask)
        if self.ahead:
            self.rows.charges.charge_all()
            await self.worker.payments.charge_payment(charging(ids.prepaid_id(ask.order_id)))

    async def ship(self) -> None:
        if not self.waiting:
            return
        parcel = self.waiting[-1]
        part = self.part(parcel)
        if self.once and self.rows.to_charge_for(parcel):
            ask = securing(self.order, part, datetime.now(UTC) + timedelta(days=1))
            await self.worker.authorizations.authorize_payment(ask)
        expected = self.rows.shipped(parcel)
        async with self.fact(parcel.units, allocated=-1, shipped=1) as conn:
            await self.unclaim(conn, parcel, "shipped")
            due = await billed(conn, part, parcel.units)
            assert due == expected
        self.invoiced += due.invoiced
        self.exact = self.exact and not due.after_refund
        if due.worth.total:
            await self.worker.payments.charge_payment(charging(part))
        self.there.append(parcel)

    async def owe(
        self, conn: Connection, decide: Callable[[Charges], Owed], expected: Owed, kind: RefundKind
    ) -> billing.Grant | None:
        """Grant in the fact's transaction what the same decision comes to in memory."""
        found = await tallies.load(conn, self.order.order_id)
        owed = decide(found.charges)
        assert owed == expected
        self.credited += owed.credited
        self.refunds += 1
        refund_id = ids.refund_id(self.order.order_id, self.refunds)
        grant = await billing.grant(conn, found, owed, refund_id, kind=kind, why="test")
        await billing.credit(conn, grant)
        return grant

    async def pay_back(self, grant: billing.Grant | None) -> None:
        if grant is None or grant.to_pay is None:
            return
        ways: tuple[RefundTo, ...] = ("original", "store_credit")
        to = self.data.draw(st.sampled_from(ways), label="to")
        await self.worker.payments.refund_payment(Refund(refund_id=grant.refund_id, to=to))
        self.as_credit += grant.owed.worth.total if to == "store_credit" else 0

    async def cancel(self) -> None:
        if not self.waiting:
            return
        parcel = self.waiting.pop()
        gone = self.some(parcel.units)
        keep = {k: n - gone.get(k, 0) for k, n in parcel.units.items() if n > gone.get(k, 0)}
        expected = self.rows.cancelled(gone, allocated=True)
        async with self.fact(gone, allocated=-1, cancelled=1) as conn:
            await self.unclaim(conn, parcel, "cancelled")
            grant = await self.owe(conn, lambda c: c.cancelled(gone), expected, "cancelled")
            if keep:
                await self.claim(conn, self.rows.reassigned(keep))
        await self.pay_back(grant)

    async def deliver(self) -> None:
        if self.there:
            units = self.there.pop().units
            self.rows.move("deliver", units)
            async with self.fact(units, delivered=1):
                pass

    async def lose(self) -> None:
        if not self.there:
            return
        parcel = self.there.pop()
        replaced = self.some(parcel.units)
        given_up = {k: n - replaced.get(k, 0) for k, n in parcel.units.items()}
        expected = self.rows.lost(replaced, given_up)
        async with self.fact(replaced, shipped=-1):
            pass
        async with self.fact(given_up, lost=1) as conn:
            grant = await self.owe(conn, lambda c: c.lost(replaced, given_up), expected, "lost")
        await self.pay_back(grant)
        await self.reserve(replaced)

    async def come_back(self) -> None:
        if self.there:
            parcel = self.there.pop()
            expected = self.rows.came_back(parcel)
            async with self.fact(parcel.units, shipped=-1, cancelled=1) as conn:
                grant = await self.owe(
                    conn, lambda c: c.came_back(parcel.units), expected, "return"
                )
            await self.pay_back(grant)

    async def give_back(self, units: dict[str, int] | None = None) -> None:
        back = self.some(self.count("returnable")) if units is None else units
        if back:
            self.rows.move("request_return", back)
            expected = self.rows.returned(back, back)
            async with self.fact(back, returned=1) as conn:
                grant = await self.owe(conn, lambda c: c.returned(back), expected, "return")
            await self.pay_back(grant)

    async def concede(self) -> None:
        charges = self.rows.charges
        if units := self.some({k: charges.concedable(k) for k in self.rows.lines}):
            shipping = self.data.draw(st.booleans(), label="with shipping")
            expected = charges.concede(units, shipping=shipping)
            async with self.fact({}) as conn:
                grant = await self.owe(
                    conn, lambda c: c.concede(units, shipping=shipping), expected, "units"
                )
            await self.pay_back(grant)

    async def shipping(self) -> None:
        self.exact = False
        expected = self.rows.charges.refund_shipping()
        async with self.fact({}) as conn:
            grant = await self.owe(conn, lambda c: c.refund_shipping(), expected, "shipping")
        await self.pay_back(grant)

    async def goodwill(self) -> None:
        self.exact = False
        most = self.rows.charges.refundable.total
        amount = self.data.draw(st.integers(0, most), label="goodwill")
        expected = self.rows.charges.refund_amount(amount)
        async with self.fact({}) as conn:
            grant = await self.owe(conn, lambda c: c.refund_amount(amount), expected, "goodwill")
        await self.pay_back(grant)

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
    pool, order_id, charges = life.pool, life.order.order_id, life.rows.charges
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
    rounding = await pool.fetchval(
        "select coalesce(sum((content ->> 'rounding_minor')::bigint), 0)::bigint from "
        + documents.format("invoice"),
        order_id,
    )
    whole = sum(life.order.prices.roundings)  # no invoice rounds further than the whole order
    assert min(whole, 0) <= rounding <= max(whole, 0)
    kept = invoices - notes
    deferred = charged - refunded - kept
    assert await journal(pool, order_id) == without_zeros(
        {
            Account.CASH_IN_TRANSIT: charged.total - refunded.total + life.as_credit,
            Account.STORE_CREDIT: -life.as_credit,
            Account.REVENUE: rounding - invoices.goods,
            Account.ROUNDING: -rounding,
            Account.SHIPPING_INCOME: -invoices.shipping,
            Account.REFUNDS: notes.goods + notes.shipping,
            Account.TAX_PAYABLE: -(kept.tax + kept.shipping_tax),
            Account.DEFERRED_REVENUE: -deferred.total,
        }
    )
    lines = await pool.fetch(
        "select to_jsonb(m) - '{order_no}'::text[] from order_line_money m "
        "where order_no = order_no_of($1)",
        order_id,
    )
    kept_money = {row[0].pop("line_id"): LineMoney.model_validate(row[0]) for row in lines}
    decided = {k: money for k, money in charges.money.items() if money != LineMoney()}
    assert kept_money == decided


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
    charges = life.rows.charges
    worth = sum_of(
        charges.worth[line_id].first(money.charged - money.refunded) + money.withheld
        for line_id, money in charges.money.items()
    )
    if give_back:  # nothing is kept of what came back
        assert charges.refundable == Worth()
    assert charges.refundable == (
        worth if life.exact else charges.refundable.within(Worth(), worth)
    )


async def test_the_audit_finds_nothing_wrong_with_any_of_them(database: Pool) -> None:
    async with database.acquire() as conn:
        found = await audit.look(conn)
    faults = (*found.violations, *found.suspects)
    wrong = [fault for fault in faults if fault.rule not in ("lines", "stock")]
    assert wrong == []
