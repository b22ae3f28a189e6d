"""The demo's day over HTTP: `examples/programs` play everybody, with a client of the document.

They are programs of their own, which know the address, their keys and what is to happen. Nothing
of Orderloom is imported there. This makes the client and the plan, and reads what came of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from domain.access.api_keys import PER_MINUTE_MAX, KeyRequest
from domain.errors import Refused
from domain.orders.channels import Channel
from domain.orders.order import Order
from domain.orders.providers import ELSEWHERE
from domain.shops.access import ShopKind
from domain.shops.connections import NewShop
from runtime.discovery import StackInfo
from starter.demo import company
from starter.demo.customers import Cancellation, Script
from starter.demo.progress import Progress
from starter.demo.shop import OUTSIDE, Placed
from starter.demo.stories import goods
from starter.service.service import Records
from starter.simulation.simulator import SimulationReport

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
SHOPS: Final[Mapping[str, ShopKind]] = {"web": "shopify", "webde": "woocommerce"}
"""Which channels have a shop elsewhere, that sends every other of their orders."""

SETTINGS: Final = {
    "ORDERLOOM_WEBHOOK_TARGETS_ALLOW": "127.0.0.0/8",
    "ORDERLOOM_WEBHOOK_TARGETS_HTTP": "true",
}
"""The subscriber is a program on this machine."""

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "checkout": ("orders:read", "orders:write", "aftersales:write"),
    "warehouse": ("warehouse:read", "warehouse:write"),
    "carriers": ("carriers:read", "carriers:write"),
    "suppliers": ("purchasing:read", "purchasing:write", "stock:write"),
    "service": ("operations:read", "orders:read", "orders:write"),
    "events": ("events:read", "events:write"),
}
"""Who asks over HTTP, and what each may do."""

_PAYERS: Final = ("sandbox", "stripe", ELSEWHERE)
_SECRET: Final = "what the shop shows below its webhooks"
_SAID_MAX: Final = 500
_STAGE_IN_SHOP: Final = "before picking"


@dataclass(frozen=True)
class Told:
    """An event that the subscriber has taken. `sequence` sorts."""

    id: str
    type: str
    subject: str
    sequence: str


@dataclass(frozen=True)
class HttpDay:
    """What the programs say of their day. `shops`: channel → what → how often.

    `settled`: orders of shops that could not be had, whose customers were paid back by people.
    """

    placed: Placed
    outside: SimulationReport
    shops: Mapping[str, Mapping[str, int]]
    settled: int
    came: int
    failed: int
    repeated: int
    wrong: Sequence[str]
    taken: Sequence[Told]


def channels() -> list[Channel]:
    """The company's; two of them take orders of shops, which come paid."""
    return [
        one.model_copy(update={"providers": _PAYERS}) if one.channel in SHOPS else one
        for one in company.CHANNELS
    ]


def through_shops(orders: Sequence[Order]) -> tuple[list[Order], frozenset[str]]:
    """The orders, and the ids of those that shops send: every other one of their channels."""
    seen = Counter[str]()
    documents, sent = [], set()
    for order in orders:
        seen[order.channel] += 1
        one = order
        if order.channel in SHOPS and seen[order.channel] % 2:
            if SHOPS[order.channel] == "shopify":
                one = order.model_copy(update={"channel_order_id": f"#{order.channel_order_id}"})
            sent.add(one.order_id)
        documents.append(one)
    return documents, frozenset(sent)


def cancel_one_there(script: Script, orders: Sequence[Order], sent: Collection[str]) -> str | None:
    """Let one customer more cancel: in the shop. Returns the order's id; None: there is none."""
    known = script.cancellations.keys() | script.returns.keys()
    free = [one.order_id for one in orders if one.order_id in sent and one.order_id not in known]
    if not free:
        return None
    script.cancellations[free[0]] = Cancellation(free[0], _STAGE_IN_SHOP, None)
    return free[0]


async def connect(records: Records) -> None:
    """Connect the channels with their shops."""
    services = {order: order for order in ("slow", *_services())}
    for channel, kind in SHOPS.items():
        wanted = {"kind": kind, "secrets": [_SECRET], "options": {"services": services}}
        await records.shops.connect(channel, NewShop.model_validate(wanted), by="demo")


def _services() -> list[str]:
    return ["speedy-express", "united-package", "federal-shipping"]


