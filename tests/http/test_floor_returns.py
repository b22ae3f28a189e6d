"""Parcels that come back over HTTP, with nothing but scans."""

from __future__ import annotations

from typing import Any, Final

import pytest

from activities.aftersales.returns import ApproveReturn
from domain.aftersales.return_rules import ReturnRule
from domain.orders.order import Order
from store.aftersales import return_rules
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.scanner import begun

INJECTED: Final = '"><img src=x onerror=alert(1)>{{7*7}}'
INCOMING: Final = "app/floor/incoming"


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 10)
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", "warehouse", locations=("main",))


async def delivered(bench: Bench, number: str) -> Order:
    """An order of three TEA and one POT, at its customer."""
    order = an_order(("TEA", 3), ("POT", 1), channel_order_id=number)
    await bench.charged(await bench.at(order, "delivered"))
    return order


async def approved(bench: Bench, order: Order, units: dict[str, int], ask: str = "r1") -> str:
    wish = ApproveReturn(
        order_id=order.order_id,
        request_id=ask,
        units=units,
        reason=INJECTED,
        reason_codes=dict.fromkeys(units, "other"),
        who="customer",
    )
    return (await bench.returns.approve_return(wish)).return_id


async def rule(bench: Bench, **terms: Any) -> None:
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule.model_validate(terms)])


async def on_hand(bench: Bench, sku: str) -> int:
    return (await bench.level(sku))[0]


async def test_a_return_is_counted_by_condition_with_nothing_but_scans(
    bench: Bench, desk: Desk
) -> None:
    order = await delivered(bench, "back-1")
    back = await approved(bench, order, {"1": 3, "2": 1})
    run = await begun(desk, INCOMING, code=back)
    told = await run.scan("TEA", "TEA", "OL:IS:opened")
    assert "2 × TEA go back on the shelf" in told["banner"]
    told = await run.scan("TEA", "OL:IS:damaged")
    assert "1 × TEA are thrown away" in told["banner"]
    assert await on_hand(bench, "TEA") == 7  # nothing is on record before the end
    told = await run.scan("OL:DONE")
    assert "1 unit is missing" in told["banner"]
    told = await run.scan("OL:DONE")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert "2 × opened → back on the shelf" in told["screen"]
    assert (await on_hand(bench, "TEA"), await on_hand(bench, "POT")) == (9, 9)
    found = await desk.here.returns.get(back)
    assert [(x.line_id, x.restocked, x.scrapped) for x in found.lines] == [("1", 2, 1), ("2", 0, 0)]
    repeat = await run.send("OL:DONE", seq=run.seq, scan_id=f"scan-{run.seq}")
    assert (repeat["how"], await on_hand(bench, "TEA")) == ("repeated", 9)
    other = await approved(bench, order, {"2": 1}, "r2")
    again = await begun(desk, INCOMING, code=back)  # it has been counted: nobody expects it
    assert other not in (await again.look())["screen"]
    told = await again.look()
    assert f"{back} was counted before" in told["screen"]
    await again.scan("TEA", "OL:IS:new", "OL:DONE")
    (parcel,) = await desk.here.unannounced.list()
    assert (parcel.order_id, str(parcel.why).startswith(f"{back} was counted before")) == (
        *(order.order_id, True),
    )


