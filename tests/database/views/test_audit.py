"""The audit is silent about a shop in order, at work too, and names every fault that is planted."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from domain import ids
from domain.money import Money, Price
from domain.orders.continuation import OrderInput
from domain.orders.messages import CancelRequest, LineRequest
from domain.orders.return_messages import ReturnLine, ReturnRequest
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.locations import Location
from starter.service.audit import AuditReport, audit
from starter.service.days import Days
from starter.simulation.simulator import SimulateOptions, simulate
from store.aftersales.returns import Counted
from store.database import Pool, open_pool
from store.sandbox import companies
from tests.database.views.plants import PLANTS
from tests.support.builders import QUICK, a_policy, an_order
from tests.support.servers import Databases
from tests.support.shop import Shop
from workflows.order import OrderWorkflow

_numbers = itertools.count(1)

SHORT: Final = timedelta(seconds=1)
"""Patience for what will not pass by itself."""

WINDOWS: Final = {"returned": 10, "gift": 10, "back": 300}
"""Seconds in which units of an order can be sent back: time to ask for it on a busy machine."""


@dataclass(frozen=True)
class Day:
    """A shop's database after a day with some of everything, and nobody at work any more."""

    database: str
    task_queue: str
    orders: dict[str, str]
    """By what became of it: the order's id."""


async def live_through(shop: Shop) -> dict[str, str]:
    """Have one order of each kind, settled and open."""
    orders: dict[str, str] = {}

    async def placed(name: str, *lines: tuple[str, int, str], **fields: str) -> str:
        order = an_order(*lines, channel_order_id=name, **fields)
        orders[name] = order.order_id
        window = WINDOWS.get(name)
        await shop.orders.place(order, policy=a_policy(return_window=window) if window else None)
        return ids.fulfilment_id(order.order_id, 1)

    for sku, units in (("TEA", 60), ("CUP", 40), ("RARE", 3)):
        cost = Price(each=Decimal("1.01"), currency="USD")
        said: dict[str, Any] = {"who": "test", "why": "opening"}
        await shop.stock.receive("first", sku, "main", units, unit_cost=cost, **said)

    await shop.stocked("MUG", 5)
    await shop.locations.save([Location(location="main"), Location(location="shop")])
    await shop.transfers.send("T-1", "main", "shop", {"MUG": 3}, who="anna", why="window")
    await shop.transfers.receive("T-1", "first", {"MUG": 1}, who="ben")

    await bought(shop, "PO-closed", "JUG", 12)
    await shop.purchasing.receive("PO-closed", "all", who="dock")
    await bought(shop, "PO-open", "LID", 24)
    await shop.purchasing.receive("PO-open", "part", {"LID": 10}, who="dock")

    for key, euros in (("G-1", 25_00), ("G-2", 5_00)):
        credit = Money(minor=euros, currency="EUR")
        await shop.credit.grant(key, "C-1", credit, who="anna", why="late parcel")

    part = await placed("closed", ("TEA", 3, "3.33"), ("CUP", 2, "7.01"), discount="1.00")
    await shop.drive(part, "delivered")

    part = await placed("returned", ("TEA", 3, "3.33"))
    await shop.drive(part, "delivered")
    outcome = await _until_returnable(shop, orders["returned"], 3)
    await shop.task("receive-return", outcome)
    await shop.warehouse.receive_return(
        outcome, {"1": Counted(restocked=1, scrapped=1)}, who="returns desk"
    )

    await shop.kit("SET", TEA=2, CUP=1)
    part = await placed("gift", ("SET", 3, "9.99"))
    await shop.drive(part, "delivered")
    outcome = await _until_returnable(shop, orders["gift"], 2)
    await shop.task("receive-return", outcome)
    await shop.warehouse.receive_return(
        outcome, {"1": Counted(restocked=1, scrapped=1)}, who="returns desk"
    )

    part = await placed("cancelled", ("TEA", 2, "3.33"))
    await shop.drive(part, "labelled")
    await shop.aftersales.cancel(orders["cancelled"], CancelRequest(reason="changed my mind"))

    await placed("declined", ("TEA", 2, "3.33"), token="tok_decline")
    await placed("unavailable", ("NONE", 2, "3.33"))

    part = await placed("short", ("TEA", 4, "3.33"), ("CUP", 1, "7.01"))
    await shop.task("pick", part)
    await shop.warehouse.pick(part, {"1": 3, "2": 1}, who="picker")
    await shop.warehouse.pack(part, who="packer")
    await shop.task("handover", part)
    await shop.warehouse.hand_over(part, who="packer")
    await shop.scan(part, "delivered")

    part = await placed("replaced", ("CUP", 2, "7.01"))
    await shop.drive(part, "shipped")
    await shop.scan(part, "failure")
    await shop.drive(ids.fulfilment_id(orders["replaced"], 2), "delivered")

    part = await placed("lost", ("RARE", 3, "99.99"))
    await shop.drive(part, "shipped")
    await shop.scan(part, "failure")

    part = await placed("undeliverable", ("CUP", 3, "7.01"))
    await shop.drive(part, "shipped")
    await shop.scan(part, "return_to_sender")
    await shop.task("receive-return", f"{orders['undeliverable']}:R1")
    await shop.warehouse.receive_return(f"{orders['undeliverable']}:R1", who="returns desk")

    part = await placed("fewer", ("TEA", 3, "3.33"))
    await shop.drive(part, "picked")
    one = (LineRequest(line_id="1", quantity=1),)
    await shop.aftersales.cancel(orders["fewer"], CancelRequest(reason="too many", lines=one))
    await shop.packed_again(part)
    await shop.warehouse.hand_over(part, who="packer")
    await shop.scan(part, "delivered")

    for name in tuple(orders):
        await shop.result(orders[name])
    closed = shop.temporal.get_workflow_handle(ids.purchase_workflow_id("PO-closed"))
    assert await closed.result() == {"state": "closed"}

    for stage in ("confirmed", "picked", "labelled", "shipped"):
        lines = (("TEA", 2, "3.33"), ("CUP", 1, "7.01"), ("SET", 1, "9.99"))
        await shop.drive(await placed(stage, *lines), stage)
    part = await placed("back", ("TEA", 2, "3.33"))
    await shop.drive(part, "delivered")
    await _until_returnable(shop, orders["back"], 1)
    await shop.told(orders["shipped"], "charged")
    return orders


