"""The benchmark's arithmetic: percentiles, schedules, bills, options, and its tables."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner

from benchmarks import __main__ as program
from benchmarks import hot_stock, hot_tables, loops, results, tables
from benchmarks.bill import actions_usd, billable_actions, storage_usd
from benchmarks.census import Census
from benchmarks.contest import FULL, QUICK, seconds_of, summarized
from benchmarks.contestants.looks import Looks
from benchmarks.figures import percentile, ratio
from benchmarks.goods import an_order
from benchmarks.hot_stock import Load, Run
from benchmarks.loops import Arrivals, closed_loop, open_loop, schedule
from benchmarks.machine import Machine
from benchmarks.measuring import Cost, median_cost
from benchmarks.options import WorkerOptions, parse_options
from benchmarks.plot import draw
from benchmarks.profile import shares, times
from benchmarks.results import Entry, Results
from benchmarks.server_log import statements
from domain.errors import InvalidInput, Refused, Unreachable

# Figures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([5.0], 0.5, 5.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        (list(range(1, 101)), 0.99, 99),
        (list(range(1, 101)), 1.0, 100),
        (list(range(1, 101)), 0.0, 1),
        # With fewer than a hundred values, the p99 is the slowest of them.
        (list(range(1, 51)), 0.99, 50),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: Sequence[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


def test_of_nothing_there_is_no_percentile_and_no_ratio() -> None:
    assert math.isnan(percentile([], 0.5))
    assert math.isnan(ratio(1, 0))


# Open loop ----------------------------------------------------------------------------------------


def test_orders_are_due_evenly_and_as_many_as_the_rate_says() -> None:
    assert schedule(4, 2) == [0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
    assert schedule(0.01, 2) == [0]


class Shopper:
    """A player that answers at once, but refuses every third order, and never sees one through."""

    def __init__(self) -> None:
        self.placed: list[int] = []
        self.go_home = asyncio.Event()

    async def place(self, number: int) -> str:
        self.placed.append(number)
        if number % 3 == 0:
            raise Refused(f"order {number}")
        return str(number)

    async def finish(self, workflow_id: str) -> None:
        await self.go_home.wait()


async def test_an_order_that_finds_a_crowd_or_fails_is_dropped_and_told() -> None:
    shopper, said = Shopper(), list[str]()
    asyncio.get_running_loop().call_later(0.2, shopper.go_home.set)
    due = schedule(1000, 0.01)
    numbers = itertools.count(1)
    arrivals = await open_loop(shopper, numbers, due, under_way_max=4, say=said.append)
    assert len(due) == 10
    # 1, 2, 4 and 5 stay; 3 is refused and makes room; then nobody gets in.
    assert shopper.placed == [1, 2, 3, 4, 5]
    assert (len(arrivals.latencies_s), arrivals.dropped) == (4, 6)
    assert said == ["dropped: order 3"]


class Sleeper(Shopper):
    """A player that keeps the generator itself from its work, once."""

    async def place(self, number: int) -> str:
        if number == 1:
            await asyncio.sleep(0)
            until = asyncio.get_running_loop().time() + 0.3
            while asyncio.get_running_loop().time() < until:
                pass
        self.go_home.set()
        return str(number)


async def test_what_waits_for_the_generator_is_late_and_waits_since_its_own_time() -> None:
    arrivals = await open_loop(
        Sleeper(), itertools.count(1), [0.0, 0.01, 0.02], under_way_max=9, say=print
    )
    assert arrivals.late == 2
    assert min(arrivals.latencies_s[1:]) > 0.2


def test_rounds_are_summed_up_by_medians_and_what_went_wrong_by_sums() -> None:
    rounds = [
        Arrivals(latencies_s=[0.1, 0.2], late=1),
        Arrivals(latencies_s=[0.3, 0.4], dropped=2),
        Arrivals(latencies_s=[0.5, 9.0], late=1),
    ]
    load = summarized(0.5, 10.0, rounds)
    assert (load.p50_ms, load.p99_ms) == (300, 400)
    assert (load.placed, load.late, load.dropped) == (6, 2, 2)


# Shared looks -------------------------------------------------------------------------------------


async def test_one_look_serves_all_who_wait() -> None:
    asked: list[list[str]] = []
    ready = asyncio.Event()

    async def look(names: Sequence[str]) -> dict[str, str]:
        asked.append(sorted(names))
        return {name: name.upper() for name in names} if ready.is_set() else {}

    looks = Looks(look, tick_s=0.01)
    waiting = [asyncio.create_task(looks.of(name)) for name in ("a", "b", "c")]
    while not asked:
        await asyncio.sleep(0.01)
    waiting[2].cancel()
    await asyncio.sleep(0)
    ready.set()
    assert await asyncio.gather(*waiting[:2]) == ["A", "B"]
    assert asked[0] == ["a", "b", "c"]
    assert asked[-1] == ["a", "b"]
    assert await looks.of("later") == "LATER"


async def test_a_look_that_fails_is_told_to_all_who_wait() -> None:
    async def look(names: Sequence[str]) -> dict[str, str]:
        raise Refused("closed")

    looks = Looks(look, tick_s=0.01)
    told = await asyncio.gather(looks.of("a"), looks.of("b"), return_exceptions=True)
    assert [str(one) for one in told] == ["closed", "closed"]


# Bill ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actions", "usd"),
    [
        (0, 0),
        (1e6, 50),
        (5e6, 250),
        (11.25e6, 525),  # the example that the price list itself gives
        (200e6, 250 + 225 + 400 + 1050 + 1500 + 2500),
        (201e6, 250 + 225 + 400 + 1050 + 1500 + 2500 + 25),
    ],
)
def test_actions_get_cheaper_by_tiers(actions: float, usd: float) -> None:
    assert actions_usd(actions) == pytest.approx(usd)


def test_storage_is_paid_while_open_and_while_kept() -> None:
    # 1 GB: 33 days at 0.042 a GB and hour, then 30 days at 0.00105
    assert storage_usd(1000, 1e6) == pytest.approx(33 * 24 * 0.042 + 30 * 24 * 0.00105)


def test_an_activity_is_billed_for_each_attempt_and_local_ones_for_each_task() -> None:
    def event(kind: str) -> HistoryEvent:
        return HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{kind}"))

    def local_activity(task: int) -> HistoryEvent:
        marker = event("MARKER_RECORDED")
        marker.marker_recorded_event_attributes.marker_name = "core_local_activity"
        marker.marker_recorded_event_attributes.workflow_task_completed_event_id = task
        return marker

    started = event("ACTIVITY_TASK_STARTED")
    started.activity_task_started_event_attributes.attempt = 3
    free = [event("WORKFLOW_TASK_COMPLETED"), event("ACTIVITY_TASK_SCHEDULED")]
    paid = [event("WORKFLOW_EXECUTION_STARTED"), event("TIMER_STARTED")]
    local = [local_activity(4), local_activity(4), local_activity(9)]
    assert billable_actions([*free, *paid, started, *local], queries=1) == 2 + 3 + 2 + 1


# Options ------------------------------------------------------------------------------------------


def test_options_are_told_as_names_and_values_and_settings_in_capitals() -> None:
    options = parse_options("sandbox=false, processes=2,workflow_pollers=auto,ORDERLOOM_X=1")
    assert options.processes == 2
    assert options.environment == {"ORDERLOOM_X": "1"}
    given = options.for_worker()
    assert isinstance(given["workflow_runner"], UnsandboxedWorkflowRunner)
    assert isinstance(given["workflow_task_poller_behavior"], PollerBehaviorAutoscaling)


def test_what_is_not_told_stays_as_it_ships() -> None:
    assert parse_options("") == WorkerOptions()
    assert WorkerOptions().for_worker() == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sandbox", "'sandbox' is not name=value"),
        ("sandbx=1", "sandbx: Extra inputs are not permitted"),
        ("processes=0", "processes: Input should be greater than or equal to 1"),
    ],
)
def test_an_option_that_cannot_be_is_named(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        parse_options(text)


# Counting -----------------------------------------------------------------------------------------


def test_a_round_trip_is_a_line_of_the_log_however_many_statements_it_has() -> None:
    log = (
        b"2026-11-22 13:00:00.123 UTC [42] LOG:  statement: BEGIN;\n"
        b"2026-11-22 13:00:00.124 UTC [42] LOG:  execute __asyncpg_stmt_1__: SELECT 1\n"
        b"\tFROM orders -- LOG:  statement: is only a comment here, far from the line's beginning\n"
        b"2026-11-22 13:00:00.124 UTC [42] DETAIL:  Parameters: $1 = 'LOG:'\n"
        b"2026-11-22 13:00:00.125 UTC [42] LOG:  execute fetch from __asyncpg_stmt_1__/p: SELECT\n"
        b"2026-11-22 13:00:00.126 UTC [42] LOG:  statement: SELECT 1;\n\tCLOSE ALL;\n\tRESET ALL;\n"
    )
    assert statements(log).total() == 4
    assert statements(log)["SELECT 1; CLOSE ALL; RESET ALL;"] == 1
    assert statements(log)["fetch: SELECT"] == 1


def test_neighbouring_orders_want_different_products() -> None:
    one, next_one = an_order("x", 1), an_order("x", 2)
    assert {line.sku for line in one.lines}.isdisjoint(line.sku for line in next_one.lines)
    assert one.order_id != next_one.order_id


# Results ------------------------------------------------------------------------------------------


def an_entry(rate: float, *, effects: bool = True) -> Entry:
    cost = Cost(
        orders_per_s=rate,
        worker_cpu_ms=10,
        temporal_cpu_ms=20,
        postgres_cpu_ms=5,
        generator_cpu_ms=2,
        worker_memory=100_000_000,
        temporal_memory=200_000_000,
        postgres_memory=50_000_000,
        wal_bytes=10_000,
        cores_busy=1.9,
    )
    census = Census(
        events_per_order=48,
        history_bytes_per_order=9_000,
        actions_per_order=10,
        round_trips_per_order=90.0 if effects else None,
        actions_usd_per_million_orders=475,
        storage_usd_per_million_orders=300,
    )
    rounds = [Arrivals(latencies_s=[0.1])]
    loads = tuple(summarized(share, share * rate, rounds) for share in (0.25, 0.5))
    return Entry(cost=cost, rounds=(rate,), census=census, open_loop=loads if effects else ())


def a_contest(findings: tuple[str, ...] = ()) -> Results:
    return Results(
        at=datetime(2026, 11, 22, tzinfo=UTC),
        machine=Machine(
            processor="a chip",
            cores=2,
            memory_gb=8,
            system="Linux",
            python="3.11",
            temporal_sdk="1",
            temporal_server="1",
            postgresql="18",
        ),
        plan=FULL,
        entries={
            "floor": an_entry(40, effects=False),
            "textbook": an_entry(10),
            "orderloom": an_entry(30),
        },
        findings=findings,
    )


def test_the_document_says_how_many_times_the_others_orderloom_reaches() -> None:
    document = a_contest().document()
    assert document["ratios"] == {"vs_floor": 0.75, "vs_textbook": 3.0}
    assert document["orderloom"]["orders_per_s"] == 30
    assert document["orderloom"]["events_per_order"] == 48
    assert document["orderloom"]["actions_per_order"] == 10
    assert document["audit"] == "clean"
    assert a_contest(("stock: A",)).document()["audit"] == ["stock: A"]


@pytest.mark.parametrize("findings", [(), ("orderloom: stock: TEA: wrong",)])
def test_results_are_read_as_they_were_written(tmp_path: Path, findings: tuple[str, ...]) -> None:
    contest = a_contest(findings)
    results.write(contest, tmp_path)
    assert results.read(tmp_path) == contest


def test_the_page_has_a_column_for_each_contestant_and_a_row_for_each_figure() -> None:
    closed, loads, reached, notes = tables.markdown(a_contest()).split("\n\n")
    assert closed.splitlines()[0] == "| closed loop | floor | textbook | orderloom |"
    assert "| orders/s, placed to closed | 40.0 | 10.0 | 30.0 |" in closed
    assert "| Orderloom, times as many orders/s | 0.75 × | 3.00 × |  |" in closed
    assert "| database round trips per order | – | 90 | 90 |" in closed
    assert "| orderloom | 50% | 15.0 | 1 | 100 | 100 | 0 | 0 |" in loads
    assert "2 cores of a chip" in notes
    assert reached.splitlines()[2:] == [
        "| events per plain order | ≤ 36 | 48 | not reached |",
        "| billable actions per plain order | ≤ 8 | 10 | not reached |",
        "| round trips per order | ≤ 45 | 90 | not reached |",
        "| WAL per order, KB | ≤ 25 | 10 | reached |",
        "| CPU of worker + Temporal + PostgreSQL, ms per order | ≤ 110 | 35 | reached |",
        "| orders/s ÷ textbook | ≥ 3 | 3 | reached |",
        "| orders/s ÷ floor | ≥ 0.8 | 0.75 | not reached |",
        "| placement p99 ÷ p50 at half load | ≤ 2.5 | 1 | reached |",
    ]


async def test_at_half_load_enough_orders_are_placed_for_a_p99() -> None:
    plan = FULL.model_copy(update={"open_seconds": 12, "placed_min": 100})
    assert [len(schedule(8 * s, seconds_of(plan, s, 8))) for s in (0.25, 0.5, 0.75)] == [
        24,
        100,
        72,
    ]
    assert seconds_of(QUICK, 0.5, 0.1) <= max(QUICK.open_seconds, 20)


def test_the_last_run_is_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results.write(a_contest(), tmp_path)
    assert program.main(["show", "--markdown", "--output", str(tmp_path)]) == 0
    assert "| closed loop | floor | textbook | orderloom |" in capsys.readouterr().out


def test_options_that_cannot_be_end_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["tune", "-a", "sandbox=perhaps"]) == 2
    assert "sandbox: Input should be a valid boolean" in capsys.readouterr().err


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    assert draw(a_contest(), tmp_path).read_bytes().startswith(b"\x89PNG")


def test_the_middle_of_rounds_is_taken_figure_by_figure() -> None:
    low, high = an_entry(1).cost, an_entry(3).cost.model_copy(update={"wal_bytes": 5})
    middle = median_cost([low, high, an_entry(2).cost])
    assert (middle.orders_per_s, middle.wal_bytes) == (2, 10_000)


async def test_orders_that_never_end_are_told_instead_of_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loops, "GENERATION_S_MAX", 0.1)
    with pytest.raises(Unreachable, match="did not come to their end"):
        await open_loop(Shopper(), itertools.count(1), [0.0], under_way_max=1, say=print)
    with pytest.raises(ExceptionGroup) as failed:
        await closed_loop(
            Shopper(), itertools.count(1), in_flight=2, seconds=0, groups={}, pool=None
        )
    assert "of 2 orders 0 were closed" in str(failed.value.exceptions[0])


# Hot stock ----------------------------------------------------------------------------------------


def a_run(way: str, demand: str, rate: float, oversold: int = 0) -> Run:
    load = Load(orders_per_s=40, p50_ms=1000 / rate, p99_ms=9)
    return Run(
        way=way,
        demand=demand,
        orders_per_s=rate,
        p50_ms=1,
        p99_ms=2,
        postgres_cpu_ms=1,
        client_cpu_ms=1,
        low=load,
        rush=load,
        oversold=oversold,
    )


def test_ways_to_claim_are_compared_round_by_round() -> None:
    runs = [
        *(a_run("FOR UPDATE", "one hot SKU", rate) for rate in (90, 100, 400)),
        a_run("orderloom, alone", "one hot SKU", 100),
        *(a_run("orderloom", "one hot SKU", rate, 1) for rate in (600, 500, 1600)),
        *(a_run("orderloom", "uniform", rate) for rate in (1200, 500, 3200)),
    ]
    document = hot_tables.document(runs, hot_stock.FULL)
    # Of each round: 6.67, 5 and 4; 0.5, 1 and 0.5. Of the medians it would be 6 and 0.5.
    assert document["ratios"] == {
        "hot_vs_select_for_update": 5,
        "hot_vs_uniform": 0.5,
        "low_load_p50_vs_alone": pytest.approx(1 / 6),
        "low_load_p99_vs_alone": 1,
    }
    assert document["oversold"] == 3
    page = hot_tables.markdown(runs, hot_stock.FULL)
    assert (
        "| one hot SKU | orderloom | 600 | 600 500 1600 | 6.00 | 1 | 2 | 1.00 | 1.00 | 3 |" in page
    )
    assert "| hot SKU ÷ FOR UPDATE, orders/s | ≥ 8 | 5 | not reached |" in page
    assert "| hot SKU ÷ uniform, orders/s | ≥ 0.9 | 0.5 | not reached |" in page


def test_customers_come_by_chance_and_want_what_the_demand_says() -> None:
    due = hot_stock.arrivals(100, 5, Random(1))
    assert due == sorted(due)
    assert 400 < len(due) < 600
    hot = Counter(itertools.islice(hot_stock.demanded("Zipf(2.0)", Random(1)), 1000))
    assert 550 < hot["SKU-0001"] < 700  # 6 / pi², of so many SKUs about all
    assert set(itertools.islice(hot_stock.demanded("one hot SKU", Random(1)), 9)) == {"SKU-0001"}


# Profile ------------------------------------------------------------------------------------------


def test_a_sample_is_the_work_of_whoever_is_innermost_and_has_a_name() -> None:
    loop = "Runner.run (asyncio/runners.py:118);Handle._run (asyncio/events.py:84)"
    activity = "_execute_activity (temporalio/worker/_activity.py:525)"
    found = shares(
        [
            f"{loop};{activity};fetch (asyncpg/connection.py:1);write (asyncio/events.py:2) 6",
            f"{loop};{activity};tell (store/orders/events.py:33) 3",
            f"{loop} 1",
            # What only waits or starts is no work.
            f"{loop};EpollSelector.select (selectors.py:468) 50",
            "Thread.run (threading.py:971);_worker (concurrent/futures/thread.py:69) 50",
            "<module> (worker.py:1);_find_and_load (<frozen importlib._bootstrap>:1176) 50",
            " 50",
        ]
    )
    assert found == {
        "PostgreSQL client (asyncpg)": 0.6,
        "Orderloom: store": 0.3,
        "event loop, and the rest": 0.1,
    }


def test_an_orders_way_is_what_is_played_worked_and_waited_for() -> None:
    cost = Cost.model_validate(dict.fromkeys(Cost.model_fields, 0.0))
    cost = cost.model_copy(update={"orders_per_s": 8.0, "worker_cpu_ms": 50.0})
    way = times(cost, 64, played=1600.0)
    assert way["placed to closed"] == 8000.0
    assert way["the rest: waiting, less what ran side by side"] == 8000 - 1600 - 50
