"""EasyPost's events about its trackers: how they are signed, and the scans in them.

An event holds the whole tracker, with every scan so far. EasyPost gives scans no ids, so one is
made of what never changes in them, and a scan that comes with each event is known again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.errors import InvalidInput
from domain.fulfilment.tracking import CarrierStatus

NAME: Final = "easypost"
KINDS: Final = ("tracker.created", "tracker.updated")

STATUSES: Final[Mapping[str, CarrierStatus]] = {
    "unknown": "unknown",
    "pre_transit": "pre_transit",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "available_for_pickup": "available_for_pickup",
    "delivered": "delivered",
    "return_to_sender": "return_to_sender",
    "failure": "failure",
    # They say nothing about where the parcel is. The word stays in the scan's detail.
    "cancelled": "unknown",
    "error": "unknown",
}
"""EasyPost's word → ours. A word that is not here is unknown as well, and is kept in the detail."""

OLDEST: Final = timedelta(days=1)
"""How old a signed time may be: repeats may carry the first one's. A repeat does nothing, because
an event is known by its id for longer than that."""

_PREFIX: Final = "hmac-sha256-hex="
_DETAIL_CHARACTERS_MAX: Final = 500


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], *, now: datetime
) -> None:
    """Raises InvalidInput unless it was signed with one of the secrets.

    `X-Hmac-Signature-V2` signs time, method, path and body; `X-Hmac-Signature`, the older one, the
    body alone. One of them is enough. The path is the one that EasyPost has signed: a proxy may
    have changed ours.
    """
    second = headers.get("x-timestamp", "")
    signed = f"{second}POST{headers.get('x-path', '')}".encode() + body
    if _fits(headers.get("x-hmac-signature-v2", ""), signed, secrets):
        if abs(now - _time(second)) > OLDEST:
            raise InvalidInput("was made longer than a day ago", where="signature")
        return
    if not _fits(headers.get("x-hmac-signature", ""), body, secrets):
        raise InvalidInput("was not made with a secret that is known here", where="signature")


def sign(content: bytes, secret: str) -> str:
    """The header that signs some bytes."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return _PREFIX + hmac.new(key, content, hashlib.sha256).hexdigest()


def scans_of(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The scans of an event, in the generic shape, not checked. None where it is of no tracker."""
    if event.get("description") not in KINDS:
        return []
    tracker = event.get("result")
    if not isinstance(tracker, dict):
        raise InvalidInput("must be a tracker", where="result")
    of_parcel = {
        "carrier": tracker.get("carrier"),
        "tracking_number": tracker.get("tracking_code"),
    }
    details = [one for one in tracker.get("tracking_details") or () if isinstance(one, dict)]
    scans = [of_parcel | _scan(one) for one in details]
    status = tracker.get("status")
    if isinstance(status, str) and status not in [one.get("status") for one in details]:
        # The tracker is further than its scans, or has none: once for each status.
        name = _digest("tracker", tracker.get("id"), status)
        at = tracker.get("updated_at") or event.get("created_at")
        scans.append(of_parcel | _as_ours(name, status, at, ""))
    return scans


def _scan(detail: Mapping[str, Any]) -> dict[str, Any]:
    status, at, message = detail.get("status"), detail.get("datetime"), detail.get("message")
    name = _digest(status, at, message)
    place = detail.get("tracking_location")
    parts = [place.get(part) for part in ("city", "state", "country")] if place else []
    where = " ".join(part for part in parts if isinstance(part, str))
    said = ", ".join(part for part in (message, where) if isinstance(part, str) and part)
    return _as_ours(name, status, at, said)


def _as_ours(event_id: str, status: Any, at: Any, detail: str) -> dict[str, Any]:
    ours = STATUSES.get(status, "unknown") if isinstance(status, str) else status
    if isinstance(status, str) and ours != status:
        detail = f"{status}: {detail}" if detail else status
    return {
        "event_id": event_id,
        "status": ours,
        "happened_at": _aware(at),
        "detail": detail[:_DETAIL_CHARACTERS_MAX],
    }


def _aware(at: Any) -> Any:
    """Its times are UTC where a scan has no place that would tell more."""
    try:
        moment = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        return at
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _fits(header: str, content: bytes, secrets: Sequence[str]) -> bool:
    theirs = header.strip().encode("utf-8", "replace")
    # All are compared, each in constant time, so that the duration reveals nothing.
    matches = [hmac.compare_digest(theirs, sign(content, one).encode()) for one in secrets]
    return any(matches)


def _time(text: str) -> datetime:
    """By RFC 2822: `Tue, 19 Aug 2025 20:37:09 -0000`."""
    try:
        return datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S %z")
    except ValueError:
        raise InvalidInput(
            "must come with x-timestamp, such as Tue, 19 Aug 2025 20:37:09 -0000",
            where="signature",
        ) from None
