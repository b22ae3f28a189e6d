"""How shops sign what they send, so that nobody else can send it.

Shopify and WooCommerce send the base64 of the HMAC-SHA256 of the body. The generic kind is that of
Standard Webhooks: `webhook-id`, `webhook-timestamp` and the body are signed together, so that an
old message cannot be sent again as a new one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.errors import InvalidInput
from domain.shops.connections import ShopKind, key_bytes

TOLERANCE: Final = timedelta(minutes=5)
"""A generic message that was signed longer ago, or so far in the future, is refused."""

ID_CHARACTERS_MAX: Final = 255
_SECOND: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_PING: Final = re.compile(rb"webhook_id=[0-9]{1,20}", re.ASCII)
_HEADERS: Final[Mapping[ShopKind, tuple[str, str]]] = {
    "shopify": ("x-shopify-hmac-sha256", "x-shopify-topic"),
    "woocommerce": ("x-wc-webhook-signature", "x-wc-webhook-topic"),
}


@dataclass(frozen=True)
class Envelope:
    """What a signed message says of itself. `sent`: when, where that is signed, too."""

    message_id: str
    topic: str
    sent: datetime | None = None


def is_ping(kind: ShopKind, body: bytes) -> bool:
    """WooCommerce tries the address as a webhook is saved: a form, unsigned, that says nothing."""
    return kind == "woocommerce" and _PING.fullmatch(body) is not None


def verify(
    kind: ShopKind,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: datetime,
) -> Envelope:
    """What a message says of itself. `headers`: with small letters.

    Raises InvalidInput unless it was signed with one of the secrets. No error repeats a header.
    """
    if kind == "generic":
        return _standard(headers, body, secrets, now)
    signature, topic = (headers.get(name, "") for name in _HEADERS[kind])
    _check([signature], [_hmac(secret.encode(), body) for secret in secrets])
    topic = _short(topic)
    if kind == "shopify" and (given := _short(headers.get("x-shopify-webhook-id", ""))):
        return Envelope(given, topic)
    # WooCommerce has no name for a message: its delivery id is that of a second.
    return Envelope(f"{topic}:{hashlib.sha256(body).hexdigest()}", topic)


def sign_standard(message_id: str, at: datetime, body: bytes, secret: str) -> str:
    """The header `webhook-signature` of a generic message."""
    return f"v1,{_signed(message_id, str(int(at.timestamp())), body, secret)}"


def sign_body(body: bytes, secret: str) -> str:
    """The signature of Shopify, and of WooCommerce."""
    return _hmac(secret.encode(), body)


def _standard(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> Envelope:
    message_id, second = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or len(message_id) > ID_CHARACTERS_MAX or not _SECOND.fullmatch(second):
        raise InvalidInput(
            "must come with webhook-id and webhook-timestamp, in seconds", where="signature"
        )
    given = [part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split()]
    _check(given[:10], [_signed(message_id, second, body, secret) for secret in secrets])
    sent = datetime.fromtimestamp(min(int(second), 253_402_300_799), UTC)
    if abs(now - sent) > TOLERANCE:
        raise InvalidInput(
            f"counts for {TOLERANCE.total_seconds():.0f} s; sign it again as it is sent again",
            where="signature",
        )
    return Envelope(message_id, "order", sent)


def _signed(message_id: str, second: str, body: bytes, secret: str) -> str:
    return _hmac(key_bytes(secret), b".".join((message_id.encode(), second.encode(), body)))


def _hmac(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def _check(given: Sequence[str], expected: Iterable[str]) -> None:
    """Every pair is compared in constant time, so that the duration reveals nothing."""
    theirs = [text.encode("utf-8", "replace") for text in given]
    matches = [hmac.compare_digest(a, b.encode()) for b in expected for a in theirs]
    if not any(matches):
        raise InvalidInput(
            "was not made with a secret that is known here; compare it with the shop's, and "
            "connect the shop again",
            where="signature",
        )


def _short(text: str) -> str:
    return text.strip()[:ID_CHARACTERS_MAX]
