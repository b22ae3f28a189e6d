"""Refunds that were made at the company itself: recorded once, in place of what they are.

On the real database, with deaths and races: whatever is paid back, and however often a step runs,
the customer gets back no more than was charged.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.payments.contracts import Refund
from activities.payments.provider import PaymentProvider
from activities.provider_errors import OutcomeUnknown, Unavailable
from activities.providers.sandbox.payment import Card, SandboxPayment
from activities.providers.store_credit import StoreCredit
from domain import ids
from domain.errors import Conflict
from domain.money import Money
from domain.orders.order import Order
from domain.payments.elsewhere import Books, ByHand, Owing, PaidBack, allot
from store.database import Pool
from store.payments import bounced_refunds, elsewhere, payments
from store.payments.elsewhere import Recorded
from store.views import audit
from tests.support.bench import Bench, authorizing, charging
from tests.support.builders import an_order, shipping
from tests.support.mishaps import Died, Mishap, Worker

WHOLE = 100_00


def dollars(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


class Shop:
    """An order of 100.00 that is delivered and charged, and a company that people pay back at."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.bench = Bench(pool)
        self.company = SandboxPayment(pool, random=Random(1), timeout_seconds=0)
        self.providers: dict[str, PaymentProvider] = {
            "sandbox": self.company,
            "store_credit": StoreCredit(pool),
        }
        self.order: Order = an_order(("TEA", 4, "25.00"), shipping=shipping("0"))
        self.worker = Worker(pool, self.providers)
        self._keys = 0

    async def opened(self, order: Order | None = None) -> Shop:
        self.order = order or self.order
        await self.bench.stocked("TEA", 10_000)
        await self.bench.reserve(self.order)
        await self.worker.authorizations.authorize_payment(authorizing(self.order))
        part = ids.fulfilment_id(self.order.order_id, 1)
        await self.bench.warehouse.pick(part, who="picker")
        await self.bench.warehouse.pack(part, who="packer")
        await self.bench.send(part)
        await self.bench.warehouse.hand_over(part, who="packer")
        await self.bench.scan(part, "delivered")
        await self.worker.payments.charge_payment(charging(part))
        return self

    async def authorization(self) -> str:
        found: str = await self.pool.fetchval(
            "select reference from payment where order_id = $1 and kind = 'authorize' "
            "and provider = 'sandbox'",
            self.order.order_id,
        )
        return found

    async def pays_back_itself(self, minor: int) -> PaidBack:
        """A person pays back in the company's own pages."""
        self._keys += 1
        authorization = await self.authorization()
        done = await self.company.refund(
            key=f"portal-{self._keys}", authorization=authorization, amount=dollars(minor)
        )
        return PaidBack(
            reference=done.reference, authorization=authorization, amount=dollars(minor)
        )

    async def recorded(self, refund: PaidBack, **how: Any) -> Recorded | None:
        async with self.pool.acquire() as conn, conn.transaction():
            return await elsewhere.record(conn, "sandbox", refund, who="ann", why="found", **how)

    async def owed(self, units: int = 4) -> Refund:
        """Units are paid back, and stay: that is owed."""
        number = await self.pool.fetchval("select count(*) from refund where kind = 'units'")
        lines = [{"line_id": "1", "quantity": units}]
        granted = await self.bench.grant(self.order, request_id=f"r{number}", lines=lines)
        assert granted.granted is not None, granted.refused
        return Refund(refund_id=granted.granted.refund_id)

    async def pay(self, ask: Refund, **how: Any) -> None:
        await self.worker.payments.refund_payment(ask.model_copy(update=how))

    async def there(self) -> int:
        """What the company has paid back."""
        found: int = await self.pool.fetchval(
            "select coalesce(sum(refunded_minor), 0)::bigint from sandbox.payment"
        )
        return found

    async def credit(self) -> int:
        found: int = await self.pool.fetchval(
            "select coalesce(sum(amount_minor), 0)::bigint from credit_operation "
            "where kind = 'issue' and order_id is not null and code is null"
        )
        return found

    async def refunds(self) -> list[tuple[str, int, int]]:
        rows = await self.pool.fetch(
            "select kind, amount_minor, issued_minor - came_back_minor from refund "
            "order by granted_at, refund_id"
        )
        return [tuple(row) for row in rows]

    async def booked(self, account: str = "refunds") -> int:
        found: int = await self.pool.fetchval(
            "select coalesce(sum(amount_minor), 0)::bigint from posting where account = $1",
            account,
        )
        return found

    async def is_clean(self) -> None:
        async with self.pool.acquire() as conn:
            found = await audit.look(conn)
        wrong = [x for x in (*found.violations, *found.suspects) if x.rule != "lines"]
        assert wrong == []


