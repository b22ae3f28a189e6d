"""Trading partners and their interchanges. The workers' relay reads and sends them.

An interchange is kept before it is answered, and worked through later: the answer waits only for
the row that keeps it.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.edi.acknowledgements import judge
from domain.edi.files import parts
from domain.edi.parsed import Finding
from domain.edi.partners import Partner
from domain.edi.rules import GROUPS, Agreed
from domain.edi.wire import INTERCHANGE_BYTES_MAX, read
from domain.errors import InvalidInput, NotFound
from store.database import Pool
from store.edi import bills, documents, interchanges, partners
from store.edi.bills import Bill
from store.edi.documents import Document
from store.edi.interchanges import Interchange


@dataclass(frozen=True)
class Shown:
    """An interchange with its documents; `raw`: as it came or goes, as long as it is kept."""

    interchange: Interchange
    documents: Sequence[Document]
    raw: bytes | None = None


class FaultInFile(BaseModel):
    """What is wrong with a file, and where.

    `interchange`: which one in the file, from 1; `control`, `group`, `document`: their control
    numbers; `code`: of the document, such as 850. `segment`, `number`, `element`: as X12 counts
    them. `reason`: X12's own code, which a 997 or TA1 has. `do`: what its sender can do.
    """

    model_config = ConfigDict(frozen=True)

    interchange: int
    control: str = ""
    group: str = ""
    code: str = ""
    document: str = ""
    segment: str = ""
    number: int = 0
    element: int = 0
    reason: str = ""
    what: str
    do: str = ""

    def __str__(self) -> str:
        about = f"{self.code} {self.document}" if self.code else ""
        about = about or (f"group {self.group}" if self.group else "")
        place = f"segment {self.number} ({self.segment})" if self.number else self.segment
        place += f", element {self.element}" if self.element else ""
        said = f"{self.what}; {self.do}" if self.do else self.what
        return ": ".join(part for part in (about, place, said) if part)


def _fault(finding: Finding, place: Mapping[str, Any]) -> FaultInFile:
    return FaultInFile(
        **place,
        segment=finding.segment,
        number=finding.number,
        element=finding.element,
        reason=finding.code,
        what=finding.what,
        do=finding.do,
    )


class Edi:
    """Partners, and what goes between them and us."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def partners(self) -> Sequence[Partner]:
        """All trading partners, by their names."""
        async with self._pool.acquire() as conn:
            return await partners.find(conn)

    async def partner(self, partner: str) -> Partner:
        """One of them. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await partners.get(conn, partner)

    async def save(self, wanted: Sequence[Partner], *, by: str) -> None:
        """Set all there is to know about these partners: all of them, or none where one is wrong.

        Raises InvalidInput for a channel or supplier that is not there, for a channel whose orders
        are not paid so, and for ids on the envelope that another partner has.
        """
        async with self._pool.acquire() as conn:
            await partners.save(conn, wanted, who=by)

    async def receive(self, source: str, raw: bytes) -> builtins.list[int]:
        """Keep what came. Returns the numbers of its interchanges; they are read in a moment.

        Raises InvalidInput for what is too large or empty. What cannot be read is kept, and becomes
        a task.
        """
        if not raw.strip():
            raise InvalidInput("is empty", where=source)
        if len(raw) > INTERCHANGE_BYTES_MAX:
            raise InvalidInput(
                f"has {len(raw)} bytes, and {INTERCHANGE_BYTES_MAX} are the most; send its "
                "documents in several interchanges",
                where=source,
            )
        async with self._pool.acquire() as conn, conn.transaction():
            return [await interchanges.keep(conn, source, part) for part in parts(raw)]

    async def check(self, raw: bytes) -> builtins.list[FaultInFile]:
        """What is wrong with each interchange of a file, by the rules of X12; nothing is kept.

        Of a partner that is known, also whether it may send these documents.
        """
        return [
            fault
            for number, part in enumerate(parts(raw), start=1)
            for fault in await self._check(number, part)
        ]

    async def _check(self, number: int, raw: bytes) -> builtins.list[FaultInFile]:
        try:
            found = read(raw)
        except InvalidInput as error:
            return [FaultInFile(interchange=number, what=str(error))]
        async with self._pool.acquire() as conn:
            one = await partners.by_address(conn, found.receiver, found.sender, test=found.test)
            if one is None:  # Ours go the other way.
                one = await partners.by_address(conn, found.sender, found.receiver, test=found.test)
                agreed = Agreed(frozenset(GROUPS))
            else:
                agreed = one.agreed
        place: dict[str, Any] = {"interchange": number, "control": found.control}
        faults = [_fault(finding, place) for finding in found.findings]
        if one is None:
            ids = f"{':'.join(found.sender)} to {':'.join(found.receiver)}"
            faults.append(FaultInFile(**place, what=f"{ids}: no partner of ours"))
        for group in judge(found, agreed):
            of_group = {**place, "group": group.group.control}
            faults += [_fault(finding, of_group) for finding in group.findings]
            for document in group.documents:
                about = {"code": document.document.code, "document": document.document.control}
                faults += [_fault(one, {**of_group, **about}) for one in document.findings]
        return faults

    async def list(
        self,
        *,
        partner: str | None = None,
        direction: str | None = None,
        failed: bool = False,
        before: int | None = None,
        at_most: int = 100,
    ) -> Sequence[Shown]:
        """Interchanges with their documents, newest first. `failed`: only what needs a person.

        `direction`: in or out. `before`: behind the one with this number.
        """
        async with self._pool.acquire() as conn:
            found = await interchanges.find(
                conn,
                partner=partner,
                direction=direction,
                failed=failed,
                before=before,
                at_most=at_most,
            )
            inside = await documents.of_interchanges(conn, [one.interchange_no for one in found])
        return [Shown(one, inside[one.interchange_no]) for one in found]

    async def show(self, interchange_no: int) -> Shown:
        """One of them, with its bytes. Raises NotFound."""
        async with self._pool.acquire() as conn:
            found, raw = await interchanges.get(conn, interchange_no)
            inside = await documents.of_interchanges(conn, [interchange_no])
        return Shown(found, inside[interchange_no], raw)

    async def of_order(
        self, *, order_id: str | None = None, po_id: str | None = None
    ) -> Sequence[Document]:
        """All documents about an order, or a purchase order, oldest first."""
        async with self._pool.acquire() as conn:
            return await documents.of_order(conn, order_id=order_id, po_id=po_id)

    async def bills(self, po_id: str) -> Sequence[Bill]:
        """What suppliers have billed of a purchase order by EDI, oldest first."""
        async with self._pool.acquire() as conn:
            return await bills.of_purchase(conn, po_id)

    async def send_again(self, interchange_no: int) -> None:
        """Send the same bytes once more, with the same number. Raises NotFound."""
        async with self._pool.acquire() as conn, conn.transaction():
            found, _ = await interchanges.get(conn, interchange_no)
            partner = await partners.get(conn, found.partner or "")
            await interchanges.send_again(conn, interchange_no, partner.acknowledge_within)

    async def read_again(self, interchange_no: int) -> None:
        """Read one that could not be read, once its partner is known. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await interchanges.read_again(conn, interchange_no)

    async def settle(self, number: int, note: str, *, document: bool = False) -> None:
        """A person has seen to an interchange, or to a document. Raises NotFound."""
        settled = documents.settle if document else interchanges.settle
        async with self._pool.acquire() as conn:
            if not await settled(conn, number, note):
                what = "document" if document else "interchange"
                raise NotFound(f"{what} {number} needs nobody; `orderloom edi list --failed`")
