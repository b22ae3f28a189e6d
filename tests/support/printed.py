"""What is to be read on a PDF of ours: its streams are not compressed, and its fonts are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from reportlab.pdfbase._glyphlist import _glyphname2unicode

_FONT = re.compile(rb"<<\n/BaseFont(?P<font>.*?)/Type /Font\n", re.DOTALL)
_STREAM = re.compile(rb"\nstream\n(.*?)endstream", re.DOTALL)
# A font is chosen, a string is shown, a line ends.
_STEP = re.compile(rb"/(?P<font>F\d+) [\d.]+ Tf|\((?P<text>(?:\\.|[^\\)])*)\) Tj|(?P<end>T\*)")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

Decode = Callable[[bytes], str]


def pages(pdf: bytes) -> list[str]:
    """The text of each page, line by line as it was drawn."""
    decoders = dict(_decoders(pdf))
    return ["".join(_text(stream[1], decoders)) for stream in _STREAM.finditer(pdf)]


def _text(stream: bytes, decoders: dict[bytes, Decode]) -> Iterator[str]:
    decode: Decode = bytes.decode
    for step in _STEP.finditer(stream):
        if step["font"]:
            decode = decoders[step["font"]]
        elif step["end"]:
            yield "\n"
        else:
            yield decode(_ESCAPE.sub(_unescaped, step["text"]))


def _unescaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    return bytes([int(what, 8)]) if len(what) == 3 else _CONTROL.get(what, what)


def _decoders(pdf: bytes) -> Iterator[tuple[bytes, Decode]]:
    for found in _FONT.finditer(pdf):
        font = found["font"]
        name = re.search(rb"/Name /(F\d+)", font)
        assert name is not None
        if b"UCS2" in font:
            yield name[1], lambda text: text.decode("utf-16-be")
        else:
            yield name[1], _western(font)


def _western(font: bytes) -> Decode:
    codes = {code: bytes([code]).decode("cp1252", errors="replace") for code in range(256)}
    differences = re.search(rb"/Differences \[(.*?)\]", font, re.DOTALL)
    code = 0
    for word in differences[1].split() if differences else []:
        if word.startswith(b"/"):
            codes[code] = chr(_glyphname2unicode[word[1:].decode()])
            code += 1
        else:
            code = int(word)
    return lambda text: "".join(codes[code] for code in text)
