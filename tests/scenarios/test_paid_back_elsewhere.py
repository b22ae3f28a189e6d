"""Money that was paid back in a payment company's own pages: it is its order's, and counts once.

Whatever is paid back later, a customer gets back no more than was charged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
import pytest_asyncio
from temporalio.client import Client

from activities.payments.reconciliation import ProviderDay, Reconciliation
from activities.providers.stripe.payment import StripePayment
from domain.money import Money
from domain.orders.messages import AttentionAnswer, CancelRequest, RefundRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from starter.service.reconciliation import ReconciliationRecords
from store.database import Pool
from store.payments.reconciliation import KeptDifference
from tests.localstripe.company import REFUNDS
from tests.localstripe.stand_in import StandIn, stand_in
from tests.support.books import faults_in
from tests.support.builders import a_policy, an_order, shipping
from tests.support.provider_desk import Telling
from tests.support.shop import Shop
from tests.support.stripe_calls import VISA, a_client

PAID = {"provider": "stripe", "token": VISA}
PATIENT: dict[str, Any] = {"give_up_after": 5, "return_window": 60}


@pytest_asyncio.fixture(loop_scope="session")
async def here() -> AsyncIterator[StandIn]:
    async with stand_in() as here:
        yield here


@pytest_asyncio.fixture(loop_scope="session")
async def stripe(here: StandIn) -> AsyncIterator[StripePayment]:
    client = a_client(here)
    yield client
    await client.close()


@pytest_asyncio.fixture(loop_scope="session")
async def at_stripe(
    pool: Pool, temporal_client: Client, stripe: StripePayment
) -> AsyncIterator[Shop]:
    shop = Shop(pool, temporal_client, a_policy(**PATIENT))
    shop.providers["stripe"] = stripe
    async with shop.working():
        yield shop


async def charged(shop: Shop, **fields: Any) -> Order:
    """Four units for 100.00 in all, delivered and charged."""
    await shop.stocked("TEA", 4)
    order = an_order(("TEA", 4, "25.00"), shipping=shipping("0"), **fields)
    first = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(first, "delivered")
    await shop.heard(order.order_id, "delivered", 4)
    await shop.told(order.order_id, "charged")
    return order


async def authorization(shop: Shop, order: Order) -> str:
    found: str = await shop.pool.fetchval(
        "select reference from payment where order_id = $1 and kind = 'authorize'", order.order_id
    )
    return found


async def in_the_dashboard(shop: Shop, here: StandIn, order: Order, minor: int) -> None:
    """Somebody pays back in Stripe's own pages: without a key, and with nothing of ours on it."""
    form = {"payment_intent": await authorization(shop, order), "amount": str(minor)}
    head = {"Authorization": "Bearer sk_test_dashboard"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{here.url}{REFUNDS}", data=form, headers=head) as answer,
    ):
        assert answer.status == 200


async def in_the_portal(shop: Shop, order: Order, minor: int, key: str = "portal-1") -> str:
    """Somebody pays back in the sandbox company's own pages, under a key of theirs."""
    done = await shop.payment.refund(
        key=key,
        authorization=await authorization(shop, order),
        amount=Money(minor=minor, currency="USD"),
    )
    return done.reference


async def compared(shop: Shop, provider: str) -> list[KeptDifference]:
    """The differences of today that are open once both sides are compared."""
    today = datetime.now(UTC).date()
    providers = {"sandbox": shop.payment, **shop.providers}
    activities = Reconciliation(shop.pool, providers, shop.temporal)
    await activities.reconcile_day(ProviderDay(provider=provider, day=today))
    return await ReconciliationRecords(shop.pool).differences(day=today)


async def resolve(shop: Shop, one: KeptDifference, **how: Any) -> None:
    await ReconciliationRecords(shop.pool).resolve(
        one.difference_id, note="paid back in the portal", who="ann", **how
    )


async def all_comes_back(shop: Shop, order: Order) -> str:
    approved = await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="all"))
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    return approved.return_id


async def paid_back(shop: Shop, order: Order) -> tuple[int, int, int]:
    """What our records say is owed and paid back, and what the books have as refunds."""
    summary = (await shop.orders.get(order.order_id)).summary
    booked: int = await shop.pool.fetchval(
        "select coalesce(sum(amount_minor), 0)::bigint from posting join journal_entry "
        "using (entry_id) where order_no = order_no_of($1) and account = 'refunds'",
        order.order_id,
    )
    owed: int = await shop.pool.fetchval(
        "select coalesce(sum(amount_minor - issued_minor + came_back_minor), 0)::bigint from refund"
    )
    return owed, summary.refunded_minor, booked


async def all_is_clean(shop: Shop) -> None:
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())
    # What a person has settled is no fault of the books.
    faults = [x for x in await faults_in(shop.pool) if "the payment company has" not in x]
    assert faults == []


async def test_what_was_paid_back_in_the_dashboard_is_named_with_its_order_and_not_paid_again(
    at_stripe: Shop, here: StandIn
) -> None:
    shop = at_stripe
    order = await charged(shop, payment=PAID)
    await in_the_dashboard(shop, here, order, 40_00)
    (found,) = await compared(shop, "stripe")
    assert (found.what, found.order_id) == ("missing_here", order.order_id)
    await resolve(shop, found)
    assert await paid_back(shop, order) == (0, 40_00, 40_00)
    assert "paid back elsewhere" in await shop.story(order.order_id)
    assert await compared(shop, "stripe") == []
    await all_comes_back(shop, order)
    await shop.finish(order.order_id)
    assert await paid_back(shop, order) == (0, 100_00, 100_00)
    refunds = await shop.pool.fetch("select kind, amount_minor from refund order by granted_at")
    assert [tuple(row) for row in refunds] == [("elsewhere", 40_00), ("return", 60_00)]
    books = await here.books()
    assert ("refund", 60_00) in books[order.order_id]
    assert await compared(shop, "stripe") == []
    await all_is_clean(shop)


