"""An order's story for people: each line in their language, and of which kind it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from domain.notifications.event_types import TOLD
from starter.web.desk.reasons import step_told
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
    """One line. `word`: what happened; `rest`: to what, or which."""

    event: EventRow
    word: str
    rest: str

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
        told = self.event.data.get("changes")
        found = told if isinstance(told, list) else []
        return [
            Change(str(one.get("what", "")), str(one.get("before", "")), str(one.get("after", "")))
            for one in found
            if isinstance(one, dict)
        ]

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
    """The lines of a story, in the sequence in which they come."""
    return [_line(event) for event in events]


def _line(event: EventRow) -> Line:
    word, _, rest = event.what.partition(":")
    return Line(event, word, rest.strip())