async def make_client(info: StackInfo, folder: Path) -> str:
    """Make a client of the document that is served. Returns where that is.

    Raises Refused where something of the document is left out in the client.
    """
    url, log = info.http_url, info.logs / "client.log"
    if url is None:
        raise Refused("there is no HTTP door: install orderloom[server]")
    config = EXAMPLES / "programs" / "client.yaml"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
        *("--url", f"{url}/openapi.json", "--config", str(config), "--fail-on-warning"),
        *("--overwrite", "--output-path", str(folder / "orderloom_client")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    log.write_bytes(said)
    if process.returncode:
        told = said.decode(errors="replace").strip()[:_SAID_MAX]
        raise Refused(f"no client could be made of the OpenAPI document; {log} says more: {told}")
    return url


async def trade(
    records: Records,
    url: str,
    home: Path,
    orders: Sequence[Order],
    sent: Collection[str],
    script: Script,
    cancelled_there: str | None,
    *,
    ends_within_s: float,
    progress: Progress,
) -> HttpDay:
    """Let the programs live the day. Raises Refused where they do not come to its end."""
    keys = {name: await _key(records, name, scopes) for name, scopes in _KEYS.items()}
    plan = {
        "url": url,
        "keys": keys,
        "shops": {name: {"kind": kind, "secret": _SECRET} for name, kind in SHOPS.items()},
        "orders": [
            {
                "order_id": order.order_id,
                "through": "shop" if order.order_id in sent else "api",
                "document": as_sent(order),
            }
            for order in orders
        ],
        "wishes": [
            {
                "order_id": one.order_id,
                "stage": one.stage if isinstance(one, Cancellation) else "",
                "line_id": one.line_id,
                "in_shop": one.order_id == cancelled_there,
            }
            for one in script.wishes()
        ],
        "aside": [company.TILL, goods.DESK],
        "rates": {
            name.removesuffix("_rate"): value
            for name, value in OUTSIDE.model_dump().items()
            if name.endswith("_rate")
        },
        "speed": OUTSIDE.speed,
        "ends_within_s": ends_within_s,
    }
    home = home.absolute()  # the programs have a folder of their own
    files = home / "plan.json", home / "result.json"
    files[0].write_text(json.dumps(plan), encoding="utf-8")
    log = home / "logs" / "programs.log"
    async with _programs(home, files, log) as process:
        assert process.stdout is not None
        async for line in process.stdout:
            _show(json.loads(line), progress)
        code = await process.wait()
    if code:
        told = log.read_text(encoding="utf-8").strip().splitlines()
        failed = [one.last_error for one in await records.shops.messages(failed=True)]
        raise Refused("; ".join([*told[-3:], *map(str, failed[:3])]) or "the programs ended early")
    result = json.loads(files[1].read_text(encoding="utf-8"))
    _hear(script, result["wishes"])
    return HttpDay(
        placed=Placed(seconds=result["placing_s"], outcomes=Counter(result["outcomes"])),
        outside=SimulationReport(**result["counts"]),
        shops=result["shops"],
        settled=result["paid_back_by_the_desk"],
        taken=[Told(**one) for one in result["told"].pop("taken")],
        **result["told"],
    )


def as_sent(order: Order) -> dict[str, Any]:
    """As a checkout sends it: at a moment. Northwind knows the day alone."""
    document = order.model_dump(mode="json", exclude_defaults=True)
    return {**document, "placed_at": f"{document['placed_at'][:10]}T09:00:00Z"}


async def _key(records: Records, name: str, scopes: Sequence[str]) -> str:
    wanted = {"name": name, "scopes": list(scopes), "per_minute": PER_MINUTE_MAX}
    made = await records.access.make(KeyRequest.model_validate(wanted), who="demo")
    return made.secret_text.get_secret_value()


@asynccontextmanager
async def _programs(
    home: Path, files: tuple[Path, Path], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The programs, as one process with nothing of ours on its path; killed if it is left early."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "programs", *map(str, files)),
            cwd=home,
            env={**os.environ, "PYTHONPATH": f"{EXAMPLES}{os.pathsep}{home / 'client'}"},
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _show(said: Mapping[str, int], progress: Progress) -> None:
    if "placed" in said:
        progress.placed()
    if "ended" in said:
        progress.ended(said["ended"])


def _hear(script: Script, wishes: Mapping[str, Any]) -> None:
    for one in script.wishes():
        one.outcome = wishes[one.order_id]
