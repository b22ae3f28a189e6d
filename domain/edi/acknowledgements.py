"""The functional acknowledgement, 997: it says that a document can be read, and not that it suits.

And TA1, which says that the envelope itself is at fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from domain.edi.parsed import Finding, Group, Interchange, Segment, TransactionSet
from domain.edi.rules import SEGMENTS, Agreed, group_findings, set_findings
from domain.edi.written import Written

_DUPLICATE: Final = "025"
"""TA105: this control number was used before."""

_FINDINGS_MAX: Final = 50
"""So many of a document are told: the rest would be of the same kind."""


@dataclass(frozen=True)
class Judged:
    """A document, and what is wrong with it."""

    document: TransactionSet
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class JudgedGroup:
    """A group, what is wrong with it, and its documents. With a fault of its own, none is taken."""

    group: Group
    findings: tuple[Finding, ...]
    documents: tuple[Judged, ...]

    @property
    def taken(self) -> Iterator[TransactionSet]:
        """The documents that are acted on."""
        if not self.findings:
            yield from (one.document for one in self.documents if not one.findings)


def judge(interchange: Interchange, agreed: Agreed) -> list[JudgedGroup]:
    """Every group and document, with what is wrong."""
    return [
        JudgedGroup(
            group,
            (*group.findings, *group_findings(group, agreed)),
            tuple(Judged(one, tuple(set_findings(group, one, agreed))) for one in group.sets),
        )
        for group in interchange.groups
    ]


def acknowledgement(judged: JudgedGroup) -> list[Written]:
    """The 997 of a group, ST and SE left out."""
    group = judged.group
    body: list[Written] = [("AK1", group.kind, group.control)]
    for one in judged.documents:
        body.append(("AK2", one.document.code, one.document.control))
        body += _details(one.findings)
        codes = [found.code for found in one.findings if found.level == "set"]
        if any(found.level in ("segment", "element") for found in one.findings):
            codes.append("5")
        refused = bool(one.findings or judged.findings)
        body.append(("AK5", "R" if refused else "A", *codes[:5]))
    accepted = len(list(judged.taken))
    declared = group.declared if group.declared.isdecimal() else str(len(group.sets))
    codes = [found.code for found in judged.findings if found.code]
    body.append(
        ("AK9", _verdict(judged, accepted), declared[:6], len(group.sets), accepted, *codes[:5])
    )
    return body


def _verdict(judged: JudgedGroup, accepted: int) -> str:
    if judged.findings or not accepted:
        return "R"
    return "A" if accepted == len(judged.documents) else "P"


def _details(findings: Sequence[Finding]) -> Iterator[Written]:
    """AK3 for each segment that is at fault, with AK4 for each of its elements."""
    at: tuple[str, int] | None = None
    told = [found for found in findings if found.level in ("segment", "element")]
    for found in told[:_FINDINGS_MAX]:
        name, number = found.segment or "ZZ", found.number
        if found.level == "segment":
            yield ("AK3", name, number, "", found.code)
            at = None
            continue
        if at != (name, number):
            yield ("AK3", name, number, "", "8")
            at = (name, number)
        rule = SEGMENTS[found.segment][found.element - 1]
        copy = found.value if found.value.isprintable() and found.value.isascii() else ""
        yield ("AK4", found.element, rule.number, found.code, copy)


def envelope_refused(interchange: Interchange, finding: Finding) -> list[Written]:
    """TA1: nothing of this interchange was taken, because its envelope is at fault."""
    return _receipt(interchange, "R", finding.code)


def envelope_taken(interchange: Interchange) -> list[Written]:
    """TA1: its envelope has no fault. For partners who ask for it in ISA14."""
    return _receipt(interchange, "A", "000")


def _receipt(interchange: Interchange, verdict: str, code: str) -> list[Written]:
    return [("TA1", interchange.control, interchange.day, interchange.time, verdict, code)]


def envelope_answer(receipt: Segment) -> tuple[str, str]:
    """What a partner's TA1 says: the control number of our interchange, and why it was not taken.

    The reason is empty where it was.
    """
    refused = receipt.at(4) not in ("A", "E")
    why = f"TA1 {receipt.at(4)} {receipt.at(5)}".strip() if refused else ""
    if receipt.at(5) == _DUPLICATE and refused:
        why += ": it has had this number before. Where it was sent again, the partner has it"
    return receipt.at(1).lstrip("0"), why


@dataclass(frozen=True)
class Answered:
    """What a partner's 997 says of a document of ours. `set_control`: empty, of all in the group.

    `note`: what the partner finds wrong with it.
    """

    group: str
    control: int
    set_control: str
    accepted: bool
    note: str = ""


def answers(document: TransactionSet) -> list[Answered]:
    """What a 997 says."""
    group, control, set_control = "", 0, ""
    notes: list[str] = []
    found: list[Answered] = []
    for segment in document.segments:
        match segment.tag:
            case "AK1":
                group, control = segment.at(1), int(segment.at(2))
            case "AK2":
                set_control, notes = segment.at(2), []
            case "AK3":
                notes.append(f"segment {segment.at(2)} ({segment.at(1)}): code {segment.at(4)}")
            case "AK4":
                notes.append(
                    f"element {segment.at(1)}: code {segment.at(3)} {segment.at(4)}".strip()
                )
            case "AK5":
                accepted = segment.at(1) in ("A", "E")
                codes = [one for one in segment.elements[1:] if one]
                notes += [f"AK5 {' '.join(segment.elements)}"] if codes or not accepted else []
                found.append(Answered(group, control, set_control, accepted, "; ".join(notes)))
            case "AK9" if not found:
                accepted = segment.at(1) in ("A", "E")
                note = "" if accepted else f"AK9 {' '.join(segment.elements)}"
                found.append(Answered(group, control, "", accepted, note))
    return found
