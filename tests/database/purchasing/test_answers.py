"""What a supplier answers otherwise than ordered: it waits until somebody agrees, and no longer."""

from __future__ import annotations

from datetime import date

import pytest

from domain.errors import IllegalTransition
from domain.purchasing.purchase_orders import Acknowledged, OnOrder, SupplierItem
from starter.service.service import Records
from store.database import Pool
from store.purchasing import purchases
from store.views.attention import AttentionTask

DUE = date(2026, 12, 8)
LATER = date(2026, 12, 20)


class Buyer:
    """Two SKUs are on order: 24 TEA at 2.50, and 10 CUP at 4.00."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.here = Records(pool)
        self.buying = self.here.purchasing

    async def ready(self) -> None:
        await self.here.stock.receive(
            *("first", "TEA", "main", 1), new_location=True, who="test", why="test"
        )
        usual = {"supplier": "assam", "lead_time_days": 7, "currency": "EUR"}
        await self.buying.set_terms(
            [
                SupplierItem.model_validate({**usual, "sku": sku, "unit_price": price})
                for sku, price in (("TEA", "2.50"), ("CUP", "4.00"))
            ]
        )
        rows = [
            OnOrder(supplier="assam", sku=sku, location="main", quantity=units, due_on=DUE)
            for sku, units in (("TEA", 24), ("CUP", 10))
        ]
        (self.po_id,) = await self.buying.enter(rows, who="anna", why="of before")

    async def answered(self, key: str, **told: tuple[int, date]) -> None:
        answer = {sku: Acknowledged(quantity=n, due_on=day) for sku, (n, day) in told.items()}
        await self.buying.acknowledge(self.po_id, key, answer, who="assam")

    async def agreed(self, key: str, who: str = "kim") -> None:
        await self.buying.agree(self.po_id, key, who=who)

    async def ended(self) -> None:
        """Goods come, and no more: its workflow closes it."""
        await self.buying.receive(self.po_id, "all", {"TEA": 6}, rest_is_cancelled=True, who="dock")
        async with self.pool.acquire() as conn, conn.transaction():
            row, lines = await purchases.locked(conn, self.po_id)
            assert await purchases.close(conn, row, lines) == "closed"

    async def waits(self) -> list[AttentionTask]:
        return [*await self.here.needs_attention.tasks()]


@pytest.fixture
async def buyer(pool: Pool) -> Buyer:
    buyer = Buyer(pool)
    await buyer.ready()
    return buyer


async def test_an_answer_waits_for_somebody_whatever_is_answered_after_it(buyer: Buyer) -> None:
    await buyer.answered("1", TEA=(18, DUE))
    await buyer.answered("2", TEA=(18, DUE))  # the same, told again
    await buyer.answered("3", CUP=(10, DUE))  # about another SKU, as it was ordered
    (task,) = await buyer.waits()
    assert (task.kind, task.subject) == ("purchase_answer", buyer.po_id)
    assert task.reason == "supplier assam answers otherwise: 18 of 24 TEA"
    await buyer.answered("4", CUP=(10, LATER))
    (task,) = await buyer.waits()
    told = f"18 of 24 TEA; CUP on {LATER}, later than {DUE}"
    assert task.reason == f"supplier assam answers otherwise: {told}"
    await buyer.agreed("yes")
    assert await buyer.waits() == []


async def test_what_is_still_to_come_is_at_stake(buyer: Buyer) -> None:
    await buyer.answered("1", TEA=(18, DUE))
    (task,) = await buyer.waits()
    assert (task.amount_minor, task.currency) == (18 * 250 + 10 * 400, "EUR")


async def test_what_nobody_waits_for_is_not_agreed_to(buyer: Buyer) -> None:
    with pytest.raises(IllegalTransition, match="nothing to agree to"):
        await buyer.agreed("too soon")
    await buyer.answered("1", TEA=(24, DUE))
    with pytest.raises(IllegalTransition, match="nothing to agree to"):
        await buyer.agreed("as ordered")
    await buyer.answered("2", TEA=(18, DUE))
    await buyer.agreed("yes")
    await buyer.agreed("yes")
    with pytest.raises(IllegalTransition, match="nothing to agree to"):
        await buyer.agreed("also", who="anna")
    await buyer.answered("3", TEA=(18, LATER))
    await buyer.ended()
    with pytest.raises(IllegalTransition, match="is closed"):
        await buyer.agreed("too late")
    story = await buyer.buying.story(buyer.po_id)
    assert [one.who for one in story if one.what == "agreed"] == ["kim"]
