"""An order as the desk sees it: units by what became of them, parcels, money by its means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from domain.fulfilment.counter import AT_ONCE
from domain.orders.hold_messages import StandingHold
from domain.payments.payments import Payment
from domain.views.possible import OrderFacts
from starter.service.order_pages import OrderPage
from starter.web.desk.order_returns import Counted, counted_of
from starter.web.desk.order_sums import Sums, line_sum, sums_of
from starter.web.desk.story import Line, lines_of
from starter.web.kept import Sum
from starter.web.words import Words
from store.views.order_page import AskedCarrier, Scan
from store.views.reads import FulfilmentRow, OrderDetail, OrderLine, ReturnRow

_BAR: Final = 100
_OF_PROMISES: Final = frozenset({"promise at risk", "promise missed"})


@dataclass(frozen=True)
class Share:
    """Units of a line that are in one state. `at`, `width`: their part of a bar, of 100."""

    state: str
    units: int
    at: int
    width: int


@dataclass(frozen=True)
class Parcel:
    """A fulfilment with what its carrier says, the latest first."""

    row: FulfilmentRow
    scans: Sequence[Scan]
    asked: Sequence[AskedCarrier]

    @property
    def has_label(self) -> bool:
        """Whether there may be a label to print. What is given at the counter has none."""
        return self.row.label == "bought" and self.row.carrier not in AT_ONCE


@dataclass(frozen=True)
class Means:
    """An authorization, and what has become of its money, in minor units."""

    payment: Payment
    is_over: bool

    @property
    def left(self) -> int:
        """What can still be charged by it."""
        return 0 if self.is_over else self.payment.room


_ARRIVES_NO_MORE: Final = ("delivered", "lost", "exception", "cancelled")


@dataclass(frozen=True)
class Shown:
    """An order as the desk sees it. `facts`: what says which requests it takes."""

    page: OrderPage
    facts: OrderFacts
    now: datetime

    @property
    def detail(self) -> OrderDetail:
        """All that rows say of it."""
        return self.page.detail

    @property
    def holds(self) -> Sequence[StandingHold]:
        """Those that stand."""
        return self.page.holds

    @property
    def version(self) -> str:
        """Another one with each change of it."""
        return self.page.version

    @property
    def newest_event(self) -> int:
        """The number of its story's last line."""
        return self.detail.story[-1].event_id if self.detail.story else 0

    @cached_property
    def story(self) -> Sequence[Line]:
        """The newest line first."""
        return lines_of(reversed(self.detail.story))

    def units(self, line: OrderLine) -> list[Share]:
        """How many units of a line are where, each counted once, without what is nowhere."""
        counted = {
            "open": line.open,
            "backordered": line.backordered,
            "allocated": line.allocated - line.picked,
            "picked": line.picked,
            "shipped": line.shipped - line.delivered - line.lost,
            "delivered": line.delivered - line.return_requested - line.returned,
            "lost": line.lost,
            "return_requested": line.return_requested,
            "returned": line.returned,
            "cancelled": line.cancelled,
        }
        return list(_shares({name: n for name, n in counted.items() if n > 0}))

    @property
    def parcels(self) -> list[Parcel]:
        """One for each fulfilment."""
        facts = self.page.facts
        return [
            Parcel(
                row,
                [one for one in facts.scans if one.fulfilment_id == row.fulfilment_id],
                [one for one in facts.interceptions if one.fulfilment_id == row.fulfilment_id],
            )
            for row in self.detail.fulfilments
        ]

    @property
    def promised_on(self) -> date | None:
        """The last day for which a parcel was promised that is not there yet; None: for none."""
        days = [
            row.promised_on
            for row in self.detail.fulfilments
            if row.promised_on and row.state not in _ARRIVES_NO_MORE
        ]
        return max(days, default=None)

    def promise_lines(self, fulfilment_id: str) -> list[Line]:
        """How the day moved on which a parcel is expected, the latest first."""
        return [
            line
            for line in self.story
            if line.word in _OF_PROMISES and line.event.data.get("fulfilment_id") == fulfilment_id
        ]

    def counted(self, one: ReturnRow) -> Counted | None:
        """What came of a return; None: it was not counted."""
        return counted_of(
            self.detail, one, {each.return_id for each in self.page.facts.exchanged_for}
        )

    @property
    def means(self) -> list[Means]:
        """Authorizations, in the sequence in which they are charged."""
        made = (one for one in self.detail.payments if one.kind == "authorize")
        return [
            Means(one, not one.holds_until(self.now))
            for one in sorted(made, key=lambda one: (one.tender, one.requested_at))
        ]

    @property
    def authorized_until(self) -> datetime | None:
        """When the first authorization with something left ends; None: none does."""
        ends = [one.payment.expires_at for one in self.means if one.left]
        return min((at for at in ends if at is not None), default=None)

    @cached_property
    def sums(self) -> Sums:
        """What stands under the lines."""
        return sums_of(self.detail, self.facts)

    def sum(self, line: OrderLine) -> Sum:
        """What a line comes to."""
        return line_sum(self.detail, line, self.facts)

    def name(self, line: OrderLine) -> str:
        """What a line's goods are called; "": no name is known."""
        return self.page.facts.names.get(line.sku, "")

    def goods(self, line: OrderLine) -> str:
        """Such as: Green tea (TEA)."""
        name = self.name(line)
        return f"{name} ({line.sku})" if name else line.sku

    def units_told(self, words: Words, units: Iterable[tuple[str, int]]) -> str:
        """Units by line, such as: 2 × Green tea (TEA, line 1), 1 × POT (line 2)."""
        lines = {line.line_id: line for line in self.detail.lines}

        def told(line_id: str, quantity: int) -> str:
            said = {"n": words.number(quantity), "line": line_id}
            line = lines.get(line_id)
            if line is None or not (name := self.name(line)):
                return words("units_of", sku="?" if line is None else line.sku, **said)
            return words("units_of_named", name=name, sku=line.sku, **said)

        return ", ".join(told(line_id, quantity) for line_id, quantity in units if quantity)

    def ordered_line(self, line: OrderLine) -> dict[str, Any]:
        """The line as its document has it; {}: an edit has taken it away."""
        lines = self.detail.document.get("lines") or []
        return next((one for one in lines if one.get("line_id") == line.line_id), {})


def _shares(counted: dict[str, int]) -> Iterator[Share]:
    """Rounded so that they fill the bar together."""
    whole, before = sum(counted.values()), 0
    for state, units in counted.items():
        at = _BAR * before // whole
        before += units
        yield Share(state, units, at, _BAR * before // whole - at)
