"""A job asks again, before each thing it does, whether who made it may still do that."""

from __future__ import annotations

from typing import Any

import pytest

from domain.access.api_keys import KeyRequest
from domain.jobs.jobs import Kind, Maker
from domain.jobs.options import ManyHolds, Print, StockImport
from domain.staff.people import StaffChange, StaffRequest
from domain.views.order_filters import OrderFilters
from starter.jobs import exports, working
from starter.service.service import Service
from tests.support.builders import an_order
from tests.support.shop import Shop
from tests.workflows.test_job_turns import here, served, turn

__all__ = ["here", "served"]

ROWS = "sku,location,quantity\nTEA,main,1\nPOT,main,2\nCUP,main,3\nPAN,main,4\n"


async def maker(here: Service, *roles: str, **limits: Any) -> Maker:
    """Somebody who makes jobs at the screens."""
    wanted = {"login": "anna", "name": "Anna", "roles": roles, **limits}
    await here.staff.make(StaffRequest.model_validate(wanted), who="the owner")
    told = {name: tuple(codes) for name, codes in limits.items()}
    return Maker("Anna (anna)", "staff:anna", **told)


async def made(here: Service, kind: Kind, options: Any, who: Maker, data: str = "") -> str:
    job = await here.jobs.make(here.jobs.new_id(), kind, options, who, data=data.encode())
    return job.job_id


async def outcomes(here: Service, job_id: str) -> list[tuple[str, str | None]]:
    return [(one.outcome, one.code) for one in await here.jobs.items(job_id)]


async def turns(here: Service, job_id: str) -> None:
    """Work until the job has ended."""
    job = await here.jobs.get(job_id)
    for _ in range(20):
        if not await turn(here, job):
            return
    raise AssertionError(await here.jobs.get(job_id))


async def when_pots_come(shop: Shop, what: str) -> None:
    """Have something happen in the transaction in which pots are taken in."""
    await shop.pool.execute(
        f"""
        create function meanwhile() returns trigger language plpgsql as $$
        begin {what}; return null; end $$;
        create trigger meanwhile after insert on stock for each row when (new.sku = 'POT')
        execute function meanwhile();
        """
    )


async def test_the_rest_is_not_done_when_its_maker_is_disabled_in_the_middle(
    shop: Shop, here: Service
) -> None:
    anna = await maker(here, "buyer")
    await when_pots_come(
        shop, "update staff set disabled_at = moment(), disabled_by = 'x' where login = 'anna'"
    )
    job_id = await made(here, "import_stock", StockImport(new_locations=("main",)), anna, ROWS)
    await turns(here, job_id)
    job = await here.jobs.get(job_id)
    assert (job.state, job.done, job.refused, job.skipped) == ("failed", 2, 0, 2)
    assert job.failure_code == "maker_may_not"
    assert job.failure is not None
    assert "Anna (anna)" in job.failure.detail
    assert {one.sku for one in await here.stock.list()} == {"TEA", "POT"}
    # Somebody who comes in again later does not have it go on behind their back.
    await here.staff.enable("anna")
    await turns(here, job_id)
    assert (await here.jobs.get(job_id)).done == 2


@pytest.mark.parametrize(("role", "state", "done"), [("agent", "failed", 0), ("buyer", "done", 4)])
async def test_a_role_that_is_lost_stops_it_where_no_other_one_allows_the_same(
    here: Service, role: str, state: str, done: int
) -> None:
    anna = await maker(here, "warehouse", "agent")
    job_id = await made(here, "import_stock", StockImport(new_locations=("main",)), anna, ROWS)
    await here.staff.change("anna", StaffChange.model_validate({"roles": [role]}))
    await turns(here, job_id)
    job = await here.jobs.get(job_id)
    assert (job.state, job.done) == (state, done)


async def test_a_job_of_a_key_ends_with_its_key_and_one_of_a_command_with_nobody(
    here: Service,
) -> None:
    key = (await here.access.make(KeyRequest(name="erp", scopes=("stock:write",)), who="x")).key
    of_key = Maker(f"erp (key {key.key_id})", key.key_id)
    options = StockImport(new_locations=("main",))
    first = await made(here, "import_stock", options, of_key, ROWS)
    await turns(here, first)
    assert (await here.jobs.get(first)).state == "done"
    second = await made(here, "import_stock", options, of_key, ROWS)
    await here.access.revoke(key.key_id, who="x")
    await turns(here, second)
    assert (await here.jobs.get(second)).failure_code == "maker_may_not"
    assert await outcomes(here, second) == []
    third = await made(here, "import_stock", options, Maker("erp"), ROWS)
    await turns(here, third)
    assert (await here.jobs.get(third)).state == "done"


