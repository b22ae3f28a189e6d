"""Writes interchanges: one group with one document in each, so that one can be sent again alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from domain.edi.parsed import Separators
from domain.edi.partners import Partner
from domain.edi.rules import GROUPS
from domain.letters import nearest_ascii

CONTROL_MAX: Final = 999_999_999
"""Control numbers have nine digits, and begin again at 1 after the last."""

SET_CONTROL: Final = "0001"
"""A document's number in its group; there is one."""

Element = str | int | Decimal | date
Written = tuple[Element, ...]
"""A segment that is to be written: its name, then its elements."""


def interchange(
    partner: Partner, code: str, control: int, segments: Sequence[Written], *, at: datetime
) -> bytes:
    """One document, as it goes over the wire. `segments`: those between ST and SE."""
    body: list[Written] = [("ST", code, SET_CONTROL), *segments]
    body.append(("SE", len(body) + 1, SET_CONTROL))
    return envelope(partner, control, [(GROUPS[code], body)], at=at)


def envelope(
    partner: Partner, control: int, groups: Iterable[tuple[str, Sequence[Written]]], *, at: datetime
) -> bytes:
    """Groups, each with the transaction sets in it, ST to SE; or with none: the empty kind."""
    marks = partner.separators.marks
    lines = [_isa(partner, control, at)]
    count = 0
    for kind, body in groups:
        if not kind:  # A TA1 stands in no group.
            lines += [_segment(one, marks) for one in body]
            continue
        count += 1
        ours, theirs = partner.ours.group_id, partner.theirs.group_id
        day, time = f"{at:%Y%m%d}", f"{at:%H%M}"
        head = ("GS", kind, ours, theirs, day, time, control, "X", partner.version)
        sets = sum(one[0] == "ST" for one in body)
        lines += [_segment(one, marks) for one in (head, *body, ("GE", sets, control))]
    lines.append(_segment(("IEA", count, f"{control:09}"), marks))
    end = marks.segment + ("" if marks.segment in "\r\n" else "\n")
    return "".join(f"{line}{end}" for line in lines).encode("ascii")


def _isa(partner: Partner, control: int, at: datetime) -> str:
    """The header of fixed width."""
    marks = partner.separators.marks
    later = partner.version >= "005010"
    return marks.element.join(
        (
            *("ISA", "00", " " * 10, "00", " " * 10),
            *(partner.ours.qualifier, f"{partner.ours.id:<15}"),
            *(partner.theirs.qualifier, f"{partner.theirs.id:<15}"),
            *(f"{at:%y%m%d}", f"{at:%H%M}", partner.separators.repetition if later else "U"),
            *("00501" if later else "00401", f"{control:09}", "0"),
            *("T" if partner.test else "P", marks.component),
        )
    )


def _segment(elements: Written, marks: Separators) -> str:
    """A segment without the empty elements at its end."""
    texts = [_text(element, marks) for element in elements]
    while not texts[-1]:
        del texts[-1]
    return marks.element.join(texts)


def _text(element: Element, marks: Separators) -> str:
    if isinstance(element, date):
        return f"{element:%Y%m%d}"
    if isinstance(element, Decimal):
        return number(element)
    return plain(str(element), marks)


def number(value: Decimal) -> str:
    """A number without needless zeros: 12.50 is 12.5."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(text: str, marks: Separators) -> str:
    """A text in the letters that X12 has, without separators: a blank stands for each."""
    spelled = nearest_ascii(text, ideographs=True)
    kept = (one if " " <= one <= "~" and one not in marks else " " for one in spelled)
    return " ".join("".join(kept).split())


def cut(text: str, longest: int) -> str:
    """A text of so many letters at most, as they are written."""
    return " ".join(nearest_ascii(text, ideographs=True).split())[:longest].rstrip()
