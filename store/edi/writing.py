"""Writes a document down that is to be sent: intent first, with its number and its bytes.

What is sent comes from this row alone. So after a crash the same bytes go again, with the same
number, and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.edi.partners import Partner
from domain.edi.written import Written, envelope, interchange
from store.database import Connection
from store.edi import documents, interchanges, partners

ACKNOWLEDGEMENT: Final = "997"
ENVELOPE: Final = "TA1"
NOT_ACKNOWLEDGED: Final = (ACKNOWLEDGEMENT, ENVELOPE)
"""A receipt gets no receipt: two systems would answer each other for ever."""


async def write(
    conn: Connection,
    partner: Partner,
    code: str,
    segments: Sequence[Written],
    *,
    at: datetime,
    subject: str | None = None,
    reference: str = "",
    order_id: str | None = None,
    po_id: str | None = None,
) -> bool:
    """Write a document down for a partner, in a transaction. `subject`: it is written once.

    False: it was written before.
    """
    await partners.lock(conn, partner.partner)
    if subject is not None and await documents.is_written(conn, partner.partner, subject):
        return False
    control = await partners.next_control(conn, partner.partner)
    if code == ENVELOPE:
        raw = envelope(partner, control, [("", list(segments))], at=at)
    else:
        raw = interchange(partner, code, control, segments, at=at)
    number = await interchanges.write(
        conn, partner.partner, control, f"{partner.partner}-{code}-{control:09}.edi", raw
    )
    return await documents.went(
        conn,
        number,
        partner.partner,
        code=code,
        control=control,
        reference=reference,
        subject=subject,
        order_id=order_id,
        po_id=po_id,
        within=None if code in NOT_ACKNOWLEDGED else partner.acknowledge_within,
    )
