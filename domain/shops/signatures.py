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
from datetime import datetime
from typing import Final

from domain import standard_webhooks
from domain.errors import InvalidInput
from domain.shops.access import ShopKind
from domain.standard_webhooks import ID_CHARACTERS_MAX

_PING: Final = re.compile(rb"webhook_id=[0-9]{1,20}", re.ASCII)
_HEADERS: Final[Mapping[ShopKind, tuple[str, str]]] = {
    "shopify": ("x-shopify-hmac-sha256", "x-shopify-topic"),
    "woocommerce": ("x-wc-webhook-signature", "x-wc-webhook-topic"),
}


TEST_TOPIC: Final = "orderloom.test"
"""Of a message that somebody here sends to see whether any arrive: nothing is read of it."""

_TEST_ID: Final = "orderloom-test-"


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
        signed = standard_webhooks.verify(headers, body, secrets, now=now)
        topic = TEST_TOPIC if signed.message_id.startswith(_TEST_ID) else "order"
        return Envelope(signed.message_id, topic, signed.sent)
    signature, topic = (headers.get(name, "") for name in _HEADERS[kind])
    _check([signature], [_hmac(secret.encode(), body) for secret in secrets])
    topic = _short(topic)
    if kind == "shopify" and (given := _short(headers.get("x-shopify-webhook-id", ""))):
        return Envelope(given, topic)
    # WooCommerce has no name for a message: its delivery id is that of a second.
    return Envelope(f"{topic}:{hashlib.sha256(body).hexdigest()}", topic)


def sign_standard(message_id: str, at: datetime, body: bytes, secret: str) -> str:
    """The header `webhook-signature` of a generic message."""
    return standard_webhooks.signature([secret], message_id, int(at.timestamp()), body)


def sign_body(body: bytes, secret: str) -> str:
    """The signature of Shopify, and of WooCommerce."""
    return _hmac(secret.encode(), body)


def signed_test(kind: ShopKind, body: bytes, secret: str, now: datetime) -> Mapping[str, str]:
    """The headers of a message that tries out whether messages of a shop arrive."""
    if kind == "generic":
        message_id = f"{_TEST_ID}{hashlib.sha256(body).hexdigest()[:16]}"
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": sign_standard(message_id, now, body, secret),
        }
    signature, topic = _HEADERS[kind]
    return {signature: sign_body(body, secret), topic: TEST_TOPIC}


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
