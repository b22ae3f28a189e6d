"""A message as a short text for a phone: what it says, and the number that it goes to."""

from __future__ import annotations

import re
from typing import Final

from domain.messages.facts import Facts
from domain.messages.kinds import MessageKind
from domain.messages.mail import one_line
from domain.messages.rendering import Rendered

TEXT_MAX: Final = 320
"""Characters: two or three of the pieces in which phones get a text. Each piece is paid for."""

TEXTED: Final[tuple[MessageKind, ...]] = (
    *("delayed", "ready", "shipped", "at_pickup_point", "pickup_ends", "delivered"),
    *("undeliverable", "lost"),
)
"""The kinds that are worth a text, until a setting says otherwise: somebody has to go, or waits."""

_NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
_SEEN: Final = re.compile(r"\+?\d[\d\s().-]{5,}\d")


def number_of(phone: str | None) -> str | None:
    """A phone number as the whole world writes it, such as +491701234567.

    None for one without its country, which could be anybody's elsewhere, and for what is none.
    """
    told = re.sub(r"\(0\)|[\s().\-/]", "", phone or "")
    told = re.sub(r"^00", "+", told)
    return told if _NUMBER.fullmatch(told) else None


def short_text(rendered: Rendered, facts: Facts) -> str:
    """The subject, what a mailbox shows beside it, and the whole link, in one line."""
    head = one_line(f"{facts.shop.name}: {rendered.subject}.")
    whole = " ".join(filter(None, (head, one_line(rendered.preheader), facts.link)))
    if len(whole) <= TEXT_MAX:
        return whole
    room = TEXT_MAX - len(facts.link) - 2
    return f"{head[:room].rstrip()}… {facts.link}".strip()


def without_number(said: str) -> str:
    """What a company answered, without phone numbers: answers are kept longer than these."""
    return one_line(_SEEN.sub("(number)", said))[:300]
