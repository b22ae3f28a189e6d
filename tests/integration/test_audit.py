"""The audit is silent about a shop in order, at work too, and names every fault that is planted."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from domain import ids
from domain.messages import CancelRequest, LineRequest, ReturnRequest
from starter.audit import AuditReport, audit
from starter.simulator import SimulateOptions, simulate
from store import sandbox
from store.database import Pool, open_pool
from store.returns import Counted
from tests.builders import QUICK, a_policy, an_order
from tests.servers import Databases
from tests.shop import Shop
from workflows.contracts import OrderInput
from workflows.order import OrderWorkflow

_numbers = itertools.count(1)

SHORT: Final = timedelta(seconds=1)
"""Patience for what will not pass by itself."""


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
        await shop.orders.place(
            order, policy=a_policy(return_window=300) if name == "back" else None
        )
        return ids.fulfilment_id(order.order_id, 1)

    for sku, units in (("TEA", 60), ("CUP", 40), ("RARE", 3)):
        await shop.stocked(sku, units)

    part = await placed("closed", ("TEA", 3, "3.33"), ("CUP", 2, "7.01"), discount="1.00")
    await shop.drive(part, "delivered")

    part = await placed("returned", ("TEA", 3, "3.33"))
    await shop.drive(part, "delivered")
    outcome = await _until_returnable(shop, orders["returned"], 3)
    await shop.task("receive-return", outcome)
    await shop.desk.receive_return(
        outcome, {"1": Counted(restocked=1, scrapped=1)}, who="returns desk"
    )

    part = await placed("cancelled", ("TEA", 2, "3.33"))
    await shop.drive(part, "labelled")
    await shop.orders.cancel(orders["cancelled"], CancelRequest(reason="changed my mind"))

    await placed("declined", ("TEA", 2, "3.33"), token="tok_decline")
    await placed("unavailable", ("NONE", 2, "3.33"))

    part = await placed("short", ("TEA", 4, "3.33"), ("CUP", 1, "7.01"))
    await shop.task("pick", part)
    await shop.desk.pick(part, {"1": 3, "2": 1}, who="picker")
    await shop.desk.pack(part, who="packer")
    await shop.task("handover", part)
    await shop.desk.hand_over(part, who="packer")
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
    await shop.desk.receive_return(f"{orders['undeliverable']}:R1", who="returns desk")

    part = await placed("fewer", ("TEA", 3, "3.33"))
    await shop.drive(part, "picked")
    one = (LineRequest(line_id="1", quantity=1),)
    await shop.orders.cancel(orders["fewer"], CancelRequest(reason="too many", lines=one))
    await shop.drive(ids.fulfilment_id(orders["fewer"], 2), "delivered")

    for name in tuple(orders):
        await shop.result(orders[name])

    for stage in ("confirmed", "picked", "labelled", "shipped"):
        await shop.drive(await placed(stage, ("TEA", 2, "3.33"), ("CUP", 1, "7.01")), stage)
    part = await placed("back", ("TEA", 2, "3.33"))
    await shop.drive(part, "delivered")
    await _until_returnable(shop, orders["back"], 1)
    await shop.told(orders["shipped"], "charged")
    return orders


async def _until_returnable(shop: Shop, order_id: str, units: int) -> str:
    """Ask to send units back as soon as the order knows that it was delivered; the return's id."""
    line = (LineRequest(line_id="1", quantity=units),)

    async def delivered() -> bool:
        view = await shop.workflow(order_id).query(OrderWorkflow.view)
        return view.phase == "return window"

    await shop.until(delivered, f"{order_id} may be returned")
    outcome = await shop.orders.request_return(
        order_id, ReturnRequest(reason="too green", lines=line)
    )
    assert outcome.return_id is not None
    return outcome.return_id


@pytest_asyncio.fixture(scope="module", loop_scope="session")
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
    assert report.workflows == 5
    assert report.lines()[-1] == "audit: clean"


@dataclass(frozen=True)
class Plant:
    """A fault put into the books, and where the audit must find it."""

    sql: str
    rule: str
    subject: str
    message: str


CAPTURE: Final = "'web-closed:1:capture'"

