"""Several accounts at one payment company: each is asked, hears and is compared by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest
from pydantic import SecretStr

from activities.payments.authorizations import Authorizations
from activities.payments.payments import Payments
from activities.providers.sandbox.payment import SandboxPayment
from domain.errors import InvalidInput
from domain.orders.channels import Channel
from domain.payments.disputes import DisputeState
from starter.service.webhooks import Webhooks, signature_checks
from store.database import Pool
from store.payments import payments, provider_reads
from tests.support.bench import Bench
from tests.support.builders import a_document, an_order, shipping
from tests.support.provider_desk import SECRET, Telling

ACCOUNT = "sandbox:uk"


class _Uk(SandboxPayment):
    """The company's answers to the other account's key."""


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    uk = _Uk(pool, random=Random(1), slow_seconds=0.2, timeout_seconds=0.01)
    companies = {"sandbox": bench.payment, ACCOUNT: uk}
    bench.authorizations = Authorizations(pool, companies)
    bench.payments = Payments(pool, companies)
    await bench.stocked("TEA", 100)
    return bench


async def test_an_order_is_paid_refunded_and_disputed_at_the_account_that_it_names(
    bench: Bench, pool: Pool
) -> None:
    order = an_order(
        ("TEA", 2, "10.00"),
        shipping=shipping("0"),
        payment={"provider": ACCOUNT, "token": "tok_ok"},
    )
    part = await bench.at(order, "shipped")
    await bench.charged(part)
    await bench.refunded(order, amount="1.00")
    async with pool.acquire() as conn:
        made = await payments.of_order(conn, order.order_id)
    assert {(one.kind, one.provider, one.state) for one in made} == {
        (kind, ACCOUNT, "succeeded") for kind in ("authorize", "capture", "refund")
    }
    company = Telling(pool)
    event = company.dispute("auth_1", DisputeState.NEEDS_RESPONSE)
    secrets = {"sandbox": [SecretStr("that of another account")], ACCOUNT: [SecretStr(SECRET)]}
    both = Webhooks(pool, signature_checks(secrets))
    now = datetime.now(UTC)
    wrong = await both.receive("sandbox", event.body, event.signature, now=now)
    kept = await both.receive(ACCOUNT, event.body, event.signature, now=now)
    assert (wrong.status, kept.status) == (400, 200)
    await company.worked_through()
    async with pool.acquire() as conn:
        (dispute,) = await provider_reads.disputes(conn)
    assert (dispute.provider, dispute.order_id) == (ACCOUNT, order.order_id)


def test_a_channel_names_the_accounts_that_it_may_use() -> None:
    channel = Channel(channel="web", kind="web", providers=("stripe:uk", "store_credit"))
    paid = {"provider": "stripe:uk", "token": "pm_1"}
    channel.check(an_order(("TEA", 1), payment=paid))
    with pytest.raises(InvalidInput, match="web is paid by stripe:uk, store_credit, and not by"):
        channel.check(an_order(("TEA", 1), payment={**paid, "provider": "stripe"}))


@pytest.mark.parametrize("name", ["stripe:", "stripe:UK", ":uk", "stripe:uk:de", "stri pe"])
def test_a_name_that_is_no_account_is_refused(name: str) -> None:
    document = a_document(("TEA", 1), payment={"provider": name, "token": "tok_ok"})
    with pytest.raises(ValueError, match="a company's name, such as stripe, or with an account"):
        an_order(("TEA", 1), payment=document["payment"])
