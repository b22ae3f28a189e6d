"""Parcels that nobody announced, over HTTP: whose they are, and the return that is made of each."""

from __future__ import annotations

import pytest

from domain.aftersales.return_counts import FoundGoods
from tests.http.test_desk_acts import delivered
from tests.support.api import Api
from tests.support.desk import Desk, text_of
from tests.support.scanner import begun
from tests.support.shop import Shop

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'
ASIDE = "app/floor/aside"


@pytest.fixture
async def floor(shop: Shop) -> Desk:
    for sku in ("TEA", "POT"):
        await shop.stocked(sku, 100)
    desk = Desk(shop.pool, Api(shop).app)
    return await desk.signed_in("anna", "warehouse", locations=("main",))


async def test_a_parcel_that_nobody_announced_becomes_a_return_on_the_floor(
    shop: Shop, floor: Desk
) -> None:
    order_id = await delivered(shop, "aside-1")
    run = await begun(floor, "app/floor/incoming", code="OL:RETURN")
    told = await run.scan("OL:NOBODY", "TEA", "OL:IS:opened", "OL:DONE")
    assert ASIDE in told["screen"]
    (parcel,) = await shop.unannounced.list()
    page = text_of(await floor.get(f"/{ASIDE}"))
    assert f"Parcel {parcel.parcel_no}" in page
    address = f"{ASIDE}/{parcel.parcel_no}"
    assert f"Make it a return of {order_id}" in text_of(await floor.get(f"/{address}"))
    odd = await floor.send_form(f"{address}/take", code=INJECTED)
    assert (odd.status_code, "No order of yours" in text_of(odd)) == (422, True)
    assert "<img" not in odd.text
    for _ in range(2):  # sent twice, it is one return
        taken = await floor.send_form(f"{address}/take", order=order_id)
        assert (taken.status_code, f"It is return {order_id}:R1" in text_of(taken)) == (200, True)
    late = await floor.send_form(f"{address}/settle", note="sent back")
    assert late.status_code == 409
    assert f"It is return {order_id}:R1" in text_of(await floor.get(f"/{ASIDE}"))


async def test_what_an_order_does_not_take_back_says_why_and_is_dealt_with_otherwise(
    shop: Shop, floor: Desk
) -> None:
    order_id = await delivered(shop, "aside-2")
    goods = [FoundGoods(sku="POT", quantity=2, condition="used", photo=INJECTED)]
    parcel = await shop.unannounced.receive(
        "p", goods, location="main", order_id=order_id, who="Ben"
    )
    address = f"{ASIDE}/{parcel.parcel_no}"
    page = await floor.get(f"/{address}")
    assert "No other order is known" in text_of(page)
    assert "<img" not in page.text
    no = await floor.send_form(f"{address}/take", code=f"{order_id}:1")
    assert (no.status_code, "not so many of these units" in text_of(no)) == (409, True)
    empty = await floor.send_form(f"{address}/settle", note=" ")
    assert empty.status_code == 422
    done = await floor.send_form(f"{address}/settle", note="sent back to its sender")
    assert "It is dealt with: sent back to its sender" in text_of(done)
    ben = await Desk(shop.pool, floor.app).signed_in(
        "ben", "warehouse", locations=("main",), channels=("pos",)
    )
    assert (await ben.get(f"/{address}")).status_code == 404  # its order is not theirs
    await shop.stocked("TEA", 1, "outlet")
    cy = await Desk(shop.pool, floor.app).signed_in("cy", "warehouse", locations=("outlet",))
    for path in (address, f"{address}/take", f"{address}/settle"):
        answer = await (cy.get(f"/{path}") if path == address else cy.send_form(path))
        assert answer.status_code == 404
    clerk = await Desk(shop.pool, floor.app).signed_in("dee", "accountant")
    assert (await clerk.get(f"/{ASIDE}")).status_code == 403
