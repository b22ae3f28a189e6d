"""Each screen with a million orders: its time on the server, and its size on the wire."""

from __future__ import annotations

import argparse
import gc
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, cast, get_args
from urllib.parse import urlencode

import httpx
from fastapi.routing import APIRoute
from rich.console import Console
from rich.table import Table

from benchmarks.aged import AGED, an_aged_desk
from benchmarks.figures import median, percentile
from benchmarks.goods import SKUS
from benchmarks.venue import temporary_folder
from domain.staff.people import StaffRequest
from domain.views.order_filters import OrderFilters
from starter.http.app import application
from starter.http.cursors import Cursors
from starter.http.front import Limits
from starter.http.health import Health
from starter.http.metrics import Metrics
from starter.service.service import Records, Service
from starter.stack.postgres import embedded_postgres
from starter.web import buying, day, desk, floor, money, screens, setup
from starter.web.desk.listing import CHOICES
from store.accounting import book_days
from store.client_pool import open_client_pool
from store.customers.finding import CustomerKind
from store.database import Pool

AIM_MS: Final = 100.0
AIM_FIRST_KB: Final = 60.0
AIM_LATER_KB: Final = 15.0
_THIN: Final = 10
"""Of the made-up orders, one in so many has rows of scans, books and documents."""

_LOGIN: Final = "bench"
_PASSWORD: Final = "seven blue lamps under a bridge"
_FILE: Final = re.compile(r'(?:href|src)="[^"]*(app/files/[^"]+)"')
_PARCELS: Final = ("leave_late", "arrive_late", "shipped", "delivered", "delivered_late")
_PAYMENTS: Final = ("charged", "refunded")
_STREAMS: Final = ("/app/live",)
"""Answers without an end."""


@dataclass
class Screen:
    """One page: how long its answers took, and how large they were."""

    path: str
    status: int = 0
    took_ms: list[float] = field(default_factory=list)
    first_kb: float = 0.0
    later_kb: float = 0.0

    def over(self) -> str:
        """Which aims it misses; "" for none."""
        missed = {
            "time": percentile(self.took_ms, 0.99) > AIM_MS,
            "first": self.first_kb > AIM_FIRST_KB,
            "later": self.later_kb > AIM_LATER_KB,
        }
        return ", ".join(name for name, is_so in missed.items() if is_so)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--orders", type=int, default=1_000_000, help="made-up closed orders")
    parser.add_argument("--asked", type=int, default=100, help="times that each page is asked for")


async def measure(console: Console, args: argparse.Namespace) -> None:
    """Ask for every page that can be named, and print a line for each."""
    with temporary_folder() as home:
        async with (
            embedded_postgres(home) as server,
            an_aged_desk(server, args.orders, console, thin=_THIN),
            await open_client_pool(server.url(AGED)) as pool,  # as `orderloom serve` has it
            _browser(pool) as browser,
        ):
            async with pool.acquire() as conn:  # as a worker has done by then
                await book_days.add_up(conn, 10_000)
            known = await _known(pool)
            # As `orderloom serve` does before its first answer: see `settle` there.
            gc.collect()
            gc.freeze()
            asked = [Screen(path) for path in (*sorted(_paths(known)), *_questions(known))]
            for screen in asked:
                await _ask(browser, screen, args.asked)
    _print(console, asked)


