"""Hundreds of orders at a company that often does not answer: nothing is doubled, nothing lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from activities.payments.contracts import Charge, Refund, Void
from activities.provider_errors import OutcomeUnknown
from activities.providers.sandbox.payment import SandboxPayment
from domain.orders.amounts import Worth, value_lines
from domain.orders.order import Order
from store.database import Pool
from store.orders import intake
from store.payments import refunds, tallies
from store.sandbox import companies
from store.sandbox.companies import FaultKind
from store.views import audit
from tests.database.orders.hundred import came_back, left
from tests.support.bench import Bench, authorizing
from tests.support.builders import a_document, shipping
from tests.support.mishaps import Fault, Mishap, Worker

ORDERS = 300
AT_ONCE = 20
UNITS = 4

RATES = {
    FaultKind.TIMEOUT_AFTER: 0.10,
    FaultKind.TIMEOUT_BEFORE: 0.02,
    FaultKind.UNAVAILABLE: 0.02,
}
"""The shares of the calls to the company that it does not answer, look-ups among them."""

WORKERS: tuple[tuple[Fault, ...], float] = (
    (
        "dies before the call",
        "dies after the call",
        "dies as it records",
        "dies when it has recorded",
        "called twice",
        "called by two workers at once",
    ),
    0.05,
)
"""What befalls who makes the calls, and how often."""


@dataclass(frozen=True)
class Plan:
    """What becomes of an order: units charged in parts, then units paid back; the rest released."""

    charged: tuple[int, ...]
    paid_back: tuple[int, ...]

    @property
    def effects(self) -> int:
        """How many effects the company has in the end."""
        return 1 + len(self.charged) + len(self.paid_back) + (sum(self.charged) < UNITS)


PLANS = (
    Plan((UNITS,), ()),
    Plan((UNITS,), ()),
    Plan((1, 3), ()),
    Plan((2,), ()),
    Plan((), ()),
    Plan((), ()),
    Plan((UNITS,), (1,)),
    Plan((2, 2), (3, 1)),
)


class Company(SandboxPayment):
    """The sandbox company. It counts the calls that it does not answer."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, random=Random(1), timeout_seconds=0.01)
        self.unanswered: Counter[str] = Counter()
        real = self._faults.run

        async def run(operation: str, effect: Any) -> Any:
            try:
                return await real(operation, effect)
            except OutcomeUnknown as error:
                self.unanswered[type(error).__name__] += 1
                raise

        self._faults.run = run  # type: ignore[method-assign]  # to count what it raises


async def _capture(ask: Charge, worker: Worker) -> None:
    await worker.payments.charge_payment(ask)


async def _refund(ask: Refund, worker: Worker) -> None:
    await worker.payments.refund_payment(ask)


def an_order_of(number: int) -> Order:
    """Amounts that do not divide, and differ from order to order."""
    dice = Random(number)
    document = a_document(
        ("TEA", UNITS, f"{dice.randint(1, 99_99) / 100:.2f}"),
        channel_order_id=f"T{number}",
        shipping=shipping("5.00", "0.95"),
    )
    document["lines"][0]["tax"] = f"{dice.randint(0, 9_99) / 100:.2f}"
    return Order.model_validate(document)


