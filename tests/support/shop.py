"""A whole shop for a test: real servers, a worker with its relay, a client, a desk, and faults."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import SecretStr
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle

from activities.duties import duties
from activities.fulfilment.carriers import Carriers
from activities.notifications.sending import Sender
from activities.orders.address import AddressCheck
from activities.payments.provider import PaymentProvider
from activities.providers.by_code import GiftCards, Vouchers
from activities.providers.elsewhere import Elsewhere
from activities.providers.on_account import OnAccount
from activities.providers.postal import PostalCheck
from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.sandbox.supplier import SandboxSupplier
from activities.providers.store_credit import StoreCredit
from activities.relay import Relay
from activities.shops.clients import ShopClients
from activities.shops.web import Web
from activities.steps import steps
from domain import ids
from domain.errors import IllegalTransition
from domain.fulfilment.outside_work import Workshop
from domain.fulfilment.tracking import Heard
from domain.money import Money, to_minor
from domain.orders.messages import AttentionAnswer
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.providers import ELSEWHERE, GIFT_CARD, ON_ACCOUNT, VOUCHER
from domain.stock.kits import Kit
from starter.service.service import Service
from store.database import Pool
from store.payments.payments import STORE_CREDIT
from store.stock import receipts, stock
from store.views.warehouse_tasks import Task
from tests.support.books import faults_in
from tests.support.builders import BRISK_BUYING
from tests.support.carrier_desk import CARRIER_SECRETS
from tests.support.faults import Faults
from tests.support.provider_desk import READERS, SECRET
from tests.support.receiver import HERE
from worker import build_worker

T = TypeVar("T")

PATIENCE_S = 30.0
"""How long a test waits for something that must happen, in seconds."""

Stage = Literal["confirmed", "picked", "packed", "labelled", "shipped", "delivered"]
STAGES: tuple[Stage, ...] = ("confirmed", "picked", "packed", "labelled", "shipped", "delivered")


class Shop(Service):
    """All doors, and what a test needs beside them. Its task queue and database are its own."""

    worker_options: ClassVar[dict[str, Any]] = {}
    """Of every shop's worker, where a test does not say otherwise."""

    def __init__(
        self, pool: Pool, temporal: Client, policy: Policy, *, task_queue: str | None = None
    ) -> None:
        """`task_queue`: of workers that run without this shop."""
        self.pool = pool
        self.temporal = temporal
        self.task_queue = task_queue or f"test-{uuid.uuid4()}"
        super().__init__(
            *(pool, temporal),
            task_queue=self.task_queue,
            policy=policy,
            plain_http=True,
            webhook_secrets={"sandbox": [SecretStr(SECRET)]},
            carrier_secrets=CARRIER_SECRETS,
        )
        self.buying_policy = BRISK_BUYING
        self.usual_policy = policy
        self.faults = Faults()
        self.payment = SandboxPayment(
            pool, random=random.Random(7), slow_seconds=1.0, timeout_seconds=0.05
        )
        self.providers: dict[str, PaymentProvider] = {
            STORE_CREDIT: StoreCredit(pool),
            GIFT_CARD: GiftCards(pool),
            VOUCHER: Vouchers(pool),
            ELSEWHERE: Elsewhere(pool),
            ON_ACCOUNT: OnAccount(pool),
        }
        """Payment companies beside that of the sandbox."""
        self.carrier = SandboxCarrier(
            pool, random=random.Random(7), slow_seconds=1.0, timeout_seconds=0.05
        )
        self.address_check: AddressCheck = PostalCheck()
        self.workshops: dict[str, Workshop] = {
            "engraving": Workshop(workflow="Engrave", task_queue=f"{self.task_queue}-engraving")
        }
        self.supplier = SandboxSupplier(pool, random=random.Random(7), timeout_seconds=0.05)

    @asynccontextmanager
    async def working(
        self,
        *,
        stranded_after: timedelta = timedelta(seconds=3),
        relay: bool = True,
        **options: Any,
    ) -> AsyncIterator[None]:
        """A worker and its relay, until the block ends; `options` as `build_worker` takes them.

        `relay`: false where a test does the relay's duties by itself.
        """
        clients = ShopClients(Web(HERE, seconds_max=2.0))
        self.providers[ELSEWHERE] = Elsewhere(self.pool, clients)
        work = duties(
            self.temporal,
            self.pool,
            task_queue=self.task_queue,
            readers=READERS,
            stranded_after=stranded_after,
            renewals_every_s=0.5,
            policy=self.usual_policy,
            carriers=Carriers.only(self.carrier),
            clients=clients,
            address_check=self.address_check,
            purchasing=self.buying_policy,
        )
        relaying = asyncio.create_task(
            Relay(self.pool, work).run() if relay else asyncio.sleep(math.inf)
        )
        sender = Sender(HERE, seconds_max=2.0)
        activities = steps(
            self.temporal,
            self.pool,
            providers={"sandbox": self.payment, **self.providers},
            carrier=self.carrier,
            supplier=self.supplier,
            purchasing=self.buying_policy,
            sender=sender,
            workshops=self.workshops,
        )
        worker = build_worker(
            self.temporal,
            activities,
            task_queue=self.task_queue,
            interceptors=[self.faults],
            **self.worker_options | options,
        )
        try:
            async with worker:
                yield
        finally:
            relaying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await relaying
            await sender.close()
            await clients.close()

    async def stocked(self, sku: str, quantity: int, location: str = "main") -> None:
        """Put units on the shelf."""
        async with self.pool.acquire() as conn:
            await receipts.receive(
                *(conn, uuid.uuid4().hex, sku, location, quantity),
                new_location=True,
                who="test",
                why="test",
            )

    async def credit_of(self, amount: str, customer: str = "C-1") -> dict[str, str]:
        """Grant so many US dollars of store credit. Returns the tender that pays with it."""
        given = Money(minor=to_minor(amount, "USD"), currency="USD")
        account = await self.credit.grant(uuid.uuid4().hex, customer, given, who="test", why="test")
        return {"provider": "store_credit", "token": account.account_id, "amount": amount}

    async def kit(self, sku: str, **parts: int) -> None:
        """Have a SKU be a kit made of these."""
        await self.catalogue.define_kit(Kit(sku=sku, parts=parts))

    async def level(self, sku: str, location: str = "main") -> stock.StockLevel:
        """What the shelf holds."""
        async with self.pool.acquire() as conn:
            level = await stock.level(conn, sku, location)
        assert level is not None
        return level

    def workflow(self, order_id: str) -> WorkflowHandle[Any, Any]:
        """The order's workflow."""
        return self.temporal.get_workflow_handle(ids.workflow_id(order_id))

    async def result(self, order_id: str) -> dict[str, Any]:
        """How the order ended, when it has."""
        return await asyncio.wait_for(self.workflow(order_id).result(), PATIENCE_S)

    async def settled(self) -> None:
        """Wait until every order has ended. The books must be right then, and the audit clean."""
        for order in await self.orders.list(at_most=10_000):
            await self.result(order.order_id)
        faults = await faults_in(self.pool)
        assert faults == [], faults
        report = await self.audit()
        assert report.clean, "\n".join(report.lines())

    async def placed(self, order: Order, policy: Policy | None = None) -> str:
        """Place an order that must be confirmed. Returns its first fulfilment's id.

        The client answers as soon as the database has the decision. A test goes on when the
        order's workflow has heard it too, so that what it does next finds the order fulfilled.
        """
        # A program that a test has just started may need longer than a customer would wait.
        patience = timedelta(seconds=PATIENCE_S)
        placement = await self.orders.place(order, policy=policy, answer_within=patience)
        assert placement.outcome == "confirmed", placement
        first = ids.fulfilment_id(order.order_id, 1)
        await self.knows(order.order_id, first)
        return first

    async def drive(self, fulfilment_id: str, to: Stage) -> None:
        """Play warehouse and carrier until the fulfilment is at a stage."""
        reached = STAGES.index(to)
        if reached >= 1:
            await self.task("pick", fulfilment_id)
            await self.warehouse.pick(fulfilment_id, who="picker")
        if reached >= 2:
            await self.warehouse.pack(fulfilment_id, who="packer")
        if reached >= 3:
            await self.task("handover", fulfilment_id)
        if reached >= 4:
            await self.warehouse.hand_over(fulfilment_id, who="packer")
        if reached >= 5:
            await self.scan(fulfilment_id, "delivered")

    async def packed_again(self, fulfilment_id: str) -> None:
        """Put back what was taken out of a parcel, and close it: it waits for its hand-over."""
        for task in await self.warehouse.tasks(task="put-back"):
            if task.part_id.startswith(f"{fulfilment_id}:"):
                await self.do(task)
        await self.warehouse.pack(fulfilment_id, who="packer")
        await self.task("handover", fulfilment_id)

    async def task(self, kind: str, part_id: str) -> Task:
        """The task that the warehouse is given, once it is."""

        async def find() -> Task | None:
            tasks = await self.warehouse.tasks(order_id=ids.order_of(part_id))
            return next((t for t in tasks if t.task == kind and t.part_id == part_id), None)

        return await self.until(find, f"{kind} task of {part_id}")

    async def scan(self, fulfilment_id: str, status: Any, event_id: str | None = None) -> Heard:
        """The carrier says something about the fulfilment's parcel."""
        detail = await self.orders.get(ids.order_of(fulfilment_id))
        parcel = next(f for f in detail.fulfilments if f.fulfilment_id == fulfilment_id)
        assert parcel.carrier is not None
        assert parcel.tracking_number is not None
        return await self.carriers.event(
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
            event_id=event_id or uuid.uuid4().hex,
            status=status,
        )

    async def until(self, condition: Callable[[], Awaitable[T | bool | None]], what: str) -> T:
        """Wait for something that must happen, and return it."""
        clock = asyncio.get_running_loop().time
        began = clock()
        while (waited := clock() - began) < PATIENCE_S:
            found = await condition()
            if found:
                return found  # type: ignore[return-value]  # not None, and not False
            # A look takes work from what is waited for: the longer that takes, the rarer.
            await asyncio.sleep(max(0.02, min(0.25, waited / 4)))
        raise AssertionError(f"this never happened: {what}")

    async def play(self, order_id: str, leaving: Collection[str] = ()) -> None:
        """Be the warehouse and the carrier of one order, for ever: do every task, deliver it all.

        `leaving` names waiting steps of which nothing is reported as long as they are in it.
        """
        while True:
            for task in await self.warehouse.tasks(order_id=order_id):
                if task.task not in leaving:
                    with contextlib.suppress(IllegalTransition):  # recalled a moment ago
                        await self.do(task)
            for parcel in await self.carriers.under_way():
                if parcel.order_id == order_id and "await_delivery" not in leaving:
                    await self.scan(parcel.fulfilment_id, "delivered")
            await asyncio.sleep(0.1)

    @asynccontextmanager
    async def staffed(self) -> AsyncIterator[None]:
        """Inside, one warehouse and one carrier do everything that any order asks of them."""

        async def work() -> None:
            while True:
                for task in await self.warehouse.tasks():
                    with contextlib.suppress(IllegalTransition):  # recalled a moment ago
                        await self.do(task)
                for parcel in await self.carriers.under_way():
                    await self.scan(parcel.fulfilment_id, "delivered", "delivered")
                await asyncio.sleep(0.1)

        working = asyncio.create_task(work())
        try:
            yield
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def do(self, task: Task) -> None:
        """Do what the warehouse is asked to do, all of it."""
        match task.task:
            case "pick":
                await self.warehouse.pick(task.part_id, who="picker")
            case "put-back":
                await self.warehouse.put_back(task.part_id, who="packer")
            case "pack":
                await self.warehouse.pack(task.part_id, who="packer")
            case "handover":
                await self.warehouse.hand_over(task.part_id, who="packer")
            case "receive-return":
                await self.warehouse.receive_return(task.part_id, who="receiver")

    async def finish(self, order_id: str, leaving: Collection[str] = ()) -> dict[str, Any]:
        """Play warehouse and carrier until the order has ended. Returns how it did."""
        playing = asyncio.create_task(self.play(order_id, leaving))
        ending = asyncio.create_task(self.result(order_id))
        done, _ = await asyncio.wait({playing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if playing in done:  # only ever by a fault
            ending.cancel()
            playing.result()
        playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await playing
        return await ending

    async def all_decided(self, count: int, as_: str = "confirmed") -> None:
        """Wait until so many orders are decided, all in this way."""

        async def find() -> bool:
            rows = await self.pool.fetch("select decision from customer_order")
            return [row["decision"] for row in rows].count(as_) == count

        await self.until(find, f"{count} orders are {as_}")

    async def story(self, order_id: str) -> list[str]:
        """What happened, in words."""
        return [event.what for event in await self.orders.events(order_id)]

    async def told(self, order_id: str, what: str) -> None:
        """Wait until the order's story has this line."""

        async def find() -> bool:
            return what in await self.story(order_id)

        await self.until(find, f"{what!r} in the story of {order_id}")

    async def heard(self, order_id: str, count: str, units: int) -> None:
        """Wait until the order's workflow knows that this many units are, say, delivered."""

        async def find() -> bool:
            view = await self.workflow(order_id).query("view")
            return sum(int(line[count]) for line in view["lines"].values()) >= units

        await self.until(find, f"{order_id} has heard of {units} units {count}")

    async def until_many(self, order_id: str, what: str, times: int) -> None:
        """Wait until the order's story has this line that often."""

        async def find() -> bool:
            return (await self.story(order_id)).count(what) >= times

        await self.until(find, f"{what!r}, {times} times, in the story of {order_id}")

    async def knows(self, order_id: str, fulfilment_id: str) -> None:
        """Wait until the order's workflow knows of a fulfilment, a moment after the database."""

        async def find() -> bool:
            return fulfilment_id in (await self.view(order_id))["fulfilments"]

        await self.until(find, f"{order_id} knows of {fulfilment_id}")

    async def recalled(self, order_id: str) -> None:
        """Wait until a fulfilment of the order has been recalled."""

        async def find() -> bool:
            fulfilments = (await self.orders.get(order_id)).fulfilments
            return any(fulfilment.recalled_from is not None for fulfilment in fulfilments)

        await self.until(find, f"a fulfilment of {order_id} is recalled")

    async def idle(self, order_id: str) -> None:
        """Wait until the order's workflow has nothing to do: a worker may then go and come."""

        async def find() -> bool:
            description = await self.workflow(order_id).describe()
            return not description.raw_description.HasField("pending_workflow_task")

        await self.until(find, f"{order_id} has nothing to do")

    async def history(self, order_id: str) -> list[HistoryEvent]:
        """The history of the order's workflow."""
        return [event async for event in self.workflow(order_id).fetch_history_events()]

    async def begun(self) -> None:
        """Wait until the first order of this shop has begun."""

        async def tried() -> bool:
            return self.faults.calls["reserve_stock"] > 0

        await self.until(tried, "the first step of an order")

    async def view(self, order_id: str) -> dict[str, Any]:
        """What the order's workflow answers to the query of that name."""
        view: dict[str, Any] = await self.workflow(order_id).query("view")
        return view

    async def phase(self, order_id: str, phase: str) -> None:
        """Wait until the order's workflow is in a phase."""

        async def find() -> bool:
            return bool((await self.view(order_id))["phase"] == phase)

        await self.until(find, f"{order_id} in the phase {phase!r}")

    async def parked(self, order_id: str) -> str:
        """The step that waits for a person, once one does; as the order's workflow has it."""

        async def find() -> str | None:
            return next(iter((await self.view(order_id))["attention"]), None)

        return await self.until(find, f"{order_id} has a step that waits for a person")

    async def retry(self, order_id: str, step: str) -> None:
        """An operator has a parked step tried again."""
        answer = AttentionAnswer(step=step, action="retry", note="it works again")
        await self.orders.resolve_attention(order_id, answer)

    async def attention(self, order_id: str) -> dict[str, str]:
        """Step → reason of what needs a person, once something does."""

        async def find() -> dict[str, str] | None:
            rows = (await self.orders.get(order_id)).attention
            return {row.step: row.reason for row in rows} or None

        return await self.until(find, f"{order_id} needs attention")
