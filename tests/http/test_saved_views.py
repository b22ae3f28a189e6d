"""Lists with a name, and the one box that finds anything."""

from __future__ import annotations

import re

import pytest

from domain.errors import Refused
from domain.money import Money
from domain.payments.vouchers import ToIssue
from domain.stock.items import Item
from starter.service import saved_views
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'
QUERY = "sku=TEA&columns=total&sort=oldest"


async def test_a_list_is_saved_shared_renamed_and_removed(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Bench(pool).take_in(an_order(("TEA", 1)))
    anna = await Desk(pool).signed_in("anna", "agent")
    saved = await anna.send_form("app/orders/views", query=QUERY, name=INJECTED)
    assert "The list is saved" in text_of(saved)
    assert str(saved.url).partition("?")[2] == f"{QUERY}&done=view_saved"
    page = (await anna.get("/app/orders")).text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page
    assert f'app/orders?{QUERY.replace("&", "&amp;")}"' in page
    assert "aria-current" in re.findall(r'<ul class="views">.*?</ul>', saved.text, re.DOTALL)[0]
    ben = await Desk(pool, anna.app).signed_in("ben", "agent")
    assert "No list is saved" in text_of(await ben.get("/app/orders/views"))
    (view,) = await anna.here.saved_views.seen_by("anna")
    at = f"app/orders/views/{view.view_no}"
    renamed = await anna.send_form(at, name="Tea", shared="1")
    assert renamed.url.path == "/app/orders/views"
    theirs = await ben.get("/app/orders/views")
    assert "shared by Anna" in text_of(theirs)
    assert (await ben.send_form(at, name="Mine")).status_code == 409
    assert "no such list of yours" in text_of(await ben.send_form(at, name="Mine"))
    await ben.send_form(at, name="x", remove="1")
    await anna.send_form("app/orders/views", query="state=held", name="Held")
    taken = await anna.send_form(at, name="Held")
    assert (taken.status_code, "has this name" in text_of(taken)) == (409, True)
    for odd in ({"name": ""}, {"name": "x" * 61}, {"name": "x", "query": "country=XX"}):
        answer = await anna.send_form("app/orders/views", **{"query": QUERY, **odd})
        assert answer.status_code == 422, odd
    monkeypatch.setattr(saved_views, "OF_ONE_MAX", 2)
    with pytest.raises(Refused):
        await anna.here.saved_views.save("anna", "Third", "", shared=False)
    await anna.here.saved_views.save("anna", "Held", "state=closed", shared=False)
    gone = await anna.send_form(at, name="x", remove="1")
    assert "The list is removed" in text_of(gone)
    assert [one.name for one in await anna.here.saved_views.seen_by("anna")] == ["Held"]


async def test_a_purchase_a_sku_a_transfer_a_claim_and_a_voucher_are_found(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA-1", 9)
    await bench.stocked("TEA-1", 1, "annex")
    await bench.catalogue.set_items([Item(sku="TEA-1", name="Green tea")])
    order = an_order(("TEA-1", 1), channel_order_id="to-find")
    await bench.at(order, "delivered")
    await pool.execute(
        "insert into claim (order_no, claim_id, kind, reason, who) "
        "values (order_no_of('web-to-find'), 'web-to-find:K1', 'late', 'x', 'x')"
    )
    await bench.transfers.send("T-77", "main", "annex", {"TEA-1": 1}, who="x", why="x")
    lead = await Desk(pool).signed_in("anna", "lead")
    wanted = ToIssue(kind="voucher", amount=Money(minor=500, currency="EUR"), seller="main")
    made = await lead.here.vouchers.issue("v1", wanted, who="test", why="test")
    voucher = made.voucher.voucher_id
    for text, path in {
        "tea-1": "/app/stock/TEA-1",
        "T-77": "/app/transfers/T-77",
        "web-to-find:K1": "/app/orders/web-to-find",
        voucher: f"/app/money/vouchers/{voucher}",
    }.items():
        answer = await lead.get("/app/find", params={"q": text})
        assert (answer.url.path, answer.status_code) == (path, 200), text
    picker = await Desk(pool, lead.app).signed_in("ben", "warehouse", locations=["annex"])
    for text in ("T-77", voucher):
        assert "Nothing is found" in text_of(await picker.get("/app/find", params={"q": text}))
    pos = await Desk(pool, lead.app).signed_in("cy", "agent", channels=["pos"])
    for text in ("web-to-find:K1", voucher):
        assert "Nothing is found" in text_of(await pos.get("/app/find", params={"q": text}))