async def bought(shop: Shop, po_id: str, sku: str, units: int) -> None:
    """Have a purchase order with the supplier."""
    terms = {"supplier": "kiln", "sku": sku, "lead_time_days": 7, "unit_price": "1"}
    await shop.purchasing.set_terms([SupplierItem.model_validate({**terms, "currency": "EUR"})])
    await shop.purchasing.propose("kiln", "main", {sku: units}, po_id=po_id, who="anna", why="fair")

    async def sent() -> bool:
        return (await shop.purchasing.order(po_id)).state == "sent"

    await shop.until(sent, f"{po_id} to be sent")


async def _until_returnable(shop: Shop, order_id: str, units: int) -> str:
    """Ask to send units back as soon as the order knows that it was delivered; the return's id."""
    line = (ReturnLine(line_id="1", quantity=units),)

    async def delivered() -> bool:
        view = await shop.workflow(order_id).query(OrderWorkflow.view)
        return view.phase == "return window"

    await shop.until(delivered, f"{order_id} may be returned")
    outcome = await shop.aftersales.request_return(
        order_id, ReturnRequest(reason="too green", lines=line)
    )
    assert outcome.return_id is not None
    return outcome.return_id


# Once in each process: its orders have fixed ids, and the Temporal server remembers them.
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def day(databases: Databases, temporal_client: Client) -> AsyncIterator[Day]:
    async with databases.fresh() as url:
        pool = await open_pool(url)
        shop = Shop(pool, temporal_client, QUICK)
        async with shop.working():
            orders = await live_through(shop)
        pool.terminate()
        name = url.split("?")[0].rsplit("/", 1)[1]
        yield Day(name, shop.task_queue, orders)


@asynccontextmanager
async def a_copy_of(day: Day, databases: Databases) -> AsyncIterator[Pool]:
    """A copy of the day's database, to be spoilt."""
    name = f"audit_{next(_numbers)}"
    url = await databases._server.create_database(name, template=day.database)
    pool = await open_pool(url)
    try:
        yield pool
    finally:
        pool.terminate()
        await databases._server.drop_database(name)


async def audited(pool: Pool, temporal: Client, task_queue: str) -> AuditReport:
    return await audit(pool, temporal, task_queue=task_queue, patience=SHORT)


