"""An order's story for people: each line in their language, and of which kind it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from domain.notifications.event_types import TOLD
from starter.web.desk.reasons import said, step_told, told
from starter.web.words import Words
from store.views.reads import EventRow

Kind = Literal["goods", "money", "people"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_REFUSED: Final = " refused"
_MONEY: Final = frozenset(
    {
        *("authorization ended", "authorization released", "authorization renewed"),
        *("difference resolved", "exchange settled", "goodwill asked for"),
        *("missing units refunded", "paid back more than was charged", "void refused"),
        *("found goods not paid for", "placed as an exchange"),
    }
)
_PEOPLE: Final = frozenset(
    {
        *("cancellation asked for", "erasure asked for", "rejection asked for"),
        *("received", "confirmed", "rejected", "held", "released", "hold ended", "hold extended"),
        *("edited", "cancelled", "closed", "needs attention", "attention resolved"),
        *("person erased", "claim made", "claim decided", "carrier claim", "return requested"),
        *("return approved", "return declined", "return cancelled", "to be sent anew"),
        *("address refused", "note"),
    }
)
_OF_MONEY: Final = ("orderloom.payment.", "orderloom.refund.")
_REQUEST_REFUSED: Final = re.compile(r"[a-z_ ]+ refused")


@dataclass(frozen=True)
class Change:
    """What a line has changed: as it was, and as it is."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """One line. `word`: what happened; `rest`: to what, or which.

    `part`: the parcel that it is about, where the order has several; `units`: its units by line.
    `is_close`: another line beside it has the same minute.
    """

    event: EventRow
    word: str
    rest: str
    part: str = ""
    units: Mapping[str, int] = field(default_factory=dict)
    is_close: bool = False

    @property
    def kind(self) -> Kind:
        """Whether it is about goods, money, or what people have said and decided."""
        if self.word in _PEOPLE:
            return "people"
        if self.word in _MONEY or TOLD.get(self.word, "").startswith(_OF_MONEY):
            return "money"
        return "people" if self.word not in TOLD and self.word.endswith(_REFUSED) else "goods"

    @property
    def changes(self) -> Sequence[Change]:
        """Before and after, of a line that tells it."""
        changes = self.event.data.get("changes")
        found = changes if isinstance(changes, list) else []
        return [
            Change(str(one.get("what", "")), str(one.get("before", "")), str(one.get("after", "")))
            for one in found
            if isinstance(one, dict)
        ]

    def units_told(self, words: Words, skus: Mapping[str, str]) -> str:
        """Its units, such as: 2 × TEA (line 1). `skus`: line → SKU."""
        return ", ".join(
            words("units_of", n=words.number(n), sku=skus.get(line, "?"), line=line)
            for line, n in self.units.items()
        )

    def what(self, words: Words) -> str:
        """What happened, in the reader's language; as it was written, where no sentence is."""
        key = f"storyline_{key_of(self.word)}"
        if words.has(key):
            return words(key)
        if _REQUEST_REFUSED.fullmatch(self.word):
            asked = self.word.removesuffix(_REFUSED)
            key = f"act_{_ACTS.get(asked, asked).replace('_', '-')}"
            return words("storyline_refused", what=words(key) if words.has(key) else asked)
        return self.word

    def why(self, words: Words) -> str:
        """Why it happened. A rule that said no to a request is told by its code."""
        text, rule = self.event.why, f"why_{self.event.data.get('reason', '')}"
        is_told = words.language == "en" or said(words, text) is not None
        return words(rule) if words.has(rule) and not is_told else told(words, text)

    def about(self, words: Words) -> str:
        """To what or which it happened; "": that is said already."""
        if self.word in _OF_STEPS:
            return step_told(words, self.rest)
        keys = (f"{begin}{self.rest.replace(' ', '_')}" for begin in _CODES.get(self.word, ()))
        return next((words(key) for key in keys if words.has(key)), self.rest)


_ACTS: Final = {
    "request_return": "return",
    "match_price": "price-match",
    "resolve_attention": "resolve",
}
"""Requests of which the act has another name."""

_OF_STEPS: Final = frozenset({"needs attention", "attention resolved"})
_CODES: Final[Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(("held", "released", "hold ended"), ("hold_",)),
    "dispute": ("dispute_",),
    "intercepted": ("line_parcel_",),
    "carrier claim": ("claim_", "became_"),
}
"""Lines behind whose colon a code stands → how the keys of its sentences begin."""


def key_of(word: str) -> str:
    """`stock reserved, the rest is backordered` → `stock_reserved_the_rest_is_backordered`."""
    return re.sub(r"\W+", "_", word).strip("_")


def lines_of(events: Iterable[EventRow]) -> list[Line]:
    """The lines of a whole story, in the sequence in which they come."""
    story = list(events)
    parts = {part for event in story if (part := event.data.get("fulfilment_id"))}
    minutes = [event.at.replace(second=0, microsecond=0) for event in story]
    beside = zip([None, *minutes], minutes, [*minutes[1:], None], strict=False)
    return [
        _line(event, several=len(parts) > 1, is_close=minute in (before, after))
        for event, (before, minute, after) in zip(story, beside, strict=True)
    ]


def _line(event: EventRow, *, several: bool, is_close: bool) -> Line:
    word, _, rest = event.what.partition(":")
    line = Line(event, word, rest.strip(), is_close=is_close)
    part = event.data.get("fulfilment_id")
    if not several or not part or part == line.rest:
        return line
    return replace(line, part=part, units=_units(event.data))


def _units(data: Mapping[str, Any]) -> Mapping[str, int]:
    """How many of each line it is about; of a pick, those that were found."""
    units = data.get("picked") if "picked" in data else data.get("units")
    found = units if isinstance(units, dict) else {}
    return {line: n for line, n in found.items() if isinstance(n, int) and n > 0}
