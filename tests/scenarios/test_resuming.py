"""Orders that Temporal has lost are taken up again: once, and only where nothing runs.

No worker works here but where a workflow must end: what is looked at is who starts what.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Priority
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain import ids
from domain.errors import NotFound, Refused, Unreachable
from domain.orders.continuation import OrderInput
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.starts import OrderStart
from runtime.order_starts import BULK, EXPRESS, USUAL, start_order
from starter.service import resuming
from starter.service.resuming import Resumption
from starter.service.service import Service
from store.database import Pool
from store.orders import intake, orders
from tests.support.bench import Bench
from tests.support.builders import a_policy, an_order, shipping
from tests.support.servers import running_temporal

A_MINUTE_S = 60.0
NOT_THERE = "Temporal had no workflow of it"


@workflow.defn(name="Order", sandboxed=False)
class Ends:
    """An order's workflow that ends at once, in the way that its order's number says."""

    @workflow.run
    async def run(self, start: OrderInput) -> None:
        if "fails" in start.order_id:
            raise ApplicationError("a fault", non_retryable=True)


class Office(Service):
    """All doors, with orders whose workflows nobody works on."""

    def __init__(self, pool: Pool, temporal: Client) -> None:
        self.bench = Bench(pool)
        self.pool, self.temporal = pool, temporal
        self.task_queue = f"test-{uuid.uuid4()}"
        super().__init__(pool, temporal, task_queue=self.task_queue)

    async def taken_in(self, *orders_: Order, policy: Policy | None = None) -> list[str]:
        """Orders on record, whose first start is due soon."""
        for order in orders_:
            await self.bench.take_in(order, policy)
        return [order.order_id for order in orders_]

    async def begun(self, *orders_: Order, policy: Policy | None = None) -> list[str]:
        """Orders of which the first step was done, without a workflow."""
        taken = await self.taken_in(*orders_, policy=policy)
        async with self.pool.acquire() as conn, conn.transaction():
            await orders.begin(conn, taken)
        await self.pool.execute(
            "update customer_order set decision = 'confirmed' where order_id = any($1)", taken
        )
        return taken

    async def started(self, order: Order) -> str:
        """An order with a workflow, as its door starts it."""
        await self.begun(order)
        assert await start_order(self.temporal, self.task_queue, OrderStart.of(order, Policy()))
        return order.order_id

    async def ended(self, number: str) -> str:
        """An order whose workflow has ended by itself, or has failed where its number says so."""
        order_id = await self.started(an_order(("TEA", 1), channel_order_id=number))
        async with Worker(
            self.temporal,
            task_queue=self.task_queue,
            workflows=[Ends],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            handle = self.temporal.get_workflow_handle(ids.workflow_id(order_id))
            if "fails" in number:
                with pytest.raises(WorkflowFailureError):
                    await handle.result()
            else:
                await handle.result()
        return order_id

    async def terminate(self, order_id: str) -> None:
        """Somebody terminates its workflow."""
        await self.temporal.get_workflow_handle(ids.workflow_id(order_id)).terminate("a slip")

    async def run(self, order_id: str) -> WorkflowExecutionDescription:
        """The last run of its workflow."""
        return await self.temporal.get_workflow_handle(ids.workflow_id(order_id)).describe()

    async def given(self, order_id: str) -> OrderInput:
        """What its last run was started with."""
        handle = self.temporal.get_workflow_handle(ids.workflow_id(order_id))
        event = (await handle.fetch_history()).events[0]
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        (start,) = await pydantic_data_converter.decode(payloads, [OrderInput])
        assert isinstance(start, OrderInput)
        return start

    async def all_lost(self) -> list[Resumption]:
        """What is said of each open order."""
        return [done async for done in self.orders.resume_lost()]


def priority_of(run: WorkflowExecutionDescription) -> Priority:
    return run.raw_description.workflow_execution_info.priority


@pytest.fixture
def office(pool: Pool, temporal_client: Client) -> Office:
    return Office(pool, temporal_client)


# One order ----------------------------------------------------------------------------------------


async def test_an_order_without_a_workflow_goes_on_from_its_rows(office: Office) -> None:
    policy = a_policy(return_window=60)
    order = an_order(("TEA", 2, "12.50"), ("CUP", 1), channel="pos")
    (order_id,) = await office.begun(order, policy=policy)
    assert await office.orders.resume(order_id) == Resumption(order_id, "resumed", NOT_THERE)
    assert await office.given(order_id) == OrderInput(
        order_id=order_id, policy=policy, goes_on=True, settle=resuming.SETTLE
    )


@pytest.mark.parametrize(("service", "key"), [("express_24", EXPRESS), ("standard", USUAL)])
async def test_a_run_that_goes_on_is_found_and_takes_its_turn_as_the_first_one_did(
    office: Office, service: str, key: int
) -> None:
    order = an_order(("TEA", 2, "12.50"), ("CUP", 1), shipping=shipping("5.00", service=service))
    order_id = await office.started(order)
    first = await office.run(order_id)
    await office.terminate(order_id)
    await office.orders.resume(order_id)
    second = await office.run(order_id)
    assert second.run_id != first.run_id
    assert second.typed_search_attributes == first.typed_search_attributes
    assert len(list(second.typed_search_attributes)) == 5
    assert await second.static_summary() == await first.static_summary() is not None
    assert priority_of(first) == priority_of(second)
    assert priority_of(first).priority_key == key


async def test_an_order_whose_first_step_was_never_done_is_started_from_the_beginning(
    office: Office,
) -> None:
    (order_id,) = await office.taken_in(an_order(("TEA", 1)))
    assert (await office.orders.resume(order_id)).outcome == "resumed"
    assert await office.given(order_id) == OrderInput(order_id=order_id)
    assert await office.bench.count("select count(*) from order_to_start") == 1


async def test_an_order_that_runs_is_left_alone(office: Office) -> None:
    order_id = await office.started(an_order(("TEA", 1)))
    before = await office.run(order_id)
    assert await office.orders.resume(order_id) == Resumption(order_id, "running")
    assert (await office.run(order_id)).run_id == before.run_id


async def test_after_a_run_that_was_terminated_or_failed_there_is_another_one(
    office: Office,
) -> None:
    order = an_order(("TEA", 1))
    terminated = await office.started(order)
    await office.terminate(terminated)
    new = OrderStart.of(order, Policy())
    assert not await start_order(office.temporal, office.task_queue, new), "nobody asked for it"
    failed = await office.ended(f"fails-{uuid.uuid4().hex[:8]}")
    done = [await office.orders.resume(order_id) for order_id in (terminated, failed)]
    assert [(one.outcome, one.why) for one in done] == [
        ("resumed", "its workflow had been terminated"),
        ("resumed", "its workflow had failed"),
    ]
    given = await office.given(terminated)
    assert given.goes_on
    assert timedelta(0) < given.settle < resuming.SETTLE, "since the end of the first run"


async def test_after_a_run_that_ended_by_itself_there_is_no_other_one(office: Office) -> None:
    order_id = await office.ended(f"ends-{uuid.uuid4().hex[:8]}")
    with pytest.raises(Refused, match=r"ended by itself, but on record it is confirmed: was the d"):
        await office.orders.resume(order_id)
    (done,) = await office.all_lost()
    assert (done.subject, done.outcome) == (order_id, "impossible")


async def test_an_order_that_has_ended_says_how(office: Office) -> None:
    (order_id,) = await office.begun(an_order(("TEA", 1)))
    await office.pool.execute(
        "update customer_order set decision = 'cancelled', reason = 'changed my mind'"
    )
    with pytest.raises(Refused, match=r"is cancelled since .* \(changed my mind\); it needs no"):
        await office.orders.resume(order_id)
    assert await office.all_lost() == []


async def test_an_order_that_nobody_knows_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound, match="there is no order web-none"):
        await office.orders.resume("web-none")


async def test_an_order_is_started_once_by_many_who_take_it_up_together(office: Office) -> None:
    (order_id,) = await office.begun(an_order(("TEA", 1)))
    done = await asyncio.gather(*(office.orders.resume(order_id) for _ in range(10)))
    assert Counter(one.outcome for one in done) == {"resumed": 1, "running": 9}


# All of them --------------------------------------------------------------------------------------


async def test_all_that_are_lost_are_taken_up_oldest_first_and_the_second_time_none(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "AT_ONCE", 4)  # several pages of few orders
    lost = await office.begun(*(an_order(("TEA", 1)) for _ in range(9)))
    running = [await office.started(an_order(("TEA", 1))) for _ in range(3)]
    closed = await office.begun(an_order(("TEA", 1)))
    await office.pool.execute(
        "update customer_order set decision = 'closed' where order_id = any($1)", closed
    )
    terminated = await office.started(an_order(("TEA", 1)))
    await office.terminate(terminated)
    just_placed = await office.taken_in(an_order(("TEA", 1)))

    done = await office.all_lost()
    told = {"resumed": [*lost, terminated], "running": running, "waiting": just_placed}
    assert {
        outcome: [one.subject for one in done if one.outcome == outcome] for outcome in told
    } == told
    assert len(done) == len(lost) + len(running) + 2
    assert {priority_of(await office.run(order_id)).priority_key for order_id in lost} == {BULK}

    again = Counter(one.outcome for one in await office.all_lost())
    assert again == {"running": len(lost) + len(running) + 1, "waiting": 1}


async def test_an_order_that_temporal_took_and_lost_before_it_began_is_taken_up_at_once(
    office: Office,
) -> None:
    (order_id,) = await office.taken_in(an_order(("TEA", 1)))
    async with office.pool.acquire() as conn:
        await intake.started(conn, [order_id])  # as the relay says when Temporal has taken it
    assert await office.all_lost() == [Resumption(order_id, "resumed", NOT_THERE)]
    assert await office.given(order_id) == OrderInput(order_id=order_id)


async def test_two_who_take_up_all_at_the_same_time_start_each_once(office: Office) -> None:
    lost = await office.begun(*(an_order(("TEA", 1)) for _ in range(60)))
    many = await asyncio.gather(*(office.all_lost() for _ in range(3)))
    done = Counter((one.subject, one.outcome) for each in many for one in each)
    assert {subject: n for (subject, outcome), n in done.items() if outcome == "resumed"} == (
        dict.fromkeys(lost, 1)
    )
    assert sum(done.values()) == 3 * len(lost)


async def test_the_audit_says_which_orders_are_lost_and_how_they_are_taken_up(
    office: Office,
) -> None:
    (order_id,) = await office.begun(an_order(("TEA", 1)))
    terminated = await office.started(an_order(("TEA", 1)))
    await office.terminate(terminated)
    found = (await office.audit(patience=timedelta(0))).violations
    assert {one.subject: one.message for one in found if one.rule == "liveness"} == {
        order_id: "the order is confirmed, but its workflow is not there: "
        "`orderloom resume --all-lost` starts another one",
        terminated: "the order is confirmed, but its workflow is terminated: "
        "`orderloom resume --all-lost` starts another one",
    }


async def test_orders_are_safe_while_temporal_is_away(pool: Pool) -> None:
    async with running_temporal() as server:
        client = await Client.connect(server.address, data_converter=pydantic_data_converter)
        office = Office(pool, client)
        lost = await office.begun(*(an_order(("TEA", 1)) for _ in range(3)))
        await server.stop()
        one, every = office.orders.resume(lost[0]), office.all_lost()
        for error in await asyncio.wait_for(
            asyncio.gather(one, every, return_exceptions=True), A_MINUTE_S
        ):
            assert isinstance(error, Unreachable)
            assert str(error).startswith("Temporal does not answer")
        await server.start()
        assert Counter(one.outcome for one in await office.all_lost()) == {"resumed": 3}
