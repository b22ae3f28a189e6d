"""Temporal's database is deleted in the middle of 50 orders, and each order comes to its end.

All that a life of an order can be in the middle of is there: the test says which states it wants,
and looks that the orders are in them as Temporal stops. Companies have done things of which nobody
has heard yet: their answers are lost until Temporal is gone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from domain import ids
from domain.orders.messages import CancelRequest, PayRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.return_messages import ReturnRequest
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.items import Item
from starter.service.service import TASK_QUEUE
from store.database import open_pool
from store.orders import intake
from store.sandbox import companies
from tests.e2e.stack import Shell, fresh_shell
from tests.e2e.test_kill import findings
from tests.support.builders import a_policy, an_order
from tests.support.shop import PATIENCE_S, Shop, Stage

PATIENT: Final = a_policy(give_up_after=3600, pay_within=3600, return_window=0.5)
LONG_WINDOW: Final = a_policy(give_up_after=3600, return_window=3600)
"""It ends when everything has come back."""
SHORT_WINDOW: Final = a_policy(give_up_after=3600, return_window=25)
"""It ends by itself, some time after Temporal was lost."""

LOST_ANSWERS: Final = (("payment", "authorize"), ("payment", "refund"), ("carrier", "buy_label"))
SILENT: Final = (("payment", "lookup"), ("payment", "operations"), ("carrier", "lookup"))

COMPANIES_DID: Final = """
    select (select count(*) from sandbox.payment p
            where order_id like 'web-begun-%' and authorized_minor > 0),
           (select count(*) from sandbox.label where fulfilment_id like 'web-packed-%'),
           (select count(*) from sandbox.payment
            where order_id like 'web-owed-%' and refunded_minor > 0)
"""
LEFT: Final = """
    select order_id, state,
           (select string_agg(step || ': ' || reason, ', ') from attention a
            where a.order_no = o.order_no and resolved_at is null),
           (select string_agg(what, ', ' order by event_id) from order_event e
            where e.order_no = o.order_no)
    from customer_order o where decision in ('received', 'confirmed')
    union all select po_id, state, attention, '' from purchase_order
    where state not in ('closed', 'cancelled') order by 1
"""

A_WHILE: Final = timedelta(seconds=PATIENCE_S)
ENDED_SECONDS_MAX: Final = 120.0

TOLD_TWICE: Final = """
    select order_id || ': ' || what || ' ' || data::text || ', ' || count(*) || ' times'
    from order_event join customer_order using (order_no)
    where what <> 'held: payment'  -- a run that goes on ends the hold, and holds what still waits
    group by order_id, what, data, coalesce(why, '') having count(*) > 1
"""
STATES: Final = """
    select split_part(channel_order_id, '-', 1) as kind, state, count(*)::integer as count
    from customer_order group by 1, 2 order by 1
"""
IN_THE_MIDDLE: Final = {
    "new": ("received", 2),  # Temporal has taken it, and its first step is not done
    "begun": ("received", 4),  # the company has authorized it, and nobody knows
    "held": ("held", 4),
    "backordered": ("confirmed", 4),
    "open": ("confirmed", 4),
    "picked": ("in_fulfilment", 4),
    "packed": ("in_fulfilment", 4),  # the carrier has sold a label, and nobody knows
    "labelled": ("in_fulfilment", 4),
    "shipped": ("in_fulfilment", 4),
    "split": ("in_fulfilment", 4),  # one parcel has arrived, the other is picked
    "delivered": ("delivered", 3),
    "window": ("delivered", 3),
    "returning": ("delivered", 3),  # a return is approved, and has not come
    "owed": ("delivered", 3),  # the company has paid it back, and nobody knows
}
ENDED: Final = {"closed": ("closed", 1), "cancelled": ("cancelled", 1)}
"""Order's kind → its state when Temporal is lost, and how many there are."""


async def test_every_order_ends_once_though_temporals_database_is_deleted_under_them() -> None:
    with fresh_shell() as shell:
        with shell.up("--no-http") as up:
            async with office(shell) as shop:
                bought = await live_to_the_middle(shop)
            assert up.stop() == 0
        lose_temporal(shell)
        with shell.up("--no-http") as up:
            async with office(shell) as shop:
                await shop.pool.execute("delete from sandbox.fault")
                await they_are_in_the_middle(shop)
                await report_what_nobody_hears_yet(shop)
                orders = sum(count for _, count in IN_THE_MIDDLE.values())
                assert resume(shell) == {
                    "orders": {"resumed": orders},
                    "purchase_orders": {"resumed": 1},
                }
                again = resume(shell)
                assert set(again["orders"]) <= {"running", "ended"}, again
                await go_on(shop, bought)
                await until_all_have_ended(shell, shop)
                twice = [row[0] for row in await shop.pool.fetch(TOLD_TWICE)]
                assert not twice, "\n".join(twice)
                await schedules_are_there(shop)
            found = await asyncio.to_thread(shell.ask, findings)
            assert not found, "\n".join(found)
            assert shell.orderloom("audit")["clean"], shell.log_tails()
            assert up.stop() == 0


