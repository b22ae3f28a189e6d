"""Goods that come in over HTTP: purchase orders and transfers, with nothing but scans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from domain.purchasing.purchase_orders import OnOrder, SupplierItem
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.printed import barcodes
from tests.support.scanner import Scanner, begun

INJECTED: Final = '"><img src=x onerror=alert(1)>{{7*7}}'
INCOMING: Final = "app/floor/incoming"


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    for place in ("main", "outlet"):
        for sku in ("TEA", "POT"):
            await bench.stocked(sku, 10, place)
    await bench.purchasing.set_terms(
        [
            SupplierItem.model_validate(
                {
                    "supplier": "assam",
                    "name": f"Assam {INJECTED}",
                    "sku": sku,
                    "lead_time_days": 7,
                    "unit_price": "2.50",
                    "currency": "EUR",
                }
            )
            for sku in ("TEA", "POT")
        ]
    )
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", "warehouse", locations=("main",))


async def ordered(bench: Bench, *, place: str = "main", days: int = 3, **units: int) -> str:
    """A purchase order that was sent, and comes there."""
    due_on = datetime.now(UTC).date() + timedelta(days=days)
    rows = [
        OnOrder.model_validate(
            {
                "supplier": "assam",
                "sku": sku,
                "location": place,
                "quantity": n,
                "due_on": due_on.isoformat(),
            }
        )
        for sku, n in units.items()
    ]
    (po_id,) = await bench.purchasing.enter(rows, who="test", why="test")
    return po_id


async def places(pool: Pool, *names: str) -> None:
    for number, name in enumerate(names):
        await pool.execute(
            "insert into bin (location, bin, walk) values ('main', $1, $2)", name, number
        )


async def on_hand(bench: Bench, sku: str, place: str = "main") -> int:
    return (await bench.level(sku, place))[0]


async def test_a_purchase_order_is_received_with_nothing_but_scans(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    await places(pool, "A-1", "B-2")
    await pool.execute("insert into item_code (code, sku, units) values ('SIX', 'TEA', 6)")
    po_id = await ordered(bench, TEA=12, POT=2)
    page = await desk.get(f"/{INCOMING}")
    assert po_id in text_of(page)
    assert "14 units, 2 SKUs" in text_of(page)
    assert "<img" not in page.text
    run = await begun(desk, INCOMING, code=po_id.swapcase())  # Caps Lock is on
    assert (await run.scan("CUP"))["outcome"] == "unknown"
    told = await run.scan("SIX", "SIX")
    assert "12 × TEA" in told["banner"]
    assert "<img" not in told["screen"]
    assert (await run.scan("A-1"))["outcome"] == "good"
    told = await run.scan("OL:IS:damaged", "POT", "OL:DONE")
    assert (told["outcome"], "1 unit is missing" in told["banner"]) == ("asked", True)
    assert "1 still to come" in told["screen"]
    assert await on_hand(bench, "TEA") == 10  # nothing is on record before the end
    told = await run.scan("OL:DONE")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert (await on_hand(bench, "TEA"), await on_hand(bench, "POT")) == (22, 10)
    assert await movements(bench, "POT") == [
        ("received", 1, f"{po_id} from assam"),
        ("written_off", -1, f"{po_id}: came damaged"),
    ]
    (event,) = [x for x in await bench.purchasing.story(po_id) if x.what == "partly received"]
    assert (event.who, event.why) == ("Anna (anna)", "1 POT, 12 TEA; still to come: 1 POT")
    assert await lies_at(pool, "TEA") == ["A-1"]
    # The rest comes another day, with another run.
    run = await begun(desk, INCOMING, kind="receive", part=po_id)
    assert (await run.scan("POT", "B-2", "OL:DONE"))["outcome"] == "done"
    assert (await bench.purchasing.order(po_id)).outstanding == 0
    again = await desk.send_form(INCOMING, code=po_id)
    assert (again.status_code, "all of it has come" in text_of(again)) == (409, True)


async def movements(bench: Bench, sku: str, place: str = "main") -> list[tuple[str, int, str]]:
    """Kind, change and reason of what happened to a SKU after its first stock came."""
    found = await bench.stock.history(sku, location=place)
    return [(str(one.kind), one.on_hand_change, one.why) for one in found][1:]


async def lies_at(pool: Pool, sku: str) -> list[str]:
    rows = await pool.fetch(
        "select bin from bin_item where location = 'main' and sku = $1 order by rank", sku
    )
    return [row["bin"] for row in rows]


async def test_a_repeat_and_a_cut_receive_nothing_twice(bench: Bench, desk: Desk) -> None:
    po_id = await ordered(bench, TEA=4)
    run = await begun(desk, INCOMING, code=po_id)
    await run.scan("TEA", "TEA", "OL:DONE")
    first = await run.send("OL:DONE", seq=4, scan_id="last")  # its answer is lost on the way
    again = await run.send("OL:DONE", seq=4, scan_id="last")
    assert (first["how"], again["how"], again["banner"]) == ("taken", "repeated", first["banner"])
    assert await on_hand(bench, "TEA") == 12
    late = await run.send("TEA", seq=5, scan_id="late")
    assert (late["outcome"], await on_hand(bench, "TEA")) == ("refused", 12)


async def test_more_than_may_come_is_not_counted_and_what_does_not_come_is_cancelled(
    bench: Bench, desk: Desk
) -> None:
    po_id = await ordered(bench, TEA=40)  # and 5 % more
    run = await begun(desk, INCOMING, code=po_id)
    told = await run.scan("OL:QTY:43", "TEA")
    assert (told["outcome"], "no more than 42" in told["banner"]) == ("over", True)
    told = await run.scan("OL:QTY:41", "TEA")
    assert "more than expected" in told["banner"]
    assert "1 more than ordered" in told["screen"]
    told = await run.scan("OL:UNDO", "OL:QTY:30", "TEA", "OL:SHORT", "OL:SHORT")
    assert told["outcome"] == "done"
    order = await bench.purchasing.order(po_id)
    assert (order.lines[0].received, order.lines[0].cancelled) == (30, 10)


async def test_what_changed_meanwhile_is_told_and_counted_anew(bench: Bench, desk: Desk) -> None:
    po_id = await ordered(bench, TEA=4, POT=1)
    run = await begun(desk, INCOMING, code=po_id)
    await run.scan("OL:QTY:4", "TEA", "OL:DONE")
    await bench.purchasing.receive(po_id, "dock", {"TEA": 3}, who="Ben")
    told = await run.scan("OL:DONE")
    assert (told["outcome"], told["over"]) == ("gone", False)
    assert "This is not recorded" in told["banner"]
    told = await run.scan("TEA")
    assert (told["outcome"], "no more than 0" in told["banner"]) == ("over", True)
    assert (await run.scan("OL:UNDO", "TEA", "OL:DONE", "OL:DONE"))["outcome"] == "done"
    assert await on_hand(bench, "TEA") == 14
    other = await ordered(bench, TEA=2)
    run = await begun(desk, INCOMING, code=other)
    await run.scan("TEA", "OL:DONE")
    await bench.purchasing.refuse(other, "sold out", who="Ben")
    told = await run.scan("OL:DONE")
    assert (told["outcome"], told["over"]) == ("gone", True)
    assert "put it aside and tell who buys" in told["screen"]
    assert await on_hand(bench, "TEA") == 14


async def test_a_transfer_is_received_and_what_is_lost_is_told(bench: Bench, desk: Desk) -> None:
    await bench.transfers.send(
        "T-1", "outlet", "main", {"TEA": 3, "POT": 2}, who="Ben", why="for Christmas"
    )
    assert "T-1" in text_of(await desk.get(f"/{INCOMING}"))
    run = await begun(desk, INCOMING, code="T-1")
    told = await run.scan("OL:QTY:4", "TEA")
    assert told["outcome"] == "over"
    told = await run.scan("OL:QTY:2", "TEA", "OL:IS:damaged", "POT", "OL:SHORT")
    assert "written off as lost" in told["screen"]
    assert (await run.scan("OL:SHORT"))["outcome"] == "done"
    transfer = await bench.transfers.get("T-1")
    assert [(x.sku, x.arrived, x.lost) for x in transfer.lines] == [("POT", 1, 1), ("TEA", 2, 1)]
    assert (await on_hand(bench, "TEA"), await on_hand(bench, "POT")) == (12, 10)


async def test_who_receives_without_numbers_is_told_the_differences_at_the_end(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    await places(pool, "A-1", "B-2")
    await pool.execute("insert into bin_item (location, sku, bin) values ('main', 'TEA', 'A-1')")
    await bench.stocked("CUP", 1)
    po_id = await ordered(bench, TEA=4, POT=2)
    await bench.purchasing.ship(po_id, "notice", {"TEA": 4, "POT": 1}, who="Assam")
    run = await begun(desk, INCOMING, kind="receive", part=po_id, blind="1")
    told = await run.look()
    assert "0 of 4" not in told["screen"]
    told = await run.scan("TEA", "TEA")
    assert "A-1" in told["banner"]
    told = await run.scan("A-1", "POT")
    assert "B-2" in told["banner"]  # nothing lies there
    told = await run.scan("OL:SKIP", "CUP", "OL:ASIDE", "POT", "OL:UNDO")
    assert "1 put aside" in told["screen"]
    assert "missing" not in told["banner"] + told["screen"]
    told = await run.scan("OL:DONE")
    assert "Other than the supplier announced" in told["screen"]
    assert "2 of 4" in told["screen"]
    assert (await run.scan("OL:DONE"))["over"]
    assert (await on_hand(bench, "TEA"), await on_hand(bench, "CUP")) == (12, 1)
    told_to = [x for x in await bench.purchasing.story(po_id) if x.what == "came otherwise"]
    assert [(x.who, x.why) for x in told_to] == [
        ("Anna (anna)", "CUP: 0 expected, 0 came, 1 put aside; TEA: 4 expected, 2 came")
    ]
    labels = await desk.get(f"/app/floor/runs/{run.run_no}/labels")
    assert barcodes(labels.content) == ["POT", "TEA", "TEA"]
    assert barcodes((await desk.get("/app/floor/places")).content) == ["A-1", "B-2"]
    # Nothing of the rest, but more that was not ordered: whoever buys is told that, too.
    run = await begun(desk, INCOMING, code=po_id)
    assert (await desk.get(f"/app/floor/runs/{run.run_no}/labels")).status_code == 404
    assert (await run.scan("OL:ASIDE"))["outcome"] == "refused"
    assert (await run.scan("CUP", "OL:ASIDE", "OL:DONE", "OL:DONE"))["over"]
    told_to = [x for x in await bench.purchasing.story(po_id) if x.what == "came otherwise"]
    assert len(told_to) == 2
    assert (await bench.purchasing.order(po_id)).outstanding == 3


async def test_what_came_damaged_is_promised_to_nobody(bench: Bench, desk: Desk) -> None:
    await bench.backorderable("CUP")
    await bench.stocked("CUP", 2, "outlet")
    await bench.stocked("CUP", 1)
    await bench.transfers.send("T-3", "outlet", "main", {"CUP": 2}, who="Ben", why="more")
    await bench.baskets.hold("b-1", {"CUP": 1}, expires_at=datetime.now(UTC) + timedelta(hours=1))
    await bench.reserve(an_order(("CUP", 9), channel_order_id="cups"))
    run = await begun(desk, INCOMING, code="T-3")
    await run.scan("OL:IS:damaged", "CUP", "OL:IS:damaged", "CUP", "OL:DONE")
    rows = await bench.pool.fetch("select basket, quantity from soft_reservation")
    assert [(row["basket"], row["quantity"]) for row in rows] == [("b-1", 1)]


async def test_what_comes_elsewhere_is_not_received_here(bench: Bench, desk: Desk) -> None:
    theirs = await ordered(bench, place="outlet", TEA=4)
    await bench.transfers.send("T-2", "main", "outlet", {"TEA": 1}, who="Ben", why="sold out")
    page = text_of(await desk.get(f"/{INCOMING}"))
    assert theirs not in page
    assert "T-2" not in page
    for fields in (
        {"code": theirs},
        {"code": "T-2"},
        {"code": INJECTED},
        {"kind": "receive", "part": theirs},
        {"kind": "receive", "part": "PO-none"},
        {"kind": "arrive", "part": "T-2"},
        {"kind": "pick"},
        {},
    ):
        answer = await desk.send_form(INCOMING, **fields)
        assert answer.status_code in (409, 422), fields
        assert "<img" not in answer.text


async def test_nobody_receives_what_somebody_else_does(bench: Bench, desk: Desk) -> None:
    po_id = await ordered(bench, TEA=4)
    run = await begun(desk, INCOMING, code=po_id)
    ben = await Desk(bench.pool).signed_in("ben", "warehouse", locations=("main",))
    assert f"Receive {po_id}" not in text_of(await ben.get(f"/{INCOMING}"))
    answer = await ben.send_form(INCOMING, code=po_id)
    assert (answer.status_code, "Somebody else" in text_of(answer)) == (409, True)
    told = await run.scan("TEA", "OL:CANCEL", "OL:CANCEL")
    assert (told["over"], await on_hand(bench, "TEA")) == (True, 10)
    run = await begun(ben, INCOMING, code=po_id)
    assert (await run.scan("TEA", "OL:DONE", "OL:DONE"))["outcome"] == "done"


ROUTES: Final = (("GET", f"/{INCOMING}"), ("POST", f"/{INCOMING}"))


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_what_comes_in_is_for_those_who_work_there(
    pool: Pool, method: str, path: str
) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    desk = Desk(pool)
    nobody = await desk.request(method, path, headers=kind)
    assert nobody.url.path == "/app/sign-in"
    await desk.signed_in("anna", "accountant")
    assert (await desk.request(method, path, headers=kind)).status_code == 403
    if method == "POST":
        foreign = await desk.request(method, path, headers={**kind, "Sec-Fetch-Site": "cross-site"})
        assert "sent by another site" in text_of(foreign)


async def test_each_kind_of_work_needs_its_own_scope(
    bench: Bench, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    po_id = await ordered(bench, TEA=4)
    run = await begun(desk, INCOMING, code=po_id)
    only_floor: dict[str, Any] = {"warehouse": frozenset({"warehouse:read", "warehouse:write"})}
    monkeypatch.setattr("domain.staff.roles.MAY", only_floor)
    assert po_id not in text_of(await desk.get(f"/{INCOMING}"))
    for fields in ({"code": po_id}, {"kind": "arrive", "part": "T-9"}):
        answer = await desk.send_form(INCOMING, **fields)
        assert (answer.status_code, "It takes:" in text_of(answer)) == (403, True)
    unseen = await desk.send_form("app/floor/begin", kind="receive", part=po_id)
    assert unseen.status_code == 409
    assert (await desk.get(f"/app/floor/runs/{run.run_no}")).status_code == 404
    assert f"Receive {run.run_no}" not in text_of(await desk.get("/app/floor"))
    theirs = Scanner(desk, run.run_no)
    sent = await desk.send_form(f"app/floor/runs/{theirs.run_no}", seq="1", scan_id="x", code="TEA")
    assert sent.status_code == 404
