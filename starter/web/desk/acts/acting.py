"""What every act of the desk is made of: its fields, what it asks, and what it shows beforehand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from domain.errors import Refused
from domain.money import Money
from domain.notifications.event_types import EventType
from domain.orders.messages import Units
from domain.orders.people import Address
from domain.views.possible import Asked, OrderFacts
from starter.service.service import Service
from starter.web.desk.order_shown import Shown
from starter.web.desk.possible import OFFERS, Offer
from starter.web.screens.forms import NotAsked, whole
from starter.web.screens.visits import Visit
from store.views.reads import OrderDetail

UNITS = "units:"
"""The names of fields with units of a line begin so; the line's id follows."""

ITEM = ("sku", "quantity", "unit_price", "tax_rate")
AMOUNTS = ("unit_price", "tax_rate", "discount")
"""Those parts of rows that people type as their language writes numbers."""

ADDRESS = ("name", "company", "line1", "line2", "postal_code", "city", "region", "country")
"""The parts of such fields; their names begin with the field's."""

CODE = "code:"
"""The same of why these units come back, where a line has a reason of its own."""

Kind = Literal[
    "units",
    "item",
    "lines",
    "address",
    "text",
    "choice",
    "tick",
    "money",
    "whole",
    "day",
    "moment",
]
"""units: a number for each line. item: a SKU, how many, at what price and tax. lines: each line as
an edit changes it. address: its parts.
"""


@dataclass(frozen=True)
class Option:
    """One of several values, as it is sent and as it is read."""

    value: str
    text: str


@dataclass(frozen=True)
class Field:
    """One question of a form. `label`, `about`: sentences, by their keys.

    `most`: of units, line id → how many can be chosen; with `options`, why, line by line. `value`,
    `values`: what stands there first; of a field of several parts, by their names. `place`: a line.
    `fold`: neighbours with the same sentence are folded under it until somebody opens them.
    """

    kind: Kind
    name: str = ""
    label: str = ""
    about: str = ""
    required: bool = False
    options: Sequence[Option] = ()
    most: Mapping[str, int] = field(default_factory=dict)
    value: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    fold: str = ""


class FieldLacks(NotAsked):
    """A field lacks what only a person can say. `faults`: field → what is said beside it.

    `filled`: what is put into fields that were left empty, for the person to look at.
    """

    def __init__(self, key: str, faults: Mapping[str, str], filled: Mapping[str, str]) -> None:
        super().__init__(key)
        self.faults = faults
        self.filled = filled


class AllRefused(Refused):
    """An order has refused all that was asked of it. `units`: each with why it stays, as a code."""

    def __init__(self, message: str, units: Sequence[Units]) -> None:
        super().__init__(message, reason="" if units else "nothing_to_cancel")
        self.units = tuple(units)


@dataclass(frozen=True)
class Seen:
    """What an act would do: `rows` of a name and a value, and sentences.

    `stops`: why it cannot be done like this. `carry`: what the form sends along, by which the
    order finds out whether it is as it was. `button`: what its button says, by its key; "": as
    usual.
    """

    rows: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    stops: Sequence[str] = ()
    carry: Mapping[str, str] = field(default_factory=dict)
    button: str = ""


