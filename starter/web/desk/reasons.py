"""Why an order is held, why a step waits, and what an edit changes, in the reader's language.

Rules, steps and edits write English into rows, as it stands in the answers of the API, too. What
they write is known here by its form. Any other text, such as what a person or a company said, is
shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from starter.web.words import Words

_WHOLE: Final[Mapping[str, str]] = {
    "hold_countries": "the countries of invoice and delivery differ",
    "hold_first": "the first order of this customer",
    "hold_word": "a word that is looked for stands in its note",
    "hold_checking": "its address is being checked",
    "hold_not_checked": "its address could not be checked: look at it",
    "hold_sound": "its address is sound",
    "hold_over": "its time was over",
    "hold_to_charge": "waits to be charged",
    "hold_taken_up": "the order was taken up again",
    "hold_over_amount": r"more than (?P<amount>[0-9.]+) (?P<currency>[A-Z]{3})",
    "hold_many": r"(?P<n>[0-9]+) orders of this customer within (?P<span>.+)",
    "hold_listed": r"on the list (?P<name>.+)",
    "hold_unreadable": (
        r"rule (?P<name>.+) cannot be read by this version: look at the order, and set the rule "
        r"anew"
    ),
    "hold_first_back": r"(?P<id>\S+) is to come back first",
    "hold_approved": r"(?P<id>\S+) is approved",
    "step_silent": "it kept failing or did not answer; the worker's log says why",
    "step_early": (
        r".+ ends again and again before anything is overdue: please report this to Orderloom"
    ),
    "step_label_refused": (
        r"(?P<id>\S+) has no label, because the carrier refuses it: (?P<why>.+); send the "
        r"customer one, or have it sent without, and say done"
    ),
    "step_label_kept": (
        r"the label of (?P<id>\S+) cannot be given back: (?P<why>.+); see to it at the carrier"
    ),
    "step_label_silent": r"no answer about the label of (?P<id>\S+) yet: (?P<why>.+)",
    "step_return_lost": (
        r"carrier (?P<name>.+) says (?P<status>\w+) of the parcel of (?P<id>\S+): ask it where the "
        r"parcel is; count what comes, or that nothing does"
    ),
    "step_return_long": (
        r"a carrier has had the parcel of (?P<id>\S+) for long: ask it where the parcel is; count "
        r"what comes, or that nothing does"
    ),
    "step_return_short": (
        r"(?P<id>\S+) was paid back on its way, and (?P<amount>.+) of that did not come back; have "
        r"the customer pay it, or let it be, and say done"
    ),
    "step_return_asks": (
        r"(?P<id>\S+): (?P<asks>.+); decide by `orderloom returns approve` or `returns refuse`"
    ),
    "step_goodwill": (
        r"(?P<name>.+?) asks for goodwill, (?P<why>.+): [^:]+\. Who may give it says `orderloom .+"
    ),
    "step_dispute": (
        r"(?P<amount>.+) are disputed at (?P<name>\S+), in another currency than the order's: book "
        r"the amount, which Orderloom does not convert(?:; evidence is due by (?P<day>[0-9-]+))?"
    ),
    "asks_worth_more": "it is worth more than the rules approve",
    "asks_returns_much": "the customer sends back more than the rules approve",
    "asks_is_listed": "the customer, or the address, is on a list",
    "task_held": r"held, (?P<hold>[a-z ]+): (?P<note>.+); (?P<owner>.+) sees to it",
    "task_unknown": r"it is not known what became of a (?P<call>\w+) at (?P<name>.+)",
    "task_to_charge": "its authorization ends, and nobody has asked for the charge",
    "task_carrier_lost": "the carrier lost it: claim what it was worth",
    "task_turned_up": "it turned up, and the carrier has paid for it",
    "task_not_told": r"the customer was not told: (?P<why>.+)",
    "task_approval": r"the purchase order with supplier (?P<name>.+) waits for approval",
}
"""The end of a sentence's key (`because_…`) → what is written, whole."""
_KNOWN: Final = {key: re.compile(form, re.DOTALL) for key, form in _WHOLE.items()}

_CHANGES: Final[Mapping[str, str]] = {
    "quantity": r"quantity of line (?P<line>.+)",
    "unit_price": r"unit price of line (?P<line>.+)",
    "discount": r"discount of line (?P<line>.+)",
    "tax_rate": r"tax rate of line (?P<line>.+)",
    "line": r"line (?P<line>.+)",
    "service": "shipping service",
    "shipping_price": "shipping price",
    "shipping_tax": "tax rate of shipping",
    "order_discount": "discount of the order",
    "address": "address",
    "billing": "billing",
    "note": "note",
    "date": "requested delivery date",
    "amounts": "amounts",
    "lines": "lines",
    "more_units": "more units",
    "where": "address or service",
}
"""The end of a sentence's key (`edits_…`) → what an edit calls it."""
CHANGED: Final = {key: re.compile(form) for key, form in _CHANGES.items()}

_HELD: Final = re.compile(
    r"(?:^|(?<=; ))(payment|fraud_review|address|stock|awaiting_return|other): "
)
_SPANS: Final = re.compile(r"([0-9,]+) (day|hour|minute|second)s?")


def told(words: Words, text: str) -> str:
    """A reason. Several that are joined are told one by one."""
    whole = said(words, text)
    if whole is not None:
        return whole
    parts = text.split("; ")
    return "; ".join(said(words, part) or part for part in parts) if parts[1:] else text


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


def said(words: Words, text: str) -> str | None:
    """One reason of ours in the reader's language; None: it is not known here."""
    for key, form in _KNOWN.items():
        if found := form.fullmatch(text):
            parts = {name: part or "" for name, part in found.groupdict().items()}
            values = {name: _PARTS.get(name, _as_is)(words, part) for name, part in parts.items()}
            return words(f"because_{key}", **values)
    return None


def _as_is(_: Words, text: str) -> str:
    return text


def _hold(words: Words, text: str) -> str:
    return words(f"hold_{text.replace(' ', '_')}")


def _call(words: Words, text: str) -> str:
    return words(f"kind_of_call_{text}")


def _span(words: Words, text: str) -> str:
    """`1 day and 2 hours`; each part in the reader's language."""
    parts = [
        words.many(f"span_{unit}", int(n.replace(",", ""))) for n, unit in _SPANS.findall(text)
    ]
    return " ".join(parts) or text


_PARTS: Final[Mapping[str, Callable[[Words, str], str]]] = {
    "hold": _hold,
    "call": _call,
    "span": _span,
    "note": told,
    "asks": told,
}
"""Parts of a reason that are told in the reader's language, too."""


IN_TEMPLATES: Final[Mapping[str, Callable[[Words, str], str]]] = {
    "reason_told": told,
    "held_told": held_told,
    "step_told": step_told,
    "change_told": change_told,
}
"""What a page is given that tells reasons."""
