"""Buys stock: suppliers and their terms, purchase orders, and what suppliers and the dock report.

Each report is written in one transaction. The worker's relay takes it to the purchase order that
waits, and starts the workflows of new ones.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from domain import ids
from domain.errors import InvalidInput, NotFound, Refused, Unreachable
from domain.purchasing.purchase_orders import Acknowledged, OnOrder, PurchasingPolicy, SupplierItem
from runtime.retries import retry_context
from starter.service.resuming import LostPurchases, Resumption
from starter.service.updates import is_missing, unreachable, update
from store.database import Connection, Pool
from store.locks import lock_stock
from store.purchasing import purchase_facts, purchase_reads, purchases, suppliers
from store.purchasing.purchase_reads import PurchaseEvent, PurchaseOrder
from store.purchasing.suppliers import Supplier
from store.stock import items, locations, stock

BEGUN_WITHIN_S = 5.0
"""A purchase order that was made a moment ago is given so long until its workflow is there."""

ANSWER_WITHIN = timedelta(seconds=30)

PATIENCE_S = 60.0
"""A look at all levels may take this long."""


class PurchaseRecords:
    """Suppliers and purchase orders. A fact told again is one; told differently, a Conflict.

    It needs the database alone.
    """

    def __init__(self, pool: Pool, policy: PurchasingPolicy | None = None) -> None:
        self._pool = pool
        self._policy = policy or PurchasingPolicy()

    async def set_terms(self, terms: Sequence[SupplierItem]) -> None:
        """Set on which terms suppliers sell SKUs; other terms stay as they are."""
        async with self._pool.acquire() as conn:
            await suppliers.save(conn, terms)

    async def terms(
        self, *, supplier: str | None = None, skus: Sequence[str] | None = None
    ) -> Sequence[SupplierItem]:
        """The terms of all suppliers and SKUs, or of one supplier or some SKUs."""
        async with self._pool.acquire() as conn:
            return await suppliers.terms(conn, supplier=supplier, skus=skus)

    async def suppliers(self, supplier: str | None = None) -> Sequence[Supplier]:
        """All suppliers, or one. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await suppliers.find(conn, supplier)

    async def orders(
        self,
        *,
        only_open: bool = False,
        sku: str | None = None,
        supplier: str | None = None,
        at_most: int = 1000,
    ) -> Sequence[PurchaseOrder]:
        """Purchase orders, newest first, that match every filter that is given."""
        async with self._pool.acquire() as conn:
            return await purchase_reads.find(
                conn, only_open=only_open, sku=sku, supplier=supplier, at_most=at_most
            )

    async def order(self, po_id: str) -> PurchaseOrder:
        """One purchase order. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await purchase_reads.get(conn, po_id)

    async def story(self, po_id: str) -> Sequence[PurchaseEvent]:
        """A purchase order's story: its events, oldest first."""
        async with self._pool.acquire() as conn:
            return await purchase_reads.story(conn, po_id)

    async def propose(
        self,
        supplier: str,
        location: str,
        units: Mapping[str, int],
        *,
        po_id: str | None = None,
        who: str,
        why: str,
    ) -> str:
        """Order units (SKU → number) by hand, once per id. Returns the id.

        Raises NotFound for a location that is not known or a SKU that the supplier does not sell,
        Refused for what is discontinued, InvalidInput for less than its minimum or no multiple, and
        Conflict for what is on order without an answer.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            await locations.check(conn, [location])
            terms = await _terms_of(conn, supplier, units)
            for item in (await items.find(conn, list(units))).values():
                if item.discontinued:
                    raise Refused(f"{item.sku} is discontinued, and not bought any more")
            for sku, quantity in units.items():
                terms[sku].check(quantity)
            await stock.ensure_rows(conn, [(sku, location) for sku in units])
            await lock_stock(conn, units)
            return await purchases.propose(
                conn,
                location,
                [(terms[sku], quantity) for sku, quantity in sorted(units.items())],
                self._policy,
                today=datetime.now(UTC).date(),
                po_id=po_id,
                who=who,
                why=why,
            )

    async def enter(self, rows: Sequence[OnOrder], *, who: str, why: str) -> list[str]:
        """Enter purchase orders that were made before Orderloom was used. Returns the new ids.

        The rows of one supplier, location and day are one purchase order, with an id made of its
        content: entering the same again changes nothing. Raises NotFound for a location that is
        not known, or a SKU that its supplier does not sell; nothing is entered then.
        """
        grouped: dict[tuple[Any, ...], list[OnOrder]] = defaultdict(list)
        for row in rows:
            grouped[row.supplier, row.location, row.due_on].append(row)
        entered = []
        async with self._pool.acquire() as conn, conn.transaction():
            await locations.check(conn, [row.location for row in rows])
            await stock.ensure_rows(conn, [(row.sku, row.location) for row in rows])
            await lock_stock(conn, [row.sku for row in rows])
            for (supplier, _, _), its_rows in sorted(grouped.items()):
                terms = await _terms_of(conn, supplier, [row.sku for row in its_rows])
                po_id = _id_of(its_rows)
                new = await purchases.enter(
                    conn, po_id, its_rows, list(terms.values()), self._policy, who=who, why=why
                )
                entered += [po_id] if new else []
        return entered

    async def acknowledge(
        self,
        po_id: str,
        key: str,
        answer: Mapping[str, Acknowledged] | None = None,
        *,
        who: str,
    ) -> None:
        """Record which units the supplier will send and when; without `answer`, all as asked.

        Once per key.
        """
        async with self._pool.acquire() as conn:
            await purchase_facts.acknowledge(conn, po_id, key, answer, who=who)

    async def ship(
        self, po_id: str, key: str, units: Mapping[str, int] | None = None, *, who: str
    ) -> None:
        """Record, once per key, that the supplier sent units; without `units`, all outstanding."""
        async with self._pool.acquire() as conn:
            await purchase_facts.ship(conn, po_id, key, units, who=who)

    async def receive(
        self,
        po_id: str,
        key: str,
        units: Mapping[str, int] | None = None,
        *,
        rest_is_cancelled: bool = False,
        who: str,
    ) -> None:
        """Record, once per key, that goods arrived; without `units`, all outstanding."""
        async with self._pool.acquire() as conn:
            await purchase_facts.receive(
                conn, po_id, key, units, rest_is_cancelled=rest_is_cancelled, who=who
            )

    async def refuse(self, po_id: str, reason: str, *, who: str) -> None:
        """Record that the supplier refuses the order, or the rest of it."""
        async with self._pool.acquire() as conn:
            await purchase_facts.refuse(conn, po_id, reason, who=who)


class Purchasing(PurchaseRecords):
    """Purchase orders with the decisions about them, which go through their workflows."""

    def __init__(
        self,
        pool: Pool,
        temporal: Client,
        *,
        task_queue: str,
        policy: PurchasingPolicy | None = None,
    ) -> None:
        super().__init__(pool, policy)
        self._temporal = temporal
        self._task_queue = task_queue

    async def approve(self, po_id: str, *, by: str, reason: str = "") -> None:
        """Have it sent. Approving again changes nothing. Raises NotFound, Refused, Unreachable."""
        await self._update(po_id, "approve", by, reason)

    async def cancel(self, po_id: str, *, by: str, reason: str) -> None:
        """Cancel the outstanding units. Raises Refused if the supplier does not agree."""
        await self._update(po_id, "cancel", by, reason)

    async def replenish(self) -> list[str]:
        """Look at all levels now; returns the new purchase orders. Refused: some was left out."""
        running: Awaitable[dict[str, list[str]]] = self._temporal.execute_workflow(
            "Replenishment",
            {},
            id=f"{ids.replenishment_id(self._task_queue)}:{uuid.uuid4().hex[:8]}",
            task_queue=self._task_queue,
            static_summary="All stock levels are looked at, by hand",
            result_type=dict[str, list[str]],
            rpc_timeout=ANSWER_WITHIN,
        )
        try:
            answer = await asyncio.wait_for(running, PATIENCE_S)
        except TimeoutError:
            raise Unreachable(
                f"the levels were not looked at within {PATIENCE_S:.0f} s: is a worker running? "
                "It goes on by itself"
            ) from None
        except RPCError as error:
            raise unreachable(error) from error
        if answer["left_out"]:
            raise Refused(f"bought {answer['ordered']}, but not {'; '.join(answer['left_out'])}")
        return answer["ordered"]

    def resume_lost(self) -> AsyncIterator[Resumption]:
        """Have a worker take up those that Temporal has lost; see `Orders.resume_lost`."""
        return LostPurchases(self._pool, self._temporal).take_up_all()

    async def _update(self, po_id: str, name: str, by: str, reason: str) -> None:
        order = await self.order(po_id)
        handle = self._temporal.get_workflow_handle(ids.purchase_workflow_id(po_id))
        decision: dict[str, Any] = {"po_id": po_id, "by": by, "reason": reason}
        over = order.state in ("closed", "cancelled")
        try:
            async for attempt in retry_context(
                on=lambda error: is_missing(error) and not over,
                attempts=None,
                timeout=BEGUN_WITHIN_S,
                wait_initial=0.2,
                wait_exp_base=1,
                wait_jitter=0,
            ):
                with attempt:
                    await update(
                        handle, name, decision, type(None), subject=po_id, within=ANSWER_WITHIN
                    )
        except RPCError as error:
            if not is_missing(error):
                raise unreachable(error, f"purchase order {po_id}") from error
            if over:
                raise Refused(f"purchase order {po_id} is {order.state}") from None
            raise Unreachable(
                f"{po_id} has no workflow yet: is a worker running? If Temporal has lost it, "
                "`orderloom resume --all-lost` helps"
            ) from None


async def _terms_of(
    conn: Connection, supplier: str, skus: Sequence[str] | Mapping[str, int]
) -> dict[str, SupplierItem]:
    await suppliers.find(conn, supplier)
    found = {
        item.sku: item for item in await suppliers.terms(conn, supplier=supplier, skus=list(skus))
    }
    if missing := sorted(set(skus) - set(found)):
        raise NotFound(
            f"supplier {supplier} does not sell {', '.join(missing)}; `orderloom suppliers show "
            f"{supplier}` lists what it does"
        )
    currencies = sorted({item.currency for item in found.values()})
    if len(currencies) > 1:
        raise InvalidInput(
            "a purchase order has one currency, and these SKUs are priced in "
            f"{', '.join(currencies)}: make one purchase order for each currency"
        )
    return found


def _id_of(rows: Sequence[OnOrder]) -> str:
    content = "\n".join(sorted(row.model_dump_json() for row in rows))
    return f"PO-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
