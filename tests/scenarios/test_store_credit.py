"""Store credit as a means of payment, end to end."""

from __future__ import annotations

from decimal import Decimal

from activities.providers.store_credit import StoreCredit
from domain.money import Money
from domain.orders.messages import AttentionAnswer, CancelRequest, RefundRequest
from domain.orders.order import Order
from store.payments.credit_accounts import CreditAccount
from store.views import audit
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

CUSTOMER = "C-1"
PATIENT = {"give_up_after": 60, "return_window": 60}


async def given(shop: Shop, minor: int) -> str:
    """The customer's credit account, with so much on it."""
    amount = Money(minor=minor, currency="USD")
    account = await shop.credit.grant("G-1", CUSTOMER, amount, who="anna", why="late parcel")
    return account.account_id


async def account(shop: Shop) -> CreditAccount:
    (found,) = await shop.credit.accounts(CUSTOMER)
    return found


async def spent(shop: Shop, order: Order) -> list[tuple[str, int]]:
    """What became of store credit for the order: kind and amount of each effect."""
    done = await StoreCredit(shop.pool).operations(order.order_id)
    return [(receipt.kind, receipt.amount.minor) for receipt in done]


async def charged(shop: Shop, order: Order) -> list[tuple[str, int]]:
    """The same of the card."""
    done = await shop.payment.operations(order.order_id)
    return [(receipt.kind, receipt.amount.minor) for receipt in done]


async def agree(shop: Shop) -> None:
    """Accounts, payments and the journal say the same of store credit."""
    async with shop.pool.acquire() as conn:
        seen = await audit.look(conn)
        liability = await conn.fetchval(
            "SELECT coalesce(sum(amount_minor), 0) FROM posting "
            "WHERE account = 'store_credit_liability'"
        )
        balances = await conn.fetchval("SELECT sum(balance_minor) FROM credit_account")
    found = [item.message for item in (*seen.violations, *seen.suspects)]
    assert [message for message in found if "credit" in message] == []
    assert liability == -balances


async def test_credit_pays_first_the_card_the_rest_and_goodwill_becomes_credit(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    token = await given(shop, 10_00)
    order = an_order(
        ("TEA", 2), tenders=[{"provider": "store_credit", "token": token, "amount": "10.00"}]
    )
    part = await shop.placed(order, a_policy(**PATIENT))
    assert (await account(shop)).available_minor == 0
    await shop.drive(part, "delivered")
    await shop.told(order.order_id, "charged")

    async def all_charged() -> bool:
        return len(await charged(shop, order)) == 2

    await shop.until(all_charged, "the card is charged")
    assert await spent(shop, order) == [("authorize", 10_00), ("capture", 10_00)]
    assert await charged(shop, order) == [("authorize", 15_00), ("capture", 15_00)]
    assert (await account(shop)).balance_minor == 0

    goodwill = RefundRequest(reason="it was wet", amount=Decimal("4.00"), to="store_credit")
    outcome = await shop.aftersales.refund(order.order_id, goodwill)
    assert outcome.outcome == "refunded"
    assert order.customer.id == CUSTOMER
    assert (await account(shop)).balance_minor == 4_00
    assert (await spent(shop, order))[2:] == [("refund", 4_00)]
    assert len(await charged(shop, order)) == 2
    await agree(shop)


async def test_an_order_that_is_cancelled_leaves_the_credit_as_it_was(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    token = await given(shop, 50_00)
    order = an_order(
        ("TEA", 2), tenders=[{"provider": "store_credit", "token": token, "amount": "25.00"}]
    )
    await shop.placed(order)
    assert (await account(shop)).authorized_minor == 25_00
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="changed my mind"))
    await shop.result(order.order_id)
    assert await spent(shop, order) == [("authorize", 25_00), ("void", 25_00)]
    there = await account(shop)
    assert (there.balance_minor, there.authorized_minor) == (50_00, 0)
    await agree(shop)


async def test_an_order_for_more_credit_than_there_is_is_rejected_and_nothing_is_held(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    token = await given(shop, 10_00)
    order = an_order(
        ("TEA", 2), tenders=[{"provider": "store_credit", "token": token, "amount": "20.00"}]
    )
    placement = await shop.orders.place(order)
    assert placement.outcome == "rejected"
    assert "there is not enough store credit; there is 10.00 USD" in placement.reason
    await shop.result(order.order_id)
    assert await spent(shop, order) == []
    assert (await account(shop)).available_minor == 10_00
    assert (await shop.level("TEA")).allocated == 0
    await agree(shop)


async def test_what_the_card_does_not_take_back_is_given_as_credit_once_somebody_says_so(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), token="tok_refund_refused")
    part = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(part, "delivered")
    await shop.told(order.order_id, "charged")
    asked = RefundRequest(reason="it was wet", amount=Decimal("4.00"))
    assert (await shop.aftersales.refund(order.order_id, asked)).outcome == "owed"
    step = await shop.parked(order.order_id)
    await shop.retry(order.order_id, step)  # refused once more

    async def refused_again() -> bool:
        story = [event.what for event in await shop.orders.events(order.order_id)]
        return story.count("refund refused") == 2

    await shop.until(refused_again, "the second try is refused")
    assert await shop.parked(order.order_id) == step
    answer = AttentionAnswer(step=step, action="store_credit", note="the customer agrees")
    await shop.orders.resolve_attention(order.order_id, answer)

    async def given_as_credit() -> bool:
        return [a.balance_minor for a in await shop.credit.accounts(CUSTOMER)] == [4_00]

    await shop.until(given_as_credit, "it is given as credit")
    assert (await shop.orders.get(order.order_id)).attention == ()
    await agree(shop)
