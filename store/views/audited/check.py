"""The shape of a check: a query, and the sentence about each row that it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

Rule = Literal[
    "stock",
    "lines",
    "money",
    "ledger",
    "documents",
    "provider",
    "purchases",
    "customers",
    "messages",
    "figures",
    "liveness",
]


class Violation(BaseModel):
    """A broken invariant: its name, its subject (an order or a SKU), and the details.

    `seller`: whose it is; None where it is nobody's in particular.
    """

    model_config = ConfigDict(frozen=True)

    rule: Rule
    subject: str
    message: str
    seller: str | None = None


@dataclass(frozen=True)
class Check:
    """A query, and the sentence about each row it finds; `{x_minor}` is shown as an amount.

    With an empty rule, the row names it. `passing`: a call whose order no longer waits for it may
    still be under way, and no row can tell.
    """

    query: str
    rule: Rule | Literal[""]
    subject: str
    message: str
    passing: bool = False


class Checks(NamedTuple):
    """The checks of a capability, with the file that has their queries."""

    queries: Any
    of: tuple[Check, ...]
