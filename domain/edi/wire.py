"""X12 as it comes over the wire: an interchange of groups, of transaction sets, of segments.

No library on PyPI reads and writes 850, 855, 856 and 810 well: the general ones end at the
envelope, or nobody keeps them. So this module and `written` do it. Sizes are bounded, and nothing
here raises for what a set says: that is a finding, which the 997 tells the sender.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from domain.edi.parsed import Finding, Group, Interchange, Segment, Separators, TransactionSet
from domain.errors import InvalidInput

INTERCHANGE_BYTES_MAX: Final = 5_000_000
SEGMENTS_MAX: Final = 100_000
ISA_CHARACTERS: Final = 106
"""The one segment of fixed width, with its terminator: the separators are read from it."""

_ISA_WIDTHS: Final = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)

_RECEIPT: Final = "TA1"
_MARK: Final = "\ufeff".encode()
"""The mark at the beginning of some files in UTF-8."""


class Unreadable(InvalidInput):
    """No interchange can be found in the bytes: nobody knows who sent it, or whom to answer."""


def read(raw: bytes) -> Interchange:
    """The interchange in these bytes. Raises Unreadable, with what is wrong and where."""
    raw = beginning(raw)
    header, separators = _header(raw)
    if b"\0" in raw:
        raise Unreadable(
            "has a byte of zeros, which no text has; send it in ASCII",
            where=f"interchange, byte {raw.index(0) + 1}",
        )
    text = raw.decode("latin-1")  # Each byte stays one sign until its charset is known.
    segments = list(_segments(text, separators))
    trailer = segments[-1] if segments[-1].tag == "IEA" else None
    inside = segments[1 : -1 if trailer else None]
    groups = tuple(_groups(inside))
    return Interchange(
        sender=(header[5].strip(), header[6].strip()),
        receiver=(header[7].strip(), header[8].strip()),
        day=header[9],
        time=header[10],
        control=header[13],
        test=header[15] == "T",
        separators=separators,
        groups=groups,
        wants_receipt=header[14] == "1",
        receipts=tuple(one for one in inside if one.tag == _RECEIPT),
        findings=tuple(_envelope(header, trailer, inside, len(groups))),
    )


def beginning(raw: bytes) -> bytes:
    """The bytes from the first one on that can be of an interchange."""
    return raw.lstrip().removeprefix(_MARK).lstrip()


def _header(raw: bytes) -> tuple[list[str], Separators]:
    """The elements of ISA, with its name first, and the separators that it shows."""
    if len(raw) > INTERCHANGE_BYTES_MAX:
        raise Unreadable(
            f"has {len(raw)} bytes, and an interchange {INTERCHANGE_BYTES_MAX} at most; send its "
            "documents in several",
            where="interchange",
        )
    start = raw[:ISA_CHARACTERS]
    if not start.startswith(b"ISA"):
        raise Unreadable(
            f"does not begin with ISA but with {start[:12]!r}: it is no X12, or in a character set "
            "such as UTF-16 or EBCDIC; send it in ASCII",
            where="interchange, byte 1",
        )
    if len(start) < ISA_CHARACTERS:
        raise Unreadable(
            f"ends after {len(start)} of the {ISA_CHARACTERS} characters of ISA: it was cut off; "
            "send it again",
            where="ISA",
        )
    text = start.decode("latin-1")
    separators = Separators(segment=text[105], element=text[3], component=text[104])
    header = text[:105].split(separators.element)
    widths = tuple(len(part) for part in header)
    if widths != _ISA_WIDTHS:
        wrong = next(
            (
                n
                for n, pair in enumerate(zip(widths, _ISA_WIDTHS, strict=False))
                if pair[0] != pair[1]
            ),
            min(len(widths), len(_ISA_WIDTHS)),
        )
        raise Unreadable(
            "is not of its fixed width, so the separators cannot be told; pad ISA's elements with "
            "blanks",
            where=f"ISA, element {wrong}",
        )
    if len(set(separators)) < len(separators) or any(one.isalnum() for one in separators):
        raise Unreadable("uses one separator for two things, or a letter", where="ISA")
    return header, separators


def _segments(text: str, separators: Separators) -> Iterator[Segment]:
    pieces = text.split(separators.segment)
    if len(pieces) > SEGMENTS_MAX:
        raise Unreadable(
            f"has {len(pieces)} segments, and an interchange {SEGMENTS_MAX} at most; send its "
            "documents in several",
            where="interchange",
        )
    for piece in pieces:
        content = piece.strip("\r\n\x1a ") if separators.segment not in "\r\n" else piece.strip()
        if content:
            tag, *elements = content.split(separators.element)
            yield Segment(tag, tuple(elements), 0)


def _envelope(
    header: Sequence[str], trailer: Segment | None, inside: Sequence[Segment], groups: int
) -> Iterator[Finding]:
    control = header[13]
    if header[15] not in ("T", "P"):
        what = f"is marked {header[15]!r}: neither a test nor for production"
        yield Finding("interchange", "020", what, "write T or P", segment="ISA", element=15)
    if not re.fullmatch("[0-9]{9}", control):
        what = f"has the control number {control!r}"
        yield Finding("interchange", "018", what, "write nine digits", segment="ISA", element=13)
    if trailer is None:
        yield Finding(
            "interchange",
            "023",
            "ends before its trailer IEA, so a part of it is missing",
            "send the whole interchange again",
            segment="IEA",
        )
        return
    if not _is_same(trailer.at(2), control):
        yield Finding(
            "interchange",
            "001",
            f"has the control number {trailer.at(2)}, and ISA has {control}",
            "send it with the same number in both",
            segment="IEA",
            element=2,
        )
    yield from _astray(inside)
    headers = sum(one.tag == "GS" for one in inside)
    if not _is_same(trailer.at(1), str(max(groups, headers))):
        yield Finding(
            "interchange",
            "021",
            f"counts {trailer.at(1)} groups, and there are {max(groups, headers)}",
            "send the whole interchange again",
            segment="IEA",
            element=1,
        )


def _astray(inside: Sequence[Segment]) -> Iterator[Finding]:
    """What stands in no group: nobody can tell to which document it belongs."""
    is_open = False
    for number, segment in enumerate(inside, start=2):
        if segment.tag in ("GS", "GE"):
            is_closed_twice = segment.tag == "GE" and not is_open
            is_open = segment.tag == "GS"
        else:
            is_closed_twice = False
        if is_closed_twice or not (is_open or segment.tag in ("GE", _RECEIPT)):
            yield Finding(
                *("interchange", "024", "stands in no group", "send the whole interchange again"),
                *(segment.tag[:20], number),
            )
            return


def _is_same(number: str, other: str) -> bool:
    """Whether two numbers are the same. Some write zeros before them."""
    digits = number.isdecimal() and other.isdecimal() and max(len(number), len(other)) <= 20
    return int(number) == int(other) if digits else number == other


def _groups(inside: Sequence[Segment]) -> Iterator[Group]:
    """Each group. What stands outside of them is a fault of the interchange."""
    header: Segment | None = None
    content: list[Segment] = []
    for segment in inside:
        if segment.tag == "GS":
            if header is not None:
                yield _group(header, content, None)
            header, content = segment, []
        elif segment.tag == "GE" and header is not None:
            yield _group(header, content, segment)
            header, content = None, []
        elif header is not None:
            content.append(segment)
    if header is not None:
        yield _group(header, content, None)


def _group(header: Segment, content: Sequence[Segment], trailer: Segment | None) -> Group:
    sets = tuple(_sets(content))
    findings: list[Finding] = []
    again = "send the whole group again"
    known = sum(len(one.segments) for one in sets)
    if known < len(content):
        what = f"has {len(content) - known} segments outside of its documents"
        findings.append(Finding("group", "", what, again, segment="GS"))
    if trailer is None:
        findings.append(Finding("group", "3", "has no trailer GE", again, segment="GS"))
    else:
        if not _is_same(trailer.at(2), header.at(6)):
            what = f"has the control number {trailer.at(2)}, and GS has {header.at(6)}"
            findings.append(Finding("group", "4", what, again, segment="GE", element=2))
        if not _is_same(trailer.at(1), str(len(sets))):
            what = f"counts {trailer.at(1)} documents, and there are {len(sets)}"
            findings.append(Finding("group", "5", what, again, segment="GE", element=1))
    declared = trailer.at(1) if trailer else ""
    return Group(
        kind=header.at(1),
        sender=header.at(2),
        receiver=header.at(3),
        control=header.at(6),
        version=header.at(8),
        sets=sets,
        declared=declared,
        findings=tuple(findings),
    )


def _sets(content: Sequence[Segment]) -> Iterator[TransactionSet]:
    found: list[Segment] = []
    for segment in content:
        if segment.tag == "ST" and found:
            yield _set(found)
            found = []
        if segment.tag == "ST" or found:
            found.append(segment._replace(number=len(found) + 1))
        if segment.tag == "SE" and found:
            yield _set(found)
            found = []
    if found:
        yield _set(found)


def _set(found: Sequence[Segment]) -> TransactionSet:
    header, trailer = found[0], found[-1]
    findings: list[Finding] = []

    def fault(code: str, what: str, element: int = 0) -> None:
        again = "send the document again"
        number = len(found) if element else 0
        findings.append(Finding("set", code, what, again, "SE", number, element))

    if trailer.tag != "SE":
        fault("2", "has no trailer SE")
    else:
        if trailer.at(2) != header.at(2):
            fault("3", f"has the control number {trailer.at(2)}, and ST has {header.at(2)}", 2)
        if not _is_same(trailer.at(1), str(len(found))):
            fault("4", f"counts {trailer.at(1)} segments, and there are {len(found)}", 1)
    return TransactionSet(header.at(1), header.at(2), tuple(found), tuple(findings))
