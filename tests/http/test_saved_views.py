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
from store.stock import items
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


async def test_whatever_stands_on_paper_or_goods_is_found_however_it_is_typed(pool: Pool) -> None:
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
    await pool.execute(
        "insert into item_code (code, sku, units) values ('04006381333931', 'TEA-1', 1)"
    )
    await pool.execute("update shipment set tracking_number = 'JD0146000012'")
    await pool.execute(
        "update payment_operation set reference = 'pi_3Nabc' where kind = 'authorize'"
    )
    await bench.take_in(an_order(("TEA-1", 1), channel_order_id="#9001"))
    await bench.transfers.send("T-77", "main", "annex", {"TEA-1": 1}, who="x", why="x")
    lead = await Desk(pool).signed_in("anna", "lead")
    wanted = ToIssue(kind="voucher", amount=Money(minor=500, currency="EUR"), seller="main")
    made = await lead.here.vouchers.issue("v1", wanted, who="test", why="test")
    voucher = made.voucher.voucher_id
    for text, path in {
        "tea-1": "/app/stock/TEA-1",
        "T-77": "/app/transfers/T-77",
        "4006381333931": "/app/stock/TEA-1",
        "web-to-find:K1": "/app/orders/web-to-find",
        "WEB-to-find": "/app/orders/web-to-find",
        "Web-to-find:1": "/app/orders/web-to-find",
        "\u200eweb-to-find\u200f": "/app/orders/web-to-find",
        "jd01 4600 0012": "/app/orders/web-to-find",
        "pi_3Nabc": "/app/orders/web-to-find",
        "9001": "/app/orders/web-~239001",
        "web-#9001": "/app/orders/web-~239001",
        voucher: f"/app/money/vouchers/{voucher}",
    }.items():
        answer = await lead.get("/app/find", params={"q": text})
        assert (answer.url.path, answer.status_code) == (path, 200), text
    picker = await Desk(pool, lead.app).signed_in("ben", "warehouse", locations=["annex"])
    for text in ("T-77", voucher):
        assert "Nothing is found" in text_of(await picker.get("/app/find", params={"q": text}))
    pos = await Desk(pool, lead.app).signed_in("cy", "agent", channels=["pos"])
    for text in ("web-to-find:K1", "pi_3Nabc", "jd01 4600 0012", voucher):
        assert "Nothing is found" in text_of(await pos.get("/app/find", params={"q": text}))
    for who, text, told in (
        (lead, "web-to", [("web-to-find", "delivered", "app/orders/web-to-find")]),
        (lead, "to-f", [("web-to-find", "delivered", "app/orders/web-to-find")]),
        (lead, "DISPUT", [("Disputes", "", "app/money/disputes")]),
        (lead, "kim minj", [("Kim Minji", "2 orders", "app/customers/C1")]),
        (lead, "w", []),
        (lead, "%", []),
        (lead, "x" * 300, []),
        (picker, "disput", []),
        (pos, "web-to", []),
        (pos, "kim", []),
    ):
        answer = await who.get("/app/find/suggestions", params={"q": text})
        items = [tuple(one.values()) for one in answer.json()["items"]]
        assert items == told, text
    assert (
        await Desk(pool, lead.app).get("/app/find/suggestions?q=web")
    ).url.path == "/app/sign-in"


async def test_goods_are_found_by_a_part_of_their_sku_or_name(pool: Pool) -> None:
    lead = await Desk(pool).signed_in("anna", "lead")
    async with pool.acquire() as conn:
        await items.save(
            conn,
            [
                Item(sku="MUG-RED-0042", name="Red mug"),
                Item(sku="BOX-1", name="Gift box with a smug cat"),
                Item(sku="ZUG", name="Zugluftstopper"),
                Item(sku="CUP", name="머그컵 빨강"),
                Item(sku=INJECTED, name=INJECTED),
            ],
        )

    async def found(text: str, who: Desk = lead) -> list[str]:
        page = await who.get("/app/find", params={"q": text})
        assert "<img src=x" not in page.text
        return re.findall(r'app/stock/([^"]+)">', page.text.partition("<main")[2])

    assert await found("mug") == ["MUG-RED-0042", "BOX-1"], "what begins so stands first"
    assert await found("MUG red") == ["MUG-RED-0042"]
    assert await found("0042") == ["MUG-RED-0042"]
    assert await found("luftstop") == ["ZUG"]
    assert await found("그컵") == ["CUP"]
    assert await found("ug") == [], "two letters are a beginning"
    assert await found("mug green") == []
    assert (await lead.get("/app/find?q=MUG-RED-0042")).url.path == "/app/stock/MUG-RED-0042"
    answer = await lead.get("/app/find/suggestions", params={"q": "luftst"})
    assert [tuple(one.values()) for one in answer.json()["items"]] == [
        ("ZUG", "SKU: Zugluftstopper", "app/stock/ZUG")
    ]
    agent = await Desk(pool, lead.app).signed_in("cy", "accountant")
    assert await found("mug", agent) == []