async def test_a_refund_that_is_too_large_finds_out_what_the_company_has_paid_back_and_goes_on(
    at_stripe: Shop, here: StandIn
) -> None:
    shop = at_stripe
    order = await charged(shop, payment=PAID)
    await in_the_dashboard(shop, here, order, 40_00)
    await all_comes_back(shop, order)
    await shop.finish(order.order_id)
    assert await paid_back(shop, order) == (0, 100_00, 100_00)
    assert ("refund", 60_00) in (await here.books())[order.order_id]
    assert await compared(shop, "stripe") == []
    await all_is_clean(shop)


async def test_where_the_dashboard_has_paid_back_all_nothing_is_paid_and_nobody_is_asked(
    at_stripe: Shop, here: StandIn
) -> None:
    shop = at_stripe
    order = await charged(shop, payment=PAID)
    await in_the_dashboard(shop, here, order, 60_00)
    await in_the_dashboard(shop, here, order, 40_00)
    await all_comes_back(shop, order)
    await shop.finish(order.order_id)
    assert await paid_back(shop, order) == (0, 100_00, 100_00)
    assert await compared(shop, "stripe") == []
    await all_is_clean(shop)


async def test_as_store_credit_no_more_is_given_than_the_company_has_not_paid_back(
    at_stripe: Shop, here: StandIn
) -> None:
    shop = at_stripe
    order = await charged(shop, payment=PAID)
    goodwill = RefundRequest(reason="late", amount=Decimal("20.00"), to="store_credit")
    await in_the_dashboard(shop, here, order, 90_00)
    await shop.aftersales.refund(order.order_id, goodwill)
    await all_comes_back(shop, order)
    await shop.finish(order.order_id)
    assert await paid_back(shop, order) == (0, 100_00, 100_00)
    credit: int = await shop.pool.fetchval(
        "select coalesce(sum(balance_minor), 0)::bigint from credit_account"
    )
    assert credit == 10_00
    await all_is_clean(shop)


async def test_what_an_operator_reported_as_done_is_what_is_found_in_the_portal(
    shop: Shop,
) -> None:
    order = await charged(shop, token="tok_refund_refused")
    await all_comes_back(shop, order)
    step = await shop.parked(order.order_id)
    answer = AttentionAnswer(step=step, action="done", note="40 in the portal, 60 by bank")
    await shop.orders.resolve_attention(order.order_id, answer)
    await shop.finish(order.order_id)
    await shop.pool.execute("update sandbox.payment set token = 'tok_ok'")
    await in_the_portal(shop, order, 40_00)
    (found,) = await compared(shop, "sandbox")
    assert found.order_id == order.order_id
    await resolve(shop, found)
    assert await paid_back(shop, order) == (0, 100_00, 100_00)
    assert await compared(shop, "sandbox") == []
    await all_is_clean(shop)


async def test_the_audit_is_clean_once_a_person_has_resolved_what_was_made_at_the_company(
    shop: Shop,
) -> None:
    order = await charged(shop)
    await in_the_portal(shop, order, 5_00)
    ten = Money(minor=10_00, currency="USD")
    second = await shop.payment.authorize(
        key="portal-2", order_id=order.order_id, amount=ten, token="tok_ok"
    )
    await shop.payment.void(key="portal-3", authorization=second.reference)
    found = await compared(shop, "sandbox")
    assert [one.subject for one in found] == ["portal-1", "portal-2", "portal-3"]
    report = await shop.audit()
    assert [x.subject for x in report.violations] == [order.order_id] * 3
    assert all("`orderloom reconcile --day" in x.message for x in report.violations)
    for one in found:
        await resolve(shop, one)
    assert await compared(shop, "sandbox") == []
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())
    story = await shop.story(order.order_id)
    assert "difference resolved: missing_here portal-2" in story
    await all_comes_back(shop, order)
    await shop.finish(order.order_id)
    assert await paid_back(shop, order) == (0, 100_00, 100_00)
    assert (await shop.audit()).clean


async def test_what_the_company_tells_counts_at_once_and_a_cancellation_pays_back_the_rest(
    shop: Shop,
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 4)
    order = an_order(("TEA", 4, "25.00"), shipping=shipping("0"))
    await shop.placed(order, a_policy(**PATIENT, charge="at_confirmation"))
    await shop.told(order.order_id, "charged")
    reference = await in_the_portal(shop, order, 40_00)
    news: dict[str, Any] = {
        "reference": reference,
        "authorization": await authorization(shop, order),
        "amount_minor": 40_00,
        "currency": "USD",
    }
    await company.tell(company.payment("refunded", **news), company.payment("refunded", 1, **news))
    await shop.told(order.order_id, "paid back elsewhere")
    assert await paid_back(shop, order) == (0, 40_00, 0), "nothing was invoiced yet"
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="no need"))
    await shop.result(order.order_id)
    assert await paid_back(shop, order) == (0, 100_00, 0)
    assert (await shop.story(order.order_id)).count("paid back elsewhere") == 1
    assert await compared(shop, "sandbox") == []
    await all_is_clean(shop)
