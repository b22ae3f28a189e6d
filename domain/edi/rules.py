"""Which segments and elements a document must have, so that it can be read: X12's dictionary.

Only what is read here stands in these tables. A segment that they do not name is passed over,
because partners send much that nobody here asks for, and the standard allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from domain.edi.parsed import Finding, Group, Segment, TransactionSet


class Agreed(NamedTuple):
    """What is agreed of all documents of a partner.

    `taken`: the kinds that it may send. `sender`, `receiver`: the codes in GS; empty: any.
    `charset`: the letters of its texts.
    """

    taken: frozenset[str]
    sender: str = ""
    receiver: str = ""
    charset: str = "latin-1"


class _Element(NamedTuple):
    """`number`: in X12's dictionary. `kind`: AN text, ID code, R and N numbers, DT day, TM time."""

    number: int
    needed: bool
    kind: str
    shortest: int
    longest: int


def _elements(text: str) -> tuple[_Element, ...]:
    """`353 M ID 2 2, …`: an element after the other."""
    found = []
    for part in text.split(","):
        number, need, kind, shortest, longest = part.split()
        found.append(_Element(int(number), need == "M", kind, int(shortest), int(longest)))
    return tuple(found)


_PRODUCT: Final = ", 235 O ID 2 2, 234 O AN 1 48" * 5
_PRICED: Final = "350 O AN 1 20, {} M R 1 15, 355 O ID 2 2, 212 O R 1 17, 639 O ID 2 2" + _PRODUCT

SEGMENTS: Final = {
    "ST": _elements("143 M ID 3 3, 329 M AN 4 9"),
    "BEG": _elements("353 M ID 2 2, 92 M ID 2 2, 324 M AN 1 22, 328 O AN 1 30, 373 M DT 8 8"),
    "BCH": _elements(
        "353 M ID 2 2, 92 M ID 2 2, 324 M AN 1 22, 328 O AN 1 30, 327 O AN 1 8, 373 M DT 8 8"
    ),
    "BCA": _elements("353 M ID 2 2, 587 M ID 2 2, 324 M AN 1 22"),
    "BAK": _elements("353 M ID 2 2, 587 M ID 2 2, 324 M AN 1 22, 373 M DT 8 8"),
    "BSN": _elements("353 M ID 2 2, 396 M AN 2 30, 373 M DT 8 8, 337 M TM 4 8"),
    "BIG": _elements("373 M DT 8 8, 76 M AN 1 22, 373 O DT 8 8, 324 O AN 1 22"),
    "CUR": _elements("98 M ID 2 3, 100 M ID 3 3"),
    "DTM": _elements("374 M ID 3 3, 373 O DT 8 8"),
    "N1": _elements("98 M ID 2 3, 93 O AN 1 60, 66 O ID 1 2, 67 O AN 2 80"),
    "N3": _elements("166 M AN 1 55, 166 O AN 1 55"),
    "N4": _elements("19 O AN 2 30, 156 O ID 2 2, 116 O ID 3 15, 26 O ID 2 3"),
    "PO1": _elements(_PRICED.format(330)),
    "IT1": _elements(_PRICED.format(358)),
    "POC": _elements(
        "350 O AN 1 20, 670 M ID 2 2, 330 O R 1 15, 671 O R 1 9, 355 O ID 2 2, 212 O R 1 17, "
        "639 O ID 2 2" + _PRODUCT
    ),
    "ACK": _elements("668 M ID 2 2, 380 O R 1 15, 355 O ID 2 2, 374 O ID 3 3, 373 O DT 8 8"),
    "HL": _elements("628 M AN 1 12, 734 O AN 1 12, 735 M ID 1 2"),
    "LIN": _elements("350 O AN 1 20, 235 M ID 2 2, 234 M AN 1 48"),
    "SN1": _elements("350 O AN 1 20, 382 M R 1 10, 355 M ID 2 2"),
    "PRF": _elements("324 M AN 1 22"),
    "TDS": _elements("610 M N 1 15"),
    "CTT": _elements("354 M N 1 6"),
    "AMT": _elements("522 M ID 1 3, 782 M R 1 18"),
    "AK1": _elements("479 M ID 2 2, 28 M N 1 9"),
    "AK2": _elements("143 M ID 3 3, 329 M AN 4 9"),
    "AK5": _elements("717 M ID 1 1"),
    "AK9": _elements("715 M ID 1 1, 97 M N 1 6, 123 M N 1 6, 2 M N 1 6"),
    "SE": _elements("96 M N 1 10, 329 M AN 4 9"),
}

GROUPS: Final = {
    "850": "PO",
    "855": "PR",
    "856": "SH",
    "810": "IN",
    "860": "PC",
    "865": "CA",
    "997": "FA",
}
"""The kind of the group in which each document goes."""

NEEDED: Final = {
    "850": ("BEG", "PO1"),
    "860": ("BCH",),
    "855": ("BAK",),
    "856": ("BSN", "HL", "PRF"),
    "810": ("BIG", "TDS"),
    "865": ("BCA",),
    "997": ("AK1", "AK9"),
}
"""The segments without which a document says nothing."""

_BEGINNINGS: Final = {
    "850": "BEG",
    "860": "BCH",
    "855": "BAK",
    "865": "BCA",
    "856": "BSN",
    "810": "BIG",
}
_NUMBERED: Final = {"850": "PO1"}
_COUNTED: Final = {"850": "PO1", "855": "PO1", "860": "POC", "865": "POC", "810": "IT1"}
VERSIONS: Final = ("004010", "005010")


