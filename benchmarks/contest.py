"""The whole contest: a census, closed loops in interleaved rounds, open loops, and the audit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from benchmarks.census import Census, count
from benchmarks.contestants.protocol import Contestant
from benchmarks.figures import median, percentile
from benchmarks.loops import Arrivals, open_loop, schedule
from benchmarks.machine import Machine, describe
from benchmarks.measuring import Cost, measure, median_cost
from benchmarks.reach import HALF
from benchmarks.results import Entry, OpenLoad, Plan, Results
from benchmarks.venue import Venue, venue

Say = Callable[[str], None]

FULL = Plan(rounds=3, in_flight=64, seconds=12, open_seconds=12, sampled_orders=12, placed_min=100)
QUICK = Plan(rounds=1, in_flight=6, seconds=2, open_seconds=3, sampled_orders=2, shared_stages=True)

# Beyond this many times the closed loop's orders, those of an open loop are dropped.
_CROWD = 4


async def run(contestants: Sequence[Contestant], plan: Plan, say: Say) -> Results:
    """Let the contestants run, one at a time and each in turn. Takes minutes."""
    async with venue(shared_stages=plan.shared_stages) as here:
        say("a stack of its own is up")
        await here.prepare(contestants)
        machine = await _machine(here, contestants)
        census: dict[str, Census] = {}
        for one in contestants:
            census[one.name] = await count(here, one, orders=plan.sampled_orders)
            say(
                f"census, {one.name}: {census[one.name].events_per_order} events, "
                f"{census[one.name].actions_per_order} actions"
            )
        costs = await _closed(here, contestants, plan, say)
        rates = {name: median(cost.orders_per_s for cost in costs[name]) for name in costs}
        open_loads = await _open(here, contestants, plan, rates, say)
        findings = await here.audit()
    return Results(
        at=datetime.now(UTC),
        machine=machine,
        plan=plan,
        entries={
            one.name: Entry(
                cost=median_cost(costs[one.name]),
                rounds=tuple(cost.orders_per_s for cost in costs[one.name]),
                census=census[one.name],
                open_loop=open_loads[one.name],
            )
            for one in contestants
        },
        findings=tuple(findings),
    )


async def _machine(here: Venue, contestants: Sequence[Contestant]) -> Machine:
    with_database = next(one for one in contestants if one.has_effects)
    async with here.watching(with_database) as pool:
        return await describe(await here.client(), pool)


async def _closed(
    here: Venue, contestants: Sequence[Contestant], plan: Plan, say: Say
) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = defaultdict(list)
    for number in range(1, plan.rounds + 1):
        for one in contestants:
            cost = await measure(here, one, in_flight=plan.in_flight, seconds=plan.seconds)
            costs[one.name].append(cost)
            say(f"closed loop, round {number}, {one.name}: {cost.orders_per_s:.1f} orders/s")
    return costs


async def _open(
    here: Venue,
    contestants: Sequence[Contestant],
    plan: Plan,
    rates: dict[str, float],
    say: Say,
) -> dict[str, tuple[OpenLoad, ...]]:
    """Only of those with effects: the others have no decision to wait for."""
    arrivals: dict[tuple[str, float], list[Arrivals]] = defaultdict(list)
    for number in range(1, plan.rounds + 1):
        for one in (one for one in contestants if one.has_effects):
            async with here.stage(one) as stage:
                for share in plan.shares:
                    done = await open_loop(
                        stage.player,
                        stage.numbers,
                        schedule(share * rates[one.name], seconds_of(plan, share, rates[one.name])),
                        under_way_max=_CROWD * plan.in_flight,
                        say=say,
                    )
                    arrivals[one.name, share].append(done)
            say(f"open loop, round {number}, {one.name}: done")
    return {
        one.name: tuple(
            summarized(share, share * rates[one.name], arrivals[one.name, share])
            for share in plan.shares
            if one.has_effects
        )
        for one in contestants
    }


def seconds_of(plan: Plan, share: float, rate: float) -> float:
    """How long orders come at a rate: at half load long enough for a p99."""
    if share != HALF:
        return plan.open_seconds
    return max(plan.open_seconds, plan.placed_min / (share * rate))


def summarized(share: float, rate: float, rounds: Sequence[Arrivals]) -> OpenLoad:
    """The rounds of an open loop at one rate, in one row."""

    def middle(part: float) -> float:
        return 1000 * median(percentile(one.latencies_s, part) for one in rounds)

    return OpenLoad(
        share=share,
        orders_per_s=round(rate, 3),
        placed=sum(len(one.latencies_s) for one in rounds),
        p50_ms=round(middle(0.50), 1),
        p99_ms=round(middle(0.99), 1),
        late=sum(one.late for one in rounds),
        dropped=sum(one.dropped for one in rounds),
    )
