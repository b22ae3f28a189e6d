"""What a warehouse prints: a parcel's label as its carrier made it, pick lists, packing slips."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from domain.errors import InvalidInput, NotFound, Refused
from domain.fulfilment.counter import COUNTER
from domain.fulfilment.label_files import KeptFile
from domain.orders.fulfilment_state import FulfilmentState
from store.aftersales import return_labels
from store.database import Pool
from store.fulfilment import prints, shipments
from store.views import packing, reads, returns, warehouse_tasks

Paper: TypeAlias = prints.Paper
"""What goes with a parcel, or to those who pick it."""


class PrintedLabel(BaseModel):
    """A parcel's label, and its files. `requested`: the carrier has not answered yet.

    `fulfilment_id`: or the return, whose parcel it is.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    state: Literal["requested", "bought", "refused", "voided"]
    sold_by: str
    carrier: str | None
    tracking_number: str | None
    refusal: str | None
    files: tuple[KeptFile, ...]

    @property
    def why_none(self) -> str:
        """Why there is no file to print."""
        part = self.fulfilment_id
        if self.state == "requested":
            return f"the label of {part} is being bought: ask again in a moment"
        if self.state == "refused":
            return f"the carrier refused the label of {part}: {self.refusal}"
        if self.sold_by == COUNTER:
            return f"{part} is taken at the counter, and has no label"
        return (
            f"no file of the label of {part} is here: its carrier gave none that could be kept, or "
            f"it was deleted after the parcel had left (ORDERLOOM_LABEL_FILES_KEPT), or with its "
            f"customer (`orderloom customers erase`); its number is "
            f"{self.carrier} {self.tracking_number}"
        )

    def file(self, form: str | None = None, *, rather: str = "") -> KeptFile:
        """The file to print: in this format, or else one in the format `rather`, or the first.

        Raises Refused where there is none to print, InvalidInput where there is none in the format.
        """
        if self.state == "voided":
            raise Refused(
                f"the label of {self.fulfilment_id} is void: it was given back to the carrier "
                f"({self.carrier} {self.tracking_number}), and no parcel may carry it"
            )
        if not self.files:
            raise Refused(self.why_none)
        known = {file.format: file for file in self.files}
        if form is None:
            return known.get(rather, self.files[0])
        if form.lower() not in known:
            raise InvalidInput(f"there is {', '.join(known)}, and no {form}", where="format")
        return known[form.lower()]

    def told(self) -> dict[str, Any]:
        """Everything but the files' content."""
        return {
            **self.model_dump(mode="json", exclude={"files"}),
            "files": [
                {
                    "format": file.format,
                    "media_type": file.media_type,
                    "bytes": len(file.content),
                    "digest": file.digest,
                    "kept_at": file.kept_at.isoformat(),
                }
                for file in self.files
            ],
        }


class Labels:
    """What is printed in a warehouse."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, fulfilment_id: str) -> PrintedLabel:
        """The label of a fulfilment. Raises NotFound, and Refused where none was asked for yet."""
        async with self._pool.acquire() as conn:
            state = await reads.fulfilment_state(conn, fulfilment_id)
            parcel = await shipments.find(conn, fulfilment_id)
            files = await shipments.label_files(conn, fulfilment_id)
        if state is None:
            raise _unknown(fulfilment_id)
        if parcel is None:
            raise Refused(
                f"{fulfilment_id} is {state}, and has no label: it gets one when it is packed"
            )
        return PrintedLabel(
            fulfilment_id=fulfilment_id,
            state=parcel.label,
            sold_by=parcel.sold_by,
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
            refusal=parcel.refusal,
            files=tuple(files),
        )

    async def of_return(self, return_id: str) -> PrintedLabel:
        """The label of a return's parcel. Raises NotFound, and Refused where none is bought."""
        async with self._pool.acquire() as conn:
            await returns.get(conn, return_id)
            label = await return_labels.find(conn, return_id)
            files = await return_labels.files(conn, return_id)
        if label is None:
            raise Refused(
                f"{return_id} has no label: no rule of returns says that one is bought, or it is "
                "not approved"
            )
        return PrintedLabel(
            fulfilment_id=return_id,
            state=label.label,
            sold_by=label.sold_by or "",
            carrier=label.carrier,
            tracking_number=label.tracking_number,
            refusal=label.refusal,
            files=tuple(files),
        )

    async def slip(self, fulfilment_id: str) -> packing.Packing:
        """What goes into a parcel. Raises NotFound, and Refused for one that was cancelled."""
        async with self._pool.acquire() as conn:
            found = await packing.packings(conn, [fulfilment_id])
        if not found:
            raise _unknown(fulfilment_id)
        if found[0].state == "cancelled":
            raise Refused(f"{fulfilment_id} is cancelled: put its goods back")
        return found[0]

    async def parcels(
        self, fulfilment_ids: Sequence[str], states: Collection[FulfilmentState]
    ) -> list[packing.Packing]:
        """What goes into these parcels, of those in one of these states.

        Raises Refused where none is.
        """
        async with self._pool.acquire() as conn:
            found = await packing.packings(conn, list(dict.fromkeys(fulfilment_ids)))
        there = [one for one in found if one.state in states]
        if not there:
            raise Refused("none of these is to be printed any more")
        return there

    async def tell_printed(
        self, fulfilment_ids: Sequence[str], paper: Paper, *, who: str, key: str
    ) -> None:
        """Tell in the stories of their orders who has printed it, once for each `key`."""
        async with self._pool.acquire() as conn, conn.transaction():
            await prints.tell(conn, fulfilment_ids, paper, who=who, key=key)

    async def to_pick(
        self,
        fulfilment_ids: Sequence[str] | None = None,
        *,
        location: str | None = None,
        at_most: int = 50,
    ) -> list[packing.Packing]:
        """What is to be picked, the longest-waiting first.

        Raises NotFound where one that is named is not, and Refused where one is not to be picked,
        or nothing is.
        """
        async with self._pool.acquire() as conn:
            if fulfilment_ids is None:
                tasks = await warehouse_tasks.find(
                    conn, task="pick", location=location, at_most=at_most
                )
                found = await packing.packings(conn, [task.part_id for task in tasks])
            else:
                found = await packing.packings(conn, list(dict.fromkeys(fulfilment_ids)))
        for fulfilment_id in fulfilment_ids or ():
            if fulfilment_id not in {one.fulfilment_id for one in found}:
                raise _unknown(fulfilment_id)
        for one in found:
            if one.state != "picking":
                raise Refused(f"{one.fulfilment_id} is {one.state}, and not to be picked")
        here = [one for one in found if location is None or one.location == location]
        if not here:
            raise Refused(f"nothing is to be picked{f' at {location}' if location else ''}")
        return here


def _unknown(fulfilment_id: str) -> NotFound:
    return NotFound(f"there is no fulfilment {fulfilment_id}; see `orderloom warehouse tasks`")
