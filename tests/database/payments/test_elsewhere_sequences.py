"""Any sequence of refunds, by Orderloom and without it: no more is paid back than was charged.

People pay back in the company's own pages when they like, and say so later, or never. Units and
goodwill are paid back to the card, as store credit or by hand; banks send refunds back; steps run
again and die. What Orderloom itself pays never adds to more than was charged, and in the end the
records, the books and the company say the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.payments.contracts import Refund
from activities.provider_errors import Declined, OutcomeUnknown
from domain.errors import OrderloomError
from domain.payments.elsewhere import PaidBack
from store.database import Pool, open_pool
from store.payments import bounced_refunds, elsewhere, payments
from store.views import audit
from tests.database.payments.test_elsewhere import WHOLE, Shop, dollars
from tests.support.builders import an_order, shipping
from tests.support.mishaps import Died, Fault, Mishap, Worker
from tests.support.servers import Databases

STEPS_MAX = 12
EXAMPLES = 80

ENDED: set[str] = set()
"""The orders whose lives came to their end."""

MISHAPS: tuple[Fault, ...] = (
    *("nothing", "nothing", "answer lost", "time-out before the effect"),
    *("dies before the call", "dies after the call", "dies as it records"),
)


@pytest.fixture(scope="module")
async def database(databases: Databases) -> AsyncIterator[Pool]:
    """One database for all examples, each an order of its own. The audit looks at all of them."""
    async with databases.fresh() as url:
        pool = await open_pool(url)
        yield pool
        async with pool.acquire() as conn:
            found = await audit.look(conn)
        assert [x for x in (*found.violations, *found.suspects) if x.subject in ENDED] == []
        pool.terminate()


class Life(Shop):
    """An order of 100.00, and everybody who may pay some of it back."""

    def __init__(self, pool: Pool, rng: Random) -> None:
        super().__init__(pool)
        self.rng = rng
        self.untold: list[PaidBack] = []
        self.granted: list[Refund] = []
        self.bounced: list[str] = []

    async def begin(self) -> None:
        tenders = []
        credit = self.rng.choice([0, 30_00])
        if credit:
            account = await self.bench.credit.grant(
                *(f"gift {self.order.order_id}", f"C {self.order.order_id}", dollars(credit)),
                who="ann",
                why="test",
            )
            tenders = [{"provider": "store_credit", "token": account.account_id, "amount": "30.00"}]
        await self.opened(an_order(("TEA", 4, "25.00"), shipping=shipping("0"), tenders=tenders))

    async def one(self, query: str) -> int:
        found: int = await self.pool.fetchval(query, self.order.order_id)
        return found

    async def there(self) -> int:
        return await self.one(
            "select coalesce(sum(refunded_minor), 0)::bigint from sandbox.payment "
            "where order_id = $1"
        )

    async def paid_back(self) -> int:
        """All that the customer has: from the company, as store credit, and by hand."""
        credit = await self.one(
            "select coalesce(sum(amount_minor), 0)::bigint from credit_operation "
            "where order_id = $1 and kind in ('issue', 'refund') and code is null"
        )
        by_hand = await self.one(
            "select coalesce(sum(amount_minor), 0)::bigint from payment where order_id = $1 "
            "and kind = 'refund' and provider = 'by_hand' and state = 'succeeded'"
        )
        return await self.there() + credit + by_hand

    # What may happen ------------------------------------------------------------------------------

    async def in_the_portal(self) -> None:
        left = await self.one(
            "select coalesce(sum(captured_minor - refunded_minor), 0)::bigint "
            "from sandbox.payment where order_id = $1"
        )
        if left:
            minor = self.rng.randint(1, left)
            self.untold.append(await self._in_the_portal(minor))

    async def _in_the_portal(self, minor: int) -> PaidBack:
        self._keys += 1
        authorization = await self.authorization()
        done = await self.company.refund(
            key=f"{self.order.order_id} portal {self._keys}",
            authorization=authorization,
            amount=dollars(minor),
        )
        return PaidBack(
            reference=done.reference, authorization=authorization, amount=dollars(minor)
        )

    async def told(self) -> None:
        if self.untold:
            with suppress(OrderloomError):  # Not yet: another refund is under way.
                await self.recorded(self.rng.choice(self.untold))

    async def grant(self) -> None:
        wishes: list[dict[str, Any]] = [
            {"lines": [{"line_id": "1", "quantity": self.rng.randint(1, 3)}]},
            {"amount": f"{self.rng.randint(1, 20)}.00"},
        ]
        wish = self.rng.choice(wishes)
        name = f"r{len(self.granted)}"
        answer = await self.bench.grant(self.order, request_id=name, **wish)
        if answer.granted is not None:
            self.granted.append(Refund(refund_id=answer.granted.refund_id))

    async def pay_some(self) -> None:
        if not self.granted:
            return
        ask = self.rng.choice(self.granted)
        way: dict[str, Any] = self.rng.choice(
            [{}, {}, {"to": "store_credit"}, {"by_hand": "by bank"}]
        )
        attempt = self.rng.randint(1, 3)
        mishap = Mishap(self.rng.choice(MISHAPS))
        await self.orderloom_pays(ask.model_copy(update={**way, "attempt": attempt}), mishap)

    async def orderloom_pays(self, ask: Refund, mishap: Mishap | None = None) -> None:
        before = await self.paid_back()
        worker = Worker(self.pool, self.providers, mishap)
        # A step that is given up may be followed by another: nobody repeats it.
        for _ in range(2):
            with suppress(Died, OutcomeUnknown, Declined, OrderloomError):
                await worker.payments.refund_payment(ask)
        after = await self.paid_back()
        assert after <= max(WHOLE, before), f"{before} were paid back, and now {after}"

    async def bounce(self) -> None:
        async with self.pool.acquire() as conn:
            made = await payments.of_order(conn, self.order.order_id)
            sent = [
                each
                for each in made
                if each.kind == "refund"
                and each.provider == "sandbox"
                and each.state == "succeeded"
                and ":elsewhere:" not in each.payment_key
            ]
            if sent:
                payment = self.rng.choice(sent)
                await self.company.send_back(payment.payment_key)
                async with conn.transaction():
                    await bounced_refunds.came_back(conn, payment, "account closed")
                self.bounced.append(f"{bounced_refunds.STEP}{payment.payment_key}")

    async def pay_bounced(self) -> None:
        for step in self.bounced:
            before = await self.paid_back()
            async with self.pool.acquire() as conn:
                await bounced_refunds.paid_otherwise(
                    conn, self.order.order_id, step, "by bank", who="ann"
                )
            # What was paid back in the portal since, and nobody has told, may be this.
            untold = sum(x.amount.minor for x in self.untold)
            assert await self.paid_back() <= max(WHOLE + untold, before)
        self.bounced.clear()

    async def end(self) -> None:
        """All that is left is paid back, everybody tells, and all that is owed is paid."""
        answer = await self.bench.grant(self.order, request_id="rest", lines=[{"line_id": "1"}])
        if answer.granted is not None:
            self.granted.append(Refund(refund_id=answer.granted.refund_id))
        for ask in self.granted:
            for number in range(4, 7):
                await self.orderloom_pays(ask.model_copy(update={"attempt": number}))
        for refund in self.untold:
            await self.recorded(refund)
        await self.pay_bounced()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rng=st.randoms(use_true_random=True))
async def test_orderloom_never_pays_back_what_makes_it_more_than_was_charged(
    database: Pool, rng: Random
) -> None:
    life = Life(database, rng)
    await life.begin()
    steps: list[Callable[[], Awaitable[None]]] = [
        *(life.in_the_portal, life.in_the_portal, life.told, life.grant, life.grant),
        *(life.pay_some, life.pay_some, life.pay_some, life.bounce, life.pay_bounced),
    ]
    for _ in range(rng.randint(1, STEPS_MAX)):
        await rng.choice(steps)()
    await life.end()
    async with database.acquire() as conn:
        money = await payments.sums(conn, life.order.order_id)
    assert money.refunded <= money.captured == WHOLE
    assert money.refunded == money.refund_granted
    async with database.acquire() as conn:
        made = await payments.of_order(conn, life.order.order_id)
    for refund in life.untold:
        assert elsewhere.is_recorded(made, "sandbox", refund.reference)
    ENDED.add(life.order.order_id)
