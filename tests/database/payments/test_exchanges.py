"""The money of exchanges on the real database, without Temporal: from card to card and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from activities.aftersales.returns import ApproveReturn, DecideReturn
from activities.orders.holds import ChangeHolds, Holds
from activities.payments.authorizations import Authorizations
from activities.payments.contracts import Authorize, Charge, Refund, Void
from activities.payments.exchange_ends import ExchangeEnds
from activities.payments.exchange_provider import ExchangeMoney
from activities.payments.exchanges import Agreed, AgreeExchange, Exchanges
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider
from activities.provider_errors import Declined, Unavailable
from activities.providers.by_code import GiftCards
from domain.aftersales.return_counts import Found
from domain.aftersales.return_rules import Limit, ReturnRule
from domain.errors import Refused
from domain.money import Money
from domain.orders.exchange_messages import ExchangeOutcome, ExchangeRequest
from domain.orders.exchange_rules import ExchangeRules
from domain.orders.hold_messages import ReleaseRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.payments.disputes import DisputeState
from domain.payments.vouchers import ToIssue
from domain.stock.kits import Kit
from domain.stock.reservations import ReserveStock
from store.aftersales import return_chases, return_rules
from store.database import Connection, Pool
from store.orders import events, holds, intake
from store.payments import bounced_refunds, exchange_quotes, exchanges, vouchers
from store.payments.vouchers import Change
from store.stock import kits
from store.views import audit
from tests.support.bench import Bench, at_once
from tests.support.builders import an_order, shipping
from tests.support.provider_desk import Telling


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def sold(bench: Bench, *lines: Any, **fields: Any) -> Order:
    order = an_order(*lines, **{"shipping": shipping("0.00"), **fields})
    for sku in ("TEA", "MUG", "POT"):
        await bench.stocked(sku, 20)
    await bench.charged(await bench.at(order, "delivered"))
    return order


async def agreed(
    bench: Bench, order_id: str, units: dict[str, int], name: str = "x1", **request: Any
) -> Agreed:
    back = ApproveReturn(
        order_id=order_id,
        request_id=name,
        units=units,
        reason="too small",
        turn=uuid4().hex,
        who="ida",
    )
    wanted = ExchangeRequest.model_validate({"reason": "too small", **request})
    return await bench.exchanges.agree_exchange(AgreeExchange(back=back, request=wanted))


async def exchange(
    bench: Bench, order: Order | str, units: dict[str, int], name: str = "x1", **request: Any
) -> ExchangeOutcome:
    """Agree on it, and begin the exchange order."""
    order_id = order if isinstance(order, str) else order.order_id
    outcome = (await agreed(bench, order_id, units, name, **request)).outcome
    assert outcome is not None
    await begin(bench, outcome.exchange_order_id)
    return outcome


async def begin(bench: Bench, order_id: str) -> None:
    await bench.inventory.reserve_stock(ReserveStock(order_id=order_id))
    await bench.authorizations.authorize_payment(Authorize(order_id=order_id))


async def received(bench: Bench, return_id: str, counted: Any = None) -> None:
    await bench.warehouse.receive_return(return_id, counted, who="dock")
    if await bench.count("select count(*) from refund where refund_id = $1", return_id):
        await bench.payments.refund_payment(Refund(refund_id=return_id))


async def sent(bench: Bench, order_id: str) -> str:
    """Its parcel leaves, and arrives. Nothing is charged."""
    part = f"{order_id}:1"
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    assert await bench.send(part) is None
    await bench.warehouse.hand_over(part, who="packer")
    await bench.scan(part, "delivered")
    return part


async def held(bench: Bench, order_id: str) -> list[str]:
    async with bench.pool.acquire() as conn:
        return [each.reason for each in await holds.standing(conn, order_id)]


async def calls(bench: Bench) -> list[tuple[str, int]]:
    """What the payment company was asked to do, by kind and amount."""
    rows = await bench.pool.fetch(
        "select kind, amount_minor from sandbox.payment_call where code is null order by called_at"
    )
    return [(row["kind"], row["amount_minor"]) for row in rows]


async def clearing(bench: Bench) -> int:
    return await bench.count(
        "select coalesce(sum(amount_minor), 0)::bigint from posting "
        "where account = 'exchange_clearing'"
    )


async def books_are_right(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        faults = (await audit.look(conn)).violations
    assert not faults, faults


async def test_an_equal_exchange_costs_nothing_and_asks_no_company(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 2, "10.00"), shipping=shipping("4.90"))
    before = await calls(bench)
    outcome = await exchange(bench, order, {"1": 1})
    other = outcome.exchange_order_id
    assert (other, outcome.return_id) == (f"{order.order_id}-X1", f"{order.order_id}:R1")
    assert (outcome.worth.owed.minor, outcome.worth.paid_back.minor) == (0, 0)
    assert str(outcome.worth.total) == "12.45 USD"
    assert await held(bench, other) == ["awaiting_return"]
    await received(bench, outcome.return_id)
    assert await held(bench, other) == []
    assert await clearing(bench) == -1245
    part = await sent(bench, other)
    charged = await bench.payments.charge_payment(Charge(order_id=other, part_id=part))
    assert not charged.awaits_exchange
    assert not charged.authorized
    assert (await calls(bench), await clearing(bench)) == (before, 0)
    await books_are_right(bench)


async def test_of_100_for_250_nothing_is_refunded_and_150_are_owed(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    wants = [{"sku": "POT", "quantity": 1, "unit_price": "250.00"}]
    outcome = (await agreed(bench, order.order_id, {"1": 1}, wants=wants)).outcome
    assert outcome is not None
    assert (str(outcome.worth.comes_back), str(outcome.worth.owed)) == ("100.00 USD", "150.00 USD")
    other = outcome.exchange_order_id
    with pytest.raises(Declined, match=r"150\.00 USD is to be paid") as no:
        await begin(bench, other)
    assert no.value.code == "action_required"
    # What comes back meanwhile waits for it, and the customer pays the rest.
    await received(bench, outcome.return_id)
    pays = Authorize(order_id=other, attempt=2, provider="sandbox", token="tok_ok")
    await bench.authorizations.authorize_payment(pays)
    part = await sent(bench, other)
    await bench.payments.charge_payment(Charge(order_id=other, part_id=part))
    assert (await calls(bench))[2:] == [("authorize", 15000), ("capture", 15000)]
    assert await clearing(bench) == 0
    await books_are_right(bench)


async def test_of_a_cheaper_one_the_rest_is_paid_back_when_it_is_there(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    wants = [{"sku": "MUG", "quantity": 1, "unit_price": "30.00"}]
    outcome = await exchange(bench, order, {"1": 1}, wants=wants)
    assert str(outcome.worth.paid_back) == "70.00 USD"
    await received(bench, outcome.return_id)
    assert (await calls(bench))[2:] == [("refund", 7000)]
    part = await sent(bench, outcome.exchange_order_id)
    await bench.payments.charge_payment(Charge(order_id=outcome.exchange_order_id, part_id=part))
    await books_are_right(bench)


async def test_an_advance_exchange_whose_original_never_comes_is_charged_then(
    bench: Bench,
) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    outcome = await exchange(bench, order, {"1": 1}, mode="advance")
    other = outcome.exchange_order_id
    assert await held(bench, other) == []
    part = await sent(bench, other)
    charge = Charge(order_id=other, part_id=part, renews=True)
    assert (await bench.payments.charge_payment(charge)).awaits_exchange
    assert len(await calls(bench)) == 2
    gives_up = DecideReturn(
        order_id=order.order_id,
        request_id="up",
        return_id=outcome.return_id,
        decision="cancel",
        why="keeps it",
        who="ida",
    )
    await bench.returns.decide_return(gives_up)
    await ExchangeEnds(bench.pool).tell()
    assert (
        await bench.count(
            "select count(*) from wait_report where activity_id = $1", f"await_exchange:{other}"
        )
        == 1
    )
    with pytest.raises(Exception, match="not authorized"):
        await bench.payments.charge_payment(charge.model_copy(update={"attempt": 2}))
    await bench.authorizations.authorize_payment(Authorize(order_id=other, parts=(part,)))
    last = await bench.payments.charge_payment(charge.model_copy(update={"attempt": 2}))
    assert not last.awaits_exchange
    assert (await calls(bench))[2:] == [("authorize", 10000), ("capture", 10000)]
    assert await clearing(bench) == 0
    await books_are_right(bench)


async def test_what_does_not_come_for_a_replacement_that_never_left_charges_nothing(
    bench: Bench,
) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    outcome = await exchange(bench, order, {"1": 1}, mode="advance")
    other = outcome.exchange_order_id
    await bench.pool.execute("update order_return set chase_at = now(), chased = 2")
    async with bench.pool.acquire() as conn:
        await return_chases.chase(conn, outcome.return_id)
    await ExchangeEnds(bench.pool).tell()
    await ExchangeEnds(bench.pool).tell()
    assert await held(bench, other) == ["awaiting_return"]
    async with bench.pool.acquire() as conn:
        due = await holds.due(conn, timedelta(0), 10)
    assert [(one.order_id, one.at_end) for one in due] == [(other, "reject")]
    assert len(await calls(bench)) == 2


@pytest.mark.parametrize("mode", ["standard", "advance"])
async def test_a_gift_card_pays_the_rest_and_what_does_not_come_back(
    bench: Bench, mode: str
) -> None:
    gift = ToIssue(kind="gift_card", amount=Money(minor=30000, currency="USD"))
    async with bench.pool.acquire() as conn:
        code = (await vouchers.give(conn, gift, Change("g1", "ida", "sold"))).code
    assert code is not None
    companies: dict[str, PaymentProvider] = {"gift_card": GiftCards(bench.pool)}
    companies |= {"sandbox": bench.payment, "exchange": ExchangeMoney(bench.pool, companies)}
    bench.authorizations = Authorizations(bench.pool, companies)
    bench.payments = Payments(bench.pool, companies)
    bench.exchanges = Exchanges(bench.pool, companies)
    card = {"provider": "gift_card", "token": code}
    # One of these was paid with it before; of the other the rest is.
    paid = {"payment": card} if mode == "advance" else {}
    order = await sold(bench, ("TEA", 1, "100.00"), **paid)
    request: dict[str, Any] = {"wants": [{"sku": "POT", "quantity": 1, "unit_price": "150.00"}]}
    if mode == "standard":
        request["payment"] = card
    outcome = await exchange(bench, order, {"1": 1}, mode=mode, **request)
    async with bench.pool.acquire() as conn:
        spent = await conn.fetchval("select authorized_minor from credit_account")
        document = await conn.fetchval(
            "select document::text from customer_order where order_id = $1",
            outcome.exchange_order_id,
        )
    assert (spent, code in document) == (5000, False)


async def test_goods_that_come_back_worth_less_leave_a_rest_to_pay(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(restocking_percent={"used": 20})])
    order = await sold(bench, ("TEA", 1, "100.00"))
    outcome = await exchange(bench, order, {"1": 1})
    other = outcome.exchange_order_id
    await received(bench, outcome.return_id, {"1": [Found(quantity=1, condition="used")]})
    part = f"{other}:1"
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    unpaid = await bench.send(part)
    assert unpaid is not None
    assert unpaid.outcome == "unpaid"
    with pytest.raises(Declined, match=r"20\.00 USD is to be paid"):
        await bench.authorizations.authorize_payment(Authorize(order_id=other, parts=(part,)))
    pays = Authorize(order_id=other, parts=(part,), attempt=2, provider="sandbox", token="tok_ok")
    await bench.authorizations.authorize_payment(pays)
    assert await bench.send(part) is None
    await bench.warehouse.hand_over(part, who="packer")
    await bench.payments.charge_payment(Charge(order_id=other, part_id=part))
    assert (await calls(bench))[2:] == [("authorize", 2000), ("capture", 2000)]
    await books_are_right(bench)


@pytest.mark.parametrize("price", ["0.00", "100.00"])
async def test_goods_that_pay_nothing_back_let_the_others_leave_all_the_same(
    bench: Bench, price: str
) -> None:
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(restocking_percent={"used": 100})])
    order = await sold(bench, ("TEA", 1, price))
    outcome = await exchange(bench, order, {"1": 1})
    worn = {"1": [Found(quantity=1, condition="used")]}
    await bench.warehouse.receive_return(outcome.return_id, worn, who="dock")
    await ExchangeEnds(bench.pool).tell()
    assert await held(bench, outcome.exchange_order_id) == []
    assert await bench.count("select count(*) from exchange where settled_minor = 0") == 1


async def test_of_a_kit_that_comes_back_in_part_its_share_is_to_be_paid(bench: Bench) -> None:
    for sku in ("MUG", "TEA"):
        await bench.stocked(sku, 20)
    async with bench.pool.acquire() as conn:
        await kits.define(conn, Kit(sku="SET", parts={"MUG": 1, "TEA": 2}))
    order = await sold(bench, ("SET", 1, "15.00"))
    wants = [{"sku": "POT", "quantity": 1, "unit_price": "15.00"}]
    outcome = await exchange(bench, order, {"1": 1}, wants=wants)
    assert (outcome.worth.owed.minor, outcome.worth.paid_back.minor) == (0, 0)
    lacks = {"1": [Found(quantity=1, condition="opened", lacks={"MUG": 1})]}
    await received(bench, outcome.return_id, lacks)
    # One part of three is not there, and nobody knows what each has cost.
    part = f"{outcome.exchange_order_id}:1"
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    pays = Authorize(order_id=outcome.exchange_order_id, parts=(part,))
    with pytest.raises(Declined, match=r"5\.00 USD is to be paid"):
        await bench.authorizations.authorize_payment(pays)
    await books_are_right(bench)


async def test_cancelled_before_the_goods_come_the_return_is_an_ordinary_one(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    outcome = await exchange(bench, order, {"1": 1})
    void = Void(order_id=outcome.exchange_order_id, why="cancelled")
    await bench.authorizations.void_payment(void)
    await received(bench, outcome.return_id)
    assert (await calls(bench))[2:] == [("refund", 10000)]
    assert await clearing(bench) == 0
    await books_are_right(bench)


async def test_cancelled_after_the_goods_came_the_money_goes_back_to_the_card(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    outcome = await exchange(bench, order, {"1": 1})
    await received(bench, outcome.return_id)
    assert len(await calls(bench)) == 2
    void = Void(order_id=outcome.exchange_order_id, why="cancelled")
    await bench.authorizations.void_payment(void)
    await bench.authorizations.void_payment(void)
    assert (await calls(bench))[2:] == [("refund", 10000)]
    assert await clearing(bench) == 0
    await books_are_right(bench)


async def test_an_exchanged_unit_is_exchanged_and_then_sent_back_and_the_card_is_paid(
    bench: Bench,
) -> None:
    order = await sold(bench, ("TEA", 2, "10.00"))
    first = await exchange(bench, order, {"1": 2})
    await received(bench, first.return_id)
    part = await sent(bench, first.exchange_order_id)
    await bench.payments.charge_payment(Charge(order_id=part.split(":")[0], part_id=part))
    second = await exchange(bench, first.exchange_order_id, {"1": 1})
    assert second.exchange_order_id == f"{order.order_id}-X1-X1"
    await received(bench, second.return_id)
    part = await sent(bench, second.exchange_order_id)
    await bench.payments.charge_payment(Charge(order_id=part.split(":")[0], part_id=part))
    assert len(await calls(bench)) == 2
    # The second replacement comes back, and then the other unit of the first.
    for number, order_id in ((1, second.exchange_order_id), (2, first.exchange_order_id)):
        back = ApproveReturn(
            order_id=order_id, request_id="r", units={"1": 1}, reason="no", who="ida"
        )
        return_id = (await bench.returns.approve_return(back)).return_id
        await received(bench, return_id)
        assert (await calls(bench))[2:] == [("refund", 1000)] * number
    assert await clearing(bench) == 0
    await books_are_right(bench)


async def test_what_an_exchange_order_did_not_pay_for_is_paid_as_the_first_order_was(
    bench: Bench,
) -> None:
    order = await sold(bench, ("TEA", 1, "10.00"))
    first = await exchange(bench, order, {"1": 1})
    other = first.exchange_order_id
    await received(bench, first.return_id)
    part = await sent(bench, other)
    await bench.payments.charge_payment(Charge(order_id=other, part_id=part))
    # Its customer gets another one in advance, and keeps both.
    second = await exchange(bench, other, {"1": 1}, mode="advance")
    last = await sent(bench, second.exchange_order_id)
    await bench.pool.execute("update order_return set chase_at = now(), chased = 2")
    async with bench.pool.acquire() as conn:
        await return_chases.chase(conn, second.return_id)
    await ExchangeEnds(bench.pool).tell()
    owed = Authorize(order_id=second.exchange_order_id, parts=(last,))
    await bench.authorizations.authorize_payment(owed)
    charge = Charge(order_id=second.exchange_order_id, part_id=last, renews=True)
    await bench.payments.charge_payment(charge)
    assert (await calls(bench))[2:] == [("authorize", 1000), ("capture", 1000)]
    await books_are_right(bench)


async def test_what_the_company_does_not_pay_back_a_person_pays(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"), payment={"token": "tok_refund_refused"})
    outcome = await exchange(bench, order, {"1": 1})
    await received(bench, outcome.return_id)
    void = Void(order_id=outcome.exchange_order_id, why="cancelled")
    await bench.authorizations.void_payment(void)
    assert len(await calls(bench)) == 2
    async with bench.pool.acquire() as conn:
        (asked,) = await events.open_attention(conn, [order.order_id])
        assert asked["step"] == f"refund_failed {outcome.return_id}:refund:exchange"
        assert await bounced_refunds.paid_otherwise(
            conn, order.order_id, asked["step"], "by bank transfer", who="ida"
        )
    assert await clearing(bench) == 0
    await books_are_right(bench)


async def test_a_crash_on_the_way_back_pays_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await sold(bench, ("TEA", 2, "10.00"))
    outcome = await exchange(bench, order, {"1": 2})
    await received(bench, outcome.return_id)
    void = Void(order_id=outcome.exchange_order_id, why="cancelled")
    ends = exchanges.end_payback

    async def dies(conn: Connection, return_id: str, key: str) -> None:
        monkeypatch.setattr(exchanges, "end_payback", ends)
        raise Unavailable("the worker dies")

    monkeypatch.setattr(exchanges, "end_payback", dies)
    with pytest.raises(Unavailable):
        await bench.authorizations.void_payment(void)
    await bench.authorizations.void_payment(void)
    assert (await calls(bench))[2:] == [("refund", 2000)]
    await books_are_right(bench)


async def test_an_exchange_order_whose_start_was_lost_is_due_to_be_started(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    first = await agreed(bench, order.order_id, {"1": 1})
    assert await agreed(bench, order.order_id, {"1": 1}) == first, "a repeat changes nothing"
    assert first.outcome is not None
    async with bench.pool.acquire() as conn:
        due = await intake.claim_to_start(conn, 10)
    assert first.outcome.exchange_order_id in [one.order_id for one in due]


async def test_rules_say_no(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))

    async def reason(**request: Any) -> str:
        said = await agreed(bench, order.order_id, {"1": 1}, **request)
        assert said.refusal is not None
        return said.refusal.reason

    assert await reason(wants=[{"sku": "POT", "quantity": 1}]) == "price_missing"
    odd = {"sku": "POT", "quantity": 1, "unit_price": "1.00", "discount": "2.00"}
    assert await reason(wants=[odd]) == "prices_do_not_agree"
    paid = {"provider": "elsewhere", "token": "the-shop-has-it"}
    assert await reason(payment=paid) == "provider_not_taken"
    for unknown in ("sandbx", "exchange"):  # a typo, and what pays its part anyway
        assert await reason(payment={**paid, "provider": unknown}) == "provider_not_taken"
    trusted = Policy(exchanges=ExchangeRules(advance="trusted"))
    policy = "update customer_order set policy = $1"
    await bench.pool.execute(policy, trusted.model_dump(mode="json"))
    assert await reason(mode="advance") == "no_advance"
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(final_sale=True)])
    assert await reason() == "final_sale"
    await bench.pool.execute("update order_person set customer_id = 'erased-1'")
    assert await reason() == "customer_erased"
    assert await bench.count("select count(*) from order_return") == 0


async def test_a_unit_that_was_paid_back_and_kept_gets_no_other_one_for_nothing(
    bench: Bench,
) -> None:
    order = await sold(bench, ("TEA", 2, "10.00"))
    await bench.refunded(order, lines=[{"line_id": "1", "quantity": 1}])
    both = (await agreed(bench, order.order_id, {"1": 2})).refusal
    assert both is not None
    assert (both.reason, both.instead) == ("price_missing", ("exchange_items",))
    assert (await agreed(bench, order.order_id, {"1": 1}, "one")).outcome is not None
    rest = (await agreed(bench, order.order_id, {"1": 1}, "two")).refusal
    assert rest is not None
    assert rest.reason == "price_missing", "the unit that is paid for is on its way already"
    wants = [{"sku": "TEA", "quantity": 1, "unit_price": "10.00"}]
    assert (await agreed(bench, order.order_id, {"1": 1}, "three", wants=wants)).outcome is not None


async def test_a_preview_refuses_with_the_codes_of_the_exchange(bench: Bench) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await bench.take_in(order)

    async def refusal(order_id: str, *lines: dict[str, object]) -> tuple[str, tuple[str, ...]]:
        wants = ExchangeRequest.model_validate({"reason": "no", "lines": lines})
        async with bench.pool.acquire() as conn:
            with pytest.raises(Refused) as no:
                await exchange_quotes.preview(conn, order_id, wants)
        return no.value.reason, no.value.instead

    assert await refusal(order.order_id) == ("not_delivered", ("cancel_order",))
    two = {"line_id": "1", "quantity": 2}
    had = await sold(bench, ("TEA", 1, "10.00"))
    assert await refusal(had.order_id, two) == ("more_than_delivered", ())


async def test_a_person_decides_first_and_an_advance_exchange_waits_for_that(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        limit = Limit(amount=Decimal("50.00"), currency="USD")
        await return_rules.save(conn, [ReturnRule(review_above=limit)])
    order = await sold(bench, ("TEA", 1, "100.00"))
    wants = ExchangeRequest.model_validate({"reason": "no", "mode": "advance"})
    async with bench.pool.acquire() as conn:
        seen = await exchange_quotes.preview(conn, order.order_id, wants)
    assert (seen.asks, seen.owed.minor) == (("worth_more",), 0)
    outcome = await exchange(bench, order, {"1": 1}, mode="advance")
    assert (outcome.outcome, outcome.asks) == ("requested", ("worth_more",))
    assert await held(bench, outcome.exchange_order_id) == ["awaiting_return"]
    yes = DecideReturn(
        order_id=order.order_id,
        request_id="yes",
        return_id=outcome.return_id,
        decision="approve",
        why="a good customer",
        who="ida",
    )
    await bench.returns.decide_return(yes)
    await ExchangeEnds(bench.pool).tell()
    assert await held(bench, outcome.exchange_order_id) == []


async def test_of_two_exchanges_of_one_unit_at_once_one_is_agreed(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    answers, _ = await at_once(agreed(bench, order.order_id, {"1": 1}, name) for name in ("a", "b"))
    assert [each.refusal is None for each in answers].count(True) == 1
    assert await bench.count("select count(*) from exchange") == 1
    assert await bench.count("select count(*) from customer_order") == 2


async def test_money_that_comes_before_its_order_has_begun_waits_for_it(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    outcome = (await agreed(bench, order.order_id, {"1": 1})).outcome
    assert outcome is not None
    with pytest.raises(Unavailable):
        await received(bench, outcome.return_id)
    await begin(bench, outcome.exchange_order_id)
    await bench.payments.refund_payment(Refund(refund_id=outcome.return_id))
    assert len(await calls(bench)) == 2
    await books_are_right(bench)


async def test_what_an_exchange_order_has_given_back_is_not_authorized_again(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    outcome = await exchange(bench, order, {"1": 1})
    await received(bench, outcome.return_id)
    await bench.authorizations.void_payment(Void(order_id=outcome.exchange_order_id, why="no need"))
    assert (await calls(bench))[2:] == [("refund", 10000)]
    with pytest.raises(Declined, match=r"100\.00 USD is to be paid, of which .* pays 0\.00 USD"):
        await bench.authorizations.authorize_payment(Authorize(order_id=outcome.exchange_order_id))


async def test_what_the_bank_has_given_the_customer_pays_for_no_exchange_order(
    bench: Bench,
) -> None:
    company = Telling(bench.pool)
    order = await sold(bench, ("TEA", 1, "10.00"))
    outcome = await exchange(bench, order, {"1": 1})
    other = outcome.exchange_order_id
    for second, state in enumerate((DisputeState.NEEDS_RESPONSE, DisputeState.LOST)):
        event = company.dispute("auth_1", state, second, what="funds_withdrawn")
        await company.desk.receive("sandbox", event.body, event.signature, now=datetime.now(UTC))
        await company.worked_through()
        with pytest.raises(Refused):
            await received(bench, outcome.return_id, None) if second == 0 else (
                await bench.payments.refund_payment(Refund(refund_id=outcome.return_id))
            )
    by_hand = Refund(refund_id=outcome.return_id, by_hand="the bank gave it back")
    await bench.payments.refund_payment(by_hand)
    # The goods are back, so nothing is held for them; what they would have paid is to be paid.
    assert await held(bench, other) == []
    part = f"{other}:1"
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    with pytest.raises(Declined, match=r"10\.00 USD is to be paid"):
        await bench.authorizations.authorize_payment(Authorize(order_id=other, parts=(part,)))
    assert await clearing(bench) == 0
    await books_are_right(bench)


async def test_what_came_by_an_exchange_is_not_exchanged_while_the_first_payment_is_disputed(
    bench: Bench,
) -> None:
    company = Telling(bench.pool)
    order = await sold(bench, ("TEA", 2, "10.00"))
    first = await exchange(bench, order, {"1": 2})
    await received(bench, first.return_id)
    part = await sent(bench, first.exchange_order_id)
    await bench.payments.charge_payment(Charge(order_id=first.exchange_order_id, part_id=part))
    second = await exchange(bench, first.exchange_order_id, {"1": 1})
    event = company.dispute("auth_1", DisputeState.NEEDS_RESPONSE, 0, what="funds_withdrawn")
    await company.desk.receive("sandbox", event.body, event.signature, now=datetime.now(UTC))
    await company.worked_through()
    no = (await agreed(bench, first.exchange_order_id, {"1": 1}, "x2")).refusal
    assert no is not None
    assert (no.reason, f"of order {order.order_id} at the bank" in no.message) == (
        "payment_disputed",
        True,
    )
    with pytest.raises(Refused, match=f"of order {order.order_id} at the bank"):
        await received(bench, second.return_id)


async def test_goods_that_a_person_lets_go_and_that_are_not_exchanged_are_charged_as_in_advance(
    bench: Bench,
) -> None:
    order = await sold(bench, ("TEA", 1, "100.00"))
    outcome = await exchange(bench, order, {"1": 1})
    other = outcome.exchange_order_id
    letting_go = ChangeHolds(
        order_id=other, request_id="h", release=ReleaseRequest(note="a good customer", by="ida")
    )
    for _ in range(2):
        assert not (await Holds(bench.pool).change_holds(letting_go)).holds
    part = await sent(bench, other)
    charge = Charge(order_id=other, part_id=part, renews=True)
    assert (await bench.payments.charge_payment(charge)).awaits_exchange
    gives_up = DecideReturn(
        order_id=order.order_id,
        request_id="up",
        return_id=outcome.return_id,
        decision="cancel",
        why="keeps it",
        who="ida",
    )
    await bench.returns.decide_return(gives_up)
    await ExchangeEnds(bench.pool).tell()
    await bench.authorizations.authorize_payment(Authorize(order_id=other, parts=(part,)))
    await bench.payments.charge_payment(charge.model_copy(update={"attempt": 2}))
    assert (await calls(bench))[2:] == [("authorize", 10000), ("capture", 10000)]
    assert await clearing(bench) == 0
    await books_are_right(bench)


async def test_what_is_exchanged_for_goods_of_a_counter_lies_ready_there(bench: Bench) -> None:
    at_a_till = Policy(over_the_counter=True)
    order = an_order(("TEA", 1, "10.00"), shipping={"service": "collect", "price": "0.00"})
    for sku in ("TEA", "MUG"):
        await bench.stocked(sku, 20)
    await bench.reserve(order, at_a_till)
    await bench.authorizations.authorize_payment(Authorize(order_id=order.order_id))
    part = f"{order.order_id}:1"
    for _ in range(2):  # it is handed over in its first attempt, and charged
        await bench.send(part)
    await bench.charged(part)
    outcome = await exchange(bench, order, {"1": 1}, mode="advance")
    kinds = await bench.pool.fetch(
        "select handling from fulfilment where fulfilment_id = $1",
        f"{outcome.exchange_order_id}:1",
    )
    assert [row["handling"] for row in kinds] == ["pick_up"]
