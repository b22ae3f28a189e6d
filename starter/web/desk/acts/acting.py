"""What every act of the desk is made of: its fields, what it asks, and what it shows beforehand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from domain.access.keys import Scope
from domain.money import Money
from domain.orders.messages import Units
from domain.views.possible import Asked, OrderFacts
from starter.service.service import Service
from starter.web.desk.order_shown import Shown
from starter.web.desk.possible import OFFERS
from starter.web.screens.forms import whole
from starter.web.screens.visits import Visit
from store.views.reads import OrderDetail

UNITS = "units:"
"""The names of fields with units of a line begin so; the line's id follows."""

Kind = Literal["units", "text", "choice", "tick", "money", "whole", "day", "moment", "address"]


@dataclass(frozen=True)
class Option:
    """One of several values, as it is sent and as it is read."""

    value: str
    text: str


@dataclass(frozen=True)
class Field:
    """One question of a form. `label`, `about`: sentences, by their keys.

    `most`: of units, line id → how many can be chosen. `value`: what stands there first.
    """

    kind: Kind
    name: str = ""
    label: str = ""
    about: str = ""
    required: bool = False
    options: Sequence[Option] = ()
    most: Mapping[str, int] = field(default_factory=dict)
    value: str = ""


@dataclass(frozen=True)
class Seen:
    """What an act would do: `rows` of a name and a value, and sentences.

    `stops`: why it cannot be done like this. `carry`: what the form sends along, by which the
    order finds out whether it is as it was.
    """

    rows: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    stops: Sequence[str] = ()
    carry: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asking:
    """An order, and somebody who is about to ask something of it."""

    visit: Visit
    shown: Shown
    facts: OrderFacts

    @property
    def order_id(self) -> str:
        return self.shown.detail.summary.order_id

    @property
    def detail(self) -> OrderDetail:
        return self.shown.detail

    @property
    def here(self) -> Service:
        return self.visit.here

    # What was typed -------------------------------------------------------------------------------

    def field(self, name: str) -> str:
        """A field without blanks around it; "" where it is not there."""
        return self.visit.field(name).strip()

    def named(self) -> dict[str, Any]:
        """Whose request it is, and the same one when the form is sent again."""
        return {"request_id": self.field("request_id"), "by": self.visit.person.who}

    def lines(self) -> list[dict[str, Any]]:
        """The units that were chosen, line by line."""
        chosen = [
            (name.removeprefix(UNITS), values[0])
            for name, values in self.visit.sent.items()
            if name.startswith(UNITS)
        ]
        return [{"line_id": line, "quantity": n} for line, text in chosen if (n := whole(text))]

    # How it is told -------------------------------------------------------------------------------

    def money(self, amount: Money) -> str:
        return self.visit.words.money(amount.minor, amount.currency)

    def units(self, units: Sequence[Units]) -> str:
        """Such as: 2 × TEA (line 1), 1 × POT (line 2)."""
        words = self.visit.words
        skus = {line.line_id: line.sku for line in self.detail.lines}
        return ", ".join(
            words(
                "units_of",
                n=words.number(each.quantity),
                sku=skus.get(each.line_id, "?"),
                line=each.line_id,
            )
            for each in units
        )

    def options(self, prefix: str, *values: str) -> list[Option]:
        """Values whose sentences have keys that begin alike."""
        return [Option(value, self.visit.words(f"{prefix}{value}")) for value in values]


@dataclass(frozen=True)
class Act:
    """Something that is asked of an order on a page of its own.

    `name`: one of `OFFERS`, its address, and the end of its sentences' keys. `read` makes the
    request of what was typed, and raises NotAsked or what the model raises. `do` answers what was
    done, by the key of its sentence. Without `preview` the form itself says all that happens.
    """

    name: str
    fields: Callable[[Asking], Sequence[Field]]
    read: Callable[[Asking], Any]
    do: Callable[[Service, str, Any], Awaitable[str]]
    preview: Callable[[Asking, Any], Awaitable[Seen]] | None = None

    @property
    def asks(self) -> Asked | None:
        """The request, as its update is called; None: it is none to the order as a whole."""
        return OFFERS[self.name].asks

    @property
    def scope(self) -> Scope:
        """What it takes."""
        return OFFERS[self.name].scope


def reason(name: str = "reason", label: str = "why") -> Field:
    """The field that says why."""
    return Field("text", name, label, required=True)
