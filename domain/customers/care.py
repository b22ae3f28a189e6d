"""What people write down about a customer: notes, consent, and that two are one person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

from pydantic import StringConstraints

from domain.fields import Document, Flag, Note, Printable, Who

Contact = Literal["call", "mail", "chat", "letter", "visit", "other"]
ConsentKind = Literal["marketing", "reviews", "delivery_updates", "texts"]
CONSENT_KINDS: Final[tuple[ConsentKind, ...]] = get_args(ConsentKind)

UNLESS_SAID: Final[Mapping[ConsentKind, bool]] = {
    "marketing": False,
    "reviews": False,
    "delivery_updates": True,
    "texts": False,
}
"""Whether a customer is told who has said nothing. What an order needs is told always.

`texts`: to the phone, in the place of some mails.
"""


class NewNote(Document):
    """What somebody writes down about a customer. `contact`: how they spoke with each other."""

    note: Annotated[Note, StringConstraints(min_length=1)]
    contact: Contact = "other"
    order_id: Printable | None = None
    by: Who | None = None


class ConsentWord(Document):
    """What a customer wishes to be told, or not. `how`: where they said so."""

    kind: ConsentKind
    given: Flag
    how: Printable
    by: Who | None = None
