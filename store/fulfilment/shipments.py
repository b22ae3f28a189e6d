"""Shipments: the label of each fulfilment, intent first, and the carriers' scans."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import Conflict
from domain.fulfilment.tracking import CarrierStatus
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Parcel(BaseModel):
    """A fulfilment's parcel. `label`: requested (outcome unknown), bought, refused or voided."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    order_id: str
    label_key: str
    label: Literal["requested", "bought", "refused", "voided"]
    carrier: str | None
    tracking_number: str | None
    service: str
    refusal: str | None
    carrier_status: CarrierStatus
    last_scan_at: datetime | None
    handed_over_at: datetime | None
    to_charge_minor: int


async def want_label(
    conn: Connection,
    fulfilment_id: str,
    order_id: str,
    *,
    label_key: str,
    service: str,
    to_charge_minor: int = 0,
    renew_before: timedelta = timedelta(0),
) -> Parcel | None:
    """Write the intent to buy a label. None when it is new; the parcel when it was there before.

    `to_charge_minor`: what is charged when the parcel leaves. An authorization that ends sooner
    than `renew_before` is renewed meanwhile. Raises Conflict when the earlier intent was for
    another service.
    """
    new = await _sql.want_label(
        conn,
        fulfilment_id=fulfilment_id,
        order_id=order_id,
        label_key=label_key,
        service=service,
        to_charge_minor=to_charge_minor,
        renew_before=renew_before,
    )
    wanted = None if new else await find(conn, fulfilment_id)
    if wanted is not None and wanted.service != service:
        raise Conflict(
            f"a label of {fulfilment_id} was asked for before, with service {wanted.service}; "
            "a parcel has one label"
        )
    return wanted


async def waits_on(
    conn: Connection, fulfilment_id: str, *, to_charge_minor: int, renew_before: timedelta
) -> None:
    """The order waits on for the hand-over of a parcel, and knows better what is to be charged."""
    await _sql.waits_on(
        conn,
        fulfilment_id=fulfilment_id,
        to_charge_minor=to_charge_minor,
        renew_before=renew_before,
    )


async def find(conn: Connection, fulfilment_id: str) -> Parcel | None:
    """The parcel of a fulfilment, or None when no label was asked for."""
    row = await _sql.parcel_of(conn, fulfilment_id=fulfilment_id)
    return None if row is None else Parcel(**row)


async def label_bought(
    conn: Connection, fulfilment_id: str, *, carrier: str, tracking_number: str
) -> None:
    """requested → bought."""
    await _sql.label_bought(
        conn, fulfilment_id=fulfilment_id, carrier=carrier, tracking_number=tracking_number
    )


async def label_refused(conn: Connection, fulfilment_id: str, refusal: str) -> None:
    """requested → refused, with the carrier's reason."""
    await _sql.label_refused(conn, fulfilment_id=fulfilment_id, refusal=refusal)


async def label_voided(conn: Connection, fulfilment_id: str) -> None:
    """requested or bought → voided."""
    await _sql.label_voided(conn, fulfilment_id=fulfilment_id)
