"""Suppliers and their terms, purchase orders, and what suppliers and the dock report.

Each report is written in one transaction. The worker's relay takes it to the purchase order that
waits, and starts the workflows of new ones.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from domain.errors import InvalidInput, NotFound, Refused
from domain.purchasing.purchase_orders import (
    Acknowledged,
    OnOrder,
    SupplierItem,
)
from starter.service.purchase_reads import PurchaseReads
from store.database import Connection
from store.locks import lock_stock
from store.purchasing import proposals, purchase_facts, purchase_reads, purchases, suppliers
from store.stock import items, locations, stock


class PurchaseRecords(PurchaseReads):
    """Suppliers and purchase orders. A fact told again is one; told differently, a Conflict.

    It needs the database alone.
    """

    async def set_terms(self, terms: Sequence[SupplierItem]) -> None:
        """Set on which terms suppliers sell SKUs; other terms stay as they are."""
        async with self._pool.acquire() as conn:
            await suppliers.save(conn, terms)

    async def hold(self, po_id: str) -> str:
        """In one transaction with what follows: nobody changes it until then. Its version."""
        async with self._pool.acquire() as conn:
            return await purchases.hold(conn, po_id)

    async def was_told(self, po_id: str, effect: str) -> bool:
        """Whether this stands in its story already, such as `receive:<key>`."""
        async with self._pool.acquire() as conn:
            return await purchases.done(conn, po_id, effect) is not None

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

    async def change(
        self, po_id: str, key: str, units: Mapping[str, int], *, who: str, why: str
    ) -> None:
        """Buy other numbers of units than were proposed, once per key; 0: not that SKU.

        Raises IllegalTransition for one that is approved, InvalidInput for less than the supplier's
        minimum or no multiple, and where no unit is left.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            order = await purchase_reads.get(conn, po_id)
            for item in await suppliers.terms(conn, supplier=order.supplier, skus=list(units)):
                if units[item.sku]:
                    item.check(units[item.sku])
            await proposals.change(conn, po_id, key, units, who=who, why=why)

    async def agree(self, po_id: str, key: str, *, who: str, why: str = "") -> None:
        """Take what the supplier has answered, once per key: nobody has to look at it any more.

        Raises NotFound, and IllegalTransition where no answer waits for that.
        """
        async with self._pool.acquire() as conn:
            await proposals.agree(conn, po_id, key, who=who, why=why)

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
        self,
        po_id: str,
        key: str,
        units: Mapping[str, int] | None = None,
        *,
        parcel: tuple[str, str] | None = None,
        who: str,
    ) -> None:
        """Record, once per key, that the supplier sent units; without `units`, all outstanding.

        `parcel`: the carrier and the number, of what goes to a customer.
        """
        async with self._pool.acquire() as conn:
            await purchase_facts.ship(conn, po_id, key, units, parcel=parcel, who=who)

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
