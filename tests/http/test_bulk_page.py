"""The same for many orders, from a list: what is ticked, or all that match; and the job's page."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from io import BytesIO

import httpx
import pytest
from pypdf import PdfReader

from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.jobs import jobs_at_work
from tests.support.shop import Shop

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'


@pytest.fixture
async def busy(shop: Shop) -> AsyncIterator[Shop]:
    await shop.stocked("TEA", 100)
    async with jobs_at_work(shop):
        yield shop


@pytest.fixture
async def desk(busy: Shop) -> Desk:
    return await Desk(busy.pool, Api(busy).app).signed_in("anna", "agent", "warehouse")


def hidden(page: str) -> dict[str, str]:
    """What the form sends that nobody fills in."""
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in fields}


async def begun(desk: Desk, query: str, **fields: str) -> httpx.Response:
    """Confirm it, and come to the job's page."""
    page = await desk.get(f"/app/orders/bulk?{query}")
    assert page.status_code == 200, page.text
    return await desk.send_form("app/orders/bulk", **hidden(page.text), **fields)


async def ended(desk: Desk, answer: httpx.Response) -> httpx.Response:
    """The job's page, when it has ended."""
    at = answer.url.path
    assert re.fullmatch(r"/app/jobs/job_[a-z0-9]{20}", at), text_of(answer)
    for _ in range(300):
        version = (await desk.get(f"{at}/version")).text
        if version.split()[0] in ("done", "cancelled", "failed"):
            return await desk.get(at)
        await asyncio.sleep(0.1)
    raise AssertionError(version)


async def test_ticked_orders_are_held_once_each_with_its_result(busy: Shop, desk: Desk) -> None:
    orders = [an_order(("TEA", 1)) for _ in range(2)]
    for order in orders:
        await busy.placed(order)
    names = "&".join(f"order={one}" for one in (*(o.order_id for o in orders), "web-none"))
    page = await desk.get(f"/app/orders/bulk?act=hold&{names}")
    told = text_of(page)
    assert "3 orders." in told
    assert "stay here until somebody lets them go" in told
    sent = {**hidden(page.text), "reason": "stock"}
    assert '<option value="">Choose</option>' in page.text  # No order is held by default.
    assert "selected" not in page.text.partition('name="reason"')[2].partition("</select>")[0]
    unsaid = await desk.send_form("app/orders/bulk", **{**sent, "reason": ""}, note="x")
    assert unsaid.status_code == 422
    assert "Reason: Choose one of those that are offered." in text_of(unsaid)
    odd = await desk.send_form("app/orders/bulk", **sent, note="")
    assert odd.status_code == 422
    both = await asyncio.gather(
        *(desk.send_form("app/orders/bulk", **sent, note="called back") for _ in range(2))
    )
    assert both[0].url.path == both[1].url.path
    shown = await ended(desk, both[0])
    rows = re.findall(
        r'<th scope="row"><a href="[^"]*app/orders/([^"]*)".*?</th>\s*<td[^>]*>(.*?)</td>',
        shown.text,
    )
    assert [(one, "refused" in told) for one, told in rows] == [
        *((order.order_id, False) for order in orders),
        ("web-none", True),
    ]
    assert "There is no" in text_of(shown) or "there is no order web-none" in text_of(shown)
    for order in orders:
        (hold,) = await busy.holds.standing(order.order_id)
        assert (hold.note, hold.who, hold.reason) == ("called back", "Anna (anna)", "stock")
    refused = await desk.get(f"{shown.url.path}?outcome=refused")
    assert orders[0].order_id not in text_of(refused)
    assert "Hold many orders" in text_of(await desk.get("/app/jobs"))
    where = "act=release&all=1&held=1"
    assert "2 orders." in text_of(await desk.get(f"/app/orders/bulk?{where}"))
    shown = await ended(desk, await begun(desk, where, note="they are good"))
    assert [len(await busy.holds.standing(o.order_id)) for o in orders] == [0, 0]


async def test_labels_of_many_orders_are_one_file_and_the_story_tells_who_printed_it(
    busy: Shop, desk: Desk
) -> None:
    orders = [an_order(("TEA", 1)) for _ in range(2)]
    for order in orders:
        await busy.drive(await busy.placed(order), "labelled")
    names = "&".join(f"order={order.order_id}" for order in orders)
    for act, times in (("labels", 1), ("labels", 2), ("slips", 1)):
        shown = await ended(desk, await begun(desk, f"act={act}&{names}"))
        link = re.search(r'href="(?:\.\./)*([^"]*/file)"', shown.text)
        assert link, text_of(shown)
        file = await desk.get(f"/{link[1]}")
        assert file.headers["content-type"] == "application/pdf"
        assert len(PdfReader(BytesIO(file.content)).pages) == len(orders)
        line = (await busy.orders.events(orders[0].order_id))[-1]
        what = "label" if act == "labels" else "packing slip"
        assert line.what == f"{what} printed: {orders[0].order_id}:1"
        assert (line.who, line.why) == ("Anna (anna)", "the 2nd time" if times == 2 else "")