@pytest.fixture
async def shop(pool: Pool) -> Shop:
    return await Shop(pool).opened()


async def test_it_is_a_refund_of_its_own_and_counts_once(shop: Shop) -> None:
    refund = await shop.pays_back_itself(40_00)
    assert (await shop.recorded(refund)) is not None
    assert await shop.recorded(refund) is None
    assert await shop.refunds() == [("elsewhere", 40_00, 40_00)]
    await shop.pay(await shop.owed())
    assert await shop.refunds() == [("elsewhere", 40_00, 40_00), ("units", 60_00, 60_00)]
    assert (await shop.there(), await shop.booked()) == (WHOLE, WHOLE)
    await shop.is_clean()


async def test_of_two_that_tell_of_it_at_once_one_records_it(shop: Shop) -> None:
    refund = await shop.pays_back_itself(40_00)
    told = await asyncio.gather(*(shop.recorded(refund) for _ in range(6)))
    assert sum(each is not None for each in told) == 1
    assert await shop.refunds() == [("elsewhere", 40_00, 40_00)]
    await shop.is_clean()


async def test_what_is_owed_and_not_paid_yet_is_paid_by_it_first(shop: Shop) -> None:
    first = await shop.owed(1)
    second = await shop.owed(1)
    await shop.recorded(await shop.pays_back_itself(60_00))
    assert await shop.refunds() == [
        ("units", 25_00, 25_00),
        ("units", 25_00, 25_00),
        ("elsewhere", 10_00, 10_00),
    ]
    await shop.pay(first)
    await shop.pay(second)
    assert await shop.there() == 60_00
    await shop.is_clean()


@pytest.mark.parametrize("dies", ["before the commit", "after the commit"])
@pytest.mark.parametrize("commits", range(1, 9))
async def test_wherever_it_dies_between_the_record_and_the_next_call_the_rest_is_paid_once(
    shop: Shop, dies: Any, commits: int
) -> None:
    ask = await shop.owed()
    await shop.pays_back_itself(40_00)
    mishap = Mishap()
    seen = 0
    real = mishap.dies_now

    def dies_at(when: str) -> None:
        nonlocal seen
        seen += when == dies
        if seen == commits and when == dies:
            seen += 1
            raise Died
        real(when)

    mishap.dies_now = dies_at  # type: ignore[method-assign]  # it dies at another commit
    worker = Worker(shop.pool, shop.providers, mishap)
    for _ in range(3):
        try:
            await worker.payments.refund_payment(ask)
            break
        except Died:
            continue
    assert await shop.refunds() == [("units", WHOLE, WHOLE)]
    assert (await shop.there(), await shop.booked()) == (WHOLE, WHOLE)
    await shop.is_clean()


async def test_two_workers_at_once_pay_the_rest_once(shop: Shop) -> None:
    ask = await shop.owed()
    await shop.pays_back_itself(40_00)

    async def until_done() -> None:
        for _ in range(30):
            try:
                return await shop.pay(ask)
            except OutcomeUnknown:
                await asyncio.sleep(0.02)
        raise AssertionError("never done")

    await asyncio.gather(*(until_done() for _ in range(4)))
    assert await shop.refunds() == [("units", WHOLE, WHOLE)]
    assert await shop.there() == WHOLE
    await shop.is_clean()


async def test_where_several_pay_each_company_is_asked_for_what_it_has(pool: Pool) -> None:
    account = await Bench(pool).credit.grant("gift", "CUST", dollars(30_00), who="ann", why="test")
    order = an_order(
        ("TEA", 4, "25.00"),
        shipping=shipping("0"),
        tenders=[{"provider": "store_credit", "token": account.account_id, "amount": "30.00"}],
    )
    shop = await Shop(pool).opened(order)
    await shop.pays_back_itself(50_00)
    await shop.pay(await shop.owed())
    # 70.00 were paid by card, of which 20.00 are left; and 30.00 with store credit.
    assert await shop.there() == 70_00
    assert await shop.refunds() == [("units", WHOLE, WHOLE)]
    await shop.is_clean()


