"""What the outside reports: each fact once, whatever comes twice, late, at once or differently."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn, ReturnPart
from activities.fulfilment.delivery import Delivered
from domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from domain.fulfilment.tracking import CarrierStatus
from store.aftersales.returns import Counted
from store.database import Pool
from store.views import reads
from store.warehouse import counter
from tests.support.bench import Bench, a_part, at_once
from tests.support.books import faults_in
from tests.support.builders import an_order
from tests.support.shop import STAGES, Stage

Report = Callable[[Bench, str], Awaitable[Any]]

REPORTS: dict[str, tuple[Stage, Report]] = {
    "pick": ("confirmed", lambda bench, part: bench.warehouse.pick(part, who="picker")),
    "pack": ("picked", lambda bench, part: bench.warehouse.pack(part, who="packer")),
    "hand over": ("labelled", lambda bench, part: bench.warehouse.hand_over(part, who="packer")),
}


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 1000)
    return bench


async def a_delivered_return(bench: Bench, quantity: int = 3) -> str:
    """An approved return of all units of a delivered order. Returns its id."""
    order = an_order(("TEA", quantity))
    await bench.at(order, "delivered")
    ask = ApproveReturn(
        order_id=order.order_id,
        request_id="r1",
        units={"1": quantity},
        reason="too big",
        who="customer",
    )
    return (await bench.returns.approve_return(ask)).return_id


async def line(bench: Bench, part_id: str, name: str) -> int:
    """One count of the order's first line."""
    return await bench.count(
        f"select {name} from order_line where order_no = order_no_of($1)",
        part_id.split(":", maxsplit=1)[0],
    )


async def test_each_report_is_taken_at_its_stage_alone_and_only_once(bench: Bench) -> None:
    for stage in STAGES:
        part = await bench.at(an_order(("TEA", 2)), stage)
        for name, (expected, report) in REPORTS.items():
            if stage == expected:
                continue
            before = await bench.everything()
            if STAGES.index(stage) > STAGES.index(expected):
                await report(bench, part)  # again
            else:
                with pytest.raises(IllegalTransition, match="this can be reported when it is"):
                    await report(bench, part)
            assert await bench.everything() == before, f"{name} of a {stage} fulfilment"


@pytest.mark.parametrize("name", REPORTS)
async def test_a_report_told_many_times_at_once_is_one_fact(bench: Bench, name: str) -> None:
    stage, report = REPORTS[name]
    part = await bench.at(an_order(("TEA", 2)), stage)
    before = await bench.everything()
    answers, refusals = await at_once(report(bench, part) for _ in range(8))
    assert refusals == []
    assert all(answer == answers[0] for answer in answers)
    after = await bench.everything()
    assert len(after["public.order_event"]) == len(before["public.order_event"]) + 1
    reported = [
        row for row in after["public.wait_report"] if row not in before["public.wait_report"]
    ]
    assert len(reported) == (1 if name == "hand over" else 0)
    moved = len(after["public.movement"]) - len(before["public.movement"])
    assert moved == (1 if name == "hand over" else 0)


@pytest.mark.parametrize("name", REPORTS)
async def test_s22_a_report_and_a_recall_at_once_leave_one_story(bench: Bench, name: str) -> None:
    stage, report = REPORTS[name]
    parts = [await bench.at(an_order(("TEA", 2)), stage) for _ in range(10)]
    random = Random(name)
    too_late = 0
    for part in parts:
        calls = [report(bench, part), bench.fulfilment.recall(a_part(part))]
        random.shuffle(calls)
        answers, refusals = await at_once(calls)
        caught = next(a.caught for a in answers if hasattr(a, "caught"))
        reported = not refusals
        too_late += caught is None
        if name == "hand over":
            assert (caught is None) == reported  # exactly one of the two won
            assert await bench.state(part) == ("shipped" if reported else "cancelled")
        else:
            following = {"pick": "picked", "pack": "packed"}[name]
            assert caught == (following if reported else "picking" if name == "pick" else "picked")
            assert await bench.state(part) == "cancelled"
        for refusal in refusals:
            assert isinstance(refusal, IllegalTransition)
            assert "was recalled" in str(refusal)
        # Whoever comes later is told the same.
        assert (await bench.fulfilment.recall(a_part(part))).caught == caught
        assert await line(bench, part, "shipped") == (2 if caught is None else 0)
    assert name != "hand over" or await bench.level("TEA") == (
        1000 - 2 * too_late,
        2 * (len(parts) - too_late),
    )