async def test_nothing_is_done_to_every_order_or_to_none(pool: Pool) -> None:
    desk = await Desk(pool).signed_in("anna", "agent")
    await Bench(pool).take_in(an_order(("TEA", 1)))
    every = await desk.get("/app/orders/bulk?act=cancel&all=1")
    assert "Choose a filter first" in text_of(every)
    assert "job_id" not in every.text
    none = await desk.get("/app/orders/bulk?act=cancel&state=held&sort=oldest")
    assert "Tick some orders first" in text_of(none)
    assert (none.url.path, none.url.params["state"]) == ("/app/orders", "held")
    wrong = await desk.get("/app/orders/bulk?act=cancel&all=1&state=held&sku=TEA&country=XX")
    assert "was not understood" in text_of(wrong)
    assert "job_id" not in wrong.text
    for query in ("all=1", "all=1&country=XX", ""):
        forced = {"act": "cancel", "chosen": query, "job_id": f"job_{'a' * 20}", "reason": "x"}
        assert (await desk.send_form("app/orders/bulk", **forced)).status_code == 422
    odd = {"act": "cancel", "chosen": "order=web-1", "job_id": "job_1", "reason": "x"}
    assert (await desk.send_form("app/orders/bulk", **odd)).status_code == 422
    assert (await desk.get("/app/orders/bulk?act=dance")).status_code == 422
    assert await desk.here.jobs.list() == []


async def test_who_may_not_do_it_may_not_do_it_many_times(pool: Pool) -> None:
    desk = await Desk(pool).signed_in("anna", "agent")
    made = await begun(desk, "act=hold&order=web-1", reason="other", note=INJECTED)
    assert "The work is noted" in text_of(made)
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in made.text
    clerk = await Desk(pool, desk.app).signed_in("cy", "accountant")
    assert (await clerk.get("/app/orders/bulk?act=hold&order=web-1")).status_code == 403
    forced = {"act": "hold", "chosen": "order=web-1", "job_id": f"job_{'a' * 20}", "note": "x"}
    assert (await clerk.send_form("app/orders/bulk", **forced)).status_code == 403
    pos = await Desk(pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    shop = await Desk(pool, desk.app).signed_in("dee", "agent", locations=["shop"])
    for who in (clerk, pos, shop):
        for more in ("", "/version", "/file"):
            assert (await who.get(f"{made.url.path}{more}")).status_code == 404, more
        assert (await who.send_form(f"{made.url.path[1:]}/cancel")).status_code == 404
        assert "There is none" in text_of(await who.get("/app/jobs"))
    stopped = await desk.send_form(f"{made.url.path[1:]}/cancel")
    assert "It was stopped" in text_of(stopped)
    theirs = await begun(pos, "act=release&order=pos-1", note="x")
    (job,) = await pos.here.jobs.list(channels=["pos"])
    assert job.channels == ("pos",)
    assert theirs.url.path.endswith(job.job_id)
    out = Desk(pool, desk.app)
    assert (await out.get("/app/jobs")).url.path == "/app/sign-in"
    foreign = await desk.post("/app/orders/bulk", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Anna (anna) may not do this any more, so it was stopped."),
        ("ko", "Anna (anna)에게 이 작업을 할 권한이 더 이상 없어 중지되었습니다."),
        ("de", "Anna (anna) darf das nicht mehr"),
    ],
)
async def test_a_job_says_that_its_maker_comes_in_no_more(
    shop: Shop, language: str, said: str
) -> None:
    anna = await Desk(shop.pool, Api(shop).app).signed_in("anna", "agent")
    made = await begun(anna, "act=hold&order=web-1&order=web-2", reason="other", note="called back")
    lead = await Desk(shop.pool, anna.app).signed_in("lee", "lead", language=language)
    await shop.staff.disable("anna", who="the owner")
    async with jobs_at_work(shop):
        page = await ended(lead, made)
    assert said in text_of(page)
    assert "maker_may_not" not in page.text
    (job,) = await shop.jobs.list()
    assert (job.state, job.done, job.refused, job.skipped) == ("failed", 0, 0, 2)


async def test_a_list_of_which_nothing_was_ticked_says_so_as_trouble(desk: Desk) -> None:
    page = await desk.get("/app/orders/bulk?act=cancel")
    assert page.url.path == "/app/orders"
    (trouble,) = re.findall(r'<div class="told trouble".*?</div>', page.text, re.DOTALL)
    assert "Nothing is ticked" in trouble
    assert 'role="status"' not in page.text.partition(trouble)[0].partition("<main")[2]
