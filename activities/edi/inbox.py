"""Reads the interchanges that came: answers each with a 997, and has its documents acted on.

An interchange is read, and its receipt written down, in one transaction; each document is then
acted on in one of its own. So a document that cannot be applied stops no other, and after a crash
nothing is read or done twice.
"""

from __future__ import annotations

import logging
from typing import Final

from activities.edi.acting import Acting
from activities.inboxes import said
from activities.relay import BATCH
from domain.edi.acknowledgements import (
    JudgedGroup,
    acknowledgement,
    answers,
    envelope_answer,
    envelope_refused,
    envelope_taken,
    judge,
)
from domain.edi.parsed import Interchange, Segment, TransactionSet
from domain.edi.partners import Partner
from domain.edi.rules import GROUPS, reference_of
from domain.edi.wire import Unreadable, read
from domain.words import count_of
from store import clock
from store.database import Connection, DatabaseFault, Pool, Record
from store.edi import documents, interchanges, partners
from store.edi.writing import ACKNOWLEDGEMENT, ENVELOPE, write

logger = logging.getLogger(__name__)

_NOTE_MAX: Final = 500
_DUPLICATE: Final = "025"
"""TA105: this control number was used before."""


class EdiInbox:
    """A duty of the relay. `acting`: does what a document asks for."""

    def __init__(self, pool: Pool, acting: Acting) -> None:
        self._pool = pool
        self._acting = acting

    async def work_through(self) -> None:
        """Read what came, and act on it."""
        for _ in range(BATCH):
            if not await self._read_next():
                break
        for _ in range(BATCH):
            if not await self._acting.act_on_next():
                return

    async def _read_next(self) -> bool:
        async with self._pool.acquire() as conn, conn.transaction():
            row = await interchanges.lock_unread(conn)
            if row is None:
                return False
            try:
                async with conn.transaction():
                    await self._look_at(conn, row)
            except DatabaseFault:
                raise
            except Exception as error:  # noqa: BLE001 - a defect in one must not stop the others
                logger.warning("interchange %s cannot be read: %s", row["interchange_no"], error)
                await interchanges.unreadable(
                    conn, row["interchange_no"], said(error), partner=None, control=None
                )
        return True

    async def _look_at(self, conn: Connection, row: Record) -> None:
        try:
            found = read(row["raw"])
        except Unreadable as error:
            await interchanges.unreadable(
                conn, row["interchange_no"], str(error), partner=None, control=None
            )
            return
        partner = await partners.by_address(conn, found.receiver, found.sender, test=found.test)
        if partner is not None:
            await self._read(conn, row, found, partner)
            return
        unknown = await self._nobody(conn, found, row["interchange_no"])
        await interchanges.unreadable(
            conn, row["interchange_no"], unknown, partner=None, control=found.control
        )

    async def _nobody(self, conn: Connection, found: Interchange, number: int) -> str:
        """What is said of an interchange that is of no partner."""
        kind, other = ("test", "production") if found.test else ("production", "test")
        ids = f"{':'.join(found.sender)} to {':'.join(found.receiver)}"
        near = await partners.by_address(conn, found.receiver, found.sender, test=not found.test)
        hint = (
            f"{near.partner}, who has these ids, is agreed for {other} alone (ISA, element 15)"
            if near is not None
            else "`orderloom edi import-partners` makes it known"
        )
        return (
            f"nobody is known who sends {kind} interchanges as {ids}; {hint}. "
            f"`orderloom edi read-again {number}` reads it once that is set"
        )

    async def _read(
        self, conn: Connection, row: Record, found: Interchange, partner: Partner
    ) -> None:
        number, now = row["interchange_no"], clock.now()
        await partners.lock(conn, partner.partner)
        if found.findings:
            fault = found.findings[0]
            await write(conn, partner, ENVELOPE, envelope_refused(found, fault), at=now)
            told = {"partner": partner.partner, "control": found.control}
            await interchanges.unreadable(conn, number, str(fault), **told)
            return
        before = await interchanges.earlier(conn, partner.partner, found.control, number)
        if before is not None:
            await self._repeated(conn, row, found, partner, before)
            return
        if found.wants_receipt:
            await write(conn, partner, ENVELOPE, envelope_taken(found), at=now)
        place = 0
        for receipt in found.receipts:
            await self._envelope_answered(conn, number, partner, receipt, place)
            place += 1
        for group in judge(found, partner.agreed):
            await self._write_down(conn, number, partner, group, place)
            place += len(group.documents)
            if group.group.kind != GROUPS[ACKNOWLEDGEMENT]:
                await write(
                    conn,
                    *(partner, ACKNOWLEDGEMENT, acknowledgement(group)),
                    at=now,
                    reference=group.group.control,
                )
        outcome = f"read: {count_of(place, 'document')}"
        await interchanges.read(conn, number, partner.partner, found.control, outcome)
        await interchanges.came_whole(conn, partner.partner, found.control, number)

    async def _envelope_answered(
        self, conn: Connection, number: int, partner: Partner, receipt: Segment, place: int
    ) -> None:
        """A TA1 is about a whole interchange of ours. One that it refuses was not read."""
        control, why = envelope_answer(receipt)
        known = await documents.envelope_receipt(conn, partner.partner, control, why)
        await documents.came(
            conn,
            *(number, place, partner.partner),
            code=ENVELOPE,
            group_control="",
            set_control="",
            reference=control[:100],
            state="done",
            note=why,
            task="" if known else f"it is about an interchange {control} that we have not sent",
        )

    async def _write_down(
        self, conn: Connection, number: int, partner: Partner, group: JudgedGroup, place: int
    ) -> None:
        """Each document that came. One that is rejected needs a person until it comes again."""
        taken = {id(one) for one in group.taken}
        for offset, one in enumerate(group.documents):
            is_receipt = one.document.code == ACKNOWLEDGEMENT
            is_taken = id(one.document) in taken
            findings = (*group.findings, *one.findings)
            note = "; ".join(str(found) for found in findings)[:_NOTE_MAX]
            reference = reference_of(one.document)[:100]
            task = "" if is_taken else f"we have rejected it; see that it comes again: {note}"
            if is_taken and is_receipt:
                task = await self._acknowledged(conn, partner, one.document)
            if is_taken and reference:
                await documents.came_again(
                    conn, partner.partner, one.document.code, reference, number
                )
            await documents.came(
                conn,
                number,
                place + offset,
                partner.partner,
                code=one.document.code[:3],
                group_control=group.group.control,
                set_control=one.document.control,
                reference=reference,
                state="rejected" if not is_taken else "done" if is_receipt else "waiting",
                note=note,
                task=task[:_NOTE_MAX],
            )

    async def _acknowledged(
        self, conn: Connection, partner: Partner, document: TransactionSet
    ) -> str:
        """Note what a 997 says. Returns what it says of documents that we have not sent."""
        unknown = []
        for answer in answers(document):
            codes = [code for code, kind in GROUPS.items() if kind == answer.group]
            known = await documents.receipt(
                conn,
                *(partner.partner, codes, answer.control, answer.set_control),
                accepted=answer.accepted,
                note=answer.note,
            )
            if not known:
                unknown.append(f"{answer.group} {answer.control} {answer.set_control}".strip())
        return f"it is about {', '.join(unknown)}, which we have not sent" if unknown else ""

    async def _repeated(
        self,
        conn: Connection,
        row: Record,
        found: Interchange,
        partner: Partner,
        before: tuple[int, bytes | None],
    ) -> None:
        """One with a number that was used before: answered again, and nothing is done twice."""
        number, raw = before
        if raw is None or raw.strip() == row["raw"].strip():
            for group in judge(found, partner.agreed):
                if group.group.kind != GROUPS[ACKNOWLEDGEMENT]:
                    answer = acknowledgement(group)
                    await write(conn, partner, ACKNOWLEDGEMENT, answer, at=clock.now())
            outcome = f"the same as interchange {number}: answered again, and not done again"
            await interchanges.read(
                conn, row["interchange_no"], partner.partner, found.control, outcome
            )
            return
        refusal = [("TA1", found.control, found.day, found.time, "R", _DUPLICATE)]
        await write(conn, partner, ENVELOPE, refusal, at=clock.now())
        await interchanges.unreadable(
            conn,
            row["interchange_no"],
            f"has the control number {found.control}, which interchange {number} had "
            "with other content: the partner was told so, and sends it with a new number",
            partner=partner.partner,
            control=found.control,
        )
