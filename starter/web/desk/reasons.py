"""Why something happened, waits or is held, who did it, and what an edit changes, in the reader's
language.

Rules, steps and edits write English into rows, as it stands in the answers of the API, too. What
they write is known by its form (`starter.web.desk.reason_forms`). Any other text, such as what a
person or a company said, is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from domain.errors import InvalidInput
from domain.money import to_minor
from starter.web.desk.journal_forms import JOURNAL
from starter.web.desk.reason_forms import CHANGES, WHO, WHOLE
from starter.web.desk.refusal_forms import REFUSALS
from starter.web.desk.task_forms import TASKS
from starter.web.words import Words


class _Forms:
    """What is written, by its form. One that is always the same is found without looking at all."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        fixed = {form for form in forms.values() if re.escape(form) == form.replace(" ", r"\ ")}
        self._fixed = {form: key for key, form in forms.items() if form in fixed}
        self._others = {
            key: re.compile(form, re.DOTALL) for key, form in forms.items() if form not in fixed
        }

    def said(self, words: Words, text: str) -> str | None:
        """The same in the reader's language; None: it has none of the forms."""
        if text in self._fixed:
            return words(f"because_{self._fixed[text]}")
        for key, form in self._others.items():
            if found := form.fullmatch(text):
                parts = {name: part or "" for name, part in found.groupdict().items()}
                values = {
                    name: _PARTS.get(name, _as_is)(words, part) for name, part in parts.items()
                }
                return words(f"because_{key}", **values)
        return None


_OF_ORDERS: Final = _Forms(WHOLE)
_OF_JOURNALS: Final = _Forms(JOURNAL)
_OF_TASKS: Final = _Forms(TASKS)
_OF_REFUSALS: Final = _Forms(REFUSALS)
_WHO: Final = {key: re.compile(form) for key, form in WHO.items()}
CHANGED: Final = {key: re.compile(form) for key, form in CHANGES.items()}

_HELD: Final = re.compile(
    r"(?:^|(?<=; ))(payment|fraud_review|address|stock|awaiting_return|other): "
)
_COUNTS: Final = re.compile(r"(?P<n>[0-9]+) of (?P<all>[0-9]+) (?P<sku>[^,]+)")
_SPANS: Final = re.compile(r"([0-9,]+) (day|hour|minute|second)s?")


def told(words: Words, text: str) -> str:
    """A reason. Several that are joined are told one by one."""
    whole = said(words, text)
    if whole is not None:
        return whole
    parts = text.split("; ")
    return "; ".join(said(words, part) or part for part in parts) if parts[1:] else text


def journal_told(words: Words, text: str) -> str:
    """Why stock moved or a purchase changed, what an entry of the ledger is for, what differs."""
    return _OF_JOURNALS.said(words, text) or told(words, text)


def task_told(words: Words, text: str) -> str:
    """Why a task waits."""
    whole = said(words, text)
    return whole or _OF_TASKS.said(words, text) or told(words, text)


def refusal_told(words: Words, text: str) -> str:
    """What a refusal says beside its rule."""
    return _OF_REFUSALS.said(words, text) or told(words, text)


def held_told(words: Words, text: str) -> str:
    """All holds of an order as lists have them: `fraud_review: two names; address: …`."""
    ends = [found.start() for found in _HELD.finditer(text)][1:]
    found = []
    for start, end in zip([0, *ends], [*(at - 2 for at in ends), len(text)], strict=True):
        code, _, note = text[start:end].partition(": ")
        key = f"hold_{code}"
        found.append(f"{words(key)}: {told(words, note)}" if words.has(key) else text[start:end])
    return "; ".join(found)


def step_told(words: Words, step: str) -> str:
    """What a step is called: `charge_payment web-1:1`."""
    name, _, part = step.partition(" ")
    key = f"step_name_{name}"
    return f"{words(key)} {part}".strip() if words.has(key) else step


def change_told(words: Words, what: str) -> str:
    """What an edit changes: `quantity of line 1`."""
    for key, form in CHANGED.items():
        if found := form.fullmatch(what):
            return words(f"edits_{key}", **found.groupdict())
    return what


def who_told(words: Words, who: str) -> str:
    """Who did something: a person as they are called, and what is not one in the reader's words."""
    for key, form in _WHO.items():
        if found := form.fullmatch(who):
            return words(f"who_{key}", **found.groupdict())
    return who


def role_told(words: Words, role: str) -> str:
    """What a role is called; one that the shop has named itself, as it is."""
    return words(f"role_{role}") if words.has(f"role_{role}") else role


def said(words: Words, text: str) -> str | None:
    """One reason of ours in the reader's language; None: it is not known here."""
    return _OF_ORDERS.said(words, text)


def _as_is(_: Words, text: str) -> str:
    return text


def _of(prefix: str) -> Callable[[Words, str], str]:
    """Codes whose sentences have keys that begin alike; another one as it is."""

    def told(words: Words, text: str) -> str:
        key = f"{prefix}{text.replace(' ', '_')}"
        return words(key) if words.has(key) else text

    return told


def _amount(words: Words, text: str) -> str:
    """`12.50 USD`; without its currency it stays as it is."""
    number, _, currency = text.partition(" ")
    try:
        return words.money(to_minor(Decimal(number), currency), currency)
    except (ArithmeticError, InvalidInput):
        return text


def _day(words: Words, text: str) -> str:
    """`2027-03-01`."""
    try:
        return words.day(date.fromisoformat(text))
    except ValueError:
        return text


def _span(words: Words, text: str) -> str:
    """`1 day and 2 hours`; each part in the reader's language."""
    parts = [
        words.many(f"span_{unit}", int(n.replace(",", ""))) for n, unit in _SPANS.findall(text)
    ]
    return " ".join(parts) or text


def _units(words: Words, text: str) -> str:
    """`1 of 2 TEA, 3 of 3 POT`."""
    return _COUNTS.sub(lambda one: words("because_of_units", **one.groupdict()), text)


_PARTS: Final[Mapping[str, Callable[[Words, str], str]]] = {
    "hold": _of("hold_"),
    "call": _of("kind_of_call_"),
    "other_call": _of("kind_of_call_"),
    "dispute": _of("dispute_"),
    "moved": _of("move_"),
    "move": journal_told,
    "scan": _of("scan_"),
    "before": _of("scan_"),
    "status": _of("scan_"),
    "part": _of("part_"),
    "claim": _of("claim_"),
    "action": _of("action_"),
    "means": _of("means_"),
    "role": role_told,
    "owner": who_told,
    "limit": told,
    "span": _span,
    "amount": _amount,
    "other_amount": _amount,
    "day": _day,
    "leaves": _day,
    "units": _units,
    "note": told,
    "why": told,
    "asks": told,
}
"""Parts of a reason that are told in the reader's language, too."""


IN_TEMPLATES: Final[Mapping[str, Callable[[Words, str], str]]] = {
    "reason_told": told,
    "journal_told": journal_told,
    "task_told": task_told,
    "refusal_told": refusal_told,
    "held_told": held_told,
    "step_told": step_told,
    "change_told": change_told,
    "who_told": who_told,
    "role_told": role_told,
}
"""What a page is given that tells reasons."""