async def test_a_shop_in_order_is_clean_with_orders_settled_and_open(
    day: Day, databases: Databases, temporal_client: Client
) -> None:
    async with a_copy_of(day, databases) as pool:
        report = await audited(pool, temporal_client, day.task_queue)
    assert report.violations == ()
    assert report.counts.orders == len(day.orders)
    assert report.workflows == 6
    assert report.counts.purchase_orders == 2
    assert report.lines()[-1] == "audit: clean"


async def test_a_day_whose_figures_are_not_so_is_found_and_counting_it_again_mends_it(
    day: Day, databases: Databases, temporal_client: Client
) -> None:
    async with a_copy_of(day, databases) as pool:
        of = datetime.now(UTC).date() - timedelta(days=3)
        await Days(pool).count(of, of)
        await pool.execute("delete from day_count where day <> $1", of)
        await pool.execute(
            "insert into day_figure (seller, day, figure, channel, part, value) "
            "values ('main', $1, 'orders', 'web', '05', 7)",
            of,
        )
        wrong = await audited(pool, temporal_client, day.task_queue)
        (found,) = wrong.violations
        assert (found.rule, found.subject) == ("figures", "main")
        assert f"orders web 05 of {of} is kept as 7, but comes to 0" in found.message
        await Days(pool).count(of, of)
        assert (await audited(pool, temporal_client, day.task_queue)).violations == ()


# An empty beginning of a postal code is the beginning of every one; a figure of all sellers, of no
# channel or without parts says so in its key.
EMPTY_MEANS_SOMETHING = {
    *("lane.postal_prefix", "day_count.seller", "day_figure.seller"),
    *("day_figure.channel", "day_figure.part"),
}


async def test_where_there_is_nothing_there_is_null_and_no_empty_text(
    day: Day, databases: Databases
) -> None:
    async with a_copy_of(day, databases) as pool:
        columns = await pool.fetch(
            """
            select table_name, column_name from information_schema.columns
            join information_schema.tables using (table_schema, table_name)
            where table_schema = 'public' and data_type = 'text' and table_type = 'BASE TABLE'
            """
        )
        found = [
            f"{table}.{column}"
            for table, column in columns
            if await pool.fetchval(f"select exists (select from {table} where {column} = '')")
        ]
    assert set(found) - EMPTY_MEANS_SOMETHING == set()


@pytest.mark.parametrize("name", PLANTS)
async def test_it_names(name: str, day: Day, databases: Databases, temporal_client: Client) -> None:
    plant = PLANTS[name]
    async with a_copy_of(day, databases) as pool:
        async with pool.acquire() as conn:
            # Triggers and foreign keys sleep: what is planted is what must not be.
            await conn.execute(f"set session_replication_role = replica; {plant.sql}")
        report = await audited(pool, temporal_client, day.task_queue)
    found = [
        item
        for item in report.violations
        if (item.rule, item.subject) == (plant.rule, plant.subject)
        and plant.message in item.message
    ]
    assert found, "\n".join(report.lines())
    assert not report.clean
    assert report.lines()[-1].startswith("audit: ")
    assert report.lines()[-1] != "audit: clean"


async def test_a_charge_that_was_taken_and_not_written_down_yet_is_under_way_and_not_wrong(
    day: Day, databases: Databases, temporal_client: Client
) -> None:
    async with a_copy_of(day, databases) as pool:
        async with pool.acquire() as conn:
            await conn.execute("""
                set session_replication_role = replica;
                update payment_operation
                set state = 'requested', settled_at = null, reference = null
                where payment_key = 'web-shipped:1:capture';
                update order_money set captured = 0 where order_no = order_no_of('web-shipped');
                update payment_authorization set captured = 0
                where authorization_key = 'web-shipped:authorize';
                update charge set captured_minor = 0 where charge_id = 'web-shipped:1';
                delete from posting where entry_id in (
                    select entry_id from journal_entry where effect = 'web-shipped:1:capture');
                delete from journal_entry where effect = 'web-shipped:1:capture';
            """)
        report = await audited(pool, temporal_client, day.task_queue)
    assert report.violations == ()
    assert [item.payment_key for item in report.under_way] == ["web-shipped:1:capture"]
    assert any("under way: web-shipped:1:capture" in line for line in report.lines())


