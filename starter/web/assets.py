"""Files that pages load, named after a digest of their content, so that they are kept for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from domain.looks import picture
from domain.sellers import Seller

FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_GROUND: Final = (Path(__file__).parent / "ground.css").read_bytes()
_COLOUR: Final = "#1f4f82"


class Asset(NamedTuple):
    """A file as it is served."""

    name: str
    media_type: str
    content: bytes


class Assets:
    """The files of some folders, by the names under which they are served.

    `frame`: the style sheet that each page loads first. It begins with what all pages share.
    """

    def __init__(self, *folders: Path, frame: str) -> None:
        files = [file for folder in folders if folder.is_dir() for file in folder.iterdir()]
        found = [
            _named(file.stem, file.suffix, _GROUND * (file.name == frame) + file.read_bytes())
            for file in files
        ]
        self._by_name = {one.name: one for one in found}
        self.names = {f"{one.name.split('.')[0]}{Path(one.name).suffix}": one.name for one in found}
        """page.css → the name under which it is served."""

    @property
    def all(self) -> tuple[Asset, ...]:
        """All of them."""
        return tuple(self._by_name.values())

    def get(self, name: str) -> Asset | None:
        """The file of this name; None: there is none, or its content is another one by now."""
        return self._by_name.get(name)


def colours(seller: Seller | None) -> Asset:
    """The style sheet with a seller's colour. No style stands in a page itself."""
    colour = (seller.looks.colour if seller else None) or _COLOUR
    return _named("colour", ".css", f":root {{ --brand: {colour}; }}\n".encode())


def logo(seller: Seller | None) -> Asset | None:
    """A seller's logo, where it has one."""
    if seller is None or seller.looks.logo is None:
        return None
    kind, content = picture(seller.looks.logo)
    return Asset(f"logo.{_digest(content)}.{kind.partition('/')[2]}", kind, content)


def _named(stem: str, suffix: str, content: bytes) -> Asset:
    return Asset(f"{stem}.{_digest(content)}{suffix}", _KINDS[suffix], content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
