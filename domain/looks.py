"""How a seller looks to its customers: its name, logo and colour, and where they find help."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, StringConstraints, ValidationInfo

from domain.fields import Document, Email, Name, Phone, Shape, wrong
from domain.stored import is_stored

LOGO_BYTES_MAX: Final = 24 * 1024
"""A page has 60 KB in all, and a phone in a lift loads it."""

CONTRAST_MIN: Final = 4.5
"""Of text on its ground, by the Web Content Accessibility Guidelines, level AA."""

PictureType = Literal["image/png", "image/jpeg", "image/webp"]
# A picture in SVG can hold a script, and whoever opens it alone would run that.
_BEGINNINGS: Final[dict[PictureType, re.Pattern[bytes]]] = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
_DATA: Final = re.compile(r"data:(image/(?:png|jpeg|webp));base64,([A-Za-z0-9+/]+={0,2})")


class Picture(NamedTuple):
    """A logo as it is sent to a browser."""

    media_type: str
    content: bytes


def picture(logo: str) -> Picture:
    """The file that a `data:` address holds. Raises ValueError where it holds none."""
    found = _DATA.fullmatch(logo)
    if found is None:
        raise ValueError("no data: address of a picture")
    return Picture(found[1], base64.b64decode(found[2], validate=True))


def _small_picture(logo: str, info: ValidationInfo) -> str:
    if is_stored(info):
        return logo
    try:
        kind, content = picture(logo)
    except (ValueError, binascii.Error):
        raise wrong(
            "must be a picture as data:image/png;base64,… (or image/jpeg, image/webp)"
        ) from None
    if not any(
        kind == name and begins.match(content) is not None for name, begins in _BEGINNINGS.items()
    ):
        raise wrong(f"holds no {kind}: the file begins with something else")
    if len(content) > LOGO_BYTES_MAX:
        raise wrong(f"has {len(content):,} bytes; a logo has {LOGO_BYTES_MAX:,} at most")
    return logo


def contrast_with_white(colour: str) -> float:
    """Of a colour such as #0a5c36: 1 for white itself, 21 for black."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def _readable(colour: str, info: ValidationInfo) -> str:
    if is_stored(info):
        return colour
    found = contrast_with_white(colour)
    if found < CONTRAST_MIN:
        raise wrong(
            f"has a contrast of {found:.1f} with the white text that stands on it, and text can "
            f"be read from {CONTRAST_MIN} on: take a darker one"
        )
    return colour.lower()


Logo = Annotated[
    str,
    StringConstraints(max_length=4 * LOGO_BYTES_MAX // 3 + 64),
    AfterValidator(_small_picture),
]
Colour = Annotated[
    str,
    Shape(r"^#[0-9A-Fa-f]{6}$", "a colour such as #0a5c36"),
    AfterValidator(_readable),
]


class Looks(Document):
    """What customers see of a seller. All of it may be missing.

    `display_name`: the shop's name, where it is another than the company's. `logo`: a small PNG,
    JPEG or WebP as a `data:` address. `colour`: white text stands on it. `support_email`,
    `support_phone`: where a customer finds help.
    """

    display_name: Name | None = None
    logo: Logo | None = None
    colour: Colour | None = None
    support_email: Email | None = None
    support_phone: Phone | None = None
