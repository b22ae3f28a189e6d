"""Labels of returns: bought once, paid by whom the rules say, scanned, given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from activities.aftersales.overdue_returns import OverdueReturns
from activities.aftersales.return_labels import ReturnLabelFiles, ReturnLabels
from activities.fulfilment.carriers import Carriers
from activities.fulfilment.counter import Counter
from domain.aftersales.return_rules import Limit, ReturnRule
from domain.errors import Conflict, Refused
from starter.service.labels import Labels
from starter.service.returns import Returns
from store.database import Pool
from tests.database.aftersales.sent_back import (
    PAID,
    asked,
    decide,
    fault,
    is_clean,
    label,
    scan,
    see_to,
    shown,
    tasks,
)
from tests.support.bench import Bench

LABELS = "select count(*) from sandbox.label where fulfilment_id like '%:R%'"


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def test_one_label_is_bought_and_its_fee_is_taken_off_what_is_paid_back(bench: Bench) -> None:
    order, back = await asked(bench)
    await see_to(bench, workers=4)
    await see_to(bench)
    bought = await label(bench, back)
    assert (bought.state, bought.fee) == ("bought", "4.90")
    assert await bench.pool.fetchval(LABELS) == 1
    file = (await Labels(bench.pool).of_return(back)).file()
    assert file.content.startswith(b"%PDF-")
    expected = await Returns(bench.pool).expected_refund(back)
    await bench.warehouse.receive_return(back, who="dock")
    row = await bench.pool.fetchrow(
        "select amount_minor, (kept).goods + (kept).tax as fee, (kept).shipping as p from refund"
    )
    assert row is not None
    assert (row["fee"], row["p"]) == (490, 0)
    assert row["amount_minor"] == expected.minor
    assert row["amount_minor"] + 490 < order.total_minor
    await is_clean(bench)
    await ReturnLabelFiles(bench.pool, timedelta(0)).forget()
    with pytest.raises(Refused, match="no file of the label"):
        (await Labels(bench.pool).of_return(back)).file()


async def test_without_a_rule_or_an_address_there_is_no_label(bench: Bench) -> None:
    _, back = await asked(bench, ReturnRule())
    assert (await shown(bench, back)).label is None
    with pytest.raises(Refused, match="no rule of returns says that one is bought"):
        await Labels(bench.pool).of_return(back)


async def test_a_return_that_a_person_approves_gets_its_label_then(bench: Bench) -> None:
    reviewed = Limit(amount=Decimal(0), currency="USD")
    _, back = await asked(bench, PAID.model_copy(update={"review_above": reviewed}))
    await see_to(bench)
    assert (await shown(bench, back)).label is None
    assert not await decide(bench, back, "approve")
    await see_to(bench)
    assert (await label(bench, back)).state == "bought"


@pytest.mark.parametrize("kind", ["unavailable", "timeout_before"])
async def test_a_carrier_that_fails_holds_no_return_up_and_sells_one_label(
    bench: Bench, kind: str
) -> None:
    _, back = await asked(bench)
    await fault(bench, "buy_label", kind, remaining=10)
    for _ in range(10):
        await see_to(bench)
        assert (await label(bench, back)).state == "requested"
    assert await tasks(bench) == [f"return_label {back}"]
    await see_to(bench)
    assert (await label(bench, back)).state == "bought"
    assert await tasks(bench) == []
    assert await bench.pool.fetchval(LABELS) == 1


async def test_a_parcel_that_comes_before_its_label_pays_no_fee(bench: Bench) -> None:
    _, back = await asked(bench)
    await fault(bench, "buy_label", "timeout_after")
    await see_to(bench)
    await bench.warehouse.receive_return(back, who="dock")
    assert await bench.pool.fetchval("select (kept).goods from refund") == 0
    for _ in range(2):
        await see_to(bench)
    assert (await label(bench, back)).state == "voided"
    await is_clean(bench)


async def test_a_label_whose_answer_was_lost_is_looked_up(bench: Bench) -> None:
    _, back = await asked(bench)
    await fault(bench, "buy_label", "timeout_after")
    await see_to(bench)
    assert (await label(bench, back)).state == "requested"
    await see_to(bench)
    assert (await label(bench, back)).state == "bought"
    assert await bench.pool.fetchval(LABELS) == 1


async def test_a_label_that_a_carrier_refuses_or_does_not_sell_is_a_persons_task(
    bench: Bench,
) -> None:
    order, back = await asked(bench, PAID.model_copy(update={"label_service": "unserviceable"}))
    await see_to(bench)
    assert (
        await label(bench, back)
    ).refusal == "the carrier does not deliver there with this service"
    (step,) = await tasks(bench)
    await Returns(bench.pool).settle(order.order_id, step, "sent one", who="kim")
    assert await tasks(bench) == []
    _, back = await asked(bench)
    counter = Carriers.only(Counter())
    await ReturnLabels(bench.pool, counter).see_to()
    assert (await label(bench, back)).refusal == "carrier sells no return labels"
    assert await tasks(bench) == [f"return_label {back}"]
    await bench.warehouse.receive_return(back, who="dock")
    assert await tasks(bench) == [], "it came without one"
    assert await bench.pool.fetchval("select (kept).goods from refund") == 0


async def test_the_label_of_a_return_that_is_given_up_is_given_back_once(bench: Bench) -> None:
    _, back = await asked(bench)
    await see_to(bench)
    assert not await decide(bench, back, "cancel")
    await fault(bench, "void_label", "timeout_after")
    await see_to(bench)
    await see_to(bench, workers=3)
    assert (await label(bench, back)).state == "voided"
    assert await bench.pool.fetchval(f"{LABELS} and voided") == 1
    with pytest.raises(Refused, match="is void"):
        (await Labels(bench.pool).of_return(back)).file()
    await is_clean(bench)


async def test_a_label_whose_answer_was_lost_is_given_back_as_well(bench: Bench) -> None:
    _, back = await asked(bench)
    await fault(bench, "buy_label", "timeout_after")
    await see_to(bench)
    assert (await label(bench, back)).state == "requested"
    assert not await decide(bench, back, "cancel")
    for _ in range(2):  # it is looked up, and given back
        await see_to(bench)
    assert (await label(bench, back)).state == "voided"
    assert await bench.pool.fetchval(f"{LABELS} and voided") == 1


async def test_a_label_that_was_never_asked_for_needs_no_carrier(bench: Bench) -> None:
    _, back = await asked(bench)
    assert not await decide(bench, back, "cancel")
    assert (await label(bench, back)).state == "voided"
    await see_to(bench)
    assert await bench.pool.fetchval(LABELS) == 0


async def test_a_purchase_that_may_be_under_way_is_waited_for(bench: Bench) -> None:
    _, back = await asked(bench)
    await fault(bench, "buy_label", "timeout_before")
    await see_to(bench)
    assert not await decide(bench, back, "cancel")
    await see_to(bench)
    assert (await label(bench, back)).state == "requested"
    await bench.pool.execute("update return_label set asked_at = asked_at - interval '11 minutes'")
    await see_to(bench)
    assert (await label(bench, back)).state == "voided"


async def test_scans_come_twice_late_and_in_any_sequence_and_a_return_only_moves_forward(
    bench: Bench,
) -> None:
    _, back = await asked(bench)
    await see_to(bench)
    now = datetime.now(UTC)
    assert await scan(bench, back, "pre_transit") == "new"
    assert (await shown(bench, back)).state == "approved"
    assert await scan(bench, back, "delivered", at=now) == "new"
    assert await scan(bench, back, "delivered", at=now) == "repeat"
    assert await scan(bench, back, "in_transit", at=now - timedelta(minutes=30)) == "new"
    with pytest.raises(Conflict, match="came before with status delivered"):
        await scan(bench, back, "in_transit", "delivered")
    found = await shown(bench, back)
    assert found.label is not None
    assert (found.state, found.label.carrier_status) == ("in_transit", "delivered")
    assert found.label.first_scan_at == now - timedelta(minutes=30)
    told = "select count(*) from order_event where what = 'return in transit'"
    assert await bench.pool.fetchval(told) == 1
    await bench.warehouse.receive_return(back, who="dock")
    assert await scan(bench, back, "in_transit", "late") == "new"
    assert (await shown(bench, back)).state == "received"
    await is_clean(bench)


async def test_what_a_carrier_has_is_never_closed_by_itself_but_put_before_a_person(
    bench: Bench,
) -> None:
    _, back = await asked(bench)
    await see_to(bench)
    await scan(bench, back, "in_transit")
    ago = "update order_return set chase_at = chase_at - interval '100 days'"
    await bench.pool.execute(ago)
    for _ in range(3):
        await OverdueReturns(bench.pool).chase()
    assert (await shown(bench, back)).state == "in_transit"
    assert await tasks(bench) == [f"return_parcel {back}"]
    outcome = await bench.warehouse.receive_return(back, {}, who="dock")
    assert outcome == {"received": {"1": 0}, "missing": {"1": 2}}
    found = await shown(bench, back)
    assert (found.state, found.ended_because) == ("closed", "nothing was in its parcel")
    assert await tasks(bench) == []
    await is_clean(bench)


async def test_a_parcel_that_comes_back_and_one_that_left_may_have_one_number(bench: Bench) -> None:
    """The carrier uses its numbers again: the newer parcel is meant, at its time."""
    order, back = await asked(bench)
    await see_to(bench)
    parcel = await bench.parcel(f"{order.order_id}:1")
    same = "update return_label set tracking_number = $1"
    await bench.pool.execute(same, parcel.tracking_number)
    assert await scan(bench, back, "in_transit") == "new"
    assert (await shown(bench, back)).state == "in_transit"
    assert await scan(bench, back, "delivered", "delivered") == "repeat", "the first parcel's"
    before = datetime.now(UTC) - timedelta(days=5)
    await bench.pool.execute("update shipment set asked_at = $1", before - timedelta(days=1))
    assert await scan(bench, back, "out_for_delivery", "old", before) == "new"
    assert (await label(bench, back)).carrier_status == "in_transit"


async def test_no_label_is_wanted_for_what_was_taken_at_the_counter(bench: Bench) -> None:
    _, back = await asked(bench, shipping={"service": "collect", "price": "0"})
    assert (await shown(bench, back)).label is None