async def test_a_label_that_is_given_back_within_its_patience_is_not_wrong(
    day: Day, databases: Databases, temporal_client: Client
) -> None:
    label = "update sandbox.label set voided = {} where fulfilment_id = 'web-cancelled:1'"
    async with a_copy_of(day, databases) as pool:
        await pool.execute(label.format("false"))
        auditing = asyncio.create_task(
            audit(pool, temporal_client, task_queue=day.task_queue, patience=timedelta(seconds=20))
        )
        await asyncio.sleep(1)
        assert not auditing.done()
        await pool.execute(label.format("true"))
        assert (await auditing).violations == ()


async def test_what_an_operator_released_by_hand_is_not_wrong(
    day: Day, databases: Databases, temporal_client: Client
) -> None:
    async with a_copy_of(day, databases) as pool:
        async with pool.acquire() as conn:
            await conn.execute("""
                set session_replication_role = replica;
                update order_money set voided = false, released = 0
                where order_no = order_no_of('web-cancelled');
                update payment_operation set state = 'failed'
                where payment_key = 'web-cancelled:void';
                update payment_authorization set released = 0
                where authorization_key = 'web-cancelled:authorize';
                delete from sandbox.payment_call where key = 'web-cancelled:void';
                update sandbox.label set voided = false where fulfilment_id = 'web-cancelled:1';
                insert into attention (order_no, step, reason, resolved_at, resolution)
                select order_no_of('web-cancelled'), step, 'r', now(), 'done: by phone'
                from unnest(array['void_payment web-cancelled', 'void_label web-cancelled:1']) step;
            """)
        report = await audited(pool, temporal_client, day.task_queue)
    assert report.violations == ()


async def test_an_order_that_no_worker_has_begun_with_is_not_wrong(
    pool: Pool, temporal_client: Client
) -> None:
    queue = f"test-nobody-{next(_numbers)}"
    order = an_order(("TEA", 1))
    handle: WorkflowHandle[OrderWorkflow, object] = await temporal_client.start_workflow(
        OrderWorkflow.run,
        OrderInput(order_id=order.order_id),
        id=ids.workflow_id(order.order_id),
        task_queue=queue,
    )
    try:

        async def listed() -> bool:
            return (await audited(pool, temporal_client, queue)).workflows == 1

        for _ in range(50):
            if await listed():
                break
            await asyncio.sleep(0.1)
        assert await listed()
        report = await audited(pool, temporal_client, queue)
        assert report.violations == ()
    finally:
        await handle.terminate()


async def test_it_never_raises_a_false_alarm_about_a_shop_at_work(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, a_policy(give_up_after=60))
    await shop.stocked("TEA", 100)
    await shop.stocked("CUP", 60)
    async with pool.acquire() as conn:
        for operation in ("authorize", "capture", "refund", "void"):
            await companies.set_fault(conn, "payment", operation, "timeout_after", 0.15)
        await companies.set_fault(conn, "carrier", "*", "timeout_after", 0.15)
    wild = SimulateOptions(
        speed=200_000,
        short_pick_rate=0.15,
        lost_rate=0.15,
        undeliverable_rate=0.15,
        late_scan_rate=0.3,
        repeated_scan_rate=0.3,
    )
    stop = asyncio.Event()

    async def one(number: int) -> None:
        order = an_order(("TEA", 3, "3.33"), ("CUP", 2, "7.01"), discount="1.00")
        await asyncio.sleep(number * 0.05)
        await shop.orders.place(order)
        if number % 3 == 0:
            await asyncio.sleep(number % 10 * 0.1)
            lines = () if number % 2 else (LineRequest(line_id="1", quantity=1),)
            request = CancelRequest(reason="no longer wanted", lines=lines)
            with suppress(RPCError):  # it has come to its end meanwhile
                await shop.workflow(order.order_id).signal("cancel", request)
        await shop.workflow(order.order_id).result()

    async with shop.working():
        outside = asyncio.create_task(simulate(shop, wild, stop))
        orders = asyncio.gather(*(one(number) for number in range(20)))
        audits = 0
        try:
            while not orders.done():
                report = await audit(pool, temporal_client, task_queue=shop.task_queue)
                assert report.violations == (), "\n".join(report.lines())
                audits += 1
                await asyncio.sleep(0.1)
            await orders
        finally:
            orders.cancel()
            stop.set()
            await outside
    assert audits >= 10
    report = await audited(pool, temporal_client, shop.task_queue)
    assert report.violations == ()
    assert report.workflows == 0
