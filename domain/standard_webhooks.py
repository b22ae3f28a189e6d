"""Messages that are signed by Standard Webhooks, as ours are and as others may send theirs here.

`webhook-id`, `webhook-timestamp` and the body are signed together, so that an old message cannot be
sent again as a new one. The secret is `whsec_` and then base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from domain.errors import InvalidInput

WHSEC: Final = "whsec_"
TOLERANCE: Final = timedelta(minutes=5)
"""A message that was signed longer ago, or so far in the future, is refused."""

ID_CHARACTERS_MAX: Final = 255
_SIGNATURES_MAX: Final = 10
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_SECOND: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class Signed(NamedTuple):
    """What is signed beside the body."""

    message_id: str
    sent: datetime


def key_bytes(secret: str) -> bytes:
    """The bytes of a secret. Raises InvalidInput."""
    try:
        return base64.b64decode(secret.removeprefix(WHSEC), validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInput("is not base64", where="secret") from None


def is_secret(text: str) -> bool:
    """Whether it is `whsec_` and then base64 of 24 to 64 bytes."""
    try:
        return text.startswith(WHSEC) and 24 <= len(key_bytes(text)) <= 64
    except InvalidInput:
        return False


def signature(secrets: Sequence[str], message_id: str, second: int | str, body: bytes) -> str:
    """The header `webhook-signature`: a signature for each secret."""
    return " ".join(f"v1,{_code(secret, message_id, str(second), body)}" for secret in secrets)


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], *, now: datetime
) -> Signed:
    """Read what is signed. `headers`: their names in small letters.

    Raises InvalidInput unless it was signed a moment ago with one of the secrets. No error repeats
    a header.
    """
    message_id, second = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or len(message_id) > ID_CHARACTERS_MAX or not _SECOND.fullmatch(second):
        raise InvalidInput(
            "must come with webhook-id and webhook-timestamp, in seconds", where="signature"
        )
    given = headers.get("webhook-signature", "").split()[:_SIGNATURES_MAX]
    theirs = [one.removeprefix("v1,").encode("utf-8", "replace") for one in given]
    ours = [_code(secret, message_id, second, body).encode() for secret in secrets]
    # Every pair is compared in constant time, so that the duration reveals nothing.
    matches = [hmac.compare_digest(a, b) for a in ours for b in theirs]
    if not any(matches):
        raise InvalidInput("was not made with a secret that is known here", where="signature")
    sent = datetime.fromtimestamp(min(int(second), _LAST_SECOND), UTC)
    if abs(now - sent) > TOLERANCE:
        raise InvalidInput(
            f"counts for {TOLERANCE.total_seconds():.0f} s; sign it again as it is sent again",
            where="signature",
        )
    return Signed(message_id, sent)


def _code(secret: str, message_id: str, second: str, body: bytes) -> str:
    content = b".".join((message_id.encode(), second.encode(), body))
    return base64.b64encode(hmac.digest(key_bytes(secret), content, hashlib.sha256)).decode()