PLANTS = {
    # stock
    "units that no movement brought": Plant(
        "update stock set on_hand = on_hand + 1 where sku = 'TEA'",
        "stock",
        "TEA at main",
        "on hand, but its movements say",
    ),
    "an allocation that no movement made": Plant(
        "update stock set allocated = allocated + 1 where sku = 'TEA'",
        "stock",
        "TEA at main",
        "allocated, but its movements say",
    ),
    "a claim without an allocation": Plant(
        "update reservation set quantity = quantity + 1 where fulfilment_id = 'web-confirmed:1'",
        "stock",
        "CUP at main",
        "allocated, but",
    ),
    "stock that is oversold": Plant(
        """alter table stock drop constraint stock_not_oversold;
        insert into movement
            (effect, sku, location, kind, on_hand_change, allocated_change, who, why)
        values ('planted', 'TEA', 'main', 'adjusted', -60, 0, 'test', 'test');
        update stock set on_hand = on_hand - 60 where sku = 'TEA'""",
        "stock",
        "TEA at main",
        "on hand",
    ),
    # lines
    "more units accounted for than were ordered": Plant(
        """alter table order_line drop constraint line_adds_up;
        update order_line set cancelled = cancelled + 1
        where order_id = 'web-closed' and line_id = '1'""",
        "lines",
        "web-closed line 1",
        "ordered is not open",
    ),
    "more picked than allocated": Plant(
        """alter table order_line drop constraint line_picked;
        update order_line set picked = 9 where order_id = 'web-picked' and line_id = '1'""",
        "lines",
        "web-picked line 1",
        "more units are picked than allocated",
    ),
    "more delivered than shipped": Plant(
        """alter table order_line drop constraint line_arrived;
        update order_line set delivered = delivered + 1 where order_id = 'web-closed'""",
        "lines",
        "web-closed line 2",
        "more units arrived",
    ),
    "more returned than delivered": Plant(
        """alter table order_line drop constraint line_sent_back;
        update order_line set returned = 9 where order_id = 'web-returned'""",
        "lines",
        "web-returned line 1",
        "more units are sent back",
    ),
    "more refunded than charged": Plant(
        """alter table order_line drop constraint line_paid;
        update order_line set refunded = charged + 1 where order_id = 'web-closed'""",
        "lines",
        "web-closed line 1",
        "refunded ≤ charged ≤ ordered",
    ),
    "an allocation without a claim": Plant(
        "update order_line set allocated = allocated - 1 where order_id = 'web-confirmed'",
        "lines",
        "web-confirmed line 1",
        "1 allocated, but its claims, fulfilments and returns say 2",
    ),
    "a pick that no fulfilment has": Plant(
        "update order_line set picked = picked - 1 where order_id = 'web-picked'",
        "lines",
        "web-picked line 1",
        "1 picked, but",
    ),
    "picked goods that were never put back": Plant(
        """delete from order_event where effect = 'put_back:web-cancelled:1'""",
        "lines",
        "web-cancelled line 1",
        "0 picked, but its claims, fulfilments and returns say 2",
    ),
    "a shipment that no parcel carried": Plant(
        """update order_line set shipped = shipped - 1
        where order_id = 'web-shipped' and line_id = '1'""",
        "lines",
        "web-shipped line 1",
        "1 shipped, but",
    ),
    "a delivery that no parcel made": Plant(
        "update order_line set delivered = 1 where order_id = 'web-shipped' and line_id = '1'",
        "lines",
        "web-shipped line 1",
        "1 delivered, but",
    ),
    "a loss that nobody reported": Plant(
        "update order_line set lost = lost - 1 where order_id = 'web-lost'",
        "lines",
        "web-lost line 1",
        "2 lost, but its claims, fulfilments and returns say 3",
    ),
    "a lost parcel that counts as replaced, and is not": Plant(
        """update order_line set ordered = 4, shipped = 4 where order_id = 'web-replaced'""",
        "lines",
        "web-replaced line 1",
        "4 shipped, but",
    ),
    "a return that nobody asked for": Plant(
        "update order_line set return_requested = 2 where order_id = 'web-back'",
        "lines",
        "web-back line 1",
        "2 to be returned, but",
    ),
    "a return that nobody received": Plant(
        "update order_line set returned = 1 where order_id = 'web-returned'",
        "lines",
        "web-returned line 1",
        "1 returned, but",
    ),
    "units left over in an order that is closed": Plant(
        "update orders set decision = 'closed' where order_id = 'web-picked'",
        "lines",
        "web-picked line 1",
        "the order is closed, but 2 are allocated",
    ),
    "a fulfilment left over in an order that is closed": Plant(
        "update orders set decision = 'cancelled' where order_id = 'web-shipped'",
        "lines",
        "web-shipped:1",
        "the order is cancelled, but this fulfilment is shipped",
    ),
    # money
    "more captured than authorized": Plant(
        """alter table order_money drop constraint money_captured;
        update order_money set captured = authorized + 1 where order_id = 'web-closed'""",
        "money",
        "web-closed",
        "does not hold",
    ),
    "more refunded than captured": Plant(
        """alter table order_money drop constraint money_refunded;
        update order_money set refunded = captured + 1 where order_id = 'web-closed'""",
        "money",
        "web-closed",
        "does not hold",
    ),
    "a capture without a payment": Plant(
        f"delete from payment where payment_key = {CAPTURE}",
        "money",
        "web-closed",
        "captured, but its payments say 0.00 USD",
    ),
    "a refund that was paid twice": Plant(
        """insert into payment (payment_key, order_id, kind, amount_minor, currency, state,
                             provider, reference, settled_at)
        select payment_key || ':2', order_id, kind, amount_minor, currency, state, provider,
               'ref_x', settled_at
        from payment where payment_key = 'web-returned:R1:refund'""",
        "money",
        "web-returned",
        "refunded, but its payments say",
    ),
    "a void that nobody asked for": Plant(
        "update order_money set voided = true where order_id = 'web-closed'",
        "money",
        "web-closed",
        "voided, without a void among its payments",
    ),
    "a charge for units that are not recorded as paid for": Plant(
        """update order_line set charged = charged - 1
        where order_id = 'web-shipped' and line_id = '1'""",
        "money",
        "web-shipped",
        "captured, but by the units paid for it is",
    ),
    "a refund of a cent too much": Plant(
        """update payment set amount_minor = amount_minor + 1
        where payment_key = 'web-returned:R1:refund';
        update order_money set refund_granted = refund_granted + 1, refunded = refunded + 1
        where order_id = 'web-returned'""",
        "money",
        "web-returned",
        "refunded, but by the units paid for it is",
    ),
    "units that were paid for and never came": Plant(
        """update order_line set cancelled = 1, delivered = 2, shipped = 2
        where order_id = 'web-closed' and line_id = '1'""",
        "money",
        "web-closed line 1",
        "3 units charged and 0 refunded, but 2 shipped",
    ),
    "a refund that is owed when all is over": Plant(
        "update order_money set refund_granted = refund_granted + 1 where order_id = 'web-closed'",
        "money",
        "web-closed",
        "0.01 USD is still owed",
    ),
    "money held for a cancelled order": Plant(
        "update order_money set voided = false where order_id = 'web-cancelled'",
        "money",
        "web-cancelled",
        "is still held on the customer's card",
    ),
    "a payment of a closed order whose outcome nobody knows": Plant(
        f"""update payment set state = 'unknown', settled_at = null
        where payment_key = {CAPTURE}""",
        "money",
        "web-closed",
        "of web-closed:1:capture without a known outcome (unknown)",
    ),
    # ledger
    "an entry that does not balance": Plant(
        f"""update posting set amount_minor = amount_minor + 1 where account = 'revenue'
        and entry_id in (select entry_id from journal_entry where effect = {CAPTURE})""",
        "ledger",
        "web-closed",
        "entry web-closed:1:capture has",
    ),
    "an entry without postings": Plant(
        f"""delete from posting
        where entry_id in (select entry_id from journal_entry where effect = {CAPTURE})""",
        "ledger",
        "web-closed",
        "has 0 postings",
    ),
    "a capture that is not booked": Plant(
        f"""delete from posting
        where entry_id in (select entry_id from journal_entry where effect = {CAPTURE});
        delete from journal_entry where effect = {CAPTURE}""",
        "ledger",
        "web-closed",
        "was paid, but 0.00 USD is booked",
    ),
    "an entry for a payment that was not made": Plant(
        """with entry as (
            insert into journal_entry (effect, order_id, memo)
            values ('planted', 'web-closed', 'capture of 1.00 USD') returning entry_id)
        insert into posting (entry_id, account, amount_minor, currency)
        select entry_id, 'cash_in_transit', 100, 'USD' from entry
        union all select entry_id, 'revenue', -100, 'USD' from entry""",
        "ledger",
        "web-closed",
        "planted: 0.00 USD was paid, but 1.00 USD is booked",
    ),
    "shipping that is booked as revenue": Plant(
        f"""update posting set amount_minor = amount_minor + case account
            when 'revenue' then -100 else 100 end
        where account in ('revenue', 'shipping_income')
        and entry_id in (select entry_id from journal_entry where effect = {CAPTURE})""",
        "ledger",
        "web-closed",
        "booked as shipping, but by the units paid for it is 5.00 USD",
    ),
    # providers
    "a capture that the provider does not know": Plant(
        f"delete from sandbox.payment_call where key = {CAPTURE}",
        "provider",
        "web-closed",
        "but the provider has none of 0.00 USD",
    ),
    "a capture of another amount at the provider": Plant(
        f"""update sandbox.payment_call set amount_minor = amount_minor - 1
        where key = {CAPTURE}""",
        "provider",
        "web-closed",
        "but the provider has capture of",
    ),
    "a second capture at the provider": Plant(
        """insert into sandbox.payment_call
            (key, kind, request, payment_reference, order_id, reference, amount_minor, currency)
        select key || '-again', kind, request, payment_reference, order_id, 'cap_x', amount_minor,
               currency
        from sandbox.payment_call where key = 'web-shipped:1:capture'""",
        "provider",
        "web-shipped",
        "under web-shipped:1:capture-again, which is not recorded here",
    ),
    "an authorization that failed here and is held there": Plant(
        """update payment set state = 'failed' where payment_key = 'web-confirmed:authorize'""",
        "provider",
        "web-confirmed",
        "under web-confirmed:authorize, which is failed here",
    ),
    "a parcel on its way with a voided label": Plant(
        "update sandbox.label set voided = true where fulfilment_id = 'web-shipped:1'",
        "provider",
        "web-shipped:1",
        "of which the carrier has 1, 1 voided",
    ),
    "a parcel with a label that the carrier never sold": Plant(
        "update parcel set tracking_number = 'SBX-0' where fulfilment_id = 'web-labelled:1'",
        "provider",
        "web-labelled:1",
        "label SBX-0, of which the carrier has 0",
    ),
    "two labels for one parcel": Plant(
        """insert into sandbox.label (carrier, tracking_number, fulfilment_id, service, country)
        values ('sandbox', 'SBX-2', 'web-shipped:1', 'standard', 'KR')""",
        "provider",
        "web-shipped:1",
        "the carrier has 2 labels for it",
    ),
    "a label left at the carrier for what was cancelled": Plant(
        "update sandbox.label set voided = false where fulfilment_id = 'web-cancelled:1'",
        "provider",
        "web-cancelled:1",
        "the carrier still has label",
    ),
    # liveness
    "an open order whose workflow has ended": Plant(
        "update orders set decision = 'confirmed' where order_id = 'web-closed'",
        "liveness",
        "web-closed",
        "the order is confirmed, but its workflow is completed",
    ),
    "an open order that never had a workflow": Plant(
        """insert into orders (order_id, channel, channel_order_id, digest, run_id, document,
                            customer_id, currency, total_minor, placed_at)
        select 'web-ghost', 'web', 'ghost', digest, run_id, document, customer_id, currency,
               total_minor, placed_at
        from orders where order_id = 'web-closed'""",
        "liveness",
        "web-ghost",
        "the order is received, but its workflow is not there",
    ),
    "a workflow that goes on after its order's end": Plant(
        "update orders set decision = 'closed' where order_id = 'web-confirmed'",
        "liveness",
        "web-confirmed",
        "its workflow is running, but the order is closed",
    ),
    "a workflow without an order": Plant(
        "delete from orders where order_id = 'web-confirmed'",
        "liveness",
        "web-confirmed",
        "its workflow is running, but the order is not on record",
    ),
}


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
                update payment set state = 'requested', settled_at = null, reference = null
                where payment_key = 'web-shipped:1:capture';
                update order_money set captured = 0 where order_id = 'web-shipped';
                update order_line set charged = 0 where order_id = 'web-shipped';
                delete from posting where entry_id in (
                    select entry_id from journal_entry where order_id = 'web-shipped');
                delete from journal_entry where order_id = 'web-shipped';
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
                update order_money set voided = false where order_id = 'web-cancelled';
                update payment set state = 'failed' where payment_key = 'web-cancelled:void';
                delete from sandbox.payment_call where key = 'web-cancelled:void';
                update sandbox.label set voided = false where fulfilment_id = 'web-cancelled:1';
                insert into attention (order_id, step, reason, resolved_at, resolution) values
                    ('web-cancelled', 'void_payment web-cancelled', 'r', now(), 'done: by phone'),
                    ('web-cancelled', 'void_label web-cancelled:1', 'r', now(), 'done: by phone');
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
        OrderInput(order=order),
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
            await sandbox.set_fault(conn, "payment", operation, "timeout_after", 0.15)
        await sandbox.set_fault(conn, "carrier", "*", "timeout_after", 0.15)
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
        outside = asyncio.create_task(simulate(shop.desk, wild, stop))
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