@dataclass(frozen=True)
class Asking:
    """An order, and somebody who is about to ask something of it."""

    visit: Visit
    shown: Shown

    @property
    def order_id(self) -> str:
        return self.shown.detail.summary.order_id

    @property
    def detail(self) -> OrderDetail:
        return self.shown.detail

    @property
    def facts(self) -> OrderFacts:
        return self.shown.facts

    @property
    def here(self) -> Service:
        return self.visit.here

    # What was typed -------------------------------------------------------------------------------

    def field(self, name: str) -> str:
        """A field without blanks around it; "" where it is not there."""
        return self.visit.field(name).strip()

    def amount(self, name: str) -> str:
        """An amount or a rate as documents have it. Raises InvalidInput."""
        return self.visit.amount(name)

    def part(self, part: str, name: str) -> str:
        """What was typed for a part of a row."""
        return self.amount(name) if part in AMOUNTS else self.field(name)

    def named(self) -> dict[str, Any]:
        """Whose request it is, and the same one when the form is sent again."""
        return {"request_id": self.field("request_id"), "by": self.visit.person.who}

    def lines(self) -> list[dict[str, Any]]:
        """The units that were chosen, line by line. Raises NotAsked for what is no number."""
        chosen = [
            (name.removeprefix(UNITS), values[0].strip())
            for name, values in self.visit.sent.items()
            if name.startswith(UNITS)
        ]
        some = [(line, text) for line, text in chosen if text.strip("0")]
        if not all(whole(text) for _, text in some):
            raise NotAsked("no_number")
        return [{"line_id": line, "quantity": whole(text)} for line, text in some]

    def item(self, name: str) -> dict[str, Any] | None:
        """A row of what is wanted. None: it was left empty."""
        parts = {part: self.part(part, f"{name}-{part}") for part in ITEM}
        if not any(parts.values()):
            return None
        said = {part: text for part, text in parts.items() if text}
        return {**said, "quantity": whole(parts["quantity"])}

    def address(self, name: str) -> dict[str, str] | None:
        """An address as it was typed. None: it was left empty."""
        parts = {part: self.field(f"{name}-{part}") for part in ADDRESS}
        said = {part: text for part, text in parts.items() if text}
        return said or None

    def moment(self, name: str) -> datetime | None:
        """A moment as somebody reads it, in their time zone. Raises NotAsked for what is none."""
        text = self.field(name)
        try:
            read = (
                datetime.fromisoformat(text).replace(tzinfo=self.visit.words.zone) if text else None
            )
            return None if read is None else read.astimezone(UTC)
        except (ValueError, OverflowError):
            raise NotAsked("no_moment") from None

    # How it is told -------------------------------------------------------------------------------

    def money(self, amount: Money) -> str:
        return self.visit.words.money(amount.minor, amount.currency)

    def units(self, units: Sequence[Units]) -> str:
        """Such as: 2 × Green tea (TEA, line 1), 1 × POT (line 2)."""
        pairs = [(each.line_id, each.quantity) for each in units]
        return self.shown.units_told(self.visit.words, pairs)

    def stays(self, each: Units) -> str:
        """Units with the reason why they stay as they are."""
        return f"{self.units([each])}: {self.visit.words(f'why_{each.reason}')}"

    def counted(self, units: Mapping[str, int]) -> str:
        """The same of units by line."""
        return self.shown.units_told(self.visit.words, units.items())

    def address_told(self, address: Address) -> str:
        """On one line."""
        parts = (getattr(address, part) for part in ADDRESS)
        return ", ".join(str(part) for part in parts if part)

    async def customer_told(self, event: EventType) -> tuple[str, str]:
        """A row: whether the customer gets a message of such an event."""
        words = self.visit.words
        tells = await self.here.messages.would_tell(self.order_id, event)
        return words("customer"), words("is_told" if tells else "nobody_is_written_to")

    def none(self, key: str) -> Option:
        """The choice of none, with its sentence."""
        return Option("", self.visit.words(key))

    def options(self, prefix: str, *values: str) -> list[Option]:
        """Values whose sentences have keys that begin alike."""
        return [Option(value, self.visit.words(f"{prefix}{value}")) for value in values]


@dataclass(frozen=True)
class Act:
    """Something that is asked of an order on a page of its own.

    `name`: one of `OFFERS`, its address, and the end of its sentences' keys. `read` makes the
    request of what was typed, and raises NotAsked or what the model raises. `do` answers what was
    done, by the key of its sentence. `preview` says what it would do. `is_kept_here`: no order
    remembers the request, so `do` keeps that its form was met (`screens/once.py`).
    """

    name: str
    fields: Callable[[Asking], Sequence[Field]]
    read: Callable[[Asking], Any]
    do: Callable[[Service, str, Any], Awaitable[str]]
    preview: Callable[[Asking, Any], Awaitable[Seen]]
    is_kept_here: bool = False

    @property
    def offer(self) -> Offer:
        """What it asks for, and the scope that it takes."""
        return OFFERS[self.name]


def late(asking: Asking, asks: Asked, about: str) -> Field:
    """The tick that asks for it by exception, after the time for it. `about`: what it does."""
    return Field(
        "tick", "late", "late_too", about="late_needed" if asks in asking.facts.late else about
    )


def reason(name: str = "reason", label: str = "why") -> Field:
    """The field that says why."""
    return Field("text", name, label, required=True)
