"""`make pictures`: the main pages as small pictures in docs/pictures, of a day that stands still.

The shop is Northwind's, as in the demo, at a moment that never changes, so a second run draws the
same. A picture that is too large for a page of the documentation is an error.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final, Literal
from urllib.parse import urljoin

from PIL import Image
from playwright.async_api import Page, ViewportSize

from domain.errors import OrderloomError
from domain.orders.order import Order
from domain.orders.policy import Policy
from starter.demo import company, shop
from starter.service.days import Days
from starter.service.service import Records
from store.database import open_pool
from store.orders import holds, intake
from tests.e2e.stack import ROOT
from tests.http.test_money_pages import differing
from tests.support.bench import Bench
from tests.support.browser import listening, running_browser, visitor
from tests.support.desk import GOOD, Desk
from tests.support.servers import Databases, running_postgres
from tests.support.shop import Stage

THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
AT: Final = datetime(2026, 11, 30, 14, 20, tzinfo=UTC)
FOLDER: Final = ROOT / "docs" / "pictures"
_BYTES_MAX: Final = 60 * 1024
_COLOURS: Final = 64
_SCREEN: Final = ViewportSize(width=1120, height=760)
_TALL: Final = ViewportSize(width=1120, height=1180)
_ORDERS: Final = 36
_SHOWN: Final = 2
_APART: Final = timedelta(minutes=47)
_STAGES: Final[tuple[Stage, ...]] = (
    *("delivered", "shipped", "delivered", "labelled", "shipped", "delivered"),
    *("packed", "delivered", "picked", "shipped", "confirmed", "confirmed"),
)
"""What becomes of the orders, in turn; the newest are where they have just been placed."""
_TO_PACK: Final = "select min(fulfilment_id) from fulfilment where state = 'picked'"
_PLACE: Final = "insert into bin (location, bin, walk) values ('main', $1, $2)"
_LIES_THERE: Final = "insert into bin_item (location, sku, bin) values ('main', $1, $2)"
_BOUGHT: Final = {"NW-38": 60, "NW-59": 200, "NW-18": 120}


class Clock:
    """The moment at which everything happens, here and in PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.now = AT

    @asynccontextmanager
    async def at(self, moment: datetime) -> AsyncIterator[Bench]:
        """A shop in which it is this moment, until the block ends."""
        self.now = moment
        pool = await open_pool(self._url)
        name = await pool.fetchval("select current_database()")
        await pool.execute(f"alter database {name} set orderloom.now = '{moment.isoformat()}'")
        await pool.close()
        pool = await open_pool(self._url)
        try:
            yield Bench(pool)
        finally:
            pool.terminate()

    def is_asked_everywhere(self) -> None:
        """Our programs ask this clock from now on."""
        clock = self

        class Kind(type):
            def __instancecheck__(cls, one: object) -> bool:
                return isinstance(one, datetime)

        class Standing(datetime, metaclass=Kind):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return clock.now.astimezone(tz)

        ours = ("starter.", "domain.", "store.", "activities.", "tests.")
        for name, module in list(sys.modules.items()):
            if name.startswith(ours) and getattr(module, "datetime", None) is datetime:
                vars(module)["datetime"] = Standing


async def main() -> int:
    """Draw all of them."""
    FOLDER.mkdir(exist_ok=True)
    async with running_postgres() as server:
        databases = Databases(server)
        await databases.prepare()
        async with databases.fresh() as url:
            clock = Clock(url)
            clock.is_asked_everywhere()
            order_id = await _trade(clock)
            async with clock.at(AT) as bench:
                await _draw(bench, order_id)
    return 0