# The stack ----------------------------------------------------------------------------------------


@asynccontextmanager
async def office(shell: Shell) -> AsyncIterator[Shop]:
    """All doors to the shell's stack, whose workers are programs of their own."""
    stack = shell.info()
    client = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
    pool = await open_pool(stack.database_url, size_max=8)
    try:
        yield Shop(pool, client, PATIENT, task_queue=TASK_QUEUE)
    finally:
        pool.terminate()


def lose_temporal(shell: Shell) -> None:
    """Nothing is left of what Temporal knew."""
    lost = list(shell.home.glob("temporal.db*"))
    assert lost
    for file in lost:
        file.unlink()


def resume(shell: Shell) -> dict[str, dict[str, int]]:
    """`orderloom resume --all-lost`, and its sum. It has a line for each that was taken up.

    The workers were started anew.
    """
    done = shell.run("resume", "--all-lost", "--settle", "0")
    assert (done.code, done.err) == (0, ""), f"{done}\n{shell.log_tails()}"
    *each, last = done.lines
    summary: dict[str, dict[str, int]] = last["summary"]
    told = Counter("orders" if "order_id" in one else "purchase_orders" for one in each)
    assert told == Counter({kind: n["resumed"] for kind, n in summary.items() if "resumed" in n})
    return summary


async def schedules_are_there(shop: Shop) -> None:
    """A worker that starts makes them, also at a Temporal that never had them."""
    for name in (ids.replenishment_id(TASK_QUEUE), ids.reconciliation_id(TASK_QUEUE)):
        await shop.temporal.get_schedule_handle(name).describe()


# Before -------------------------------------------------------------------------------------------


def some(kind: str, *lines: tuple[str, int], **fields: Any) -> list[Order]:
    """The orders of a kind."""
    _, count = (IN_THE_MIDDLE | ENDED)[kind]
    lines = lines or (("TEA", 2),)
    return [an_order(*lines, channel_order_id=f"{kind}-{n}", **fields) for n in range(count)]


async def at_once(work: Iterable[Awaitable[Any]]) -> None:
    await asyncio.gather(*work)


async def live_to_the_middle(shop: Shop) -> str:
    """Bring the orders to where they are when Temporal is lost. Returns a purchase order's id."""
    await shop.stocked("TEA", 300)
    await shop.stocked("CUP", 10, "second")
    await shop.catalogue.set_items([Item(sku="RARE", backorder=True)])
    terms = {"supplier": "kiln", "sku": "POT", "lead_time_days": 7, "unit_price": "2.50"}
    await shop.purchasing.set_terms([SupplierItem.model_validate({**terms, "currency": "EUR"})])
    bought = await shop.purchasing.propose("kiln", "main", {"POT": 5}, who="anna", why="fair")

    async def placed_to(kind: str, stage: Stage, policy: Policy = PATIENT) -> None:
        orders = some(kind)
        await at_once(shop.placed(order, policy) for order in orders)
        await at_once(shop.drive(f"{order.order_id}:1", stage) for order in orders)

    async def split() -> None:
        orders = some("split", ("TEA", 1), ("CUP", 1))
        await at_once(shop.placed(order) for order in orders)
        await at_once(shop.drive(f"{order.order_id}:1", "delivered") for order in orders)
        await at_once(shop.drive(f"{order.order_id}:2", "picked") for order in orders)

    async def held() -> None:
        for order in some("held", token="tok_action_required"):
            placed = await shop.orders.place(order, policy=PATIENT, answer_within=A_WHILE)
            assert placed.outcome == "held", placed

    async def backordered() -> None:
        orders = some("backordered", ("RARE", 1))
        await at_once(shop.orders.place(order, answer_within=A_WHILE) for order in orders)

    await at_once(
        [
            *(placed_to("open", "confirmed"), placed_to("picked", "picked"), held(), split()),
            *(placed_to("labelled", "labelled"), placed_to("shipped", "shipped"), backordered()),
            *(placed_to("closed", "delivered"), placed_to("window", "shipped", SHORT_WINDOW)),
            *(placed_to(kind, "delivered", LONG_WINDOW) for kind in ("delivered", "returning")),
            placed_to("owed", "delivered", LONG_WINDOW),
            placed_to("cancelled", "picked"),
            placed_to("packed", "picked"),
        ]
    )
    await shop.aftersales.cancel(some("cancelled")[0].order_id, CancelRequest(reason="twice"))
    for order in some("returning"):
        await shop.heard(order.order_id, "delivered", 2)
        await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="bitter"))
    await lose_answers(shop)
    for order in some("window"):  # as late as can be: it must not end before Temporal does
        await shop.scan(f"{order.order_id}:1", "delivered", "delivered")
    async with shop.pool.acquire() as conn:
        new = [order.order_id for order in some("new")]
        await intake.take_in(conn, [intake.Received(order, PATIENT) for order in some("new")])
        await intake.started(conn, new)  # as the relay says when Temporal has taken them
    await at_once(shop.heard(order.order_id, "delivered", 2) for order in some("window"))
    for kind, (state, _) in ENDED.items():
        await shop.result(some(kind)[0].order_id)
        assert (await shop.orders.get(some(kind)[0].order_id)).summary.state == state
    return bought


