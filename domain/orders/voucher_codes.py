"""The codes of vouchers and gift cards: whoever has one can spend it, so only its digest is kept.

A code is the letter V, by which it is told from the number of a bank's card, 18 letters and digits
of 90 random bits, and a check digit, by which a slip of the pen is told from a code that nobody
has: `V7K3-MQ9T-X2F8-BW4H-N5C6`. A password needs a slow hash, because people choose words that can
be guessed; nobody tries 90 random bits, however fast.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from domain.orders.providers import BY_CODE

RANDOM_BYTES: Final = 12
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("OIL", "011", "- \t")
"""Letters that look like digits are read as these. Dashes and blanks do not matter."""
_CODE: Final = re.compile(f"V[{_LETTERS}]{{19}}", re.ASCII)
_KEPT: Final = re.compile("sha256:[0-9a-f]{64}", re.ASCII)


def code_of(random: bytes) -> str:
    """The code that these random bytes make, as people write it."""
    number = int.from_bytes(random[:RANDOM_BYTES])
    body = "V" + "".join(_LETTERS[number >> 5 * place & 31] for place in range(18))
    code = body + _check_digit(body)
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def is_code(text: str) -> bool:
    """Whether it can be a code: none that was written wrong in one place can."""
    code = _plain(text)
    return _CODE.fullmatch(code) is not None and _check_digit(code[:19]) == code[19]


def is_kept(text: str) -> bool:
    """Whether it is what is kept of a code, which nobody may pay with."""
    return _KEPT.fullmatch(text) is not None


def kept(text: str) -> str:
    """What is kept of a code: a digest, of which nobody finds the code again."""
    return f"sha256:{hashlib.sha256(_plain(text).encode()).hexdigest()}"


def kept_if_code(token: str) -> str:
    """The token, or what is kept of it if it is a code."""
    return kept(token) if is_code(token) else token


def without_codes(document: Mapping[str, Any]) -> dict[str, Any]:
    """An order's document as it is kept: of codes only the digest.

    Whatever stands there is taken for a code, so that nobody can pay with a digest.
    """
    return {
        **document,
        "payment": _without(document["payment"]),
        "tenders": [_without(tender) for tender in document["tenders"]],
    }


def last_four(code: str) -> str:
    """Its end, by which people tell it from others."""
    return _plain(code)[-4:]


def _without(payment: Mapping[str, Any]) -> Mapping[str, Any]:
    if payment["provider"] not in BY_CODE:
        return payment
    return {**payment, "token": kept(payment["token"])}


def _plain(text: str) -> str:
    return text.upper().translate(_READ_AS)


def _check_digit(body: str) -> str:
    """By Luhn's rule for 32 letters: it finds each wrong letter, and most that changed places."""
    total = 0
    for place, letter in enumerate(reversed(body)):
        value = _LETTERS.index(letter) * (2 - place % 2)
        total += value // 32 + value % 32
    return _LETTERS[-total % 32]
