"""Changes that customers ask for by 860: the order decides, and an 865 says what it has decided.

All of a change is done, or nothing. A price is not changed so: it is agreed on otherwise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from activities.edi.acting import Acted, Came
from domain import ids
from domain.edi.answers import change_answer, counted
from domain.edi.asked import AskedChange, AskedEdit, AskedLine, AskedOrder
from domain.edi.orders import read_change
from domain.edi.rules import reference_of
from domain.orders.edit_messages import EditRequest, LineChange, NewLine
from domain.orders.messages import CancelRequest, OrderRequest
from store import clock
from store.database import Connection, Pool
from store.edi import documents, edi_orders
from store.edi.writing import write
from store.orders import answers

Ask = Callable[[str, OrderRequest], Awaitable[str | None]]
"""Asks an order. Why it refuses; "": it has met it; None: ask again."""

_OPEN = ("received", "confirmed")


@dataclass(frozen=True)
class _Wish:
    """A change, the order as it was asked for until now, and why it cannot be asked."""

    edit: AskedEdit
    asked: AskedOrder | None
    order_id: str
    refused: str = ""


class EdiChanges:
    """Has orders changed. `ask` speaks to their workflows."""

    def __init__(self, pool: Pool, ask: Ask) -> None:
        self._pool = pool
        self._ask = ask

    async def change(self, conn: Connection, came: Came) -> Acted:
        """Refuse what cannot be; answer what the order has met; or have it be asked."""
        wish = await _wish(conn, came)
        partner, number = came.partner.partner, wish.edit.number
        if wish.asked is None and await documents.is_waiting(conn, partner, "850", number):
            return Acted(later=True)  # Its order could not be placed yet.
        if wish.refused or wish.asked is None:
            return await _refuse(conn, came, wish, wish.refused)
        kept = await answers.find(conn, wish.order_id, _request_id(came))
        if kept is not None:
            said = _said(kept.outcome)
            if kept.outcome.get("outcome") == "refused":
                return await _refuse(conn, came, wish, said or "it is too late")
            return await _met(conn, came, wish, wish.asked, said)
        return Acted(later=True, order_id=wish.order_id)

    async def ask(self, came: Came, acted: Acted) -> None:
        """Ask the order. What it refuses is answered at once; what it meets, at the next look."""
        if came.document.code != "860" or acted.order_id is None:
            return
        async with self._pool.acquire() as conn:
            wish = await _wish(conn, came)
        if wish.refused or wish.asked is None:
            return
        request = _request(came, wish.edit)
        refusal = await self._ask(wish.order_id, request)
        if not refusal:
            return
        async with self._pool.acquire() as conn, conn.transaction():
            done = await _refuse(conn, came, wish, refusal)
            await documents.done(
                *(conn, came.document_no, done.state, done.note), order_id=wish.order_id
            )


async def _wish(conn: Connection, came: Came) -> _Wish:
    number = reference_of(came.document)
    order_id = ids.order_id(came.partner.channel or "", number)
    asked = await edi_orders.asked(conn, order_id)
    known = {} if asked is None else {line.line_id: line for line in asked.lines}
    edit = read_change(came.document, came.partner, known)
    stands = await edi_orders.placed(conn, order_id)
    if asked is None or stands is None:
        return _Wish(edit, None, order_id, f"there is no order {number}")
    if stands["decision"] not in _OPEN:
        return _Wish(edit, asked, order_id, f"the order is {stands['decision']}")
    why = "; ".join(_why_not(line, asked) for line in edit.lines if _why_not(line, asked))
    if not why and not edit.cancels and not edit.lines:
        why = "it changes nothing"
    return _Wish(edit, asked, order_id, why)


def _why_not(line: AskedChange, asked: AskedOrder) -> str:
    """Why a line of a change cannot be asked for; empty: it can."""
    if line.asked.refused:
        return f"line {line.line_id}: {line.asked.refused}"
    before = asked.line(line.line_id)
    if line.adds:
        if not line.sku or line.quantity is None or line.unit_price is None:
            return f"line {line.line_id}: a new line needs goods of ours, a quantity and a price"
        return f"line {line.line_id}: the order has that line" if before else ""
    if before is not None and before.refused:
        return f"line {line.line_id}: it was not taken into the order"
    price = line.asked.price
    if before is not None and price is not None and before.price != price:
        return f"line {line.line_id}: a price is not changed by an 860; ask us"
    return "" if line.quantity is not None else f"line {line.line_id}: it names no quantity"


def _request_id(came: Came) -> str:
    return f"edi-{came.document_no}"


def _request(came: Came, edit: AskedEdit) -> OrderRequest:
    by, why = came.partner.partner, f"asked for by EDI, change {edit.release or '1'}"
    request_id = _request_id(came)
    if edit.cancels:
        return CancelRequest(reason=why, request_id=request_id, by=by)
    return EditRequest(
        request_id=request_id,
        by=by,
        reason=why,
        lines=tuple(
            LineChange(line_id=line.line_id, quantity=line.quantity)
            for line in edit.lines
            if not line.adds
        ),
        add=tuple(
            NewLine(
                sku=line.sku,
                quantity=line.quantity,
                unit_price=line.unit_price,
                tax_rate=came.partner.tax_rate,
            )
            for line in edit.lines
            if line.adds and line.quantity is not None and line.unit_price is not None
        ),
    )


async def _refuse(conn: Connection, came: Came, wish: _Wish, why: str) -> Acted:
    await _answer(conn, came, wish, why)
    on_record = wish.order_id if wish.asked is not None else None
    return Acted("refused", why, order_id=on_record)


async def _met(conn: Connection, came: Came, wish: _Wish, asked: AskedOrder, said: str) -> Acted:
    """The order has met it: from now on the customer wants what it has asked for now."""
    latest = await edi_orders.latest(conn, wish.order_id)
    stands, skus = await edi_orders.lines_of(conn, wish.order_id)
    known = {line.line_id for line in asked.lines}
    added = {sku: line_id for line_id, sku in skus.items() if line_id not in known}
    lines = {line.line_id: line for line in asked.lines}
    for change in wish.edit.lines:
        if change.adds:
            ours = added.pop(change.sku, change.line_id)
            lines[ours] = change.asked.model_copy(
                update={"line_id": ours, "theirs": change.line_id}
            )
        else:
            lines[change.line_id] = _changed(lines[change.line_id], change.asked)
    await edi_orders.ask(
        conn, wish.order_id, asked.model_copy(update={"lines": tuple(lines.values())})
    )
    await _answer(conn, came, wish, "", said)
    await edi_orders.told(conn, wish.order_id, stands, latest)
    return Acted(note="cancelled" if wish.edit.cancels else "changed", order_id=wish.order_id)


def _changed(before: AskedLine, now: AskedLine) -> AskedLine:
    price = before.price if now.price is None else now.price
    return before.model_copy(update={"quantity": now.quantity, "unit": now.unit, "price": price})


def _said(outcome: Mapping[str, Any]) -> str:
    """What an order says of units that it does not cancel; empty: nothing."""
    reasons = [str(one.get("why") or "") for one in outcome.get("refused", ())]
    return "; ".join(sorted({one for one in reasons if one})) or str(outcome.get("message") or "")


async def _answer(
    conn: Connection, came: Came, wish: _Wish, refused: str, remark: str = ""
) -> None:
    asked = wish.asked
    stands = {}
    if asked is not None:
        found, _ = await edi_orders.lines_of(conn, wish.order_id)
        stands = {
            line.told: counted(came.partner, line, found[line.line_id].wanted)
            for line in asked.lines
            if line.line_id in found
        }
    answer = change_answer(
        wish.edit,
        stands,
        ordered_on=asked.ordered_on if asked else wish.edit.dated,
        today=clock.today(),
        currency=asked.currency if asked else "",
        refused=refused,
        remark=remark,
    )
    await write(
        conn,
        *(came.partner, "865", answer),
        at=clock.now(),
        subject=f"865:{came.document_no}",
        reference=wish.edit.number,
        order_id=wish.order_id if asked else None,
    )
