"""Activities and reports on the real database without Temporal, for races and repetitions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar
from uuid import uuid4

from temporalio import activity

from activities.aftersales.return_labels import ReturnLabels
from activities.aftersales.returns import Returns
from activities.fulfilment.carriers import Carriers
from activities.fulfilment.contracts import Part, Sending, Sent
from activities.fulfilment.delivery import Delivery
from activities.fulfilment.fulfilments import Fulfilments
from activities.orders.order_records import OrderRecords
from activities.payments.authorizations import Authorizations
from activities.payments.contracts import (
    Authorize,
    Charge,
    Charged,
    GrantRefund,
    Refund,
    RefundGranted,
)
from activities.payments.exchange_provider import ExchangeMoney
from activities.payments.exchanges import Exchanges
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider
from activities.providers.on_account import OnAccount
from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.payment import SandboxPayment
from activities.stock.backorders import Backorders
from activities.stock.inventory import Inventory
from activities.stock.removals import Removals
from activities.warehouse.till import Till
from domain.errors import OrderloomError
from domain.fulfilment.tracking import CarrierStatus, Heard
from domain.ids import fulfilment_id, order_of, prepaid_id
from domain.orders.handling import Handling
from domain.orders.messages import RefundRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.providers import EXCHANGE, ON_ACCOUNT
from domain.stock.items import Item
from domain.stock.reservations import Reserved, ReserveStock
from starter.service.service import Records
from store.database import Pool
from store.fulfilment import fulfilments, shipments
from store.orders import intake, orders
from store.orders.orders import OnRecord
from store.payments import cover
from store.stock import items, stock
from tests.support.shop import STAGES, Stage

T = TypeVar("T")


class NoWorkshops:
    """Nothing here is given to a workshop: that needs Temporal."""

    async def begin(self, fulfilment_id: str, handling: Handling) -> None:
        raise AssertionError(f"{handling} of {fulfilment_id} needs a server")


class Bench:
    """Every capability on one database, called as a worker calls it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.payment = SandboxPayment(
            pool, random=Random(1), slow_seconds=0.2, timeout_seconds=0.01
        )
        self.carrier = SandboxCarrier(
            pool, random=Random(1), slow_seconds=0.2, timeout_seconds=0.01
        )
        self.inventory = Inventory(pool)
        self.removals = Removals(pool)
        self.backorders = Backorders(pool)
        companies: dict[str, PaymentProvider] = {
            "sandbox": self.payment,
            ON_ACCOUNT: OnAccount(pool),
        }
        companies[EXCHANGE] = ExchangeMoney(pool, companies)
        self.authorizations = Authorizations(pool, companies)
        self.payments = Payments(pool, companies)
        self.exchanges = Exchanges(pool, companies)
        self.fulfilment = Fulfilments(
            *(pool, Carriers.only(self.carrier), cover.cover_of, Till(pool), NoWorkshops())
        )
        self.delivery = Delivery(pool)
        self.returns = Returns(pool)
        self.return_labels = ReturnLabels(pool, Carriers.only(self.carrier))
        self.records = OrderRecords(pool)
        doors = Records(pool)
        self.baskets = doors.baskets
        self.carriers = doors.carriers
        self.catalogue = doors.catalogue
        self.credit = doors.credit
        self.locations = doors.locations
        self.purchasing = doors.purchasing
        self.stock = doors.stock
        self.transfers = doors.transfers
        self.warehouse = doors.warehouse

    async def stocked(self, sku: str, quantity: int, location: str = "main") -> None:
        """Put units on the shelf, once per SKU and location."""
        await self.stock.receive(
            *("first", sku, location, quantity), new_location=True, who="test", why="test"
        )

    async def backorderable(self, *skus: str) -> None:
        """These SKUs may be ordered while there are none."""
        async with self.pool.acquire() as conn:
            await items.save(conn, [Item(sku=sku, backorder=True) for sku in skus])

    async def level(self, sku: str, location: str = "main") -> tuple[int, int]:
        """(on hand, allocated)"""
        async with self.pool.acquire() as conn:
            found = await stock.level(conn, sku, location)
        assert found is not None
        return found.on_hand, found.allocated

    async def take_in(self, order: Order, policy: Policy | None = None) -> bool:
        """Put an order on record. False: its id is."""
        async with self.pool.acquire() as conn:
            (new,) = await intake.take_in(conn, [intake.Received(order, policy or Policy())])
        return new

    async def on_record(self, *orders_: Order, policy: Policy | None = None) -> list[OnRecord]:
        """Put orders on record, in this sequence, and read them as their steps do."""
        for order in orders_:
            await self.take_in(order, policy)
        async with self.pool.acquire() as conn:
            found = await orders.on_record(conn, [order.order_id for order in orders_])
        return [found[order.order_id] for order in orders_]

    async def reserve(self, order: Order, policy: Policy | None = None) -> Reserved:
        """Put an order on record, and reserve its stock."""
        await self.take_in(order, policy)
        return await self.inventory.reserve_stock(ReserveStock(order_id=order.order_id))

    async def at(self, order: Order, stage: Stage) -> str:
        """Bring a new order's first fulfilment to a stage, and return its id."""
        await self.reserve(order)
        await self.authorizations.authorize_payment(authorizing(order))
        part = fulfilment_id(order.order_id, 1)
        reached = STAGES.index(stage)
        if reached >= 1:
            await self.warehouse.pick(part, who="picker")
        if reached >= 2:
            await self.warehouse.pack(part, who="packer")
        if reached >= 3:
            await self.send(part)
        if reached >= 4:
            await self.warehouse.hand_over(part, who="packer")
        if reached >= 5:
            await self.scan(part, "delivered")
        return part

    async def charged(self, part: str) -> Charged:
        """Charge what is due for a fulfilment that left."""
        return await self.payments.charge_payment(charging(part))

    async def charged_ahead(self, order: Order) -> Charged:
        """Charge all of an order before anything of it leaves."""
        return await self.charged(prepaid_id(order.order_id))

    async def grant(self, order: Order, **wishes: Any) -> RefundGranted:
        """Owe the customer what somebody asks for: units, shipping, or an amount."""
        return await self.payments.grant_refund(granting(order, **wishes))

    async def refunded(self, order: Order, **wishes: Any) -> Refund:
        """Owe it, and pay it back. Returns what was asked for."""
        granted = (await self.grant(order, **wishes)).granted
        assert granted is not None
        ask = Refund(refund_id=granted.refund_id)
        await self.payments.refund_payment(ask)
        return ask

    async def waiting(self, call: Awaitable[T]) -> T | None:
        """Run an activity that waits for the outside: its answer, or None when it began to wait."""
        with contextlib.suppress(activity._CompleteAsyncError):
            return await call
        return None

    async def told(self, call: Awaitable[Any]) -> dict[str, Any]:
        """What an activity that waits is told by the relay: what was reported before."""
        assert await self.waiting(call) is None
        told = await handed_over(self.pool)
        assert told is not None
        return told

    async def send(self, part: str, **wishes: Any) -> Sent | None:
        """What ends the wait for the warehouse; None: it waits. A packed parcel gets its label."""
        sent = await self.waiting(self.fulfilment.pick_pack_ship(sending(part, **wishes)))
        told = await handed_over(self.pool) if sent is None else None
        return sent if told is None else Sent.model_validate(told)

    async def parcel(self, part: str) -> shipments.Parcel:
        """The fulfilment's parcel."""
        async with self.pool.acquire() as conn:
            found = await shipments.find(conn, part)
        assert found is not None
        return found

    async def state(self, part: str) -> str:
        """The fulfilment's state."""
        async with self.pool.acquire() as conn, conn.transaction():
            state: str = (await fulfilments.locked(conn, part))["state"]
            return state

    async def scan(
        self, part: str, status: CarrierStatus, event_id: str = "", at: datetime | None = None
    ) -> Heard:
        """The carrier says something about a parcel; the status is the event's id by default."""
        parcel = await self.parcel(part)
        assert parcel.carrier is not None
        assert parcel.tracking_number is not None
        return await self.carriers.event(
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
            event_id=event_id or status,
            status=status,
            happened_at=at or datetime.now(UTC),
        )

    async def everything(self) -> dict[str, list[str]]:
        """Every row of every table, as text: what must stay as it is when nothing may change.

        Not since when a step waits: it says that again whenever it begins.
        """
        async with self.pool.acquire() as conn:
            tables = await conn.fetch(
                "select format('%I.%I', schemaname, tablename) from pg_tables "
                "where schemaname in ('public', 'sandbox') and tablename <> 'fault'"
            )
            without = {"public.wait_report": ["waits_since", "try_after"]}
            return {
                table: [
                    row[0]
                    for row in await conn.fetch(
                        f"select (to_jsonb(t) - $1::text[])::text from {table} t order by 1",
                        without.get(table, []),
                    )
                ]
                for (table,) in tables
            }

    async def count(self, query: str, *values: object) -> int:
        """What a counting query finds."""
        async with self.pool.acquire() as conn:
            found: int = await conn.fetchval(query, *values)
            return found


