"""What an interchange consists of, as it was read: groups of documents, documents of segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

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
    """Documents of one kind, GS to GE. `declared`: how many there are, as its trailer says.

    `sender`, `receiver`: their codes in GS, which can differ from their ids in ISA.
    """

    kind: str
    sender: str
    receiver: str
    control: str
    version: str
    sets: tuple[TransactionSet, ...]
    declared: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Interchange:
    """What one partner has sent to another. Each party is a qualifier and an id.

    `wants_receipt`: its sender asks for a TA1. `receipts`: each TA1 in it, about an interchange of
    the other side. `findings`: with one, nothing in it may be acted on, because a part of it may be
    missing.
    """

    sender: tuple[str, str]
    receiver: tuple[str, str]
    day: str
    time: str
    control: str
    test: bool
    separators: Separators
    groups: tuple[Group, ...]
    wants_receipt: bool = False
    receipts: tuple[Segment, ...] = ()
    findings: tuple[Finding, ...] = ()
