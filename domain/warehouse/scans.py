"""What is scanned, and what is answered: values that runs of every kind share.

A run is one piece of work of one person with a scanner. It has a state, and a pure function that
makes of a state and a scan the next state, an answer, and facts that are to be recorded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from domain.warehouse.codes import as_typed

UNITS_MAX: Final = 99_999
"""Of one scan."""
CODE_MAX: Final = 200

CommandName = Literal[
    "DONE",
    "SHORT",
    "SKIP",
    "UNDO",
    "CANCEL",
    "PRINT",
    "OTHER",
    "TAKE",
    "QTY",
    "POS",
    "REFUSE",
    "BOX",
    "KG",
    "IS",
    "WHY",
    "ALL",
    "OFF",
    "FOUND",
    "PHOTO",
    "NOBODY",
    "ASIDE",
]
WITH_VALUE: Final[tuple[CommandName, ...]] = (
    *("QTY", "POS", "REFUSE", "BOX", "KG"),
    *("IS", "WHY", "OFF", "FOUND", "PHOTO"),
)
"""Commands behind which something stands, such as `OL:QTY:5`."""
_COMMAND: Final = re.compile(r"OL:([A-Z]+)(?::(.*))?\Z", re.IGNORECASE | re.DOTALL)
_SCALES: Final = re.compile(r"(\d{1,6})(?:[.,](\d{1,3}))?\s*(kg|g)\Z", re.IGNORECASE)

Outcome = Literal[
    "good",
    "done",
    "asked",
    "wrong_item",
    "wrong_place",
    "over",
    "unknown",
    "refused",
    "taken",
    "gone",
    "passed",
]
GOOD: Final[frozenset[Outcome]] = frozenset({"good", "done", "asked"})
"""Those with the high tone; all others have the low one."""


@dataclass(frozen=True)
class Command:
    """A code of ours that says what to do, such as `OL:QTY:5`."""

    name: CommandName
    value: str = ""


def command_in(code: str) -> Command | None:
    """The command that a code is, however a keyboard has written it; None: it is none."""
    found = _COMMAND.match(code.strip()) or _COMMAND.match(as_typed(code.strip()))
    if found is None:
        return None
    name, value = found[1].upper(), (found[2] or "").strip()
    known = next((one for one in get_args(CommandName) if one == name), None)
    if known is None or (known in WITH_VALUE) != bool(value):
        return None
    return Command(known, value)


def units_in(text: str) -> int:
    """A number of units as it was typed or scanned; 0 for what is none."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= len(str(UNITS_MAX))
    return int(text) if is_one else 0


def grams_in(text: str) -> int | None:
    """A weight as scales or people write it, in grams: `1.25kg`, `1,25 kg`, `800 g`."""
    found = _SCALES.match(text.strip())
    if found is None:
        return None
    whole, part, unit = int(found[1]), found[2] or "", found[3].lower()
    if unit == "g":
        return whole
    return whole * 1000 + int(part.ljust(3, "0"))


@dataclass(frozen=True)
class Read:
    """A code, and what it was found to be: a command, units of a SKU, a place, or a part.

    `part`: of an order or the like, such as a parcel. `found`: what a kind has looked up for it.
    """

    code: str
    command: Command | None = None
    sku: str | None = None
    units: int = 1
    place: str | None = None
    part: str | None = None
    found: Any = None


class Answer(BaseModel):
    """What a person is told after a scan. `said`: the key of a sentence, with these values."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    said: str
    values: dict[str, str | int] = {}
    """`n` chooses the plural form. `expected` and `scanned` are shown beside each other."""

    @property
    def is_good(self) -> bool:
        """Whether it is what was asked for."""
        return self.outcome in GOOD


class Fact(BaseModel):
    """What has happened to a part in the world, to be recorded through the doors there are."""

    model_config = ConfigDict(frozen=True)

    what: str
    part: str
    at: datetime | None = None
    counted: dict[str, int] | None = None
    said: dict[str, str | int] = {}
    """Whatever else the kind of fact needs."""


class State(BaseModel):
    """Where a run stands. Each kind has its own."""

    model_config = ConfigDict(frozen=True)

    is_over: bool = False

    @property
    def held(self) -> Sequence[str]:
        """The parts that nobody else may work on meanwhile."""
        return ()


S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Turn(Generic[S]):
    """What comes of a scan: the next state, what is said, and what is to be recorded."""

    state: S
    answer: Answer
    facts: Sequence[Fact] = field(default=())


class Scan(BaseModel):
    """A scan as a browser sends it. `seq`: the number within its run, from 1. `scan_id`: its own.

    `at`: when it was scanned; it may have waited for the network.
    """

    model_config = ConfigDict(frozen=True)

    seq: int
    scan_id: str
    code: str
    at: datetime | None = None

    @property
    def mark(self) -> str:
        """By which a repeat is known: a page that is sent again with another code is none.

        Of the code it has too little to tell it: some are secrets.
        """
        return f"{self.scan_id}~{hashlib.sha256(self.code.encode()).hexdigest()[:4]}"


Place = Literal["next", "repeat", "gap", "passed"]


def place_of(last_seq: int, last_mark: str | None, scan: Scan) -> Place:
    """Where a scan stands in the sequence of its run, by number and mark of the last one.

    `repeat`: its answer is kept. `gap`: earlier ones are missing. `passed`: another page or device
    has gone on with the run, so whoever scanned this has seen an old screen.
    """
    if scan.mark == last_mark:
        return "repeat"
    if scan.seq == last_seq + 1:
        return "next"
    return "gap" if scan.seq > last_seq + 1 else "passed"


def say(outcome: Outcome, said: str, **values: str | int) -> Answer:
    """An answer."""
    return Answer(outcome=outcome, said=said, values=values)


def unknown(read: Read) -> Answer:
    """Nobody knows what was scanned."""
    return say("unknown", "unknown", scanned=read.code)


def less(units: Mapping[str, int], taken: Mapping[str, int]) -> dict[str, int]:
    """What is left of units by their names, without what is used up."""
    left = {name: n - taken.get(name, 0) for name, n in units.items()}
    return {name: n for name, n in left.items() if n > 0}


def more(units: Mapping[str, int], added: Mapping[str, int]) -> dict[str, int]:
    """Units by their names, with what is added."""
    return {name: units.get(name, 0) + added.get(name, 0) for name in (*units, *added)}
