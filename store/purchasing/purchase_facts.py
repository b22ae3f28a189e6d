"""Reports of suppliers and the dock about purchase orders: answers, dispatches, goods, refusals.

These are facts, each in one transaction, like those of `store.warehouse.facts` for orders: the
purchase order is locked, the fact is checked, stock and counts move, the story is told, and the
waiting workflow gets its report. A fact has a key: the same report again changes nothing, a
different one with the key is a Conflict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain import ids
from domain.errors import Conflict, IllegalTransition, InvalidInput
from domain.purchasing.purchase_orders import ENDED, Acknowledged, check_units
from store import waits
from store.accounting.valuation import Paid
from store.database import Connection, Record, load_queries
from store.purchasing import answers, order_purchases, purchases, receivable
from store.stock import stock

_sql = load_queries(__file__, "purchases")


async def acknowledge(
    conn: Connection,
    po_id: str,
    key: str,
    answer: Mapping[str, Acknowledged] | None = None,
    *,
    differs: Sequence[str] | None = None,
    who: str,
) -> None:
    """Record the supplier's answer: units and day for each SKU; left out: everything as ordered.

    `differs`: how it is not what was ordered, in the words of who told it, but for days; left out:
    by its units. Somebody has to agree to that.

    Units that it will not send are cancelled for good: a later answer can only change the day, or
    cancel more. No unit of a SKU is a refusal of that SKU. Raises InvalidInput for more than was
    ordered, IllegalTransition for an order that was not sent or is over.
    """
    async with conn.transaction():
        row, lines = await purchases.locked(conn, po_id)
        effect = f"acknowledge:{key}"
        if answer is None and await purchases.done(conn, po_id, effect) is not None:
            return
        told = answer or {
            line["sku"]: Acknowledged(quantity=line["quantity"], due_on=line["due_on"])
            for line in lines
        }
        data = {sku: one.model_dump(mode="json") for sku, one in sorted(told.items())}
        if await _told_before(conn, po_id, effect, data):
            return
        _check_open(row, lines)
        by_sku = {line["sku"]: line for line in lines}
        check_units(po_id, {sku: one.quantity for sku, one in told.items()}, by_sku)
        for sku, one in told.items():
            if one.quantity > by_sku[sku]["quantity"]:
                raise InvalidInput(
                    f"{one.quantity} of {sku} were not ordered: {by_sku[sku]['quantity']} were"
                )
        skus = sorted(told)
        changes = [answers.given_up(by_sku[sku], told[sku].quantity) for sku in skus]
        await _sql.answer(
            conn,
            po_id=po_id,
            skus=skus,
            acknowledged=[told[sku].quantity for sku in skus],
            cancelled=changes,
            due_on=[told[sku].due_on for sku in skus],
        )
        await purchases.advance(conn, row, "acknowledged")
        why = answers.differences(by_sku, told, differs)
        await purchases.tell(conn, po_id, effect, "acknowledged", who=who, why=why, data=data)
        if row["order_no"] is not None:
            await order_purchases.promised(conn, row, max(one.due_on for one in told.values()))
        if any(answers.refused(by_sku[sku], one) for sku, one in told.items()):
            await purchases.mark_refused(conn, row)
        outcome = {"outcome": "acknowledged"}
        step = ids.wait_id("await_acknowledgement", po_id)
        await waits.report_purchase(conn, po_id, step, outcome)
        await purchases.report_if_settled(conn, po_id)


async def ship(
    conn: Connection,
    po_id: str,
    key: str,
    units: Mapping[str, int] | None = None,
    *,
    parcel: tuple[str, str] | None = None,
    who: str,
) -> None:
    """Record that the supplier has dispatched units; left out: all outstanding units.

    What goes to the customer is handed over with that: `parcel` is its carrier and number.

    Raises IllegalTransition for an order that was not sent or is over.
    """
    async with conn.transaction():
        row, lines = await purchases.locked(conn, po_id)
        effect = f"ship:{key}"
        if units is None and await purchases.done(conn, po_id, effect) is not None:
            return
        told = dict(sorted((units or _outstanding(lines)).items()))
        check_units(po_id, told, [line["sku"] for line in lines])
        if await _told_before(conn, po_id, effect, told):
            return
        _check_open(row, lines)
        await _sql.add_shipped(conn, po_id=po_id, skus=list(told), units=list(told.values()))
        await purchases.advance(conn, row, "shipped")
        await purchases.tell(conn, po_id, effect, "shipped", who=who, why=_said(told), data=told)
        if row["drop_ship"]:
            await _left(conn, row, lines, key, told, parcel, who)
            if await purchases.report_if_settled(conn, po_id):
                return
        step = ids.wait_id("await_acknowledgement", po_id)
        await waits.report_purchase(conn, po_id, step, {"outcome": "acknowledged"})


async def _left(
    conn: Connection,
    row: Record,
    lines: list[Record],
    key: str,
    units: Mapping[str, int],
    parcel: tuple[str, str] | None,
    who: str,
) -> None:
    """The supplier has sent it to the customer: ours for a moment, and then the customer's.

    It comes in at the supplier's location, for this order alone, and the order's workflow hands it
    over from there.
    """
    po_id = row["po_id"]
    came = {sku: n for sku, n in units.items() if n}
    receivable.check_receivable(po_id, lines, came)
    await order_purchases.came(conn, row, came, f"{po_id}:{key}", parcel)
    goods = [stock.Move(sku=sku, location=row["location"], on_hand=n) for sku, n in came.items()]
    await stock.move(
        conn,
        f"receive:{po_id}:{key}",
        "received",
        goods,
        paid=Paid(receivable.costs(row, lines, came), bought=True),
        who=who,
        why=f"{po_id} from {row['supplier_id']}, sent to the customer",
    )
    await _sql.add_received(conn, po_id=po_id, skus=list(came), units=list(came.values()))


async def receive(
    conn: Connection,
    po_id: str,
    key: str,
    units: Mapping[str, int] | None = None,
    *,
    damaged: Mapping[str, int] | None = None,
    rest_is_cancelled: bool = False,
    who: str,
) -> None:
    """Receive goods into stock: SKU → units, or all outstanding units; once per key.

    `damaged`: units of them that are written off at once, and promised to nobody.
    Missing units may still arrive, unless the rest is cancelled. Raises InvalidInput for a SKU that
    is not in the order, IllegalTransition for an order that was not sent or is over, and for more
    than was ordered and its tolerance.
    """
    async with conn.transaction():
        row, lines = await purchases.locked(conn, po_id)
        effect = f"receive:{key}"
        if await _ends_more(conn, po_id, effect, rest_is_cancelled=rest_is_cancelled):
            raise _differently(po_id, effect)
        if units is None and await purchases.done(conn, po_id, effect) is not None:
            return
        told = dict(sorted((_outstanding(lines) if units is None else units).items()))
        check_units(po_id, told, [line["sku"] for line in lines])
        came = {sku: quantity for sku, quantity in told.items() if quantity}
        if await _told_before(conn, po_id, effect, came):
            return
        _check_open(row, lines)
        if row["drop_ship"] and came:
            raise IllegalTransition(
                f"{po_id} is sent to the customer by its supplier: report that it is shipped"
            )
        if not came and not rest_is_cancelled:
            raise IllegalTransition(f"nothing came of {po_id}: there is nothing to report")
        receivable.check_receivable(po_id, lines, came)
        goods = [
            stock.Move(sku=sku, location=row["location"], on_hand=quantity)
            for sku, quantity in came.items()
        ]
        # All in one call, so that backorders are served in their sequence, as by any other receipt.
        await stock.arrive(
            conn,
            f"receive:{po_id}:{key}",
            "received",
            goods,
            damaged={(sku, row["location"]): n for sku, n in (damaged or {}).items()},
            paid=Paid(receivable.costs(row, lines, came), bought=True),
            who=who,
            why=f"{po_id} from {row['supplier_id']}",
            why_not=f"{po_id}: came damaged",
        )
        await _sql.add_received(conn, po_id=po_id, skus=list(came), units=list(came.values()))
        if came:
            await purchases.advance(conn, row, "shipped")
        what, why = _came(lines, came, is_all=rest_is_cancelled)
        await purchases.tell(conn, po_id, effect, what, who=who, why=why, data=came)
        if rest_is_cancelled:
            await purchases.cancel_rest(conn, row)
            await purchases.tell(conn, po_id, "rest", "rest cancelled", who=who)
        elif not await purchases.report_if_settled(conn, po_id):
            step = ids.wait_id("await_acknowledgement", po_id)
            await waits.report_purchase(conn, po_id, step, {"outcome": "acknowledged"})


async def refuse(conn: Connection, po_id: str, reason: str, *, who: str) -> None:
    """Record that the supplier will not serve the order, or the rest of it.

    The outstanding units are cancelled. A repeat for a refused order changes nothing. Raises
    IllegalTransition for an order that was not sent, or is over for another reason.
    """
    async with conn.transaction():
        row, lines = await purchases.locked(conn, po_id)
        if await purchases.done(conn, po_id, "refuse") is not None:
            return
        _check_open(row, lines)
        await purchases.tell(conn, po_id, "refuse", "refused", who=who, why=reason)
        await purchases.cancel_rest(conn, row, refused=True)


async def _told_before(conn: Connection, po_id: str, effect: str, data: dict[str, Any]) -> bool:
    earlier = await purchases.done(conn, po_id, effect)
    if earlier is not None and earlier != data:
        raise _differently(po_id, effect)
    return earlier is not None


async def _ends_more(conn: Connection, po_id: str, effect: str, *, rest_is_cancelled: bool) -> bool:
    """Whether a repeated report now also says that the rest is cancelled."""
    return (
        rest_is_cancelled
        and await purchases.done(conn, po_id, effect) is not None
        and await purchases.done(conn, po_id, "rest") is None
    )


def _differently(po_id: str, effect: str) -> Conflict:
    return Conflict(f"{po_id}: {effect.replace(':', ' ', 1)} was reported before, differently")


def _check_open(row: Record, lines: list[Record]) -> None:
    po_id, state = row["po_id"], row["state"]
    if state == "proposed":
        raise IllegalTransition(
            f"{po_id} is not approved, and was not sent: nothing of it can come"
        )
    if state in ENDED or not any(line["outstanding"] for line in lines):
        raise IllegalTransition(
            f"purchase order {po_id} is closed: nothing of it is outstanding; goods that came all "
            "the same are booked with `orderloom stock receive`"
        )


def _outstanding(lines: list[Record]) -> dict[str, int]:
    return {line["sku"]: line["outstanding"] for line in lines if line["outstanding"]}


def _came(lines: list[Record], came: Mapping[str, int], *, is_all: bool) -> tuple[str, str]:
    """What is told of goods that came, and of how many they are where more is still to come."""
    left = {line["sku"]: line["outstanding"] - came.get(line["sku"], 0) for line in lines}
    missing = _said({sku: n for sku, n in left.items() if n > 0})
    if is_all or not missing:
        return "received", _said(came)
    return "partly received", f"{_said(came)}; still to come: {missing}"


def _said(units: Mapping[str, int]) -> str:
    return ", ".join(f"{quantity} {sku}" for sku, quantity in units.items())