class Life:
    """An order, called for as its workflow would: each call until it is answered."""

    def __init__(self, pool: Pool, company: Company, number: int) -> None:
        self.order = an_order_of(number)
        self.plan = PLANS[number % len(PLANS)]
        self.line = value_lines(self.order)["1"]
        self._pool = pool
        self._company = company
        self._dice = Random(number)

    async def call(self, do: Callable[[Worker], Awaitable[Any]]) -> None:
        faults, share = WORKERS
        befallen = self._dice.random() < share
        mishap = Mishap(self._dice.choice(faults) if befallen else "nothing")
        worker = Worker(self._pool, {"sandbox": self._company}, mishap)
        await mishap.through(lambda: do(worker))

    async def live(self) -> None:
        order_id = self.order.order_id
        authorize = authorizing(self.order)
        await self.call(lambda worker: worker.authorizations.authorize_payment(authorize))
        bench = Bench(self._pool)
        for number, (units, worth) in enumerate(self.charges(), start=1):
            capture = await left(bench, self.order, number, units)
            async with self._pool.acquire() as conn:
                due = await tallies.charge(conn, capture.part_id)
            assert due is not None
            assert due.amount_minor == worth.total
            await self.call(partial(_capture, capture))
        for number, (units, worth) in enumerate(self.refunds(), start=1):
            refund = await came_back(bench, self.order, number, units)
            async with self._pool.acquire() as conn:
                owed = await refunds.find(conn, refund.refund_id)
            assert owed is not None
            assert owed.amount_minor == worth.total
            await self.call(partial(_refund, refund))
        if sum(self.plan.charged) < UNITS:
            void = Void(order_id=order_id, why="test")
            await self.call(lambda worker: worker.authorizations.void_payment(void))

    def charges(self) -> list[tuple[int, Worth]]:
        found, upto = [], 0
        for units in self.plan.charged:
            found.append((units, self.line.first(upto + units) - self.line.first(upto)))
            upto += units
        return found

    def refunds(self) -> list[tuple[int, Worth]]:
        found, kept = [], sum(self.plan.charged)
        for units in self.plan.paid_back:
            found.append((units, self.line.first(kept) - self.line.first(kept - units)))
            kept -= units
        return found

    @property
    def books(self) -> tuple[int, ...]:
        """Authorized, captured, refunded, released, kept by the journal, and effects there are."""
        total = self.order.total_minor
        captured = sum(worth.total for _, worth in self.charges())
        refunded = sum(worth.total for _, worth in self.refunds())
        kept = captured - refunded
        return total, captured, refunded, total - captured, kept, self.plan.effects


OURS = """
    select order_id, authorized, captured, refunded, released,
           (select coalesce(sum(amount_minor), 0)::bigint
            from posting join journal_entry e using (entry_id)
            where e.order_no = m.order_no and account = 'cash_in_transit'),
           (select count(*) from payment p where p.order_no = m.order_no)
    from order_money m join customer_order using (order_no)
    where capture_granted = captured and refund_granted = refunded
"""

THEIRS = """
    select order_id, authorized_minor, captured_minor, refunded_minor, released_minor,
           captured_minor - refunded_minor,
           (select count(*) from sandbox.payment_call c
            where c.payment_reference = p.reference and c.code is null)
    from sandbox.payment p
"""


async def books(pool: Pool, query: str) -> dict[str, tuple[int, ...]]:
    """As `Life.books`, by order. An order that is there twice is a fault."""
    rows = await pool.fetch(query)
    found = {row[0]: tuple(row[1:]) for row in rows}
    assert len(found) == len(rows)
    return found


async def test_of_hundreds_of_orders_nothing_is_doubled_and_nothing_lost(pool: Pool) -> None:
    company = Company(pool)
    lives = [Life(pool, company, number) for number in range(ORDERS)]
    received = [intake.Received(life.order) for life in lives]
    async with pool.acquire() as conn:
        await intake.take_in(conn, received)
        for kind, rate in RATES.items():
            await companies.set_fault(conn, "payment", "*", kind, rate)
    waiting = iter(lives)

    async def work() -> None:
        for life in waiting:
            await life.live()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    planned = {life.order.order_id: life.books for life in lives}
    assert await books(pool, OURS) == planned
    assert await books(pool, THEIRS) == planned
    async with pool.acquire() as conn:
        found = await audit.look(conn)
    wrong = [fault for fault in (*found.violations, *found.suspects) if fault.rule != "lines"]
    assert wrong == []
    assert found.under_way == ()
    effects = sum(life.plan.effects for life in lives)
    # Some 130 time-outs for 825 effects: four in five of them after the effect.
    assert company.unanswered["TimedOut"] > 0.1 * effects
    assert company.unanswered["Unavailable"] > 0.01 * effects
