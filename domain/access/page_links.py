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

LOOKED_UP_DAYS: Final = 1
"""A link that somebody found by the order's number is good for so many days."""

_SIGNED: Final = 16
_HELD: Final = 11  # 2 bytes for the key, 7 for the order, 2 for the day
_LOOKED_UP: Final = 1 << 55  # in the order's 7 bytes
_FIRST_DAY: Final = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class PageKey:
    """What a link is signed with."""

    key_no: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class PageLink:
    """Where a link leads. `whole`: to the whole page, as the links in mails do.

    Somebody who has looked an order up, by what is printed on each parcel, sees where its parcels
    are, and nothing else.
    """

    order_no: int
    whole: bool = True


def link_token(link: PageLink, key: PageKey, expires_on: date) -> str:
    """What a link to an order's page ends with: 36 letters, digits, `-` and `_`."""
    days = (expires_on - _FIRST_DAY).days
    number = link.order_no | (0 if link.whole else _LOOKED_UP)
    held = key.key_no.to_bytes(2, "big") + number.to_bytes(7, "big") + days.to_bytes(2, "big")
    return base64.urlsafe_b64encode(held + _signature(held, key.secret)).decode()


def order_of(token: str, keys: Mapping[int, bytes], today: date) -> PageLink | LinkFault:
    """The order that a link is about, or why it leads nowhere.

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
    number = int.from_bytes(held[2:9], "big")
    return PageLink(number & ~_LOOKED_UP, whole=not number & _LOOKED_UP)


def _signature(held: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"orderloom page " + held, "sha256")[:_SIGNED]
