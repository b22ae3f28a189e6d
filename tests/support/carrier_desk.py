"""Carriers that send messages by themselves: EasyPost, and one that speaks the generic shape."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import SecretStr

from domain import standard_webhooks
from domain.fulfilment import easypost

EASYPOST_SECRET: Final = "ﬁne-and-secret-é"
"""With letters that EasyPost takes apart before it signs."""
GENERIC_SECRET: Final = "whsec_" + base64.b64encode(b"carrier!" * 4).decode()
CARRIER_SECRETS: Final[Mapping[str, Sequence[SecretStr]]] = {
    "easypost": [SecretStr("the next secret of easypost"), SecretStr(EASYPOST_SECRET)],
    "sandbox": [SecretStr(GENERIC_SECRET)],
}


def detail(status: str, at: datetime, message: str = "", city: str | None = None) -> dict[str, Any]:
    """One scan as EasyPost tells it."""
    return {
        "object": "TrackingDetail",
        "message": message or f"{status} at the carrier",
        "description": None,
        "status": status,
        "status_detail": "status_update",
        "datetime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": "UPS",
        "carrier_code": None,
        "tracking_location": {
            "object": "TrackingLocation",
            "city": city,
            "state": None,
            "country": "US" if city else None,
            "zip": None,
        },
    }


def tracker_event(
    number: str,
    details: Sequence[Mapping[str, Any]],
    *,
    event_id: str = "evt_1",
    carrier: str = "SANDBOX",
    status: str | None = None,
    kind: str = "tracker.updated",
) -> bytes:
    """EasyPost's event about one parcel, with every scan so far."""
    last = details[-1]["status"] if details else "unknown"
    return json.dumps(
        {
            "id": event_id,
            "object": "Event",
            "mode": "production",
            "description": kind,
            "previous_attributes": {"status": "unknown"},
            "created_at": "2026-11-28T12:00:00Z",
            "result": {
                "id": "trk_1",
                "object": "Tracker",
                "mode": "production",
                "tracking_code": number,
                "status": status or last,
                "status_detail": "status_update",
                "created_at": "2026-11-27T12:00:00Z",
                "updated_at": "2026-11-28T12:00:00Z",
                "signed_by": "John Tester",
                "weight": 17.6,
                "est_delivery_date": "2026-11-30T00:00:00Z",
                "shipment_id": None,
                "carrier": carrier,
                "tracking_details": list(details),
                "carrier_detail": None,
                "public_url": "https://track.easypost.com/x",
            },
        }
    ).encode()


def by_easypost(body: bytes, secret: str = EASYPOST_SECRET) -> dict[str, str]:
    """The header that signs the body alone."""
    return {"x-hmac-signature": easypost.sign(body, secret)}


def by_easypost_v2(body: bytes, at: datetime, secret: str = EASYPOST_SECRET) -> dict[str, str]:
    """The headers that sign time, method, path and body."""
    second, path = at.strftime("%a, %d %b %Y %H:%M:%S -0000"), "/v1/webhooks/carriers/easypost"
    return {
        "x-timestamp": second,
        "x-path": path,
        "x-hmac-signature-v2": easypost.sign(f"{second}POST{path}".encode() + body, secret),
    }


def scan(number: str, status: str, **fields: Any) -> dict[str, Any]:
    """One scan in the generic shape."""
    now = datetime.now(UTC) - timedelta(minutes=1)
    usual = {"tracking_number": number, "status": status, "event_id": status}
    return {**usual, "happened_at": now.isoformat(), **fields}


def generic(*scans: Mapping[str, Any]) -> bytes:
    """A message in the generic shape."""
    return json.dumps({"scans": scans}).encode()


def by_standard(
    body: bytes, message_id: str, at: datetime, secret: str = GENERIC_SECRET
) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    second = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(second),
        "webhook-signature": standard_webhooks.signature([secret], message_id, second, body),
    }
