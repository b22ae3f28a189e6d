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
from domain.fulfilment.tracking import SCANS_MAX, CarrierStatus

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

# A failure for one of these reasons loses no parcel, so nothing is to be replaced or paid back.
_PASSING: Final = frozenset(
    (
        *("address_correction", "awaiting_information", "delayed", "delivery_exception", "held"),
        *("missorted", "transit_exception", "weather_delay"),
    )
)
_COMING_BACK: Final = frozenset({"refused", "return"})
_MOVING: Final = frozenset(
    ("in_transit", "out_for_delivery", "available_for_pickup", "delivered", "return_to_sender")
)
"""A tracker that has one of these now has not lost its parcel, whatever an earlier scan says."""

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
    found = tracker.get("tracking_details") or []
    if not isinstance(found, list) or len(found) > SCANS_MAX:
        raise InvalidInput(
            f"must be a list of {SCANS_MAX} scans at most", where="result.tracking_details"
        )
    details = [one if isinstance(one, dict) else {} for one in found]
    status = tracker.get("status")
    is_found = isinstance(status, str) and status in _MOVING
    scans = [of_parcel | _scan(one, is_found=is_found) for one in details]
    if isinstance(status, str) and status not in [one.get("status") for one in details]:
        # The tracker is further than its scans, or has none: once for each status.
        ours, said = _as_ours(status, tracker.get("status_detail"), is_found=is_found)
        name = _digest("tracker", tracker.get("id"), status, ours)
        at = tracker.get("updated_at") or event.get("created_at")
        scans.append(of_parcel | _generic(name, ours, at, said))
    return scans


def _scan(detail: Mapping[str, Any], *, is_found: bool) -> dict[str, Any]:
    at, message = detail.get("datetime"), detail.get("message")
    ours, word = _as_ours(detail.get("status"), detail.get("status_detail"), is_found=is_found)
    place = detail.get("tracking_location")
    parts = place if isinstance(place, dict) else {}
    where = [parts.get(part) for part in ("city", "state", "country")]
    there = " ".join(part for part in where if isinstance(part, str))
    said = ", ".join(part for part in (message, there) if isinstance(part, str) and part)
    name = _digest(detail.get("status"), ours, at, message)
    return _generic(name, ours, at, ": ".join(part for part in (word, said) if part))


def _as_ours(status: Any, reason: Any, *, is_found: bool) -> tuple[Any, str]:
    """Our word, and theirs where it says more. What is no word at all stays as it came.

    `is_found`: by now it is known where the parcel is, so a failure was none.
    """
    if not isinstance(status, str):
        return status, ""
    if status == "failure":
        told = f"{status}, {reason}" if isinstance(reason, str) else status
        if is_found or (isinstance(reason, str) and reason in _PASSING):
            return "in_transit", told
        if isinstance(reason, str) and reason in _COMING_BACK:
            return "return_to_sender", told
    ours = STATUSES.get(status, "unknown")
    return ours, status if ours != status else ""


def _generic(event_id: str, status: Any, at: Any, detail: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "status": status,
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
    theirs = (_PREFIX + header.strip().lower().removeprefix(_PREFIX)).encode("utf-8", "replace")
    # All are compared, each in constant time, so that the duration reveals nothing.
    matches = [hmac.compare_digest(theirs, sign(content, one).encode()) for one in secrets]
    return any(matches)


def _time(text: str) -> datetime:
    """By RFC 2822: `Tue, 19 Aug 2025 20:37:09 -0000`."""
    try:
        in_numbers = text.strip().replace("GMT", "+0000")
        return datetime.strptime(in_numbers, "%a, %d %b %Y %H:%M:%S %z")
    except ValueError:
        raise InvalidInput(
            "must come with x-timestamp, such as Tue, 19 Aug 2025 20:37:09 -0000",
            where="signature",
        ) from None