async def test_s22_a_carriers_scan_and_a_recall_at_once_leave_one_story(bench: Bench) -> None:
    shipped = 0
    for number in range(10):
        part = await bench.at(an_order(("TEA", 2)), "labelled")
        calls: list[Awaitable[Any]] = [
            bench.scan(part, "in_transit"),
            bench.fulfilment.recall(a_part(part)),
        ]
        answers, refusals = await at_once(calls[:: 1 if number % 2 else -1])
        assert refusals == []  # a scan is a fact: it is kept even when it should not have happened
        (caught,) = (answer.caught for answer in answers if not isinstance(answer, str))
        went_out = caught is None
        shipped += went_out
        assert await line(bench, part, "shipped") == (2 if went_out else 0)
        unexpected = await bench.count(
            "select count(*) from order_event "
            "where order_no = order_no_of($1) and what like 'unexpected%'",
            part.split(":", maxsplit=1)[0],
        )
        assert unexpected == (0 if went_out else 1)
    assert (await bench.level("TEA"))[0] == 1000 - 2 * shipped


# Content -----------------------------------------------------------------------------------------


async def test_a_pick_told_again_with_other_counts_is_a_conflict(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 3)), "confirmed")
    first = await bench.warehouse.pick(part, {"1": 2}, who="picker")
    assert first == {"picked": {"1": 2}, "missing": {"1": 1}}
    before = await bench.everything()
    assert await bench.warehouse.pick(part, {"1": 2}, who="picker") == first
    for counted in ({"1": 3}, {"1": 0}, None):
        with pytest.raises(Conflict, match="differently; nothing was changed"):
            await bench.warehouse.pick(part, counted, who="picker")
    assert await bench.everything() == before


@pytest.mark.parametrize(
    ("counted", "message"),
    [({"2": 1}, "no line 2; its lines are 1"), ({"1": 4}, "from 0 to 3"), ({"1": -1}, "line 1")],
)
async def test_a_pick_that_cannot_be_is_refused_by_line(
    bench: Bench, counted: dict[str, int], message: str
) -> None:
    part = await bench.at(an_order(("TEA", 3)), "confirmed")
    before = await bench.everything()
    with pytest.raises(InvalidInput, match=message):
        await bench.warehouse.pick(part, counted, who="picker")
    assert await bench.everything() == before


async def test_units_not_found_leave_the_stock_that_was_wrong(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 3)), "confirmed")
    await bench.warehouse.pick(part, {"1": 1}, who="picker")
    assert await bench.level("TEA") == (998, 1)
    assert await line(bench, part, "open") == 2
    assert await line(bench, part, "picked") == 1


async def test_when_nothing_is_found_there_is_no_parcel(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 3)), "confirmed")
    await bench.warehouse.pick(part, {}, who="picker")
    assert await bench.state(part) == "cancelled"
    with pytest.raises(IllegalTransition, match="is cancelled"):
        await bench.warehouse.pack(part, who="packer")
    assert (await bench.fulfilment.recall(a_part(part))).caught is None
    assert await bench.level("TEA") == (997, 0)


@pytest.mark.parametrize(
    ("counted", "received", "on_hand"),
    [
        (None, 3, 1000),
        ({"1": Counted(restocked=3)}, 3, 1000),
        ({"1": Counted(restocked=1, scrapped=1)}, 2, 998),
        ({"1": Counted(scrapped=3)}, 3, 997),
        ({}, 0, 997),
    ],
)
async def test_a_return_parcel_is_booked_in_as_counted(
    bench: Bench, counted: dict[str, Counted] | None, received: int, on_hand: int
) -> None:
    return_id = await a_delivered_return(bench)
    outcome = await bench.warehouse.receive_return(return_id, counted, who="dock")
    assert outcome["received"] == {"1": received}
    assert outcome["missing"] == ({"1": 3 - received} if received < 3 else {})
    assert await bench.level("TEA") == (on_hand, 0)
    assert await line(bench, return_id, "returned") == received
    assert await line(bench, return_id, "return_requested") == 0
    told = await bench.told(bench.returns.receive_return(ReturnPart(return_id=return_id)))
    assert told["received"] == {"1": received}


async def test_a_return_parcel_told_many_times_at_once_is_booked_in_once(bench: Bench) -> None:
    return_id = await a_delivered_return(bench)
    counted = {"1": Counted(restocked=1, scrapped=1)}
    with pytest.raises(NotFound, match="there is no location east"):
        await bench.warehouse.receive_return(return_id, counted, location="east", who="dock")
    await bench.locations.add("east")
    answers, refusals = await at_once(
        bench.warehouse.receive_return(return_id, counted, location="east", who="dock")
        for _ in range(8)
    )
    assert refusals == []
    assert all(answer == answers[0] for answer in answers)
    assert await bench.level("TEA", "east") == (1, 0)
    assert await bench.level("TEA") == (997, 0)


