"""What an edit makes of an order: its new document, what changes in words, and what cannot be.

Pure: the caller brings the order's document and where its units stand. While nothing of the order
is charged or invoiced, all amounts are made anew by the rules of `prices.py`. From then on lines
keep their amounts: more units are a line of their own, fewer are cancelled, and a lower price is
owed back. So an invoice and the version that it is of always add up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.faults import faults
from domain.orders.edit_messages import EditRequest, LineChange, NewLine, PersonChange
from domain.orders.edit_notes import Notes
from domain.orders.edit_terms import EditedTerms
from domain.orders.edited import Edited, Present
from domain.orders.lines import Line
from domain.orders.order import Order
from domain.orders.providers import ELSEWHERE
from domain.orders.quantities import LineId

_DIGITS: Final = 18
"""A line's id with more digits is no number that another id could follow: ids have a length."""


def edited(present: Present, request: EditRequest, person: PersonChange) -> Edited:
    """The order as the request wants it. Raises InvalidInput for what cannot be meant for it."""
    return _Editing(present).done(request, person)


class _Editing:
    """One edit on its way: the order as far as it is changed, and what was noticed."""

    def __init__(self, present: Present) -> None:
        self._present = present
        self._before = present.order
        self._keeps = present.charged
        self._lines: dict[LineId, Line] = {line.line_id: line for line in present.order.lines}
        self._notes = Notes()
        self._terms = EditedTerms(present, self._notes)
        self._added: dict[LineId, int] = {}
        self._taken: dict[LineId, int] = {}
        self._new: list[LineId] = []
        self._lowered: dict[LineId, Decimal] = {}
        self._is_money = False

    def done(self, request: EditRequest, person: PersonChange) -> Edited:
        """Everything that the request asks for."""
        for index, change in enumerate(request.lines):
            if change.line_id not in self._lines:
                known = ", ".join(self._lines)
                raise InvalidInput(
                    f"there is no line {change.line_id}; the order has {known}",
                    where=f"lines[{index}].line_id",
                    reason="no_such_line",
                )
            self._count(change)
            self._price(change)
        for new in request.add:
            self._add(new)
        self._terms.change(request, person)
        if self._added and self._present.sent:
            self._notes.refuse(
                "more units",
                "everything has left or is cancelled: place another order",
                reason="handed_over",
            )
        if self._is_money or self._terms.is_money:
            self._money_may_change()
        return Edited(
            self._order() if self._notes.changes else self._before,
            tuple(self._notes.changes),
            tuple(self._notes.obstacles),
            self._added,
            self._taken,
            tuple(self._new),
            self._lowered,
            is_money=self._is_money or self._terms.is_money,
            keeps=self._keeps,
            is_elsewhere=self._terms.is_elsewhere,
        )

    # Lines ----------------------------------------------------------------------------------------

    def _count(self, change: LineChange) -> None:
        line_id, quantity = change.line_id, change.quantity
        standing, line = self._present.lines[line_id], self._lines[line_id]
        if quantity is None or quantity == standing.wanted:
            return
        what = f"quantity of line {line_id}"
        self._notes.change(what, standing.wanted, quantity)
        self._is_money = True
        if quantity < standing.shipped:
            self._notes.refuse(
                what,
                f"{standing.shipped} have left, so no fewer than that can be wanted",
                reason="handed_over",
                instead=("return_items",),
            )
            return
        by = quantity - standing.wanted
        if by < 0:
            self._taken[line_id] = -by
        if self._keeps:
            if by > 0:
                self._add_more(line, by, change.unit_price)
            return
        if by > 0:
            self._added[line_id] = by
        if quantity == 0:
            del self._lines[line_id]
        else:
            self._replace(line_id, quantity=line.quantity + by)

    def _add_more(self, line: Line, units: int, price: Decimal | None) -> None:
        """More units of a line that keeps its amounts are a line of their own, at its tax."""
        if line.tax_rate is None and line.tax:
            self._tax_is_unknown(line.line_id)
            return
        self._add(
            NewLine(
                sku=line.sku,
                quantity=units,
                unit_price=line.unit_price if price is None else price,
                tax_rate=line.tax_rate,
                tax_category=line.tax_category,
            )
        )

    def _price(self, change: LineChange) -> None:
        line = self._lines.get(change.line_id)
        if line is None:  # it is taken away
            return
        given = {
            "unit_price": change.unit_price,
            "discount": change.discount,
            "tax_rate": change.tax_rate,
        }
        wishes = {k: v for k, v in given.items() if v is not None and v != getattr(line, k)}
        for name, wish in wishes.items():
            what = f"{name.replace('_', ' ')} of line {line.line_id}"
            before = getattr(line, name)
            self._notes.change(what, "" if before is None else before, wish)
            self._is_money = True
            if self._keeps and name == "unit_price" and wish < line.unit_price:
                self._lowered[line.line_id] = wish
            elif self._keeps:
                self._stays(what)
        if wishes and not self._keeps:
            self._replace(line.line_id, **wishes)

    def _stays(self, what: str) -> None:
        self._notes.refuse(
            what,
            "something of the order is charged, so it stays; a lower price can be met, units can "
            "be taken away, and more are a line of their own",
            reason="charged",
            instead=("edit_order", "refund_order"),
        )

    def _replace(self, line_id: LineId, **changes: Any) -> None:
        """Change a line. Its tax is computed anew, by its own rate."""
        line = self._lines[line_id].model_copy(update=changes)
        if line.tax_rate is None and line.tax:
            self._tax_is_unknown(line_id)
        else:
            line = line.model_copy(update={"tax": None})
        self._lines[line_id] = line

    def _tax_is_unknown(self, line_id: LineId) -> None:
        self._notes.refuse(
            f"line {line_id}",
            "its tax was given as an amount without a rate: say its tax_rate, too",
            reason="tax_rate_unknown",
            instead=("edit_order", "cancel_order"),
        )

    def _add(self, new: NewLine) -> None:
        taken = {*self._present.lines, *self._lines}
        numbers = (int(k) for k in taken if k.isascii() and k.isdecimal() and len(k) <= _DIGITS)
        number = max(numbers, default=0) + 1
        while str(number) in taken:
            number += 1
        line_id = str(number)
        self._lines[line_id] = Line(line_id=line_id, **new.model_dump(), added=self._keeps)
        self._added[line_id] = new.quantity
        self._new.append(line_id)
        self._is_money = True
        self._notes.change(f"line {line_id}", "", f"{new.quantity} × {new.sku} at {new.unit_price}")

    # Money ----------------------------------------------------------------------------------------

    def _money_may_change(self) -> None:
        if self._before.payment.provider == ELSEWHERE:
            self._notes.refuse(
                "amounts",
                "it is paid elsewhere: change it there, and pay back what is too much",
                reason="paid_elsewhere",
                instead=("cancel_order", "refund_order"),
            )
        elif self._present.charging or (self._lowered and self._present.unpaid):
            self._notes.refuse(
                "amounts",
                "the order is just being charged: ask again when it is",
                reason="being_charged",
                instead=("edit_order", "cancel_order"),
            )
        elif self._keeps and self._terms.is_money:
            self._stays("amounts")
        if not any(self._wanted(line_id) for line_id in self._lines):
            self._notes.refuse(
                "lines", "none would be left", reason="no_line_left", instead=("cancel_order",)
            )
        elif not self._keeps and (self._before.discount or "discount" in self._terms.changed):
            # Each line has another share of the discount by now, so its tax is another one.
            for line_id, line in self._lines.items():
                if line.tax_rate is not None:
                    self._lines[line_id] = line.model_copy(update={"tax": None})
                elif line.tax and "discount" in self._terms.changed:
                    self._tax_is_unknown(line_id)

    def _wanted(self, line_id: LineId) -> int:
        standing = self._present.lines.get(line_id)
        before = standing.wanted if standing else 0
        return before + self._added.get(line_id, 0) - self._taken.get(line_id, 0)

    def _order(self) -> Order:
        """The new document. The one of before where it would be none: an obstacle says why."""
        update: dict[str, Any] = {**self._terms.changed, "shipping": self._terms.shipping}
        if self._is_money or self._terms.is_money:
            update |= {"lines": tuple(self._lines.values()), "total": None}
        if not self._lines:
            return self._before
        # Each tender says the most that it pays, which may be more than a smaller order costs.
        tenders = self._before.tenders
        changed = self._before.model_copy(update={**update, "tenders": ()})
        try:
            order = Order.model_validate(changed.model_dump(mode="json"))
        except ValidationError as error:
            _, where, reason = faults(error, Order)[0]
            raise InvalidInput(
                f"the changed order would not add up: {where}: {reason}",
                reason="does_not_add_up",
            ) from None
        return order.model_copy(update={"tenders": tenders})
