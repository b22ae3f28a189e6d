"""Gift cards and vouchers on the real database: whoever has the code spends, and never too much."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, date, datetime, timedelta

import pytest

from activities.payments.expiring_vouchers import ExpiringVouchers
from activities.payments.provider import PaymentReceipt
from activities.provider_errors import DeclineCode, Declined
from activities.providers.by_code import GiftCards, Vouchers
from domain.accounting import accounts
from domain.accounting.accounts import Account
from domain.errors import Conflict, InvalidInput, NotFound, Refused
from domain.money import Money
from domain.orders.voucher_codes import is_code, kept
from domain.payments.vouchers import VALID_AGAIN, CodeKind, ToIssue, Voucher
from starter.service.customers import Customers
from store.accounting import ledger
from store.database import Pool
from store.payments import vouchers
from store.payments.vouchers import Change, Coded
from store.views import audit
from tests.support.payment_calls import HUNDRED, ORDER, SIXTY, TEN, THIRTY, held_up, outcomes

TODAY = datetime.now(UTC).date()
HOLD_ACCOUNT = "SELECT FROM credit_account WHERE account_id = $1 FOR UPDATE"


@pytest.fixture
def cards(pool: Pool) -> GiftCards:
    return GiftCards(pool)


def by(key: str) -> Change:
    return Change(key, "anna", "asked for")


async def issued(
    pool: Pool,
    amount: Money = HUNDRED,
    *,
    kind: CodeKind = "gift_card",
    key: str = "v1",
    valid_through: date | None = None,
    single_use: bool = False,
    customer_id: str | None = None,
) -> tuple[Voucher, str]:
    """A new one, and its code."""
    wanted = ToIssue(
        kind=kind,
        amount=amount,
        valid_through=valid_through,
        single_use=single_use,
        customer_id=customer_id,
    )
    made = await given(pool, wanted, key)
    assert made.code is not None
    return made.voucher, made.code


async def given(pool: Pool, wanted: ToIssue, key: str = "v1") -> Coded:
    async with pool.acquire() as conn:
        return await vouchers.give(conn, wanted, by(key))


async def now(pool: Pool, voucher_id: str) -> Voucher:
    async with pool.acquire() as conn:
        return await vouchers.find(conn, voucher_id)


async def held(
    cards: GiftCards | Vouchers, code: str, amount: Money, key: str = "a", order: str = ORDER
) -> PaymentReceipt:
    return await cards.authorize(key=key, order_id=order, amount=amount, token=kept(code))


async def end(pool: Pool, voucher: Voucher) -> None:
    """Its last day was yesterday."""
    async with pool.acquire() as conn:
        await conn.execute(
            "UPDATE credit_account SET valid_through = $2 WHERE account_id = $1",
            *(voucher.voucher_id, TODAY - timedelta(days=1)),
        )


async def expire(pool: Pool) -> None:
    await ExpiringVouchers(pool).expire()


async def balances(pool: Pool) -> dict[str, int]:
    """By account, what is booked. Debits are above zero."""
    async with pool.acquire() as conn:
        found = await ledger.trial_balance(conn)
    return {each.account: each.amount_minor for each in found}


async def faults(pool: Pool) -> list[str]:
    """What the audit finds, but for calls of orders that these tests do not have."""
    async with pool.acquire() as conn:
        seen = await audit.look(conn)
    return [f"{one.rule}: {one.subject}: {one.message}" for one in seen.violations]


# Issued, and its code


async def test_a_code_is_told_once_and_only_its_digest_is_kept(pool: Pool) -> None:
    wanted = ToIssue(kind="gift_card", amount=HUNDRED)
    first = await given(pool, wanted)
    assert first.code is not None
    assert is_code(first.code)
    assert (await given(pool, wanted)).code is None, "a repeat"
    assert first.voucher.code_end == first.code.replace("-", "")[-4:]
    async with pool.acquire() as conn:
        assert (await vouchers.by_code(conn, first.code.lower())) == first.voucher
        rows = await conn.fetch(
            "SELECT a::text || o::text FROM credit_account a "
            "JOIN credit_operation o USING (account_id)"
        )
    assert all(
        first.code not in row[0] and first.code.replace("-", "") not in row[0] for row in rows
    )
    with pytest.raises(Conflict):
        await given(pool, wanted.model_copy(update={"amount": TEN}))
    assert await faults(pool) == []


async def test_a_sold_card_is_a_debt_against_money_and_a_gift_lowers_revenue(pool: Pool) -> None:
    await issued(pool, key="sold")
    assert await balances(pool) == {"cash_in_transit": 100_00, "gift_card_liability": -100_00}
    await issued(pool, TEN, kind="voucher", key="given")
    assert (await balances(pool))["voucher_liability"] == -10_00
    assert (await balances(pool))["refunds"] == 10_00
    assert await faults(pool) == []


async def test_a_new_code_ends_the_one_before_it(pool: Pool, cards: GiftCards) -> None:
    voucher, old = await issued(pool)
    async with pool.acquire() as conn:
        drawn = await vouchers.new_code(conn, voucher.voucher_id, by("lost"))
        with pytest.raises(Refused, match="told once") as refused:
            await vouchers.new_code(conn, voucher.voucher_id, by("lost"))
    assert refused.value.reason == "code_told"
    assert drawn.code is not None
    with pytest.raises(Declined) as no:
        await held(cards, old, TEN)
    assert no.value.code == DeclineCode.NOT_FOUND
    assert (await held(cards, drawn.code, TEN, key="b")).amount == TEN


@pytest.mark.parametrize("minor", [0, -1, 10**15 + 1])
async def test_an_impossible_amount_is_refused(pool: Pool, minor: int) -> None:
    with pytest.raises(InvalidInput):
        await given(pool, ToIssue(kind="voucher", amount=Money(minor=minor, currency="USD")))


async def test_one_that_is_over_already_is_refused_and_not_there(pool: Pool) -> None:
    with pytest.raises(InvalidInput, match="is over"):
        await issued(pool, valid_through=TODAY - timedelta(days=2))
    async with pool.acquire() as conn:
        assert await vouchers.listed(conn) == []


async def test_what_nobody_has_is_not_found(pool: Pool) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(NotFound):
            await vouchers.find(conn, "gift_card_none")
        with pytest.raises(NotFound):
            await vouchers.block(conn, "gift_card_none", by("k"), on=True)


async def test_a_list_is_of_what_is_asked_for_the_newest_first(pool: Pool) -> None:
    card, _ = await issued(pool, key="one")
    mine, _ = await issued(pool, TEN, kind="voucher", key="two", customer_id="C-7")
    async with pool.acquire() as conn:
        assert await vouchers.listed(conn) == [mine, card]
        assert await vouchers.listed(conn, kind="gift_card") == [card]
        assert await vouchers.listed(conn, customer_id="C-7", state="valid") == [mine]
        assert await vouchers.listed(conn, sellers=["nobody"]) == []
        behind = (mine.issued_at, mine.voucher_id)
        assert await vouchers.listed(conn, after=behind, at_most=5) == [card]


# Spent


async def test_a_part_is_held_spent_released_and_put_back(pool: Pool, cards: GiftCards) -> None:
    voucher, code = await issued(pool)
    hold = (await held(cards, code, SIXTY)).authorization
    with pytest.raises(Declined, match=r"not enough money on the gift card; there is 40\.00 USD"):
        await held(cards, code, SIXTY, key="b")
    await cards.capture(key="c", authorization=hold, amount=THIRTY)
    await cards.refund(key="r", authorization=hold, amount=TEN)
    await cards.void(key="v", authorization=hold)
    after = await now(pool, voucher.voucher_id)
    assert (after.balance_minor, after.authorized_minor) == (80_00, 0)
    kinds = [one.kind for one in await cards.operations(ORDER)]
    assert kinds == ["authorize", "capture", "refund", "void"]
    async with pool.acquire() as conn:
        story = [one.kind for one in await vouchers.history(conn, voucher.voucher_id)]
    assert story == ["issue", "code", "authorize", "authorize", "capture", "refund", "void"]


async def test_each_means_of_payment_takes_its_own_codes_alone(
    pool: Pool, cards: GiftCards
) -> None:
    _, code = await issued(pool, kind="voucher")
    voucher = await now(pool, (await only(pool)).voucher_id)
    calls: list[Awaitable[PaymentReceipt]] = [
        held(cards, code, TEN),
        cards.authorize(key="b", order_id=ORDER, amount=TEN, token=code),
        cards.authorize(key="c", order_id=ORDER, amount=TEN, token=voucher.voucher_id),
    ]
    assert await outcomes(calls) == [DeclineCode.NOT_FOUND] * 3
    assert (await held(Vouchers(pool), code, TEN, key="d")).amount == TEN


async def only(pool: Pool) -> Voucher:
    async with pool.acquire() as conn:
        (found,) = await vouchers.listed(conn)
    return found


async def test_of_many_orders_at_once_on_one_code_only_as_many_win_as_it_pays(
    pool: Pool, cards: GiftCards
) -> None:
    voucher, code = await issued(pool)
    calls: list[Awaitable[PaymentReceipt]] = [
        held(cards, code, THIRTY, key=f"a{n}", order=f"web-{n}") for n in range(9)
    ]
    async with held_up(pool, HOLD_ACCOUNT, voucher.voucher_id) as queued:
        running = asyncio.create_task(outcomes(calls))
        await queued(9)
    assert (await running).count(DeclineCode.INSUFFICIENT_FUNDS) == 6
    after = await now(pool, voucher.voucher_id)
    assert (after.balance_minor, after.authorized_minor) == (100_00, 90_00)


async def test_a_blocked_one_authorizes_nothing_and_what_is_held_is_still_charged(
    pool: Pool, cards: GiftCards
) -> None:
    voucher, code = await issued(pool)
    hold = (await held(cards, code, TEN)).authorization
    async with pool.acquire() as conn:
        for _ in range(2):
            blocked = await vouchers.block(conn, voucher.voucher_id, by("stolen"), on=True)
        assert blocked.state == "blocked"
        with pytest.raises(Declined, match="the gift card is blocked"):
            await held(cards, code, TEN, key="b")
        await cards.capture(key="c", authorization=hold, amount=TEN)
        free = await vouchers.block(conn, voucher.voucher_id, by("found"), on=False)
        with pytest.raises(Conflict):
            await vouchers.block(conn, voucher.voucher_id, by("found"), on=True)
    assert (free.state, free.balance_minor) == ("valid", 90_00)
    assert (await held(cards, code, TEN, key="d")).amount == TEN


async def test_one_for_a_customer_pays_for_no_other(pool: Pool, cards: GiftCards) -> None:
    _, code = await issued(pool, customer_id="C-7")
    with pytest.raises(Declined, match="is for another customer"):
        await held(cards, code, TEN)


async def test_one_for_a_single_order_is_used_up_by_it_and_free_again_if_that_pays_nothing(
    pool: Pool, cards: GiftCards
) -> None:
    voucher, code = await issued(pool, single_use=True)
    hold = (await held(cards, code, THIRTY)).authorization
    with pytest.raises(Declined, match="another one has it"):
        await held(cards, code, TEN, key="b", order="web-2")
    await cards.void(key="v", authorization=hold)
    hold = (await held(cards, code, THIRTY, key="c", order="web-2")).authorization
    await expire(pool)
    assert (await now(pool, voucher.voucher_id)).balance_minor == 100_00
    await cards.capture(key="d", authorization=hold, amount=THIRTY)
    await expire(pool)
    assert (await now(pool, voucher.voucher_id)).balance_minor == 0
    assert (await balances(pool))["breakage"] == -70_00


# Its end


async def test_what_is_left_at_its_end_is_income_once_and_what_is_held_is_not(
    pool: Pool, cards: GiftCards
) -> None:
    voucher, code = await issued(pool, valid_through=TODAY)
    hold = (await held(cards, code, THIRTY)).authorization
    await expire(pool)
    assert (await now(pool, voucher.voucher_id)).balance_minor == 100_00, "its last day"
    await end(pool, voucher)
    for _ in range(2):
        await asyncio.gather(expire(pool), expire(pool))
    after = await now(pool, voucher.voucher_id)
    assert (after.state, after.balance_minor, after.authorized_minor) == ("expired", 30_00, 30_00)
    assert (await balances(pool))["breakage"] == -70_00
    with pytest.raises(Declined, match="the gift card has expired"):
        await held(cards, code, TEN, key="b")
    await cards.capture(key="c", authorization=hold, amount=THIRTY)


async def test_extended_what_has_expired_is_owed_again(pool: Pool, cards: GiftCards) -> None:
    voucher, code = await issued(pool, valid_through=TODAY)
    await end(pool, voucher)
    await expire(pool)
    later = TODAY + timedelta(days=30)
    async with pool.acquire() as conn:
        with pytest.raises(InvalidInput, match="is over"):
            await vouchers.extend(conn, voucher.voucher_id, TODAY - timedelta(days=2), by("e"))
        for _ in range(2):
            after = await vouchers.extend(conn, voucher.voucher_id, later, by("e"))
        with pytest.raises(Conflict):
            await vouchers.extend(conn, voucher.voucher_id, TODAY, by("e"))
    assert (after.state, after.balance_minor, after.valid_through) == ("valid", 100_00, later)
    assert "breakage" not in await balances(pool)
    assert (await held(cards, code, HUNDRED)).amount == HUNDRED


async def test_a_refund_onto_one_that_has_expired_is_valid_for_a_while(
    pool: Pool, cards: GiftCards
) -> None:
    voucher, code = await issued(pool, valid_through=TODAY)
    hold = (await held(cards, code, SIXTY)).authorization
    await cards.capture(key="c", authorization=hold, amount=SIXTY)
    await end(pool, voucher)
    await expire(pool)
    for _ in range(2):
        await cards.refund(key="r", authorization=hold, amount=THIRTY)
    after = await now(pool, voucher.voucher_id)
    assert (after.state, after.balance_minor) == ("valid", 30_00), "not what expired before"
    assert after.valid_through is not None
    assert timedelta(0) <= after.valid_through - TODAY - VALID_AGAIN <= timedelta(days=1)
    async with pool.acquire() as conn:
        last = (await vouchers.history(conn, voucher.voucher_id))[-1]
    assert (last.kind, last.why) == (
        "extend",
        f"refunded after its end: valid through {after.valid_through}",
    )
    assert (await held(cards, code, THIRTY, key="b")).amount == THIRTY


async def test_one_for_a_customer_is_handed_out_with_the_customers_data_and_erased_when_spent(
    pool: Pool, cards: GiftCards
) -> None:
    voucher, _ = await issued(pool, customer_id="C-7", valid_through=TODAY)
    people = Customers(pool)
    (told,) = (await people.export("C-7"))["vouchers"]
    assert (told["voucher_id"], told["balance_minor"]) == (voucher.voucher_id, 100_00)
    await people.erase("C-7", who="anna", why="asked for")
    assert (await now(pool, voucher.voucher_id)).customer_id == "C-7", "it is the customer's money"
    await end(pool, voucher)
    await expire(pool)
    await people.erase("C-7", who="anna", why="asked for")
    assert (await now(pool, voucher.voucher_id)).customer_id == f"erased-{voucher.voucher_id}"
    assert await faults(pool) == []


# Given as a refund


async def test_a_refund_is_a_voucher_without_a_code_until_somebody_draws_it(pool: Pool) -> None:
    desk = Vouchers(pool)

    async def issue() -> PaymentReceipt:
        return await desk.issue(
            key="web-1001:G1:refund:voucher",
            customer_id="C-1",
            amount=TEN,
            order_id=ORDER,
            who="anna",
            why="late",
        )

    receipt = await issue()
    assert await issue() == receipt
    assert (receipt.kind, receipt.order_id) == ("refund", ORDER)
    voucher = await only(pool)
    assert voucher.voucher_id == receipt.authorization
    assert (voucher.state, voucher.order_id, voucher.customer_id) == ("uncoded", ORDER, None)
    async with pool.acquire() as conn:
        drawn = await vouchers.new_code(conn, voucher.voucher_id, by("draw"))
    assert drawn.code is not None
    assert (await held(desk, drawn.code, TEN)).amount == TEN


def test_a_charge_and_a_refund_move_the_debt_of_their_kind() -> None:
    for kind, account in (("gift_card", Account.GIFT_CARDS), ("voucher", Account.VOUCHERS)):
        way = accounts.money_at(kind)
        assert way == account
        assert accounts.captured(5, prepaid=False, way=way)[account] == 5
        assert accounts.refund_issued(5, way=way)[account] == -5