def authorizing(order: Order, **wishes: Any) -> Authorize:
    """Have all of the order authorized, unless the test says otherwise."""
    return Authorize(order_id=order.order_id, **wishes)


def securing(order: Order, part: str, until: datetime, **wishes: Any) -> Authorize:
    """Have a part hold until then."""
    return authorizing(order, parts=(part,), until=until, **wishes)


def sending(part: str, **wishes: Any) -> Sending:
    """Have this sent. What is charged for it then is in rows."""
    return Sending(fulfilment_id=part, **wishes)


def charging(part: str, **wishes: Any) -> Charge:
    """Charge what is due for a part of an order."""
    return Charge(order_id=order_of(part), part_id=part, **wishes)


def granting(order: Order, request_id: str = "r1", **wishes: Any) -> GrantRefund:
    """Grant a refund that somebody asks for."""
    request = RefundRequest(reason="scratched", **wishes)
    return GrantRefund(
        order_id=order.order_id, request_id=request_id, request=request, turn=uuid4().hex
    )


def a_part(part: str) -> Part:
    return Part(fulfilment_id=part)


async def handed_over(pool: Pool) -> dict[str, Any] | None:
    """What the relay may hand to the step that was the last to wait; None: nothing is reported."""
    async with pool.acquire() as conn:
        found: dict[str, Any] | None = await conn.fetchval(
            """
            select case when delivered_at is null and try_after <= clock_timestamp()
                        then outcome end
            from wait_report where waits_since is not null order by waits_since desc limit 1
            """
        )
        return found


async def at_once(calls: Iterable[Awaitable[T]]) -> tuple[list[T], list[OrderloomError]]:
    """Make all calls at once. Returns the answers and the refusals; any other failure is raised."""
    answers: list[T] = []
    refusals: list[OrderloomError] = []
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, OrderloomError):
            refusals.append(outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            answers.append(outcome)
    return answers, refusals


async def until_one_waits(pool: Pool) -> None:
    """Wait until a transaction waits for a lock that another one holds."""
    async with pool.acquire() as conn:
        for _ in range(500):
            if await conn.fetchval("select count(*) from pg_locks where not granted"):
                return
            await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
