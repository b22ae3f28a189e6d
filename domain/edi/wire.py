"""X12 as it comes over the wire: an interchange of groups, of transaction sets, of segments.

No library on PyPI reads and writes 850, 855, 856 and 810 well: the general ones end at the
envelope, or nobody keeps them. So this module and `written` do it. Sizes are bounded, and nothing
here raises for what a set says: that is a finding, which the 997 tells the sender.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from domain.errors import InvalidInput

INTERCHANGE_BYTES_MAX: Final = 5_000_000
SEGMENTS_MAX: Final = 100_000
ISA_CHARACTERS: Final = 106
"""The one segment of fixed width, with its terminator: the separators are read from it."""

_ISA_WIDTHS: Final = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)

Level = Literal["interchange", "group", "set", "segment", "element"]


class Separators(NamedTuple):
    """The characters that end a segment, and part elements and their components."""

    segment: str = "~"
    element: str = "*"
    component: str = ">"


class Segment(NamedTuple):
    """A segment: its name, its elements, and its number in the set, where ST is 1."""

    tag: str
    elements: tuple[str, ...]
    number: int

    def at(self, position: int) -> str:
        """The element at a position, counted from 1; empty where there is none."""
        return self.elements[position - 1] if position <= len(self.elements) else ""


@dataclass(frozen=True)
class Finding:
    """What is wrong, with X12's own code: AK502, AK905, AK304, AK403 or TA105, by its level.

    `segment`, `number`, `element`: where, as far as it is known. `do`: what its sender can do.
    """

    level: Level
    code: str
    what: str
    do: str
    segment: str = ""
    number: int = 0
    element: int = 0
    value: str = ""

    def __str__(self) -> str:
        place = f"segment {self.number} ({self.segment})" if self.number else self.segment
        place += f", element {self.element}" if self.element else ""
        return f"{f'{place}: ' if place else ''}{self.what}; {self.do}"


@dataclass(frozen=True)
class TransactionSet:
    """One document, ST to SE, both included."""

    code: str
    control: str
    segments: tuple[Segment, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Group:
    """Documents of one kind, GS to GE. `declared`: how many there are, as its trailer says."""

    kind: str
    control: str
    version: str
    sets: tuple[TransactionSet, ...]
    declared: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Interchange:
    """What one partner has sent to another. Each party is a qualifier and an id.

    `findings`: with one, nothing in it may be acted on, because a part of it may be missing.
    """

    sender: tuple[str, str]
    receiver: tuple[str, str]
    day: str
    time: str
    control: str
    test: bool
    separators: Separators
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...] = ()


class Unreadable(InvalidInput):
    """No interchange can be found in the bytes: nobody knows who sent it, or whom to answer."""


def read(raw: bytes) -> Interchange:
    """The interchange in these bytes. Raises Unreadable, with what is wrong and where."""
    header, separators = _header(raw)
    text = raw.lstrip().decode("latin-1")  # Each byte stays one sign until its charset is known.
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
        findings=tuple(_envelope(header[13], trailer, inside, len(groups))),
    )


def _header(raw: bytes) -> tuple[list[str], Separators]:
    """The elements of ISA, with its name first, and the separators that it shows."""
    if len(raw) > INTERCHANGE_BYTES_MAX:
        raise Unreadable(
            f"has {len(raw)} bytes, and an interchange {INTERCHANGE_BYTES_MAX} at most; send its "
            "documents in several",
            where="interchange",
        )
    start = raw.lstrip()[:ISA_CHARACTERS]
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
    control: str, trailer: Segment | None, inside: Sequence[Segment], groups: int
) -> Iterator[Finding]:
    if trailer is None:
        yield Finding(
            "interchange",
            "023",
            "ends before its trailer IEA, so a part of it is missing",
            "send the whole interchange again",
            segment="IEA",
        )
        return
    if trailer.at(2) != control:
        yield Finding(
            "interchange",
            "001",
            f"has the control number {trailer.at(2)}, and ISA has {control}",
            "send it with the same number in both",
            segment="IEA",
            element=2,
        )
    headers = sum(one.tag == "GS" for one in inside)
    if not trailer.at(1).isdecimal() or int(trailer.at(1)) != max(groups, headers):
        yield Finding(
            "interchange",
            "021",
            f"counts {trailer.at(1)} groups, and there are {max(groups, headers)}",
            "send the whole interchange again",
            segment="IEA",
            element=1,
        )


def _groups(inside: Sequence[Segment]) -> Iterator[Group]:
    """Each group; what stands outside of one is a fault of the one before it."""
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
    if trailer is None:
        findings.append(Finding("group", "3", "has no trailer GE", again, segment="GS"))
    else:
        if trailer.at(2) != header.at(6):
            what = f"has the control number {trailer.at(2)}, and GS has {header.at(6)}"
            findings.append(Finding("group", "4", what, again, segment="GE", element=2))
        if trailer.at(1) != str(len(sets)):
            what = f"counts {trailer.at(1)} documents, and there are {len(sets)}"
            findings.append(Finding("group", "5", what, again, segment="GE", element=1))
    declared = trailer.at(1) if trailer else ""
    return Group(header.at(1), header.at(6), header.at(8), sets, declared, tuple(findings))


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
        if trailer.at(1) != str(len(found)):
            fault("4", f"counts {trailer.at(1)} segments, and there are {len(found)}", 1)
    return TransactionSet(header.at(1), header.at(2), tuple(found), tuple(findings))
