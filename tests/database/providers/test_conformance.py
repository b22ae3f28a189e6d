"""Our own companies keep to the contracts that anybody's extension is tested by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
import pytest_asyncio

from activities.providers.by_code import GiftCards
from activities.providers.sandbox.carrier import POSTAL_CODE_REFUSED, SandboxCarrier
from activities.providers.sandbox.payment import Card, SandboxPayment
from activities.providers.sandbox.supplier import (
    SUPPLIER_NEVER_STOPS,
    SUPPLIER_REFUSES,
    SandboxSupplier,
)
from activities.providers.store_credit import StoreCredit
from activities.providers.stripe.payment import StripePayment
from domain.money import Money
from domain.orders.people import Address as People
from domain.orders.voucher_codes import kept
from domain.payments.vouchers import ToIssue
from orderloom_conformance import Address, CarrierContract, PaymentContract, SupplierContract
from starter.service.credit import Credit
from store.database import Pool, open_pool
from store.payments import vouchers
from store.payments.vouchers import Change
from tests.localstripe.stand_in import StandIn, stand_in
from tests.support.payment_calls import company
from tests.support.stripe_calls import VISA, a_client


@pytest_asyncio.fixture(loop_scope="session")
async def other_pool(database_url: str, pool: Pool) -> AsyncIterator[Pool]:
    """The connections of another worker."""
    other = await open_pool(database_url, size_max=2)
    yield other
    await other.close()


class TestSandboxCarrier(CarrierContract):
    refused = Address(postal_code=POSTAL_CODE_REFUSED)
    formats = ("pdf",)
    elsewhere = People(name="Kim Minji", line1="New Street 9", city="Berlin", country="DE")

    @pytest.fixture
    def carrier(self, pool: Pool) -> SandboxCarrier:
        return SandboxCarrier(pool, random=Random(1), timeout_seconds=0.01)

    @pytest.fixture
    def restarted(self, other_pool: Pool) -> SandboxCarrier:
        return SandboxCarrier(other_pool, random=Random(2), timeout_seconds=0.01)


class TestSandboxSupplier(SupplierContract):
    refuses = SUPPLIER_REFUSES
    never_stops = SUPPLIER_NEVER_STOPS

    @pytest.fixture
    def supplier(self, pool: Pool) -> SandboxSupplier:
        return SandboxSupplier(pool, random=Random(1), timeout_seconds=0.01)

    @pytest.fixture
    def restarted(self, other_pool: Pool) -> SandboxSupplier:
        return SandboxSupplier(other_pool, random=Random(2), timeout_seconds=0.01)


class TestSandboxPayment(PaymentContract):
    declined_token = Card.DECLINE

    @pytest.fixture
    def provider(self, pool: Pool) -> SandboxPayment:
        return company(pool)

    @pytest.fixture
    def token(self) -> str:
        return Card.OK


class TestSandboxPaymentThatCapturesOnce(TestSandboxPayment):
    @pytest.fixture
    def provider(self, pool: Pool) -> SandboxPayment:
        return company(pool, captures="once")


@pytest_asyncio.fixture(loop_scope="session")
async def account(pool: Pool) -> str:
    """The id of an account with store credit."""
    gift = Money(minor=300_00, currency="USD")
    return (await Credit(pool).grant("gift", "C-1", gift, who="anna", why="gift")).account_id


class TestStoreCredit(PaymentContract):
    declined_token = "no-such-account"

    @pytest.fixture
    def provider(self, pool: Pool) -> StoreCredit:
        return StoreCredit(pool)

    @pytest.fixture
    def token(self, account: str) -> str:
        return account


@pytest_asyncio.fixture(loop_scope="session")
async def code(pool: Pool) -> str:
    """What an order keeps of the code of a gift card."""
    wanted = ToIssue(kind="gift_card", amount=Money(minor=300_00, currency="USD"))
    async with pool.acquire() as conn:
        return kept((await vouchers.give(conn, wanted, Change("k", "anna", "sold"))).code or "")


class TestGiftCards(PaymentContract):
    declined_token = kept("V000-0000-0000-0000-0001")

    @pytest.fixture
    def provider(self, pool: Pool) -> GiftCards:
        return GiftCards(pool)

    @pytest.fixture
    def token(self, code: str) -> str:
        return code


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def here() -> AsyncIterator[StandIn]:
    """The stand-in for Stripe."""
    async with stand_in() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def stripe(here: StandIn) -> AsyncIterator[StripePayment]:
    client = a_client(here)
    yield client
    await client.close()


class TestStripe(PaymentContract):
    declined_token = "pm_card_chargeCustomerFail"

    @pytest.fixture
    def provider(self, stripe: StripePayment) -> StripePayment:
        return stripe

    @pytest.fixture
    def token(self) -> str:
        return VISA
