"""The error tree, drawn once. Everything Orderloom refuses is one of these.

    OrderloomError
    ├── InvalidInput          bad data from outside: what, where, what to do        (exit 2)
    │   ├── UnknownCurrency   no list has the code, and nothing was written in it
    │   └── CannotDecrypt     its key is not here, or does not fit
    ├── Refused               a rule says no; nothing was changed                   (exit 1)
    │   ├── Conflict          same key, other content
    │   ├── NotFound          no such order, fulfilment, task, SKU …
    │   ├── Ending            it is just coming to its end; ask again in a moment
    │   ├── NotAuthorized     the authorization for a charge has ended
    │   └── IllegalTransition a quantity or state that cannot move that way
    └── Unreachable           a server that must answer does not                    (exit 3)

`kind` is the stable name under which an error crosses a process boundary: it is the `type` of the
Temporal `ApplicationError` and the `error` field of `--json` output. `reason` and `instead` go with
it, as its details.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

# Terminals obey these control characters, and PostgreSQL or UTF-8 refuse them and surrogates. Tab
# and newline are allowed.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class OrderloomError(Exception):
    """Base of all errors that Orderloom raises on purpose.

    A message may quote text from outside, and goes to logs, terminals and the database: it is made
    printable here, once.

    `reason`: which rule says so, as a stable code that a screen can translate; "" where `kind` says
    enough. `instead`: what can be asked for in its place, as the names of updates in
    `domain/orders/request_kinds.py`.
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, reason: str = "", instead: Sequence[str] = ()) -> None:
        super().__init__(printable(message))
        self.reason = reason
        self.instead = tuple(instead)


class InvalidInput(OrderloomError):
    """Input that cannot be used. `where` names the file, line or field; nothing was changed."""

    kind = "invalid_input"
    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        reason: str = "",
        instead: Sequence[str] = (),
    ) -> None:
        whole = f"{where}: {message}" if where else message
        super().__init__(whole, reason=reason, instead=instead)
        self.where = where


class UnknownCurrency(InvalidInput):
    """A currency that no list has, and in which nothing is known to be written."""

    kind = "unknown_currency"


class CannotDecrypt(InvalidInput):
    """A value in Temporal whose key this program lacks, or that was changed. Nothing is lost."""

    kind = "cannot_decrypt"


class Refused(OrderloomError):
    """A rule says no. The message gives the reason and, if there is one, the next step."""

    kind = "refused"


class Conflict(Refused):
    """The same id or key was used before with other content."""

    kind = "conflict"


class NotFound(Refused):
    """The named thing does not exist."""

    kind = "not_found"


class Ending(Refused):
    """It is just coming to its end, and takes nothing in this moment: ask again."""

    kind = "ending"


class NotAuthorized(Refused):
    """The authorization for a charge has ended: the charge needs another one."""

    kind = "not_authorized"


class IllegalTransition(Refused):
    """A state or a quantity cannot move that way."""

    kind = "illegal_transition"


class Unreachable(OrderloomError):
    """A needed server does not answer. Nothing was lost: try again later."""

    kind = "unreachable"
    exit_code = 3


def printable(text: str) -> str:
    """The text with escapes for the signs that garble a terminal or cannot be stored."""
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(character: re.Match[str]) -> str:
    return character.group().encode("unicode_escape").decode()