async def test_orders_that_its_maker_sees_no_more_are_left_as_they_are(
    shop: Shop, here: Service
) -> None:
    await shop.stocked("TEA", 10)
    anna = await maker(here, "agent", channels=["web", "pos"])
    orders = [an_order(("TEA", 1)) for _ in range(2)]
    for order in orders:
        await shop.placed(order)
    ids = tuple(order.order_id for order in orders)
    wanted = ManyHolds(order_ids=ids, reason="stock", note="called back")
    job_id = await made(here, "hold_orders", wanted, anna)
    await here.staff.change("anna", StaffChange(channels=("pos",)))
    await turns(here, job_id)
    assert await outcomes(here, job_id) == [("refused", "not_found")] * 2
    assert [len(await shop.holds.standing(one)) for one in ids] == [0, 0]
    # Who is let see more by now gives an older job no more than it had.
    narrow = Maker("Anna (anna)", "staff:anna", channels=("pos",))
    job_id = await made(here, "hold_orders", wanted, narrow)
    await here.staff.change("anna", StaffChange(channels=None))
    await turns(here, job_id)
    assert await outcomes(here, job_id) == [("refused", "not_found")] * 2


async def test_slips_are_printed_of_parcels_at_places_of_their_maker_alone(
    shop: Shop, here: Service
) -> None:
    await shop.stocked("TEA", 10)
    await shop.pool.execute("insert into location (location) values ('other')")
    order = an_order(("TEA", 1))
    await shop.placed(order)
    anna = await maker(here, "warehouse", locations=["other", "main"])
    wanted = Print(order_ids=(order.order_id,))
    job_id = await made(here, "print_packing_slips", wanted, anna)
    await turns(here, job_id)
    assert await outcomes(here, job_id) == [("done", None)]
    narrow = Maker("Anna (anna)", "staff:anna", locations=("other",))
    of_narrow = await made(here, "print_packing_slips", wanted, narrow)
    await turns(here, of_narrow)
    assert await outcomes(here, of_narrow) == [("refused", "not_found")]
    # They work elsewhere by the time it is done.
    meanwhile = await made(here, "print_packing_slips", wanted, anna)
    await here.staff.change("anna", StaffChange(locations=("other",)))
    await turns(here, meanwhile)
    assert await outcomes(here, meanwhile) == [("refused", "not_found")]
    shown = await here.jobs.get(meanwhile)
    assert (shown.locations, shown.result) == (("other", "main"), None)


async def test_what_an_attempt_has_begun_is_not_asked_again_for_who_may_no_more(
    here: Service,
) -> None:
    """It may be done, or not: the item says that, and is not told to be skipped."""
    anna = await maker(here, "agent")
    wanted = ManyHolds(order_ids=("web-1", "web-2"), reason="stock", note="called back")
    job_id = await made(here, "hold_orders", wanted, anna)
    await here.job_work.begin(job_id)
    assert await here.job_work.claim(job_id, 1)
    await here.staff.disable("anna", who="the owner")
    await turns(here, job_id)
    job = await here.jobs.get(job_id)
    assert (job.state, job.failure_code) == ("failed", "maker_may_not")
    assert await outcomes(here, job_id) == [("refused", "maker_may_not"), ("skipped", None)]
    (begun, _) = await here.jobs.items(job_id)
    assert begun.detail is not None
    assert "may have been done" in begun.detail


async def test_a_file_is_not_written_on_for_who_may_no_more(
    shop: Shop, here: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "ORDERS_A_PART", 1)
    monkeypatch.setattr(working, "TURN_S", 0.0)
    await shop.stocked("TEA", 10)
    anna = await maker(here, "agent")
    for _ in range(3):
        await shop.placed(an_order(("TEA", 1)))
    job_id = await made(here, "export_orders", OrderFilters(), anna)
    assert await turn(here, await here.jobs.get(job_id))
    await here.staff.disable("anna", who="the owner")
    await turns(here, job_id)
    job = await here.jobs.get(job_id)
    assert (job.state, job.failure_code, job.result) == ("failed", "maker_may_not", None)