async def _trade(clock: Clock) -> str:
    """Two days of a shop. Returns the order that is shown."""
    orders = company.shared_out(shop.read_northwind_orders(_ORDERS + _ORDERS // 2))
    orders = [one for one in orders if one.channel != company.TILL][:_ORDERS]
    first = AT - _APART * (len(orders) + 1)
    async with clock.at(first) as bench:
        here = Records(bench.pool)
        await company.found(here)
        await shop.open_shop(here, seller=company.US, today=first.date())
        await company.open_channels(here)
    for n, order in enumerate(orders):
        async with clock.at(first + _APART * n) as bench:
            stage = "confirmed" if n > _ORDERS - len(_STAGES) // 2 else _STAGES[n % len(_STAGES)]
            await _lives(bench, order.model_copy(update={"placed_at": clock.now}), stage)
    async with clock.at(AT - timedelta(minutes=40)) as bench:
        await _waits_for_people(bench, orders[-1], orders[_SHOWN])
    return orders[_SHOWN].order_id


async def _lives(bench: Bench, order: Order, stage: Stage) -> None:
    """Bring an order there, and charge what has left. What is not in stock waits for it."""
    seller = next(one.seller for one in company.CHANNELS if one.channel == order.channel)
    policy = Policy(return_window=timedelta(days=30))
    async with bench.pool.acquire() as conn:
        await intake.take_in(conn, [intake.Received(order, policy, seller=seller)])
    try:
        part = await bench.at(order, stage)
    except OrderloomError:
        return
    if stage in ("shipped", "delivered"):
        await bench.charged(part)


async def _waits_for_people(bench: Bench, held: Order, sent: Order) -> None:
    async with bench.pool.acquire() as conn:
        await holds.place(
            *(conn, held.order_id),
            reason="fraud_review",
            note="paid with a card from one country, sent to another: call the customer",
            owner="risk",
            who="Anna Kim (anna)",
        )
    await bench.refunded(sent, amount="5.00")
    await differing(bench, sent)
    for terms in await bench.purchasing.terms(skus=list(_BOUGHT)):
        await bench.purchasing.propose(
            *(terms.supplier, "main", {terms.sku: _BOUGHT[terms.sku]}),
            po_id=f"PO-{1000 + int(terms.sku[3:])}",
            who="Ben Lee (ben)",
            why="the winter sale begins next week",
        )
    await bench.purchasing.measure_demand()
    for walk, sku in enumerate(sorted(await _skus(bench))):
        place = f"{'ABCD'[walk % 4]}-{walk // 4 + 1}"
        await bench.pool.execute(
            "insert into bin (location, bin, walk) values ('main', $1, $2)", place, walk
        )
        await bench.pool.execute(
            "insert into bin_item (location, sku, bin) values ('main', $1, $2)", sku, place
        )


async def _skus(bench: Bench) -> list[str]:
    rows = await bench.pool.fetch("select sku from stock where location = 'main'")
    return [row["sku"] for row in rows]


async def _draw(bench: Bench, order_id: str) -> None:
    days = Days(bench.pool)
    for one in await days.todays():
        await days.count(one.today - timedelta(days=2), one.today, seller=one.seller)
    desk = await Desk(bench.pool).signed_in("anna", "admin", name="Anna Kim")
    async with listening(desk.app) as site, running_browser() as browser:
        for theme in THEMES:
            async with visitor(browser, theme=theme) as page:
                await _sign_in(page, site)
                await page.set_viewport_size(_TALL)
                await _take(page, f"app/orders/{order_id}", f"order-{theme}")
                await page.set_viewport_size(_SCREEN)
                if theme == "light":
                    await _desk(page)
        async with visitor(browser, phone=True) as page:
            await _sign_in(page, site)
            await _floor(page, await bench.pool.fetchval(_TO_PACK))


async def _sign_in(page: Page, site: str) -> None:
    await page.goto(f"{site}/app/sign-in")
    await page.locator("#login").fill("anna")
    await page.locator("#password").fill(GOOD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site}/app")


async def _desk(page: Page) -> None:
    for path, name in (
        *(("app/orders", "orders"), ("app/tasks", "tasks"), ("app/day", "day")),
        *(("app/purchases/proposals", "to-buy"), ("app/stock/NW-59", "item")),
        *(("app/money/differences/1", "difference"), ("app/setup", "set-up")),
    ):
        await _take(page, path, name)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("orders")
    await page.wait_for_timeout(300)
    await _save(page, "commands")


async def _floor(page: Page, parcel: str) -> None:
    """A parcel that is picked, and one that is packed."""
    await page.goto(urljoin(page.url, "/app/floor?change=1"))
    await page.locator('main button[value="main"]').click()
    for kind in ("pick", "pack"):
        await page.goto(urljoin(page.url, "/app/floor"))
        await page.locator(f'form:has(input[name="kind"][value="{kind}"]) button').first.click()
        await page.wait_for_url("**/app/floor/runs/*")
        await page.locator("#keys").wait_for()
        if kind == "pack":
            await page.keyboard.type(parcel)
            await page.keyboard.press("Enter")
            await page.locator(".banner").wait_for()
        await _save(page, f"floor-{kind}")


async def _take(page: Page, path: str, name: str) -> None:
    await page.goto(urljoin(page.url, f"/{path}"))
    await _save(page, name)


async def _save(page: Page, name: str) -> None:
    """As a file of few colours. Raises ValueError where it is too large."""
    drawn = Image.open(BytesIO(await page.screenshot())).convert("RGB")
    file = FOLDER / f"{name}.png"
    drawn.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        file, optimize=True
    )
    size = file.stat().st_size
    print(f"{file.relative_to(ROOT)}: {size / 1024:.0f} KB")
    if size > _BYTES_MAX:
        raise ValueError(f"{name} has {size} bytes, and may have {_BYTES_MAX}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
