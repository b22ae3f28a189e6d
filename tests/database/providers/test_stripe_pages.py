"""Stripe's Checkout through its SDK: a page for a customer, and what was left there.

localstripe has no sessions of Checkout, so their answers are canned, as Stripe's pages give them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from activities.providers.stripe.pay_pages import StripePages
from domain.errors import NotFound, Refused, Unreachable
from domain.money import Money
from domain.payments.pay_pages import WantedPage
from tests.localstripe.company import Answer, refused
from tests.localstripe.stand_in import StandIn, stand_in

SESSIONS = "/v1/checkout/sessions"
WANTED = WantedPage(
    key="page-17-3500",
    order_id="web-1",
    amount=Money(minor=3500, currency="EUR"),
    language="ko",
    says="Tea Shop 주문 금액: €35.00",
    back="https://track.example/o/x/pay/stripe/back?lang=ko&page={reference}",
    unpaid="https://track.example/o/x/pay?lang=ko",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[StandIn]:
    async with stand_in() as here:
        yield here


@pytest_asyncio.fixture(loop_scope="session")
async def here(running: StandIn) -> StandIn:
    await running.clear()
    return running


@pytest_asyncio.fixture(loop_scope="session")
async def pages(here: StandIn) -> AsyncIterator[StripePages]:
    pages = StripePages(SecretStr("sk_test_12345"), api_base=here.url)
    yield pages
    await pages.close()


def a_session(**changes: Any) -> Answer:
    content = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "mode": "setup",
        "status": "complete",
        "client_reference_id": "web-1",
        "customer": "cus_1",
        "setup_intent": {"id": "seti_1", "object": "setup_intent", "payment_method": "pm_1"},
        "url": None,
    }
    return Answer(200, {**content, **changes})


@pytest.mark.asyncio(loop_scope="session")
async def test_a_page_saves_a_card_and_takes_nothing(here: StandIn, pages: StripePages) -> None:
    made = a_session(status="open", url="https://checkout.stripe.com/c/pay/cs_test_1")
    here.fail("canned", "POST", SESSIONS, answer=made)
    assert await pages.make(WANTED) == "https://checkout.stripe.com/c/pay/cs_test_1"
    (call,) = here.calls
    assert call.key == WANTED.key
    sent = dict(call.form)
    assert (sent["mode"], sent["customer_creation"], sent["locale"]) == ("setup", "always", "ko")
    assert sent["client_reference_id"] == "web-1"
    assert sent["custom_text[submit][message]"] == WANTED.says
    assert sent["success_url"].endswith("/back?lang=ko&page={CHECKOUT_SESSION_ID}")
    assert sent["cancel_url"] == WANTED.unpaid


@pytest.mark.asyncio(loop_scope="session")
async def test_the_saved_card_is_a_token_of_the_order_that_the_page_was_for(
    here: StandIn, pages: StripePages
) -> None:
    path = f"{SESSIONS}/cs_test_1"
    here.fail("canned", "GET", path, answer=a_session())
    assert await pages.token("cs_test_1", "web-1") == "cus_1-pm_1"
    here.fail("canned", "GET", path, answer=a_session())
    with pytest.raises(NotFound):
        await pages.token("cs_test_1", "web-2")


@pytest.mark.parametrize(
    "changes", [{"status": "open"}, {"status": "expired"}, {"setup_intent": None}]
)
@pytest.mark.asyncio(loop_scope="session")
async def test_who_has_not_finished_has_left_nothing(
    here: StandIn, pages: StripePages, changes: dict[str, Any]
) -> None:
    here.fail("canned", "GET", f"{SESSIONS}/cs_test_1", answer=a_session(**changes))
    assert await pages.token("cs_test_1", "web-1") is None


@pytest.mark.asyncio(loop_scope="session")
async def test_what_goes_wrong_at_stripe_is_told_as_away_or_as_refused(
    here: StandIn, pages: StripePages
) -> None:
    here.fail("500 before", "POST", SESSIONS)
    with pytest.raises(Unreachable):
        await pages.make(WANTED)
    here.fail("canned", "POST", SESSIONS, answer=a_session())  # ended: it has no page any more
    with pytest.raises(Refused):
        await pages.make(WANTED)
    missing = refused("resource_missing", "No such session", status=404)
    here.fail("canned", "GET", f"{SESSIONS}/cs_test_2", answer=missing)
    with pytest.raises(NotFound):
        await pages.token("cs_test_2", "web-1")
