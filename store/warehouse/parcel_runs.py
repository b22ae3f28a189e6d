"""What runs read and record that pack parcels, hand them over, give them out, or put goods back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound, Refused
from domain.fulfilment.counter import COUNTER
from domain.warehouse.collecting import Ready, Tried
from domain.warehouse.manifests import Loaded, ToLoad
from domain.warehouse.packing import ToPack
from domain.warehouse.putting_back import PuttingBack, ToPutBack
from domain.warehouse.scans import Fact
from store import clock
from store.database import Connection, load_queries
from store.faults import refusals
from store.fulfilment import fulfilments, pick_ups
from store.warehouse import bins, counter, facts, put_backs

_sql = load_queries(__file__)

PUT_BACKS_MAX = 20
"""Of one run."""


@dataclass(frozen=True)
class Whose:
    """Where somebody works, and of which channels and sellers they see parcels; None: of all."""

    location: str
    channels: list[str] | None
    sellers: list[str] | None


class ClosedManifest(BaseModel):
    """What a carrier has taken at once."""

    model_config = ConfigDict(frozen=True)

    manifest_no: int
    location: str
    carrier: str
    closed_at: datetime
    who: str
    parcels: tuple[Loaded, ...]


async def _parcel(conn: Connection, whose: Whose, part: str) -> Any:
    return await _sql.parcel(
        conn,
        part=part,
        location=whose.location,
        channels=whose.channels,
        sellers=whose.sellers,
    )


async def to_pack(conn: Connection, whose: Whose, code: str) -> ToPack | None:
    """The parcel that a code is of; None: it is none that is here."""
    row = await _parcel(conn, whose, code)
    if row is None:
        return None
    why = "" if row["state"] == "picked" else _not_now(row["state"])
    if not why and row["is_to_be_opened"]:
        why = "put_back_first"
    units = row["units"]
    names = await bins.names_of(conn, list(units))
    return ToPack(part_id=row["fulfilment_id"], why_not=why, wanted=units, names=names)


def _not_now(state: str) -> str:
    """Why a parcel in another state is not packed or handed over."""
    return {
        "open": "not_released",
        "picking": "not_picked",
        "picked": "not_packed",
        "packed": "no_label_yet",
        "labelled": "is_packed",
        "cancelled": "is_cancelled",
    }.get(state, "has_left")


async def to_load(conn: Connection, whose: Whose, code: str) -> ToLoad | None:
    """The parcel that a code is of: its own, or the number on its label."""
    row = await _parcel(conn, whose, code)
    if row is None:
        part = await _sql.with_number(conn, number=code, location=whose.location)
        row = None if part is None else await _parcel(conn, whose, part)
    if row is None:
        return None
    why = "" if row["state"] == "labelled" else _not_now(row["state"])
    if not why and row["carrier"] == COUNTER:
        why = "is_collected"
    return ToLoad(
        part_id=row["fulfilment_id"],
        why_not=why,
        carrier=row["carrier"] or "",
        tracking_number=row["tracking_number"] or "",
    )


async def to_collect(conn: Connection, whose: Whose, code: str) -> Ready | None:
    """The goods that lie ready under this code of a parcel."""
    row = await _parcel(conn, whose, code)
    if row is None:
        return None
    if row["state"] == "labelled":
        why = "" if row["is_ready"] else "not_collected_here"
    else:
        why = _not_now(row["state"])
    units = row["units"]
    names = await bins.names_of(conn, list(units))
    return Ready(part_id=row["fulfilment_id"], why_not=why, units=units, names=names)


async def work_on(conn: Connection, whose: Whose, code: str) -> tuple[str, str] | None:
    """What is to be done with a scanned parcel: the kind of work, and the parcel. None: nothing."""
    row = await _parcel(conn, whose, code)
    if row is None:
        part = await _sql.with_number(conn, number=code, location=whose.location)
        row = None if part is None else await _parcel(conn, whose, part)
    if row is None:
        return None
    state = "ready" if row["is_ready"] and row["state"] == "labelled" else row["state"]
    kind = {"picking": "pick", "picked": "pack", "labelled": "hand-over", "ready": "collect"}
    return None if state not in kind else (kind[state], row["fulfilment_id"])


async def try_code(conn: Connection, part: str, code: str) -> Tried:
    """Try the code of goods that lie ready. A wrong one is counted."""
    try:
        await pick_ups.try_code(conn, part, code)
    except Refused as no:
        return Tried(why_not=no.reason or "wrong_code")
    return Tried()


async def record_pack(conn: Connection, fact: Fact, who: str) -> None:
    """A parcel is packed, in this box, and weighs so much.

    Raises Refused where other units are to be in it by now than were scanned into the box.
    """
    row = await fulfilments.locked(conn, fact.part)
    if row["state"] == "picked" and fact.counted is not None:
        units = await _sql.units(conn, part=fact.part)
        if units != fact.counted:
            raise Refused(
                f"{fact.part} has become smaller: take out what is not in it any more, and pack it "
                "again",
                reason="box_differs",
            )
    box, grams = fact.said.get("box"), fact.said.get("grams")
    await facts.pack(
        conn,
        fact.part,
        who=who,
        box=None if box is None else str(box),
        grams=None if grams is None else int(grams),
    )


async def record_hand_over(conn: Connection, fact: Fact, who: str) -> None:
    """A parcel has left, or its customer has it."""
    await counter.hand_over(conn, fact.part, at=fact.at or clock.now(), who=who)


async def record_put_back(conn: Connection, fact: Fact, who: str) -> None:
    """Units are on the shelf again."""
    await put_backs.done(conn, fact.part, who=who)


async def to_put_back(conn: Connection, whose: Whose) -> PuttingBack:
    """A run for what is to go back here. Raises Refused where there is nothing."""
    rows = _sql.to_put_back(
        conn,
        location=whose.location,
        channels=whose.channels,
        sellers=whose.sellers,
        at_most=PUT_BACKS_MAX,
    )
    tasks = tuple([ToPutBack(**row) async for row in rows])
    if not tasks:
        raise Refused("nothing is to be put back here", reason="nothing_to_put_back")
    skus = sorted({sku for task in tasks for sku in task.units})
    places = await bins.places_of(conn, whose.location, skus)
    return PuttingBack(tasks=tasks, places=places, names=await bins.names_of(conn, skus))


async def label_printed(conn: Connection, part: str, who: str) -> int:
    """A label is printed, for the how manyth time. From the second on, the story tells."""
    with refusals():
        return int(await _sql.label_printed(conn, part=part, who=who))


async def write_manifest(
    conn: Connection,
    run_no: int,
    location: str,
    carrier: str,
    parcels: Sequence[Loaded],
    *,
    who: str,
) -> None:
    """Write what a carrier has taken at once. A repeat changes nothing."""
    await _sql.write_manifest(
        conn,
        run_no=run_no,
        location=location,
        carrier=carrier,
        who=who,
        parcels=[one.model_dump() for one in parcels],
    )


async def manifest(conn: Connection, manifest_no: int) -> ClosedManifest:
    """One of them. Raises NotFound."""
    row = await _sql.manifest(conn, manifest_no=manifest_no)
    if row is None:
        raise NotFound(f"there is no manifest {manifest_no}", reason="no_manifest")
    return ClosedManifest(**row)


async def manifests(
    conn: Connection, location: str, *, before: int | None = None, at_most: int = 50
) -> list[ClosedManifest]:
    """Those of a location, the newest first; `before`: behind the one with this number."""
    rows = _sql.manifests(conn, location=location, before=before, at_most=at_most)
    return [ClosedManifest(**row) async for row in rows]
