"""Buying: find the SKUs that are low, and carry out each step of a purchase order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.provider_errors import DeclineCode, Declined
from activities.purchasing.supplier import Supplier
from activities.waiting import wait_for_report
from domain.errors import IllegalTransition, Refused
from domain.ids import WHO
from domain.purchasing.purchase_orders import ENDED, PurchaseState, PurchasingPolicy
from domain.purchasing.x12 import purchase_order_850
from store import clock
from store.database import Pool
from store.locks import lock_order
from store.orders import orders
from store.purchasing import purchase_reads, purchases, replenishment
from store.stock import items

logger = logging.getLogger(__name__)


class Replenish(BaseModel):
    """Decide what to buy. `only_called`: only for levels that stock has crossed since last time."""

    model_config = ConfigDict(frozen=True)

    only_called: bool = False


class Replenished(BaseModel):
    """`ordered`: the ids of new purchase orders. `left_out`: what was not bought, and why."""

    model_config = ConfigDict(frozen=True)

    ordered: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Purchase(BaseModel):
    """Names one purchase order."""

    model_config = ConfigDict(frozen=True)

    po_id: str


class PurchaseDecision(BaseModel):
    """A person's decision about a purchase order.

    `as_buyer`, `seen_minor`: see `PurchasingPolicy.check_approval`.
    """

    model_config = ConfigDict(frozen=True)

    po_id: str
    by: str
    reason: str = ""
    as_buyer: bool = False
    seen_minor: int | None = None


class Sent(BaseModel):
    """Whether the supplier has the order; `refused` gives the reason when it has not."""

    model_config = ConfigDict(frozen=True)

    refused: str | None = None


class Reported(BaseModel):
    """The report that ended a wait: acknowledged, or settled (nothing more will arrive)."""

    model_config = ConfigDict(frozen=True)

    outcome: str


class Chase(BaseModel):
    """The n-th check whether the supplier is late.

    `unanswered`: true asks about a missing acknowledgement, false about late goods.
    """

    model_config = ConfigDict(frozen=True)

    po_id: str
    number: int
    unanswered: bool = False


class Ended(BaseModel):
    """How a purchase order ended."""

    model_config = ConfigDict(frozen=True)

    state: PurchaseState


class PurchaseAttention(BaseModel):
    """Why a purchase order needs a person; None: it does not any more."""

    model_config = ConfigDict(frozen=True)

    po_id: str
    reason: str | None
    number: int
    """The workflow numbers what it says. An attempt that comes late says nothing again."""


class Purchasing:
    """Activities for buying, with the database pool, the supplier and the policy injected."""

    def __init__(self, pool: Pool, supplier: Supplier, policy: PurchasingPolicy) -> None:
        self._pool = pool
        self._supplier = supplier
        self._policy = policy

    @property
    def steps(self) -> list[Callable[..., Any]]:
        """All of its activities."""
        return [
            *(self.replenish, self.approve_purchase, self.send_purchase),
            *(self.await_acknowledgement, self.await_goods, self.chase_supplier),
            *(self.cancel_purchase, self.close_purchase, self.note_purchase),
        ]

    @activity.defn
    async def replenish(self, ask: Replenish) -> Replenished:
        """Buy the SKUs that are low. A repeat buys nothing, because goods on order count."""
        async with self._pool.acquire() as conn:
            bought = await replenishment.run(
                conn, self._policy, today=clock.today(), only_called=ask.only_called
            )
        for one in bought.left_out:
            logger.warning("not bought: %s", one)
        return Replenished(ordered=tuple(bought.ordered), left_out=tuple(bought.left_out))

    @activity.defn
    async def approve_purchase(self, ask: PurchaseDecision) -> None:
        """proposed → approved. Raises Refused when an item was discontinued meanwhile.

        Also where it is above what this person may approve, or is not what they have seen.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            row, lines = await purchases.locked(conn, ask.po_id)
            if row["state"] == "proposed":
                order = await purchase_reads.get(conn, ask.po_id)
                order.policy.check_approval(
                    *(ask.po_id, order.worth), as_buyer=ask.as_buyer, seen_minor=ask.seen_minor
                )
            known = await items.find(conn, [line["sku"] for line in lines])
            gone = sorted(item.sku for item in known.values() if item.discontinued)
            if gone and row["state"] == "proposed":
                names = ", ".join(gone)
                raise Refused(f"{names} is discontinued, and not bought any more: cancel it")
            await purchases.advance(conn, row, "approved")
            await purchases.tell(conn, ask.po_id, "approve", "approved", who=ask.by, why=ask.reason)

    @activity.defn
    async def send_purchase(self, ask: Purchase) -> Sent:
        """approved → sent, once, also after a crash. The order's id is the key at the supplier."""
        po_id = ask.po_id
        async with self._pool.acquire() as conn:
            order = await purchase_reads.get(conn, po_id)
            if order.state != "approved" or not order.outstanding:
                gone = order.refused_at is not None and not order.outstanding
                return Sent(refused="refused" if gone else None)
            if await purchases.done(conn, po_id, "ask") is None:
                async with conn.transaction():
                    await purchases.locked(conn, po_id)
                    await purchases.expect(conn, po_id, today=clock.today())
                    await purchases.tell(conn, po_id, "ask", "being sent", who=WHO)
                # From here on the order does not change, so every repeat sends the same.
                order = await purchase_reads.get(conn, po_id)
            document = order.document
            if order.drop_ship and order.order_id is not None:
                # An edit of the address that has not seen that it is being sent is first.
                async with conn.transaction():
                    await lock_order(conn, order.order_id)
                    shipping = await orders.shipping(conn, order.order_id)
                document = document.model_copy(update={"ship_to": shipping.address})
        x12 = purchase_order_850(document, at=order.created_at)
        try:
            taken = await self._supplier.place(document, x12=x12)
        except Declined as refusal:
            if refusal.code != DeclineCode.ORDER_REFUSED:
                raise
            await self._refused(po_id, refusal.message)
            return Sent(refused=refusal.message)
        async with self._pool.acquire() as conn, conn.transaction():
            row, _ = await purchases.locked(conn, po_id)
            await purchases.sent(conn, row, today=clock.today())
            await purchases.tell(
                conn,
                po_id,
                "send",
                "sent",
                who=WHO,
                data={
                    "reference": taken.reference,
                    "document": order.document.model_dump(mode="json"),
                },
            )
        return Sent()

    async def _refused(self, po_id: str, why: str) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            row, _ = await purchases.locked(conn, po_id)
            await purchases.tell(conn, po_id, "refuse", "refused", who=WHO, why=why)
            await purchases.cancel_rest(conn, row, refused=True)

    @activity.defn
    async def await_acknowledgement(self, ask: Purchase) -> Reported:
        """Wait for the supplier's first answer: dates, goods, or a refusal."""
        await wait_for_report(self._pool, "await_acknowledgement", ask.po_id, po_id=ask.po_id)

    @activity.defn
    async def await_goods(self, ask: Purchase) -> Reported:
        """Wait until everything has arrived, or the rest will not come."""
        await wait_for_report(self._pool, "await_goods", ask.po_id, po_id=ask.po_id)

    @activity.defn
    async def chase_supplier(self, ask: Chase) -> None:
        """Ask the supplier where the order is, if it is late, and record that in the story."""
        async with self._pool.acquire() as conn, conn.transaction():
            order = await purchase_reads.get(conn, ask.po_id)
            why = _late(order, unanswered=ask.unanswered)
            if why is None:
                return
            await purchases.tell(conn, ask.po_id, f"chase:{ask.number}", "chased", who=WHO, why=why)
        await self._supplier.chase(ask.po_id)

    @activity.defn
    async def cancel_purchase(self, ask: PurchaseDecision) -> None:
        """Cancel the outstanding goods. Raises Refused if the supplier does not agree.

        The supplier is asked first if the order may have been sent. Its yes stands, and asking
        again is safe.
        """
        po_id = ask.po_id
        async with self._pool.acquire() as conn:
            order = await purchase_reads.get(conn, po_id)
            if await purchases.done(conn, po_id, "cancel") is not None:
                return
            asked = await purchases.done(conn, po_id, "ask") is not None
        if order.state in ENDED or not order.outstanding:
            raise IllegalTransition(f"{po_id} is over: nothing of it is outstanding")
        if asked or order.sent_before:
            try:
                await self._supplier.cancel(po_id)
            except Declined as refusal:
                raise IllegalTransition(f"{po_id} is not cancelled: {refusal.message}") from refusal
        async with self._pool.acquire() as conn, conn.transaction():
            row, _ = await purchases.locked(conn, po_id)
            await purchases.tell(conn, po_id, "cancel", "cancelled", who=ask.by, why=ask.reason)
            await purchases.cancel_rest(conn, row)

    @activity.defn
    async def close_purchase(self, ask: Purchase) -> Ended:
        """End the order: closed, or cancelled when nothing arrived."""
        async with self._pool.acquire() as conn, conn.transaction():
            row, lines = await purchases.locked(conn, ask.po_id)
            state = await purchases.close(conn, row, lines)
            await purchases.tell(conn, ask.po_id, "close", state, who=WHO)
        return Ended(state=state)

    @activity.defn
    async def note_purchase(self, ask: PurchaseAttention) -> None:
        """Record that a purchase order needs attention, or no longer does."""
        async with self._pool.acquire() as conn, conn.transaction():
            await purchases.locked(conn, ask.po_id)
            effect = f"attention:{ask.number}"
            if await purchases.done(conn, ask.po_id, effect) is not None:
                return
            await purchases.need_attention(conn, ask.po_id, ask.reason)
            what = "needs no attention any more" if ask.reason is None else "needs attention"
            await purchases.tell(conn, ask.po_id, effect, what, who=WHO, why=ask.reason or "")


def _late(order: purchase_reads.PurchaseOrder, *, unanswered: bool) -> str | None:
    """The reason to chase the supplier; None while the order still has time."""
    if not order.outstanding:
        return None
    if unanswered:
        return None if order.state != "sent" else f"{order.supplier} has not acknowledged it"
    late = [
        f"{line.outstanding} {line.sku}"
        for line in order.lines
        if line.outstanding and line.due_on < clock.today()
    ]
    return f"late since {order.due_on}: {', '.join(late)}" if late else None
