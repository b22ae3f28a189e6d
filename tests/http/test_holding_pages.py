"""Kits, baskets and codes on screens; each command about goods, money and set-up has a screen."""

from __future__ import annotations

import importlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import typer.main

from domain.stock.items import Item
from domain.stock.kits import Kit
from starter.cli.commands import COMMANDS
from starter.web import buying, money, setup
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.desk import Desk, text_of
from tests.support.shop import Shop

DOCS: Final = Path(__file__).parents[2] / "docs/screens.md"
GROUPS: Final = (
    *("stock", "items", "kits", "suppliers", "purchase-orders", "replenish", "promise"),
    *("baskets", "codes", "invoices", "invoice", "ledger", "reconcile", "disputes", "payments"),
    *("provider-events", "credit", "vouchers", "carrier-claims", "sellers", "channels"),
    *("locations", "shops", "webhooks", "api-keys", "messages", "staff", "extensions"),
    *("codec-keys", "codec-server", "schema", "setup", "up", "serve"),
)


def commands(name: str) -> list[str]:
    """A command, or all of a group."""
    app: Any = importlib.import_module(f"starter.cli.{COMMANDS[name].module}").app
    found: Any = typer.main.get_command(app)
    inside = getattr(found, "commands", {})  # of a group
    return [f"{name} {one}" for one in inside] or [name]


def test_each_command_about_goods_money_and_set_up_has_a_screen_or_a_reason() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    told = {name: screen for cell, screen in rows for name in re.findall(r"`([^`]+)`", cell)}
    paths = {
        str(getattr(route, "path", "")).replace(":path", "").lstrip("/")
        for room in (buying, money, setup)
        for router in room.ROUTERS
        for route in router.routes
    }
    for group in GROUPS:
        for command in commands(group):
            screen = told.get(command)
            assert screen is not None, f"{command} has no row in docs/screens.md"
            named = re.findall(r"`(app/[^`]+)`", screen)
            assert screen.startswith("none: ") or named, command
            assert set(named) <= paths, command


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 10)
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", "buyer")


async def test_baskets_hold_units_and_free_them(bench: Bench, desk: Desk) -> None:
    assert "No basket holds anything" in text_of(await desk.get("/app/baskets"))
    fields = {"act": "hold", "basket": "B-1", "sku": "TEA", "n": "3", "minutes": "15"}
    assert "The units are held" in text_of(await desk.send_form("app/baskets", **fields))
    (held,) = await bench.baskets.list()
    assert held.units == {"TEA": 3}
    assert timedelta(minutes=14) < held.expires_at - datetime.now(UTC) <= timedelta(minutes=15)
    for wrong, why in (({"minutes": "0"}, "for a minute at least"), ({"n": ""}, "units")):
        answer = await desk.send_form("app/baskets", **{**fields, **wrong})
        assert (answer.status_code, why in text_of(answer)) == (422, True)
    many = await desk.send_form("app/baskets", **{**fields, "n": "99"})
    assert (many.status_code, 'value="99"' in many.text) == (409, True)
    page = text_of(await desk.get("/app/baskets"))
    assert "Free B-1" in page
    freed = await desk.send_form("app/baskets", act="release", basket="B-1")
    assert "The units are free" in text_of(freed)
    assert await bench.baskets.list() == []


async def test_kits_and_codes_are_listed(bench: Bench, desk: Desk) -> None:
    for path, nothing in (("kits", "There are no kits"), ("codes", "There are no codes")):
        assert nothing in text_of(await desk.get(f"/app/{path}"))
    await bench.catalogue.set_items([Item(sku="BOX")])
    await bench.catalogue.define_kit(Kit(sku="BOX", parts={"TEA": 3}))
    kits = text_of(await desk.get("/app/kits"))
    assert "BOX TEA=3 main: 3" in kits
    assert "BOX" not in text_of(await desk.get("/app/kits?after=BOX"))


async def test_levels_are_looked_at_when_somebody_asks(shop: Shop) -> None:
    desk = await Desk(shop.pool, Api(shop).app).signed_in("anna", "buyer")
    answer = await desk.send_form("app/purchases/replenish")
    assert "All levels were looked at" in text_of(answer)


async def test_nobody_comes_here_who_may_not(pool: Pool) -> None:
    desk = Desk(pool)
    forms = ("app/baskets", "app/purchases/replenish")
    asked = [(path, False) for path in ("app/kits", "app/codes", "app/baskets")]
    asked += [(path, True) for path in forms]

    async def ask(path: str, form: bool) -> httpx.Response:
        return await (desk.send_form(path) if form else desk.get(f"/{path}"))

    for path, form in asked:
        assert (await ask(path, form)).url.path == "/app/sign-in", path
    await desk.signed_in("ben", "accountant")
    for path, form in asked:
        answer = await ask(path, form)
        assert (answer.status_code, "It takes: " in text_of(answer)) == (403, True), path
        if form:
            foreign = await desk.post(f"/{path}", headers={"Sec-Fetch-Site": "cross-site"})
            assert (foreign.status_code, "another site" in text_of(foreign)) == (403, True), path