@pytest.mark.parametrize(
    "told",
    [
        {"counted": {"1": Counted(restocked=3)}},
        {"counted": {"1": Counted(restocked=1, scrapped=1)}},
        {"counted": None},
        {"counted": {"1": Counted(restocked=2)}, "location": "east"},
    ],
)
async def test_a_return_parcel_told_again_differently_is_a_conflict(
    bench: Bench, told: dict[str, Any]
) -> None:
    return_id = await a_delivered_return(bench)
    await bench.warehouse.receive_return(return_id, {"1": Counted(restocked=2)}, who="dock")
    before = await bench.everything()
    with pytest.raises(Conflict, match="differently"):
        await bench.warehouse.receive_return(return_id, who="dock", **told)
    assert (await bench.everything()) == before


@pytest.mark.parametrize(
    ("counted", "message"),
    [
        ({"1": Counted(restocked=4)}, "from 0 to 3"),
        ({"2": Counted(restocked=1)}, "no line 2; its lines are 1"),
    ],
)
async def test_a_return_of_more_than_was_approved_is_refused(
    bench: Bench, counted: dict[str, Counted], message: str
) -> None:
    return_id = await a_delivered_return(bench)
    before = await bench.everything()
    with pytest.raises(InvalidInput, match=message):
        await bench.warehouse.receive_return(return_id, counted, who="dock")
    assert await bench.everything() == before


async def test_what_is_not_there_is_named(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 1)), "confirmed")
    order_id = part.split(":", maxsplit=1)[0]
    for unknown in ("web-0:1", f"{order_id}:2", order_id):
        with pytest.raises(NotFound, match=f"no fulfilment {unknown};"):
            await bench.warehouse.pick(unknown, who="picker")
    with pytest.raises(NotFound, match=f"no return {order_id}:R1"):
        await bench.warehouse.receive_return(f"{order_id}:R1", who="dock")
    with pytest.raises(NotFound, match="no parcel has sandbox number NONE"):
        await bench.carriers.event(
            carrier="sandbox", tracking_number="NONE", event_id="1", status="delivered"
        )


# Carrier events ----------------------------------------------------------------------------------

PROGRESS: dict[CarrierStatus, int] = {
    "unknown": 0,
    "pre_transit": 1,
    "in_transit": 2,
    "out_for_delivery": 3,
    "available_for_pickup": 3,
    "delivered": 4,
    "return_to_sender": 4,
    "failure": 4,
}


async def ends_told(bench: Bench, part: str) -> list[str]:
    """How the story says that the parcel ended."""
    async with bench.pool.acquire() as conn:
        trail = await reads.story(conn, part.split(":", maxsplit=1)[0])
    return [row.what for row in trail if row.what in ("delivered", "undeliverable", "lost")]


async def test_s30_carrier_events_in_any_order_only_move_the_story_forward(bench: Bench) -> None:
    random = Random(30)
    for _ in range(12):
        part = await bench.at(an_order(("TEA", 2)), "shipped")
        scans = random.choices(list(PROGRESS), k=random.randint(1, 8))
        scans += random.choices(scans, k=2)  # some come twice
        seen: list[CarrierStatus] = ["unknown"]
        for number, status in enumerate(scans):
            heard = "repeat" if status in scans[:number] else "new"
            assert await bench.scan(part, status) == heard
            seen.append((await bench.parcel(part)).carrier_status)
            assert PROGRESS[seen[-1]] >= PROGRESS[seen[-2]]
            if PROGRESS[seen[-2]] == 4:
                assert seen[-1] == seen[-2]  # an end is an end
        ended = PROGRESS[seen[-1]] == 4
        assert len(await ends_told(bench, part)) == ended
        assert await line(bench, part, "delivered") == (2 if seen[-1] == "delivered" else 0)


async def test_s30_carrier_events_at_once_tell_one_end(bench: Bench) -> None:
    ends: list[CarrierStatus] = ["delivered", "failure", "return_to_sender", "delivered"]
    for _ in range(5):
        part = await bench.at(an_order(("TEA", 2)), "labelled")
        scans: list[CarrierStatus] = ["in_transit", *ends, "out_for_delivery", "in_transit"]
        answers, refusals = await at_once(bench.scan(part, status) for status in scans)
        assert refusals == []
        assert answers.count("new") == 5  # delivered and in_transit came twice
        assert len(await ends_told(bench, part)) == 1
        assert await line(bench, part, "shipped") == 2
    assert await bench.level("TEA") == (990, 0)
    assert [f for f in await faults_in(bench.pool) if "movements" in f] == []


async def test_s30_an_event_id_that_comes_again_with_another_status_is_a_conflict(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "shipped")
    assert await bench.scan(part, "in_transit", "E-1") == "new"
    before = await bench.everything()
    with pytest.raises(Conflict, match=r"E-1 .* in_transit"):
        await bench.scan(part, "delivered", "E-1")
    assert await bench.scan(part, "in_transit", "E-1") == "repeat"
    assert await bench.everything() == before


