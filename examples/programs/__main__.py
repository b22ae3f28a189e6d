"""`python -m programs PLAN RESULT`: the day. `make demo HTTP=1` writes the plan."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orderloom_client.api.events import make_subscription, read_events
from orderloom_client.models import NewSubscription

from .carrier import Carriers
from .customers import Customers
from .door import Door, Refused
from .following import Event, Following
from .plan import Plan
from .service_desk import ServiceDesk
from .shops import Shop
from .subscriber import Subscriber
from .supplier import Suppliers
from .warehouse import Warehouse


@dataclass
class Day:
    """All programs of one day."""

    plan: Plan
    outcomes: Counter[str] = field(default_factory=Counter)
    subscriber: Subscriber = field(default_factory=Subscriber)
    began: float = field(default_factory=time.monotonic)
    placing_s: float = 0.0

    def __post_init__(self) -> None:
        plan = self.plan
        self.doors = {name: Door(plan.url, key) for name, key in plan.keys.items()}
        self.following = Following(self.doors["events"])
        self.shops = {
            channel: Shop(plan.url, channel, shop["kind"], shop["secret"])
            for channel, shop in plan.shops.items()
        }
        self.customers = Customers(
            self.doors["checkout"], self.following, plan, self._cancel_in_the_shop
        )
        self.suppliers = Suppliers(self.doors["suppliers"], plan)
        from_shops = {one["order_id"] for one in plan.orders if one["through"] == "shop"}
        self.desk = ServiceDesk(self.doors["service"], from_shops)

    async def live(self) -> None:
        """From the first order to the last event. Raises TimeoutError where it takes too long."""
        position = await self.following.begin()
        await self._subscribe()
        self.following.listeners += [*(shop.hear for shop in self.shops.values()), self._count]
        others: list[Awaitable[None]] = [
            self.following.run(),
            Warehouse(self.doors["warehouse"], self.plan).run(),
            Carriers(self.doors["carriers"], self.plan).run(),
            self.suppliers.run(),
            self.desk.run(),
        ]
        async with asyncio.TaskGroup() as group:
            working = [group.create_task(_run(one)) for one in others]
            minds = group.create_task(self.customers.change_their_minds())
            await self._place()
            await minds
            names = [one["order_id"] for one in self.plan.orders]
            await self.following.until(
                lambda: all(self.following.has_ended(name) for name in names),
                self.plan.ends_within_s,
                "not all orders came to their end",
            )
            async with asyncio.timeout(self.plan.ends_within_s):
                await self.suppliers.all_served()
                await asyncio.gather(*(shop.close() for shop in self.shops.values()))
                await self._all_told(position)
            for one in working:
                one.cancel()
        await self.subscriber.close()

    async def _place(self) -> None:
        """At the channels' own checkouts, and at shops, all at the same time."""
        direct = [one for one in self.plan.orders if one["through"] == "api"]
        async with asyncio.TaskGroup() as group:
            group.create_task(self.customers.place(direct, self._placed))
            for channel, shop in self.shops.items():
                sold = [
                    one
                    for one in self.plan.orders
                    if one["through"] == "shop" and one["document"]["channel"] == channel
                ]
                group.create_task(shop.sell(sold, self._placed))
        self.placing_s = time.monotonic() - self.began

    async def _subscribe(self) -> None:
        await self.subscriber.listen()
        told = await self.doors["events"].ask(
            make_subscription,
            body=NewSubscription.from_dict({"url": self.subscriber.url}),
            idempotency_key="subscribe",
        )
        self.subscriber.secret = told.secret

    async def _all_told(self, position: int) -> None:
        """Wait until the subscriber has every event of this day that the API lists."""
        ids: set[str] = set()
        while True:
            page = await self.doors["events"].ask(read_events, after=position, limit=100)
            position = page.position
            ids |= {event.id for event in page.events}
            if page.events:
                continue
            if not self.subscriber.lacks(ids):
                return
            await asyncio.sleep(0.5)

    async def _cancel_in_the_shop(self, order_id: str) -> None:
        shop = self.shops[order_id.partition("-")[0]]
        await shop.cancel(order_id)
        await self.following.until(
            lambda: self.following.has_ended(order_id),
            self.plan.ends_within_s,
            f"{order_id}, cancelled in its shop, never ended",
        )

    def _placed(self, outcome: str) -> None:
        self.outcomes[str(outcome)] += 1
        _tell(placed=self.outcomes.total())

    def _count(self, event: Event) -> None:
        if event["data"]["order"]["state"] in ("closed", "cancelled", "rejected"):
            names = (one["order_id"] for one in self.plan.orders)
            _tell(ended=sum(self.following.has_ended(name) for name in names))

    def result(self) -> dict[str, Any]:
        """What came of it, for the one who has made the plan."""
        told = self.subscriber
        return {
            "counts": self.plan.counts,
            "outcomes": self.outcomes,
            "placing_s": self.placing_s,
            "seconds": time.monotonic() - self.began,
            "wishes": {one.order_id: one.outcome for one in self.plan.wishes},
            "shops": {
                channel: {
                    "sent": shop.sent,
                    "repeated": shop.repeated,
                    "mixed": shop.mixed,
                    "paid_back": shop.paid_back,
                }
                for channel, shop in self.shops.items()
            },
            "paid_back_by_the_desk": self.desk.paid_back,
            "told": {
                "came": told.came,
                "failed": told.failed,
                "repeated": told.repeated,
                "wrong": told.wrong,
                "taken": told.taken,
            },
        }


async def _run(work: Awaitable[None]) -> None:
    await work


def _tell(**said: int) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _each(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _each(one)
    else:
        yield error


async def _main(plan: Path, result: Path) -> int:
    day, code = Day(Plan.read(json.loads(plan.read_text(encoding="utf-8")))), 0
    try:
        await day.live()
    except* (TimeoutError, Refused) as failed:
        sys.stderr.writelines(f"{str(error) or 'it takes too long'}\n" for error in _each(failed))
        code = 1
    finally:
        result.write_text(json.dumps(day.result()), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(Path(sys.argv[1]), Path(sys.argv[2]))))
