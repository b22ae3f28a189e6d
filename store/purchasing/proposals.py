"""What buyers decide: other units before the approval, and whether the answer will do."""

from __future__ import annotations

from collections.abc import Mapping

from domain.errors import IllegalTransition, InvalidInput
from domain.purchasing.answers import not_agreed
from domain.purchasing.purchase_orders import ENDED, PurchasingPolicy, check_units
from store.database import Connection, load_queries
from store.purchasing import purchase_reads, purchases

_sql = load_queries(__file__)


async def agree(conn: Connection, po_id: str, key: str, *, who: str, why: str) -> None:
    """Take what the supplier has answered as it is, once per key. It changes no unit and no day.

    Raises NotFound, and IllegalTransition where no answer waits for that.
    """
    async with conn.transaction():
        row, _ = await purchases.locked(conn, po_id)
        effect = f"agree:{key}"
        if await purchases.done(conn, po_id, effect) is not None:
            return
        if row["state"] in ENDED:
            raise IllegalTransition(f"{po_id} is {row['state']}: there is nothing to agree to")
        story = await purchase_reads.story(conn, po_id)
        if not not_agreed((one.what, one.why) for one in story):
            raise IllegalTransition(
                f"there is nothing to agree to: {po_id} has no answer that is not as ordered, or "
                "somebody agreed to it"
            )
        await purchases.tell(conn, po_id, effect, "agreed", who=who, why=why)


async def change(
    conn: Connection, po_id: str, key: str, units: Mapping[str, int], *, who: str, why: str
) -> None:
    """Buy other numbers of units (SKU → number) than were proposed, once per key; 0: not that SKU.

    It still waits for approval. Raises IllegalTransition where it does not any more, InvalidInput
    where nothing changes, or no unit is left.
    """
    async with conn.transaction():
        row, lines = await purchases.locked(conn, po_id)
        if await purchases.done(conn, po_id, f"change:{key}") is not None:
            return
        if row["state"] != "proposed":
            raise IllegalTransition(f"{po_id} is {row['state']}: it cannot be changed any more")
        if row["order_no"] is not None:
            raise IllegalTransition(f"{po_id} is for an order: cancel it, or change the order")
        before = {line["sku"]: line["quantity"] for line in lines}
        check_units(po_id, units, before)
        changed = {sku: n for sku, n in sorted(units.items()) if n != before[sku]}
        if not changed:
            raise InvalidInput("these units are proposed already")
        if not any((before | changed).values()):
            raise InvalidInput("no unit is left to buy: cancel it instead")
        policy = PurchasingPolicy.model_validate(row["policy"])
        await _sql.change_lines(
            conn,
            po_id=po_id,
            skus=list(changed),
            units=list(changed.values()),
            receivable=[policy.receivable(n) for n in changed.values()],
        )
        told = ", ".join(f"{sku} {before[sku]} → {n}" for sku, n in changed.items())
        await purchases.tell(
            conn, po_id, f"change:{key}", "changed", who=who, why=f"{told}: {why}", data=changed
        )