async def test_store_credit_is_given_for_what_the_company_has_not_paid_back(shop: Shop) -> None:
    ask = await shop.owed()
    await shop.pays_back_itself(40_00)
    await shop.pay(ask, to="store_credit")
    assert (await shop.there(), await shop.credit()) == (40_00, 60_00)
    assert await shop.booked() == WHOLE
    await shop.is_clean()


async def test_no_store_credit_is_given_as_long_as_the_company_does_not_say_what_it_paid(
    shop: Shop,
) -> None:
    ask = await shop.owed()

    async def away(order_id: str) -> Any:
        raise Unavailable(f"nothing is said of {order_id}")

    shop.company.operations = away  # type: ignore[method-assign]  # it does not answer
    worker = Worker(shop.pool, shop.providers)
    with pytest.raises(Unavailable):
        await worker.payments.refund_payment(ask.model_copy(update={"to": "store_credit"}))
    assert await shop.credit() == 0
    by_hand = ask.model_copy(update={"by_hand": "transferred"})
    await worker.payments.refund_payment(by_hand)  # a person's word needs no company
    assert await shop.refunds() == [("units", WHOLE, WHOLE)]


@pytest.mark.parametrize("way", [{"to": "store_credit"}, {"by_hand": "by bank"}])
async def test_after_some_went_another_way_the_company_is_asked_before_it_pays_more(
    shop: Shop, way: dict[str, str]
) -> None:
    await shop.pay(await shop.owed(2), **way)
    await shop.pays_back_itself(40_00)
    await shop.pay(await shop.owed(2))
    # 50.00 went another way: the company had 60.00 left, and pays 10.00 of it.
    assert (await shop.there(), await shop.booked()) == (50_00, WHOLE)
    await shop.is_clean()


async def test_done_by_hand_is_what_the_company_has_not_paid_back(shop: Shop) -> None:
    ask = await shop.owed()
    await shop.pays_back_itself(40_00)
    await shop.pay(ask, by_hand="40 in the portal, 60 by bank")
    by_hand = await shop.pool.fetchval(
        "select sum(amount_minor)::bigint from payment where provider = 'by_hand'"
    )
    assert (by_hand, await shop.booked()) == (60_00, WHOLE)
    await shop.is_clean()


async def test_where_nothing_is_left_it_is_what_was_reported_as_done_by_hand(shop: Shop) -> None:
    await shop.pay(await shop.owed(), by_hand="in the portal")
    recorded = await shop.recorded(await shop.pays_back_itself(40_00))
    assert recorded is not None
    assert recorded.beyond.minor == 0
    assert await shop.refunds() == [("units", WHOLE, WHOLE)]
    assert await shop.booked() == WHOLE
    await shop.is_clean()
    await shop.recorded(await shop.pays_back_itself(60_00))
    assert await shop.refunds() == [("units", WHOLE, WHOLE)]
    await shop.is_clean()


async def test_a_person_can_say_that_it_is_what_was_reported_as_done_by_hand(shop: Shop) -> None:
    await shop.pay(await shop.owed(2), by_hand="in the portal")
    await shop.recorded(await shop.pays_back_itself(50_00), was_by_hand=True)
    assert await shop.refunds() == [("units", 50_00, 50_00)]
    await shop.pay(await shop.owed(2))
    assert (await shop.there(), await shop.booked()) == (WHOLE, WHOLE)
    await shop.is_clean()


async def test_unless_somebody_says_so_it_is_another_than_what_was_done_by_hand(
    shop: Shop,
) -> None:
    await shop.pay(await shop.owed(1), by_hand="by bank")
    await shop.recorded(await shop.pays_back_itself(40_00))
    await shop.pay(await shop.owed(3))
    # 25.00 by bank, 40.00 in the portal, and the rest.
    assert await shop.there() == 75_00
    assert await shop.booked() == WHOLE
    await shop.is_clean()


async def test_more_than_was_charged_is_told_booked_and_no_part_of_what_is_owed(
    shop: Shop,
) -> None:
    await shop.pay(await shop.owed(), to="store_credit")
    recorded = await shop.recorded(await shop.pays_back_itself(40_00))
    assert recorded is not None
    assert recorded.beyond == dollars(40_00)
    assert await shop.booked() == 140_00
    story = await shop.pool.fetch("select what from order_event")
    assert ("paid back more than was charged",) in [tuple(row) for row in story]
    await shop.is_clean()