async def lose_answers(shop: Shop) -> None:
    """Companies do what they are asked for, and from now on nobody hears that they did."""
    async with shop.pool.acquire() as conn:
        for company, call in LOST_ANSWERS:
            await companies.set_fault(conn, company, call, "timeout_after", 1)
        for company, call in SILENT:
            await companies.set_fault(conn, company, call, "unavailable", 1)
    moment = timedelta(seconds=0.1)
    await at_once(
        shop.orders.place(order, policy=PATIENT, answer_within=moment) for order in some("begun")
    )
    await at_once(shop.warehouse.pack(f"{o.order_id}:1", who="packer") for o in some("packed"))
    for order in some("owed"):
        await shop.told(order.order_id, "charged")
        asked = {"reason": "sorry", "amount": "1.00"}  # nobody waits for the answer
        await shop.workflow(order.order_id).signal("refund", asked)

    async def done() -> bool:
        counted = await shop.pool.fetchrow(COMPANIES_DID)
        wanted = [IN_THE_MIDDLE[kind][1] for kind in ("begun", "packed", "owed")]
        return counted is not None and list(counted) == wanted

    await shop.until(done, "the companies have done it")


# After --------------------------------------------------------------------------------------------


async def they_are_in_the_middle(shop: Shop) -> None:
    rows = await shop.pool.fetch(STATES)
    assert {row["kind"]: (row["state"], row["count"]) for row in rows} == IN_THE_MIDDLE | ENDED


async def report_what_nobody_hears_yet(shop: Shop) -> None:
    """The world goes on while there is no workflow."""
    await shop.warehouse.pick("web-open-0:1", {"1": 1}, who="picker")  # one is not found
    await shop.warehouse.pack("web-picked-0:1", who="packer")
    await shop.scan("web-shipped-0:1", "delivered", "delivered")
    await shop.scan("web-shipped-1:1", "failure")
    await shop.warehouse.receive_return("web-returning-0:R1", who="receiver")


async def go_on(shop: Shop, bought: str) -> None:
    """Customers and operators ask for what they ask for."""
    await shop.stocked("RARE", IN_THE_MIDDLE["backordered"][1])
    await shop.purchasing.acknowledge(bought, "855", who="kiln")
    await shop.purchasing.receive(bought, "all", who="dock")
    for order in some("held"):  # It is held anew when its payment has been tried once more.
        await shop.until_many(order.order_id, "held: payment", 2)
        await shop.payments.pay(order.order_id, PayRequest(token="tok_ok"))
    await at_once(
        shop.aftersales.cancel(f"web-{kind}-1", CancelRequest(reason="too late"))
        for kind in ("open", "picked", "labelled")
    )
    await at_once(
        shop.aftersales.request_return(order.order_id, ReturnRequest(reason="too sweet"))
        for kind in ("delivered", "owed")
        for order in some(kind)
    )


async def until_all_have_ended(shell: Shell, shop: Shop) -> None:
    """The warehouse and the carrier do all that they are asked for, until nothing is left."""
    left: list[Any] = []

    async def none_is_open() -> None:
        nonlocal left
        while left := await shop.pool.fetch(LEFT):
            await asyncio.sleep(0.2)

    async with shop.staffed():
        try:
            await asyncio.wait_for(none_is_open(), ENDED_SECONDS_MAX)
        except TimeoutError:
            told = "\n".join(" ".join(map(str, row)) for row in left)
            raise AssertionError(f"orders are stuck:\n{told}\n{shell.log_tails()}") from None