async def test_a_label_that_comes_while_its_parcel_is_handed_over_is_no_refusal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "packed")
    hand_over, said_no = counter.hand_over, []

    async def and_then_it_comes(*args: Any, **wishes: Any) -> None:
        try:
            await hand_over(*args, **wishes)
        except IllegalTransition:
            said_no.append(part)
            await bench.send(part)
            raise

    monkeypatch.setattr(counter, "hand_over", and_then_it_comes)
    await bench.warehouse.hand_over(part, who="packer")
    assert (said_no, await bench.state(part)) == ([part], "shipped")


async def test_a_scan_of_a_moving_parcel_says_that_it_was_handed_over(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "labelled")
    await bench.scan(part, "pre_transit")
    assert await bench.state(part) == "labelled"
    await bench.scan(part, "in_transit")
    assert await bench.state(part) == "shipped"
    before = await bench.everything()
    await bench.warehouse.hand_over(part, who="packer")  # and then the warehouse says so too
    assert await bench.everything() == before


async def test_the_last_scan_is_the_latest_whatever_comes_later(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "labelled")
    await bench.pool.execute(
        "update fulfilment set changed_at = now() - interval '4 minutes' where fulfilment_id = $1",
        part,
    )
    now = datetime.now(UTC)
    await bench.warehouse.hand_over(part, who="packer", at=now - timedelta(minutes=3))
    await bench.scan(part, "out_for_delivery", "E-2", now - timedelta(minutes=1))
    await bench.scan(part, "in_transit", "E-1", now - timedelta(minutes=2))
    parcel = await bench.parcel(part)
    assert parcel.last_scan_at == now - timedelta(minutes=1)
    assert parcel.carrier_status == "out_for_delivery"


async def test_s30_a_clock_that_is_ahead_does_not_keep_a_parcel_alive_or_a_window_open(
    bench: Bench,
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=365)
    part = await bench.at(an_order(("TEA", 2)), "labelled")
    await bench.warehouse.hand_over(part, who="packer", at=ahead)
    await bench.scan(part, "in_transit", at=ahead)
    last_scan = (await bench.parcel(part)).last_scan_at
    assert last_scan is not None
    assert last_scan <= datetime.now(UTC)
    await bench.scan(part, "delivered", at=ahead)
    told = await bench.told(bench.delivery.await_delivery(a_part(part)))
    assert Delivered.model_validate(told).at <= datetime.now(UTC)


async def test_a_recycled_tracking_number_means_the_parcel_that_is_under_way(pool: Pool) -> None:
    bench = Bench(pool)
    bench.carrier._numbers = 1
    await bench.stocked("TEA", 9)
    first = await bench.at(an_order(("TEA", 1)), "shipped")
    await bench.scan(first, "delivered", "first:1")
    second = await bench.at(an_order(("TEA", 1)), "shipped")
    assert (await bench.parcel(first)).tracking_number == (
        await bench.parcel(second)
    ).tracking_number
    # The first parcel's event comes once more, now that its number is the second one's.
    assert await bench.scan(second, "delivered", "first:1") == "repeat"
    assert await bench.state(second) == "shipped"
    assert await bench.scan(second, "delivered", "second:1") == "new"
    assert await bench.state(second) == "delivered"


# Refusals -----------------------------------------------------------------------------------------


async def test_a_refused_fulfilment_leaves_its_stock_where_it_is_and_free(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 3)), "confirmed")
    answers, refusals = await at_once(
        bench.warehouse.refuse(part, "the dock is full", who="picker") for _ in range(5)
    )
    assert refusals == []
    outcome = {"picked": {}, "missing": {"1": 3}, "refused": "the dock is full"}
    assert answers == [outcome] * 5
    assert await bench.level("TEA") == (1000, 0)
    assert await line(bench, part, "allocated") == 0
    assert await line(bench, part, "ordered - cancelled") == 3


async def test_a_fulfilment_is_refused_before_it_is_picked_and_with_one_reason(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 3)), "picked")
    with pytest.raises(Conflict, match="was reported before, and differently"):
        await bench.warehouse.refuse(part, "too late", who="picker")
    refused = await bench.at(an_order(("TEA", 3)), "confirmed")
    await bench.warehouse.refuse(refused, "the dock is full", who="picker")
    for report in (
        bench.warehouse.refuse(refused, "another reason", who="picker"),
        bench.warehouse.pick(refused, who="picker"),
        bench.warehouse.pick(refused, {"1": 0}, who="picker"),
    ):
        with pytest.raises(Conflict, match="was reported before, and differently"):
            await report