async def test_a_parcel_that_comes_before_its_return_is_approved_is_told(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    order = await delivered(bench, "back-9")
    back = await approved(bench, order, {"1": 1})
    await pool.execute("update order_return set state = 'requested' where return_id = $1", back)
    for code in (back, order.order_id):
        run = await begun(desk, INCOMING, code="OL:RETURN")
        told = await run.scan(code.swapcase() if code == back else code)
        assert f"{back} is not approved yet" in told["banner"]
    await run.scan("TEA", "OL:IS:new", "OL:DONE")
    (parcel,) = await desk.here.unannounced.list()
    assert str(parcel.why).startswith(f"approve {back}")


async def test_a_return_is_found_by_its_order_or_parcel_and_extra_units_are_kept_apart(
    bench: Bench, desk: Desk
) -> None:
    order = await delivered(bench, "back-2")
    first = await approved(bench, order, {"1": 1})
    second = await approved(bench, order, {"2": 1}, "r2")
    run = await begun(desk, INCOMING, code=order.order_id)
    told = await run.look()
    assert first in told["screen"]
    assert second in told["screen"]
    told = await run.scan(first, "TEA", "OL:IS:new", "POT")
    assert "More than was announced" in told["banner"]
    told = await run.scan(f"OL:PHOTO:{INJECTED}", "OL:IS:used", "OL:DONE")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert "<img" not in told["screen"]
    (parcel,) = await desk.here.unannounced.list()
    assert (parcel.order_id, parcel.came_with, parcel.who) == (
        *(order.order_id, first),
        "Anna (anna)",
    )
    assert [(x.sku, x.quantity, x.condition, x.photo) for x in parcel.units] == [
        ("POT", 1, "used", INJECTED)
    ]
    run = await begun(desk, INCOMING, code=f"{order.order_id}:1")  # the label of what was sent
    told = await run.look()
    assert f"{second}, of order" in told["screen"]


async def test_a_parcel_of_nobody_waits_for_a_person(bench: Bench, desk: Desk) -> None:
    order = await delivered(bench, "back-3")
    run = await begun(desk, INCOMING, code="OL:RETURN")
    assert (await run.scan(INJECTED))["outcome"] == "unknown"
    told = await run.scan("OL:NOBODY", "TEA", "OL:IS:new", "OL:DONE")
    assert told["outcome"] == "done"
    run = await begun(desk, INCOMING, code=order.order_id)
    assert (await run.scan("TEA", "OL:IS:opened", "OL:DONE"))["outcome"] == "done"
    parcels = await desk.here.unannounced.list(open_only=True)
    assert [(x.order_id, x.why) for x in parcels] == [
        (order.order_id, "make a return of it"),
        (None, "nobody knows whose it is"),
    ]
    assert await on_hand(bench, "TEA") == 7


async def test_a_parcel_that_is_none_of_several_returns_keeps_its_order(
    bench: Bench, desk: Desk
) -> None:
    order = await delivered(bench, "back-7")
    await approved(bench, order, {"1": 1})
    await approved(bench, order, {"2": 1}, "r2")
    run = await begun(desk, INCOMING, code=order.order_id)
    await run.scan("OL:NOBODY", "TEA", "OL:IS:new", "OL:DONE")
    (parcel,) = await desk.here.unannounced.list()
    assert parcel.order_id == order.order_id


async def test_more_units_than_a_parcel_holds_are_not_taken(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    await pool.execute("insert into item_code (code, sku, units) values ('SHIP', 'TEA', 99999)")
    run = await begun(desk, INCOMING, code="OL:RETURN")
    told = await run.scan("OL:NOBODY", "OL:QTY:99999", "SHIP")
    assert told["outcome"] == "over"
    assert (await run.scan("TEA", "OL:IS:new", "OL:DONE"))["over"]


async def test_units_in_one_condition_are_taken_back_together(bench: Bench, desk: Desk) -> None:
    order = await delivered(bench, "back-8")
    back = await approved(bench, order, {"1": 3})
    run = await begun(desk, INCOMING, code=back)
    told = await run.scan("OL:QTY:5", "TEA", "OL:IS:used", "OL:UNDO")
    assert "0 of 3" in told["screen"]
    assert "5 × TEA" in told["banner"]


async def test_what_the_rules_do_not_take_is_told_and_can_be_counted_otherwise(
    bench: Bench, desk: Desk
) -> None:
    await rule(bench, dispositions={"used": "refurbish"})
    order = await delivered(bench, "back-4")
    back = await approved(bench, order, {"2": 1})
    run = await begun(desk, INCOMING, code=back)
    told = await run.scan("POT", "OL:IS:used", "OL:DONE")
    assert (told["outcome"], told["over"]) == ("gone", False)
    assert "no rule of returns says where" in told["banner"]
    told = await run.scan("OL:UNDO", "POT", "OL:IS:new", "OL:DONE")
    assert told["outcome"] == "done"
    assert await on_hand(bench, "POT") == 10


async def test_returns_of_others_are_not_there(bench: Bench, desk: Desk) -> None:
    order = await delivered(bench, "back-5")
    back = await approved(bench, order, {"1": 1})
    run = await begun(desk, INCOMING, code=back)
    ben = await Desk(bench.pool).signed_in(
        "ben", "warehouse", locations=("main",), channels=("pos",)
    )
    for code in (back, order.order_id, f"{order.order_id}:1", "no-such-thing", INJECTED):
        answer = await ben.send_form(INCOMING, code=code)
        assert (answer.status_code, "Nothing here begins with this" in text_of(answer)) == (
            *(409, True),
        )
        assert "<img" not in answer.text
    theirs = await begun(ben, INCOMING, code="OL:RETURN")
    assert (await theirs.scan(back))["outcome"] == "unknown"
    cy = await Desk(bench.pool).signed_in("cy", "warehouse", locations=("main",))
    held = await cy.send_form(INCOMING, code=back)
    assert (held.status_code, "Somebody else" in text_of(held)) == (409, True)
    assert (await run.scan("OL:CANCEL", "OL:CANCEL"))["over"]


async def test_who_may_not_take_returns_back_does_not(
    bench: Bench, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await delivered(bench, "back-6")
    back = await approved(bench, order, {"1": 1})
    only_floor: dict[str, Any] = {"warehouse": frozenset({"warehouse:read", "warehouse:write"})}
    monkeypatch.setattr("domain.staff.roles.MAY", only_floor)
    assert "What customers send back" not in text_of(await desk.get(f"/{INCOMING}"))
    assert (await desk.send_form(INCOMING, kind="returns")).status_code == 403
    answer = await desk.send_form(INCOMING, code=back)
    assert (answer.status_code, "Nothing here begins" in text_of(answer)) == (422, True)
