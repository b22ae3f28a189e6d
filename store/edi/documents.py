"""The documents in interchanges: what is done about each that came, and receipts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

State = Literal["waiting", "done", "rejected", "refused", "open", "accepted"]


class Document(BaseModel):
    """A document in an interchange.

    `state`: waiting, until it is acted on; done; rejected by the rules of X12, here or by the
    partner; refused, because it does not suit; open, until its 997 comes; accepted. `task`: why a
    person is needed.
    """

    model_config = ConfigDict(frozen=True)

    document_no: int
    interchange_no: int
    place: int
    direction: str
    partner: str
    code: str
    group_control: str
    set_control: str
    reference: str
    order_id: str | None
    po_id: str | None
    state: State
    note: str | None
    task: str | None
    receipt_due: datetime | None
    at: datetime


async def came(
    conn: Connection,
    interchange_no: int,
    place: int,
    partner: str,
    *,
    code: str,
    group_control: str,
    set_control: str,
    reference: str,
    state: State,
    note: str,
    task: str = "",
) -> None:
    """Write down one that came. `task`: why a person is needed."""
    await _sql.came(
        conn,
        interchange_no=interchange_no,
        place=place,
        partner=partner,
        code=code,
        group_control=group_control,
        set_control=set_control,
        reference=reference,
        state=state,
        note=note,
        task=task,
    )


async def came_again(
    conn: Connection, partner: str, code: str, reference: str, interchange_no: int
) -> None:
    """What is read now was rejected before: that needs nobody any more."""
    await _sql.came_again(
        conn, partner=partner, code=code, reference=reference, interchange_no=interchange_no
    )


async def went(
    conn: Connection,
    interchange_no: int,
    partner: str,
    *,
    code: str,
    control: int,
    reference: str = "",
    subject: str | None = None,
    order_id: str | None = None,
    po_id: str | None = None,
    within: timedelta | None = None,
) -> bool:
    """Write down one that goes. `within`: its 997 is awaited for so long; None: no one is.

    False: one about the same subject was written before.
    """
    number = await _sql.went(
        conn,
        interchange_no=interchange_no,
        partner=partner,
        code=code,
        control=str(control),
        reference=reference,
        subject=subject,
        order_id=order_id,
        po_id=po_id,
        within=within,
    )
    return number is not None


async def is_written(conn: Connection, partner: str, subject: str) -> bool:
    """Whether a document about this was written."""
    found: bool = await _sql.is_written(conn, partner=partner, subject=subject)
    return found


async def is_waiting(conn: Connection, partner: str, code: str, reference: str) -> bool:
    """Whether a document that a partner sent about this is not acted on yet."""
    found: bool = await _sql.is_waiting(conn, partner=partner, code=code, reference=reference)
    return found


async def lock_waiting(conn: Connection) -> Record | None:
    """Lock the next one to act on. This lock comes before an order's."""
    row: Record | None = await _sql.lock_waiting(conn)
    return row


async def done(
    conn: Connection,
    document_no: int,
    state: State,
    note: str = "",
    *,
    order_id: str | None = None,
    po_id: str | None = None,
    error: str = "",
) -> None:
    """It was acted on. `error`: what a person has to see to."""
    await _sql.done(
        conn,
        document_no=document_no,
        state=state,
        note=note,
        order_id=order_id,
        po_id=po_id,
        error=error,
    )


async def later(
    conn: Connection,
    document_no: int,
    pause: timedelta,
    *,
    error: str = "",
    order_id: str | None = None,
) -> None:
    """Act on it after the pause. `error`: what a person has to mend."""
    await _sql.later(conn, document_no=document_no, pause=pause, error=error, order_id=order_id)


async def receipt(
    conn: Connection,
    partner: str,
    codes: Sequence[str],
    control: int,
    set_control: str,
    *,
    accepted: bool,
    note: str,
) -> int:
    """The partner has told what it thinks of ours. Returns of how many."""
    rows = _sql.receipt(
        conn,
        partner=partner,
        kind_codes=list(codes),
        control=str(control),
        set_control=set_control,
        accepted=accepted,
        note=note,
    )
    return len([row async for row in rows])


async def envelope_receipt(conn: Connection, partner: str, control: str, why: str) -> bool:
    """The partner has told by a TA1 whether it took an interchange. `why`: it has not.

    False: we have sent none with this number.
    """
    known: bool = await _sql.envelope_receipt(conn, partner=partner, control=control, why=why)
    return known


async def settle(conn: Connection, document_no: int, note: str) -> bool:
    """A person has seen to it. False: it needs nobody."""
    return await _sql.settle(conn, document_no=document_no, note=note) is not None


async def settle_all(conn: Connection, partner: str, po_id: str, task: str) -> None:
    """All tasks of a purchase order that begin so need nobody any more."""
    await _sql.settle_all(conn, partner=partner, po_id=po_id, task=task)


async def of_interchanges(
    conn: Connection, interchange_nos: Sequence[int]
) -> dict[int, list[Document]]:
    """The documents of these interchanges."""
    found: dict[int, list[Document]] = {number: [] for number in interchange_nos}
    async for row in _sql.of_interchanges(conn, interchange_nos=list(interchange_nos)):
        found[row["interchange_no"]].append(Document(**row))
    return found


async def of_order(
    conn: Connection, *, order_id: str | None = None, po_id: str | None = None
) -> list[Document]:
    """All documents about an order, or about a purchase order, oldest first."""
    rows = _sql.of_order(conn, order_id=order_id, po_id=po_id)
    return [Document(**row) async for row in rows]
