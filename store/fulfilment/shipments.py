"""Shipments: the label of each fulfilment, intent first, and the carriers' scans."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import Conflict, NotFound
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
    charged: bool


async def want_label(
    conn: Connection,
    fulfilment_id: str,
    order_id: str,
    *,
    label_key: str,
    service: str,
    charged: bool = True,
) -> Parcel | None:
    """Write the intent to buy a label. None when it is new; the parcel when it was there before.

    `charged`: the customer is charged when the parcel leaves. Raises Conflict when the earlier
    intent was for another service.
    """
    new = await _sql.want_label(
        conn,
        fulfilment_id=fulfilment_id,
        order_id=order_id,
        label_key=label_key,
        service=service,
        charged=charged,
    )
    wanted = None if new else await find(conn, fulfilment_id)
    if wanted is not None and wanted.service != service:
        raise Conflict(
            f"a label of {fulfilment_id} was asked for before, with service {wanted.service}; "
            "a parcel has one label"
        )
    return wanted


async def find(conn: Connection, fulfilment_id: str) -> Parcel | None:
    """The parcel of a fulfilment, or None when no label was asked for."""
    row = await _sql.parcel_of(conn, fulfilment_id=fulfilment_id)
    return None if row is None else Parcel(**row)


async def by_tracking(conn: Connection, carrier: str, tracking_number: str, event_id: str) -> str:
    """The fulfilment whose parcel has this tracking number. Raises NotFound."""
    rows = _sql.parcels_by_tracking(
        conn, carrier=carrier, tracking_number=tracking_number, event_id=event_id
    )
    candidates = [row["fulfilment_id"] async for row in rows]
    if not candidates:
        raise NotFound(f"no parcel has {carrier} number {tracking_number}")
    fulfilment_id: str = candidates[0]
    return fulfilment_id


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


async def handed_over(conn: Connection, fulfilment_id: str, at: datetime) -> tuple[str, str]:
    """Record that the carrier has the parcel since `at`. Returns carrier and tracking number."""
    row = await _sql.hand_over(conn, fulfilment_id=fulfilment_id, at=at)
    return row["carrier"], row["tracking_number"]


async def add_carrier_event(
    conn: Connection,
    fulfilment_id: str,
    event_id: str,
    *,
    status: CarrierStatus,
    happened_at: datetime,
    detail: str,
) -> bool:
    """Keep a carrier's event. False for a repeat; Conflict for one with another status."""
    new = await _sql.add_carrier_event(
        conn,
        fulfilment_id=fulfilment_id,
        event_id=event_id,
        status=status,
        happened_at=happened_at,
        detail=detail,
    )
    if new is not None:
        return True
    told = await _sql.status_told(conn, fulfilment_id=fulfilment_id, event_id=event_id)
    if told != status:
        raise Conflict(
            f"carrier event {event_id} of {fulfilment_id} came before with status {told}, not "
            f"{status}; nothing was changed"
        )
    return False


async def scanned(
    conn: Connection, fulfilment_id: str, status: CarrierStatus, happened_at: datetime
) -> None:
    """Set the shipment's status. The time of the last scan never goes back."""
    await _sql.scanned(
        conn, fulfilment_id=fulfilment_id, carrier_status=status, happened_at=happened_at
    )
