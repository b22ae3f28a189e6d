"""Parcels: the label of each fulfilment, intent first, and what carriers say about it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.tracking import CarrierStatus
from store.database import Connection, load_queries

_sql = load_queries("parcels")


class Parcel(BaseModel):
    """A fulfilment's parcel. `label`: requested (not known yet), bought, refused or voided."""

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


async def want_label(
    conn: Connection, fulfilment_id: str, order_id: str, *, label_key: str, service: str
) -> bool:
    """Write the intent to buy a label. False when it was there: look the outcome up first."""
    new = await _sql.want_label(
        conn,
        fulfilment_id=fulfilment_id,
        order_id=order_id,
        label_key=label_key,
        service=service,
    )
    return new is not None


async def find(conn: Connection, fulfilment_id: str) -> Parcel | None:
    """The parcel of a fulfilment, or None when no label was asked for."""
    row = await _sql.parcel_of(conn, fulfilment_id=fulfilment_id)
    return None if row is None else Parcel(**row)


async def by_tracking(conn: Connection, carrier: str, tracking_number: str) -> str:
    """The fulfilment whose parcel a carrier means by this number now. Raises NotFound."""
    rows = _sql.parcels_by_tracking(conn, carrier=carrier, tracking_number=tracking_number)
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
    """requested → refused, with the carrier's words."""
    await _sql.label_refused(conn, fulfilment_id=fulfilment_id, refusal=refusal)


async def label_voided(conn: Connection, fulfilment_id: str) -> None:
    """requested or bought → voided."""
    await _sql.label_voided(conn, fulfilment_id=fulfilment_id)


async def handed_over(conn: Connection, fulfilment_id: str, at: datetime) -> None:
    """The carrier has it, since `at`."""
    await _sql.hand_over(conn, fulfilment_id=fulfilment_id, at=at)


async def add_carrier_event(
    conn: Connection,
    fulfilment_id: str,
    event_id: str,
    *,
    status: CarrierStatus,
    happened_at: datetime,
    detail: str,
) -> bool:
    """Keep what the carrier said. False when it said so before."""
    new = await _sql.add_carrier_event(
        conn,
        fulfilment_id=fulfilment_id,
        event_id=event_id,
        status=status,
        happened_at=happened_at,
        detail=detail,
    )
    return new is not None


async def scanned(
    conn: Connection, fulfilment_id: str, status: CarrierStatus, happened_at: datetime
) -> None:
    """Set the story's status; the last scan's time only grows."""
    await _sql.scanned(
        conn, fulfilment_id=fulfilment_id, carrier_status=status, happened_at=happened_at
    )
