"""Shipments: the label of each fulfilment, intent first, and the carriers' scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.fulfilment.label_files import KeptFile, LabelFile, to_keep
from domain.fulfilment.packed import Packed
from domain.fulfilment.tracking import CarrierStatus
from domain.orders.order import Shipping
from domain.stored import stored
from store.database import Connection, Record, load_queries
from store.faults import refusals

_sql = load_queries(__file__)


class Parcel(BaseModel):
    """A fulfilment's parcel. `label`: requested (outcome unknown), bought, refused or voided.

    `sold_by`: the carrier's name here, at which the label is looked up and given back.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    order_id: str
    label_key: str
    label: Literal["requested", "bought", "refused", "voided"]
    carrier: str | None
    tracking_number: str | None
    service: str
    sold_by: str
    refusal: str | None
    carrier_status: CarrierStatus
    last_scan_at: datetime | None
    handed_over_at: datetime | None
    to_charge_minor: int


class UnusedLabel(BaseModel):
    """A label that its parcel does not go out with: it is to be given back to its carrier."""

    model_config = ConfigDict(frozen=True)

    label_key: str
    sold_by: str
    tracking_number: str


@dataclass(frozen=True)
class Wanted:
    """What became of the wish for a label.

    `wanted`: it is new. `again`: it was there before, and `label` and `refusal` say what became of
    it. `waits`: it is bought. `recalled`, `unpaid`, `changed`, `held`: the carrier is not asked.
    `label_key`: under which the carrier knows it. `packed`: what it is told under this key.
    """

    answer: Literal["wanted", "again", "waits", "recalled", "unpaid", "changed", "held"]
    shipping: Shipping | None = None
    sold_by: str = ""
    label: str = ""
    label_key: str = ""
    refusal: str = ""
    packed: Packed = field(default_factory=Packed)


async def want_label(
    conn: Connection,
    fulfilment_id: str,
    *,
    label_key: str,
    carriers: Mapping[str, str],
    holds: bool,
    seen: str | None,
    to_charge_minor: int = 0,
    renew_before: timedelta = timedelta(0),
) -> Wanted:
    """Write the intent to buy a label, if the parcel is packed, and paid by the money `seen`.

    `carriers`: service → the carrier that sells the label; "" stands for every other service. The
    first choice stays. `to_charge_minor`: what is charged when the parcel leaves. An authorization
    that ends sooner than `renew_before` is renewed meanwhile. Raises NotFound, and Conflict when
    the earlier intent was for another service.
    """
    with refusals():
        row = await _sql.label_wanted(
            conn,
            fulfilment_id=fulfilment_id,
            label_key=label_key,
            carriers=dict(carriers),
            holds=holds,
            seen=seen,
            to_charge_minor=to_charge_minor,
            renew_before=renew_before,
        )
    shipping = None if row["shipping"] is None else stored(Shipping, row["shipping"])
    parcel = row["parcel"] or {}
    return Wanted(
        row["answer"],
        shipping,
        parcel.get("sold_by", ""),
        parcel.get("label", ""),
        parcel.get("label_key", ""),
        parcel.get("refusal") or "",
        Packed(box=parcel.get("box"), grams=parcel.get("grams")),
    )


async def label_bought(
    conn: Connection,
    fulfilment_id: str,
    *,
    label_key: str,
    carrier: str,
    tracking_number: str,
    files: Sequence[LabelFile] = (),
) -> Record:
    """requested → bought, and packed → labelled. Columns: is_recalled, is_late (unused by now).

    The files are kept in the same transaction. One that cannot be kept is told in the story.
    """
    kept, left_out = to_keep(files)
    with refusals():
        row: Record = await _sql.label_recorded(
            conn,
            fulfilment_id=fulfilment_id,
            label_key=label_key,
            carrier=carrier,
            tracking_number=tracking_number,
            media_types=[file.media_type for file in kept],
            contents=[file.content for file in kept],
            note="; ".join(left_out),
        )
    return row


async def label_files(conn: Connection, fulfilment_id: str) -> list[KeptFile]:
    """The files of a fulfilment's label, as its carrier made them."""
    rows = _sql.files_of(conn, fulfilment_id=fulfilment_id)
    return [KeptFile(**row) async for row in rows]


async def forget_label_files(conn: Connection, kept: timedelta, batch: int) -> int:
    """Delete files of labels whose parcels left so long ago. Returns how many."""
    deleted: int = await _sql.forget_files(conn, kept=kept, batch=batch)
    return deleted


async def find(conn: Connection, fulfilment_id: str) -> Parcel | None:
    """The parcel of a fulfilment, or None when no label was asked for."""
    row = await _sql.parcel_of(conn, fulfilment_id=fulfilment_id)
    return None if row is None else Parcel(**row)


async def label_refused(conn: Connection, fulfilment_id: str, refusal: str) -> None:
    """requested → refused, with the carrier's reason."""
    await _sql.label_refused(conn, fulfilment_id=fulfilment_id, refusal=refusal)


async def charge_otherwise(conn: Connection, order_id: str, amounts: Mapping[str, int]) -> None:
    """What is charged when these parcels leave, in minor units, if they have a label already."""
    await _sql.charge_otherwise(
        conn,
        order_id=order_id,
        fulfilment_ids=list(amounts),
        amounts=list(amounts.values()),
    )


async def label_voided(conn: Connection, fulfilment_id: str) -> None:
    """requested or bought → voided."""
    await _sql.label_voided(conn, fulfilment_id=fulfilment_id)


async def unused_labels(conn: Connection, fulfilment_id: str) -> list[UnusedLabel]:
    """The labels of a fulfilment that are to be given back: it was opened, or goes elsewhere."""
    rows = _sql.unused_labels(conn, fulfilment_id=fulfilment_id)
    return [UnusedLabel(**row) async for row in rows]


async def unused_label_voided(conn: Connection, fulfilment_id: str, label_key: str) -> None:
    """It is given back."""
    await _sql.unused_label_voided(conn, fulfilment_id=fulfilment_id, label_key=label_key)
