"""Charges under contention: many calls for one order, the real database, the sandbox company."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.payments.authorizations import Authorizations
from activities.payments.contracts import Authorize, Charged, Refund, Void
from activities.provider_errors import DeclineCode, Declined, TimedOut, Unavailable
from activities.providers.sandbox.payment import Card
from domain.errors import Conflict, NotAuthorized, NotFound, Refused
from domain.money import Money
from domain.orders.channels import Channel
from domain.orders.order import Order
from store.accounting import documents
from store.database import Pool
from store.locks import lock_order
from store.orders import channels
from store.payments import cover, payments
from store.payments.payments import Intent
from tests.database.orders.hundred import (
    HUNDRED,
    authorized,
    captured,
    due,
    granted,
    left,
    of_a_hundred,
    refunded,
    refusals_of,
    sums,
)
from tests.support.bench import Bench, authorizing, charging, securing
from tests.support.builders import an_order, shipping


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


async def test_captures_at_once_never_exceed_the_authorization(bench: Bench) -> None:
    order = await authorized(bench, of_a_hundred())
    asks = [await due(bench, order, number, 40_00) for number in range(1, 9)]
    refusals = await refusals_of(bench.payments.charge_payment(ask) for ask in asks)
    assert len(refusals) == 6
    assert all("is not authorized" in str(refusal) for refusal in refusals)
    assert await sums(bench, order) == (HUNDRED, 80_00, 0)


async def test_a_capture_that_was_refused_gives_its_room_back(bench: Bench) -> None:
    order = await authorized(bench, of_a_hundred(Card.CAPTURE_REFUSED))
    ask = await left(bench, order, 1, 10)
    for attempt in (1, 2, 3):
        with pytest.raises(Declined, match="the bank refused the capture"):
            await bench.payments.charge_payment(ask.model_copy(update={"attempt": attempt}))
    async with bench.pool.acquire() as conn:
        assert (await payments.sums(conn, order.order_id)).capture_granted == 0


async def test_a_capture_and_a_void_at_once_leave_the_same_on_both_sides(bench: Bench) -> None:
    outcomes = set()
    for _ in range(8):
        order = await authorized(bench, of_a_hundred())
        ask = await left(bench, order, 1, 4)
        results = await asyncio.gather(
            bench.payments.charge_payment(ask),
            bench.authorizations.void_payment(Void(order_id=order.order_id, why="test")),
            return_exceptions=True,
        )
        outcomes.add(tuple(type(result) for result in results))
        went_well = isinstance(results[0], Charged)
        assert went_well or (
            (isinstance(results[0], Declined) and results[0].code == DeclineCode.ALREADY_VOIDED)
            or (isinstance(results[0], Refused) and "is not authorized" in str(results[0]))
        )
        assert await sums(bench, order) == (HUNDRED, 40_00 if went_well else 0, 0)
    assert outcomes


async def test_a_charge_that_a_void_overtook_leaves_nothing_authorized(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await authorized(bench, of_a_hundred())
    real, void = bench.payment.capture, Void(order_id=order.order_id, why="test")

    async def overtaken(**content: Any) -> Any:
        await bench.authorizations.void_payment(void)
        return await real(**content)

    monkeypatch.setattr(bench.payment, "capture", overtaken)
    with pytest.raises(Declined, match="voided before"):
        await bench.payments.charge_payment(await left(bench, order, 1, 4))
    async with bench.pool.acquire() as conn:
        money = await payments.sums(conn, order.order_id)
    assert (money.captured, money.capture_granted, money.released) == (0, 0, HUNDRED)
    await bench.authorizations.void_payment(void)  # there is nothing more to do
    assert await sums(bench, order) == (HUNDRED, 0, 0)


async def test_nothing_is_charged_or_refunded_without_an_authorization(bench: Bench) -> None:
    order = of_a_hundred(Card.DECLINE)
    await bench.reserve(order)
    with pytest.raises(Declined):
        await bench.authorizations.authorize_payment(authorizing(order))
    with pytest.raises(Refused, match=r"0\.01 USD would exceed what order .* was charged"):
        await granted(bench, order, 1, 1)
    ask = await due(bench, order, 1, 1)
    before = await bench.everything()
    with pytest.raises(Refused, match=r"0\.01 USD of .* is not authorized"):
        await bench.payments.charge_payment(ask)
    with pytest.raises(NotFound, match=r"no refund .* was granted"):
        await bench.payments.refund_payment(Refund(refund_id=f"{order.order_id}:R1"))
    # There is nothing to release.
    await bench.authorizations.void_payment(Void(order_id=order.order_id, why="test"))
    assert await bench.everything() == before
    assert await bench.payment.operations(order.order_id) == ()


async def test_an_order_that_is_not_there_is_not_charged(bench: Bench) -> None:
    with pytest.raises(NotFound, match="there is no order web-none; `orderloom orders` lists"):
        await bench.payments.charge_payment(charging("web-none:1"))


async def test_a_provider_that_is_not_there_is_named_with_those_that_are(bench: Bench) -> None:
    order = of_a_hundred()
    await bench.reserve(order)
    ask = authorizing(order, provider="acme", token=Card.OK)
    with pytest.raises(NotFound, match="'acme' here; there is exchange, on_account, sandbox"):
        await bench.authorizations.authorize_payment(ask)
    assert await bench.count("select count(*) from brought_tender") == 0


@pytest.mark.parametrize("provider", ["elsewhere", "store_credit"])
async def test_nobody_brings_a_payment_that_the_channel_does_not_take(
    bench: Bench, provider: str
) -> None:
    bench.authorizations = Authorizations(bench.pool, {provider: bench.payment})
    order = of_a_hundred()
    await bench.reserve(order)
    if provider == "store_credit":
        async with bench.pool.acquire() as conn:
            await channels.save(conn, [Channel(channel="web", kind="web", providers=("sandbox",))])
    with pytest.raises(NotFound, match=f"{provider} pays nothing later|web is paid by sandbox"):
        await bench.authorizations.authorize_payment(
            authorizing(order, provider=provider, token=Card.OK)
        )
    assert await bench.count("select count(*) from brought_tender") == 0


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        ("capture", Money(minor=1_00, currency="USD")),
        ("refund", Money(minor=HUNDRED, currency="USD")),
        ("capture", Money(minor=HUNDRED, currency="EUR")),
    ],
)
async def test_a_key_stands_for_one_amount(
    bench: Bench, kind: payments.Kind, amount: Money
) -> None:
    order = await captured(bench, of_a_hundred())
    key = f"{order.order_id}:1:capture"
    before = await bench.everything()

    async def intend() -> None:
        async with bench.pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order.order_id)
            await payments.intend(conn, order.order_id, Intent(key, kind, amount, "sandbox"))

    with pytest.raises(Conflict, match=f"payment {key} is a capture of 100.00 USD already"):
        await intend()
    assert await bench.everything() == before


async def test_the_same_step_with_another_amount_is_a_conflict(bench: Bench) -> None:
    order = await captured(bench, of_a_hundred())
    await refunded(bench, order, 1, 60_00, 6)
    before = await bench.everything()
    with pytest.raises(Conflict, match=r"refund .* is of 60\.00 USD already"):
        await granted(bench, order, 1, 40_00, 4)
    assert await bench.everything() == before


async def test_an_order_that_costs_nothing_needs_no_payment_company(bench: Bench) -> None:
    order = an_order(("TEA", 1, "0.00"), shipping=shipping("0"))
    await authorized(bench, order)
    await bench.payments.charge_payment(await left(bench, order, 1, 1))
    await refunded(bench, order, 1, 0, 1)
    await bench.authorizations.void_payment(Void(order_id=order.order_id, why="test"))
    assert await bench.payment.operations(order.order_id) == ()
    assert await sums(bench, order) == (0, 0, 0)


def held(order: Order, number: int, **until: float) -> Authorize:
    """Have a parcel hold for so long."""
    return securing(order, f"{order.order_id}:{number}", datetime.now(UTC) + timedelta(**until))


async def aged(bench: Bench) -> None:
    """Of the time of each authorization most is over."""
    async with bench.pool.acquire() as conn:
        await conn.execute(
            "update payment_operation set requested_at = requested_at - interval '10 days' "
            "where kind = 'authorize'"
        )


async def test_a_charge_that_finds_nothing_authorized_is_told_apart(
    bench: Bench,
) -> None:
    order = await authorized(bench, of_a_hundred())
    await bench.authorizations.void_payment(Void(order_id=order.order_id, why="it ended"))
    first = (await left(bench, order, 1, 10)).model_copy(update={"renews": True})
    for _ in range(2):  # the first answer is lost
        with pytest.raises(NotAuthorized, match=r"100\.00 USD of .* is not authorized, or not any"):
            await bench.payments.charge_payment(first)
    await bench.authorizations.authorize_payment(held(order, 1, days=1))
    await bench.payments.charge_payment(first.model_copy(update={"attempt": 2}))
    await bench.payments.charge_payment(first)  # its worker was away for long
    assert await sums(bench, order) == (2 * HUNDRED, HUNDRED, 0)
    async with bench.pool.acquire() as conn:
        kinds = [issued.kind for issued in await documents.of_order(conn, order.order_id)]
    charged = await bench.pool.fetchval("select sum(charged) from order_line_money")
    assert (charged, kinds) == (10, ["invoice"])


async def test_what_is_being_charged_is_not_released_when_the_rest_is_renewed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await authorized(bench, of_a_hundred())
    first, second = await left(bench, order, 1, 4), await left(bench, order, 2, 6)

    async def lost(**_: Any) -> Any:
        raise TimedOut("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(bench.payment, "capture", lost)
        with pytest.raises(TimedOut):
            await bench.payments.charge_payment(first)
    await aged(bench)
    await bench.authorizations.authorize_payment(held(order, 2, days=8))
    await bench.payments.charge_payment(first)
    await bench.payments.charge_payment(second)
    assert await sums(bench, order) == (160_00, HUNDRED, 0)


async def test_a_renewal_stands_where_the_old_authorization_cannot_be_released(
    bench: Bench,
) -> None:
    order = await authorized(bench, of_a_hundred())
    (old,) = await bench.payment.operations(order.order_id)
    await bench.payment.void(key="by somebody else", authorization=old.authorization)
    await aged(bench)
    ask = await left(bench, order, 1, 10)
    await bench.authorizations.authorize_payment(held(order, 1, days=8))
    await bench.payments.charge_payment(ask)
    async with bench.pool.acquire() as conn:
        money = await payments.sums(conn, order.order_id)
    assert (money.authorized, money.released, money.captured) == (200_00, HUNDRED, HUNDRED)


@pytest.mark.parametrize("made", [True, False], ids=["made", "never made"])
async def test_a_call_that_the_company_may_have_forgotten_is_not_sent_again(
    bench: Bench, made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await authorized(bench, of_a_hundred())
    ask = await left(bench, order, 1, 10)
    real = bench.payment.capture
    sent: list[str] = []

    async def unheard(**content: Any) -> Any:
        sent.append(content["key"])
        if made:
            await real(**content)
        raise Unavailable("it answers 503")

    async def not_now(**_: Any) -> Any:
        raise Unavailable("it answers 503")

    with monkeypatch.context() as patch:
        patch.setattr(bench.payment, "capture", unheard)
        patch.setattr(bench.payment, "lookup", not_now)
        with pytest.raises(Unavailable):
            await bench.payments.charge_payment(ask)
    await bench.pool.execute(
        "update payment_operation set requested_at = requested_at - interval '25 hours' "
        "where kind = 'capture'"
    )
    if made:  # it is found
        await bench.payments.charge_payment(ask)
    else:  # under its key it could be a second charge: the next try is another one
        with pytest.raises(Declined, match="has not seen it, and will not"):
            await bench.payments.charge_payment(ask)
        assert await sums(bench, order) == (HUNDRED, 0, 0)
        await bench.payments.charge_payment(ask.model_copy(update={"attempt": 2}))
    assert sent == [f"{order.order_id}:1:capture"]
    assert await sums(bench, order) == (HUNDRED, HUNDRED, 0)
    operations = await bench.payment.operations(order.order_id)
    assert [done.kind for done in operations] == ["authorize", "capture"]


@pytest.mark.parametrize("kind", ["capture", "refund"])
@pytest.mark.parametrize(
    "anew", [{"attempt": 2}, {"by_hand": "in cash"}, {"to": "store_credit", "attempt": 2}]
)
async def test_what_may_have_happened_is_not_tried_another_way(
    bench: Bench, kind: str, anew: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await (authorized if kind == "capture" else captured)(bench, of_a_hundred())
    charge, pay_back = bench.payments.charge_payment, bench.payments.refund_payment
    do: Any = charge if kind == "capture" else pay_back
    ask: Any
    if kind == "capture":
        ask = await left(bench, order, 1, 6)
    else:
        ask = await granted(bench, order, 1, 60_00, 6)

    async def not_now(**_: Any) -> Any:
        raise Unavailable("it answers 503")

    with monkeypatch.context() as patch:
        patch.setattr(bench.payment, kind, not_now)
        with pytest.raises(Unavailable):
            await do(ask)
    before = await bench.everything()
    with pytest.raises(Conflict, match=f"what became of {order.order_id}:.*:{kind} is not known"):
        await do(ask.model_copy(update=anew))
    assert await bench.everything() == before
    await do(ask)
    operations = await bench.payment.operations(order.order_id)
    assert [done.amount.minor for done in operations if done.kind == kind] == [60_00]


async def of_two_cards(bench: Bench) -> Order:
    """40 and 60 are authorized with two cards."""
    other = {"provider": "sandbox", "token": "tok_other", "amount": "40.00"}
    order = an_order(("TEA", 10, "10.00"), shipping=shipping("0"), tenders=[other])
    return await authorized(bench, order)


@pytest.mark.parametrize("gone", ["released there", "not known there"])
async def test_what_cannot_be_released_keeps_nothing_else_from_being(
    bench: Bench, gone: str
) -> None:
    order = await of_two_cards(bench)
    async with bench.pool.acquire() as conn:
        first, second = await payments.authorizations(conn, order.order_id)
        if gone == "released there":
            await conn.execute(
                "update sandbox.payment set voided = true, released_minor = authorized_minor "
                "where reference = $1",
                first.reference,
            )
        else:
            await conn.execute(
                "update payment_operation set reference = 'auth_none' where payment_key = $1",
                first.payment_key,
            )
    ask = Void(order_id=order.order_id, why="test")
    if gone == "released there":
        await bench.authorizations.void_payment(ask)
    else:
        with pytest.raises(Declined):
            await bench.authorizations.void_payment(ask)
    async with bench.pool.acquire() as conn:
        _, released = await payments.authorizations(conn, order.order_id)
    assert (released.payment_key, released.room) == (second.payment_key, 0)


async def test_what_two_tenders_pay_cannot_be_charged_once_the_one_s_authorization_has_ended(
    bench: Bench,
) -> None:
    order = await of_two_cards(bench)
    part, now = f"{order.order_id}:1", datetime.now(UTC)

    async def can_be_charged(minor: int) -> bool:
        async with bench.pool.acquire() as conn:
            found = await cover.paying(conn, order.order_id)
        return cover.can_be_charged(found, part, minor, now)

    assert await can_be_charged(HUNDRED)
    assert not await can_be_charged(HUNDRED + 1)
    async with bench.pool.acquire() as conn:
        _, second = await payments.authorizations(conn, order.order_id)
        at = now - timedelta(seconds=1)
        end = "update payment_authorization set expires_at = $1 where authorization_key = $2"
        await conn.execute(end, at, second.payment_key)
    assert await can_be_charged(40_00)
    assert not await can_be_charged(40_01)