async def test_a_refund_that_came_back_is_paid_by_it_and_nobody_is_asked_any_more(
    shop: Shop,
) -> None:
    await shop.pay(await shop.owed())
    async with shop.pool.acquire() as conn:
        made = await payments.of_order(conn, shop.order.order_id)
        sent = next(each for each in made if each.kind == "refund")
        await shop.company.send_back(sent.payment_key)
        async with conn.transaction():
            await bounced_refunds.came_back(conn, sent, "account closed")
    await shop.recorded(await shop.pays_back_itself(30_00))
    assert await shop.refunds() == [("units", WHOLE, 30_00)]
    step = f"{bounced_refunds.STEP}{sent.payment_key}"
    async with shop.pool.acquire() as conn:
        assert await bounced_refunds.paid_otherwise(
            conn, shop.order.order_id, step, "the rest by bank", who="ann"
        )
    assert await shop.refunds() == [("units", WHOLE, WHOLE)]
    assert await shop.booked("refunds_payable") == 0
    await shop.is_clean()


async def test_while_another_refund_is_under_way_it_is_recorded_later(shop: Shop) -> None:
    ask = await shop.owed()
    await shop.pool.execute(
        "insert into sandbox.fault values ('payment', '*', 'timeout_before', 1)"
    )
    with pytest.raises(OutcomeUnknown):
        await shop.pay(ask)
    await shop.pool.execute("delete from sandbox.fault")
    refund = await shop.pays_back_itself(40_00)
    with pytest.raises(Conflict, match="not known yet"):
        await shop.recorded(refund)
    await shop.pay(ask)
    assert await shop.refunds() == [("units", WHOLE, WHOLE)]
    assert await shop.recorded(refund) is None
    await shop.is_clean()


async def test_what_is_of_nothing_that_was_captured_here_is_left_to_a_person(shop: Shop) -> None:
    authorization = await shop.authorization()
    for name, amount in (("auth_none", dollars(5)), (authorization, dollars(WHOLE + 1))):
        told = PaidBack(reference="ref_x", authorization=name, amount=amount)
        assert await shop.recorded(told) is None
    euros = Money(minor=5_00, currency="EUR")
    told = PaidBack(reference="ref_x", authorization=authorization, amount=euros)
    assert await shop.recorded(told) is None
    assert await shop.refunds() == []


async def test_another_refusal_is_no_reason_to_look_elsewhere(pool: Pool) -> None:
    order = an_order(("TEA", 4, "25.00"), shipping=shipping("0"), token=Card.REFUND_REFUSED)
    shop = await Shop(pool).opened(order)
    with pytest.raises(Exception, match="refused the refund"):
        await shop.pay(await shop.owed())
    assert await shop.there() == 0


MINOR = st.integers(0, 30)


@given(
    amount=st.integers(1, 60),
    books=st.builds(
        Books,
        owed=st.lists(st.builds(Owing, st.text("ab", max_size=3), MINOR), max_size=3),
        owed_otherwise=st.lists(st.builds(Owing, st.text("cd", max_size=3), MINOR), max_size=2),
        room=MINOR,
        by_hand=st.lists(st.builds(ByHand, st.text("ef", max_size=3), MINOR), max_size=3),
        unpaid=MINOR,
    ),
    was_by_hand=st.booleans(),
)
def test_an_allotment_adds_up_and_takes_no_more_than_there_is(
    amount: int, books: Books, was_by_hand: bool
) -> None:
    found = allot(amount, books, was_by_hand=was_by_hand)
    new = sum(each.left for each in found.owed) + found.granted
    by_hand = sum(each.amount for each in found.by_hand)
    assert new + by_hand + found.beyond == amount
    assert 0 <= found.granted <= books.room
    assert new <= books.unpaid
    assert by_hand <= sum(each.amount for each in books.by_hand)
    assert sum(x.left for x in found.owed) <= sum(
        x.left for x in (*books.owed, *books.owed_otherwise)
    )
    if found.beyond:  # nothing else could be it
        assert by_hand == sum(each.amount for each in books.by_hand)
