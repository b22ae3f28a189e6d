"""Links to a customer's page: what they hold, and how they are signed.

A link holds the order's number, the day on which it expires, the number of the key that signed it,
and 128 bits of signature. Who does not have the key can make none, and can change no letter of one.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

LINK_DAYS: Final = 180
"""For so many days after it was made a link is good. Each mail has a new one."""

LinkFault = Literal["changed", "expired", "unknown"]
"""Why a link leads nowhere: a letter of it is another one, its days are over, or its key is not
known any more."""

_SIGNED: Final = 16
_HELD: Final = 11  # 2 bytes for the key, 7 for the order, 2 for the day
_FIRST_DAY: Final = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class PageKey:
    """What a link is signed with."""

    key_no: int
    secret: bytes


def link_token(order_no: int, key: PageKey, expires_on: date) -> str:
    """What a link to an order's page ends with: 36 letters, digits, `-` and `_`."""
    days = (expires_on - _FIRST_DAY).days
    held = key.key_no.to_bytes(2, "big") + order_no.to_bytes(7, "big") + days.to_bytes(2, "big")
    return base64.urlsafe_b64encode(held + _signature(held, key.secret)).decode()


def order_of(token: str, keys: Mapping[int, bytes], today: date) -> int | LinkFault:
    """The number of the order that a link is about, or why it leads nowhere.

    `keys`: those that are good, by their numbers. A link is good through the day it expires on.
    """
    try:
        whole = base64.b64decode(token.encode("ascii"), b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return "changed"
    held, signature = whole[:_HELD], whole[_HELD:]
    if len(signature) != _SIGNED:
        return "changed"
    secret = keys.get(int.from_bytes(held[:2], "big"))
    if secret is None:
        return "unknown"
    if not hmac.compare_digest(signature, _signature(held, secret)):
        return "changed"
    if _FIRST_DAY + timedelta(days=int.from_bytes(held[9:], "big")) < today:
        return "expired"
    return int.from_bytes(held[2:9], "big")


def _signature(held: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"orderloom page " + held, "sha256")[:_SIGNED]
