"""How a payment company signs its messages, so that nobody else can send them.

The scheme is Stripe's ("Verify webhook signatures manually"), and the sandbox company's as well:
the header `t=1700000000,v1=5257a8…` holds the second of sending and, once or several times, the
HMAC-SHA256 of `1700000000.<body>` under a secret that both sides know. The check in Stripe's
library takes the time from the clock, accepts times in the future, and fails on a header that is
not ASCII; the tests compare this check with it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.errors import InvalidInput

TOLERANCE: Final = timedelta(minutes=5)
"""A signature that is older, or from further in the future, is refused."""

_HEADER_CHARACTERS_MAX: Final = 4096
_SECOND: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_CODE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def sign(body: bytes, secret: str, *, at: datetime) -> str:
    """The signature header of a body that is sent at a time."""
    second = str(int(at.timestamp()))
    return f"t={second},v1={_code(second, body, secret)}"


def verify(
    body: bytes,
    header: str,
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> None:
    """Raises InvalidInput unless the body was signed a moment ago with one of the secrets.

    There are several while a secret is being replaced. No error repeats the header.
    """
    seconds, codes = _read(header)
    expected = [_code(seconds, body, secret) for secret in secrets]
    # Every pair is compared in constant time, so that the duration reveals nothing.
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in codes]
    if not any(matches):
        raise InvalidInput(
            "was not made with a secret that is known here",
            where="signature",
        )
    age_s = now.timestamp() - int(seconds)
    if abs(age_s) > tolerance.total_seconds():
        raise InvalidInput(
            f"was made {abs(age_s):.0f} s {'ago' if age_s > 0 else 'from now'}, and counts for "
            f"{tolerance.total_seconds():.0f} s; have the company send it again, or set the clock",
            where="signature",
        )


def _read(header: str) -> tuple[str, list[str]]:
    """The time as it was signed, and the codes of the one scheme that counts."""
    parts = [part.strip().partition("=") for part in header[:_HEADER_CHARACTERS_MAX].split(",")]
    times = [value for name, _, value in parts if name == "t"]
    codes = [value for name, _, value in parts if name == "v1" and _CODE.fullmatch(value)]
    if len(times) != 1 or _SECOND.fullmatch(times[0]) is None or not codes:
        raise InvalidInput("must be like t=1700000000,v1=5257a8…", where="signature")
    return times[0], codes


def _code(seconds: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