def group_findings(group: Group, agreed: Agreed) -> Iterator[Finding]:
    """What is wrong with a group beside its counts: its kind, its version, and its parties."""
    for place, code, wanted in (
        (2, group.sender, agreed.sender),
        (3, group.receiver, agreed.receiver),
    ):
        if wanted and code != wanted:
            what = f"names {code or 'nobody'}, and {wanted} is agreed"
            do = "put each partner's documents into its own interchange"
            yield Finding("group", "", what, do, "GS", element=place)
    if group.kind not in GROUPS.values():
        kinds = ", ".join(sorted(GROUPS.values()))
        yield Finding(
            "group", "1", f"is of the kind {group.kind}", f"send one of {kinds}", "GS", element=1
        )
    if not re.fullmatch("[0-9]{1,9}", group.control):
        what = f"has the control number {group.control[:20]!r}"
        yield Finding("group", "6", what, "write one to nine digits", "GS", element=6)
    if group.version[:6] not in VERSIONS:
        yield Finding(
            *("group", "2", f"is of version {group.version}", f"send {' or '.join(VERSIONS)}"),
            *("GS", 0, 8),
        )


def set_findings(group: Group, one: TransactionSet, agreed: Agreed) -> Iterator[Finding]:
    """What is wrong with a document."""
    taken = agreed.taken
    yield from one.findings
    if one.code not in taken or GROUPS.get(one.code) != group.kind:
        some = ", ".join(sorted(taken))
        what = f"is a {one.code} in a group {group.kind}"
        yield Finding("set", "1", what, f"this partner may send {some}", "ST", 1, 1)
        return
    tags = {segment.tag for segment in one.segments}
    for tag in NEEDED[one.code]:
        if tag not in tags:
            number = len(one.segments)
            yield Finding("segment", "3", f"{tag} is missing", f"send {tag}", tag, number)
    for segment in one.segments:
        yield from _segment_findings(segment, agreed.charset)
    yield from _numbered_twice(one)
    yield from _miscounted(one)


def _segment_findings(segment: Segment, charset: str) -> Iterator[Finding]:
    for position, rule in enumerate(SEGMENTS.get(segment.tag, ()), start=1):
        value = segment.at(position)
        found = _wrong(rule, value, charset)
        if found is not None:
            code, what, do = found
            yield Finding(
                *("element", code, what, do, segment.tag),
                *(segment.number, position, value[:99]),
            )
    if not re.fullmatch("[A-Z][A-Z0-9]{1,2}", segment.tag):
        what = f"{segment.tag[:20]!r} is no segment's name"
        yield Finding(
            "segment", "1", what, "see whether the separators are right", "", segment.number
        )


def _wrong(rule: _Element, value: str, charset: str) -> tuple[str, str, str] | None:
    """AK403, what, and what to do; None: nothing is wrong."""
    if not value:
        return ("1", "is missing", "it is needed") if rule.needed else None
    try:
        value = value.encode("latin-1").decode(charset)
    except UnicodeError:
        return "6", f"is not in {charset}", f"write it in {charset}, or agree on other letters"
    if not rule.shortest <= len(value) <= rule.longest:
        code = "5" if len(value) > rule.longest else "4"
        most = f"{rule.shortest} to {rule.longest} are allowed"
        return code, f"has {len(value)} characters", most
    if any(ord(letter) < 32 or 126 < ord(letter) < 160 for letter in value):
        return "6", "has a character that no text has", "leave control characters out"
    return _wrong_number(rule.kind, value)


def _wrong_number(kind: str, value: str) -> tuple[str, str, str] | None:
    match kind:
        case "DT" if not is_day(value):
            return "8", f"{value} is no day", "write YYYYMMDD"
        case "R" if number_of(value) is None:
            return "6", f"{value[:20]!r} is no number", "write digits, and a point before decimals"
        case "N" if not re.fullmatch("-?[0-9]+", value):
            return "6", f"{value[:20]!r} is no whole number", "write digits"
        case _:
            return None


def _numbered_twice(one: TransactionSet) -> Iterator[Finding]:
    """The standard allows it; but an answer by lines would be of no line in particular."""
    tag, seen = _NUMBERED.get(one.code), set[str]()
    for segment in one.segments:
        if segment.tag == tag and segment.at(1):
            if segment.at(1) in seen:
                what = f"line {segment.at(1)} is there twice"
                yield Finding(
                    *("element", "7", what, "number each line differently", segment.tag),
                    *(segment.number, 1, segment.at(1)),
                )
            seen.add(segment.at(1))


def _miscounted(one: TransactionSet) -> Iterator[Finding]:
    """CTT01 counts the lines: where there are fewer, some may be lost."""
    tag = _COUNTED.get(one.code)
    lines = sum(segment.tag == tag for segment in one.segments)
    for segment in one.segments:
        told = segment.at(1)
        if tag and segment.tag == "CTT" and told.isdecimal() and int(told) != lines:
            what = f"counts {told} lines, and there are {lines}"
            again = "send the document again"
            yield Finding("element", "7", what, again, "CTT", segment.number, 1, told)


def is_day(text: str) -> bool:
    """Whether it is a day as X12 writes it."""
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007  # a day has no time zone
    except ValueError:
        return False
    return len(text) == 8


def number_of(text: str) -> Decimal | None:
    """A number with decimals as X12 writes it; None where it is none."""
    try:
        found = Decimal(text) if re.fullmatch(r"-?[0-9]*\.?[0-9]*", text) else None
    except InvalidOperation:
        return None
    return found


def reference_of(one: TransactionSet) -> str:
    """The number that a document is about: an order's, a shipment's or an invoice's; or empty."""
    tag = _BEGINNINGS.get(one.code)
    place = {"856": 2, "810": 2}.get(one.code, 3)
    return next((found.at(place) for found in one.segments if found.tag == tag), "")
