"""Typical lives of purchase orders, for `test_replay_purchases`: what must replay for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from domain import ids
from domain.purchasing.purchase_orders import Acknowledged, SupplierItem
from domain.stock.locations import Location
from tests.support.builders import BRISK_BUYING
from tests.support.shop import Shop

Life = Callable[[Shop], Awaitable[str]]
"""Lives one purchase order to its end. Returns its id."""

IMPATIENT = BRISK_BUYING.model_copy(
    update={"acknowledge_within": timedelta(seconds=0.3), "chase_every": timedelta(seconds=0.3)}
)


def workflow(shop: Shop, po_id: str) -> WorkflowHandle[Any, Any]:
    return shop.temporal.get_workflow_handle(ids.purchase_workflow_id(po_id))


async def bought(shop: Shop, po_id: str, *, supplier: str = "assam", units: int = 24) -> str:
    """A purchase order by hand: with the supplier, unless it is too large or refused."""
    await shop.locations.save([Location(location="main")])
    terms = {"supplier": supplier, "sku": "TEA", "lead_time_days": 7, "unit_price": "10"}
    await shop.purchasing.set_terms([SupplierItem.model_validate({**terms, "currency": "EUR"})])
    return await shop.purchasing.propose(
        supplier, "main", {"TEA": units}, po_id=po_id, who="test", why="life"
    )


async def until(shop: Shop, po_id: str, what: str, times: int = 1) -> None:
    """Wait until its story says so."""

    async def told() -> bool:
        return [event.what for event in await shop.purchasing.story(po_id)].count(what) >= times

    await shop.until(told, f"{what} in the story of {po_id}")


async def in_parts(shop: Shop) -> str:
    po_id = await bought(shop, "in-parts")
    await until(shop, po_id, "sent")
    await shop.purchasing.acknowledge(po_id, "855", who="assam")
    await shop.purchasing.receive(po_id, "1", {"TEA": 10}, who="dock")
    await shop.purchasing.receive(po_id, "2", who="dock")
    return po_id


async def approved(shop: Shop) -> str:
    po_id = await bought(shop, "approved", units=240)
    await shop.purchasing.approve(po_id, by="kim", reason="fair")
    await until(shop, po_id, "sent")
    await shop.purchasing.receive(po_id, "1", who="dock")
    return po_id


async def cancelled_when_sent(shop: Shop) -> str:
    po_id = await bought(shop, "cancelled-when-sent")
    await until(shop, po_id, "sent")
    await shop.purchasing.cancel(po_id, by="kim", reason="no fair")
    return po_id


async def cancelled_before(shop: Shop) -> str:
    po_id = await bought(shop, "cancelled-before", units=240)
    await shop.purchasing.cancel(po_id, by="kim", reason="no fair")
    return po_id


async def refused(shop: Shop) -> str:
    po_id = await bought(shop, "refused", supplier="refuses")
    await until(shop, po_id, "refused")
    return po_id


async def chased(shop: Shop) -> str:
    shop.purchasing._policy = IMPATIENT
    po_id = await bought(shop, "chased")
    await until(shop, po_id, "chased", 2)
    late = {"TEA": Acknowledged(quantity=24, due_on=date(2026, 1, 5))}
    await shop.purchasing.acknowledge(po_id, "855", late, who="assam")
    await until(shop, po_id, "chased", 4)
    await shop.purchasing.receive(po_id, "1", who="dock")
    return po_id


LIVES: tuple[Life, ...] = (
    in_parts,
    approved,
    cancelled_when_sent,
    cancelled_before,
    refused,
    chased,
)