@asynccontextmanager
async def _browser(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in as an admin, in front of the application; no socket, so the server alone counts."""
    here = Records(pool)
    app = application(
        *(cast("Service", here), Health({}, {}), Cursors(b"of a benchmark" * 4)),
        limits=Limits(),
        metrics=Metrics(),
    )
    wanted = StaffRequest.model_validate({"login": _LOGIN, "name": "Bench", "roles": ("admin",)})
    made = await here.staff.make(wanted, who="benchmark")
    first = made.password.get_secret_value()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="https://bench.example",
        headers={"Sec-Fetch-Site": "same-origin", "Accept-Encoding": "gzip"},
    ) as browser:
        await browser.post("/app/sign-in", data={"login": _LOGIN, "password": first})
        own = {"old": first, "new": _PASSWORD, "again": _PASSWORD}
        changed = await browser.post("/app/me/password", data=own)
        assert changed.status_code == 303, changed.text
        yield browser


async def _known(pool: Pool) -> dict[str, str]:
    """A name of each kind that stands in an address."""
    here = Records(pool)
    (order,) = await here.orders.list(at_most=1)
    detail = await here.orders.get(order.order_id)
    return {
        "order_id": order.order_id,
        "channel": order.channel,
        "seller": (await here.sellers.list())[0].seller,
        "customer_id": await here.customer_pages.id_of(detail.document["customer"]["id"]),
        "sku": SKUS[0],
        "location": "main",
        "old": await _an_old_order(here),
        "login": _LOGIN,
    }


async def _an_old_order(here: Records) -> str:
    """One in the middle of all that there are."""
    then = datetime.now(UTC) - timedelta(days=170)
    found = await here.orders.listed(OrderFilters(received_to=then), at_most=1)
    return found.orders[0].order_id if found.orders else ""


def _paths(known: dict[str, str]) -> Iterator[str]:
    """The addresses of all pages that need no other ids than the known ones."""
    rooms = (screens, desk, floor, buying, day, money, setup)
    routers = chain.from_iterable(room.ROUTERS for room in rooms)
    for route in chain.from_iterable(router.routes for router in routers):
        if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()):
            continue
        if route.path in _STREAMS:
            continue
        if all(name in known for name in route.param_convertors):
            yield route.path_format.format(**known)


def _questions(known: dict[str, str]) -> Iterator[str]:
    """The same pages with what people choose and type: each filter, pages far behind, searches."""
    today = datetime.now(UTC).date()
    day, month = today.isoformat(), (today - timedelta(days=30)).isoformat()
    old = (today - timedelta(days=200)).isoformat()
    filters = [f"{name}={one}" for name, all_ in CHOICES.items() for one in all_]
    filters += [f"{name}={known[name]}" for name in ("channel", "seller", "location", "sku")]
    filters += ["needs=1", "held=1", "sort=oldest", "country=KR", "country=JP", "country=FR"]
    filters += [f"{moment}_from={month}" for moment in ("placed", "received")]
    filters += [f"{moment}_from={old}&{moment}_to={old}" for moment in ("placed", "received")]
    filters += [f"promised_by={day}", f"promised_by={day}&location=none", "currency=EUR"]
    filters += [f"promised_by={day}&state=closed", "sku=SKU-001&country=JP&state=cancelled"]
    filters += ["currency=USD&total_from=1000", "currency=USD&total_to=35", f"start={known['old']}"]
    filters.append("columns=customer&columns=skus&columns=locations&columns=promised")
    yield from (f"/app/orders?{one}" for one in filters)
    yield "/app/orders/bulk?act=hold&all=1&country=KR&goods=unfulfilled"
    typed = [known["order_id"], known["order_id"].partition("-")[2], "T-mould100x-1-100", "none"]
    typed += ["Anna Schmidt", "민지", "김민지", "c77@example.com", "+82 10 0000 7919", "7919"]
    yield from (f"/app/find?{urlencode({'q': one})}" for one in (*typed, known["sku"]))
    yield from (f"/app/customers?{urlencode({'q': one})}" for one in typed[4:])
    yield from (f"/app/customers?which={one}" for one in get_args(CustomerKind))
    yield from (f"/app/tasks?{one}" for one in ("whose=me", "whose=nobody", "snoozed=1"))
    yield from (f"/app/day/parcels?what={one}" for one in _PARCELS)
    yield from (f"/app/day/payments?what={one}" for one in _PAYMENTS)


async def _ask(browser: httpx.AsyncClient, screen: Screen, times: int) -> None:
    for number in range(times + times // 10):
        began = time.perf_counter()
        answer = await browser.get(screen.path)
        took = 1000 * (time.perf_counter() - began)
        if number >= times // 10:
            screen.took_ms.append(took)
    screen.status = answer.status_code
    screen.later_kb = _size(answer)
    files = set(_FILE.findall(answer.text))
    loaded = [_size(await browser.get(f"/{path}")) for path in sorted(files)]
    screen.first_kb = screen.later_kb + sum(loaded)


def _size(answer: httpx.Response) -> float:
    """What travelled, in units of 1,000 bytes: the body as it was packed."""
    return int(answer.headers.get("content-length", len(answer.content))) / 1000


def _print(console: Console, asked: list[Screen]) -> None:
    table = Table("", "status", "p50 ms", "p99 ms", "first KB", "later KB", "over")
    for one in asked:
        table.add_row(
            one.path,
            str(one.status),
            f"{median(one.took_ms):.1f}",
            f"{percentile(one.took_ms, 0.99):.1f}",
            f"{one.first_kb:.1f}",
            f"{one.later_kb:.1f}",
            one.over(),
        )
    console.print(table)
    over = [one.path for one in asked if one.over()]
    console.print(f"{len(asked)} pages; over an aim: {', '.join(over) or 'none'}")
