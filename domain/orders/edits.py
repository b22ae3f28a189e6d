"""What an edit makes of an order: its new document, what changes in words, and what cannot be.

Pure: the caller brings the order's document and where its units stand. Amounts change only while
nothing of the order is charged or invoiced, and then all of them are made anew by the rules of
`prices.py`. So each invoice is of one version, and its parts add up. A unit whose picking has begun
keeps its line and its price.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.faults import faults
from domain.orders.edit_messages import Change, EditRequest, NewLine, Obstacle, PersonChange
from domain.orders.edited import Edited, Present
from domain.orders.lines import Line
from domain.orders.order import Order
from domain.orders.providers import ELSEWHERE
from domain.orders.quantities import LineId
from domain.orders.shipping import COLLECT


def edited(present: Present, request: EditRequest, person: PersonChange) -> Edited:
    """The order as the request wants it. Raises InvalidInput for what cannot be meant for it."""
    return _Editing(present).done(request, person)


class _Editing:
    """One edit on its way: the order as far as it is changed, and what was noticed."""

    def __init__(self, present: Present) -> None:
        self._present = present
        self._before = present.order
        self._lines: dict[LineId, Line] = {line.line_id: line for line in present.order.lines}
        self._shipping = present.order.shipping
        self._changed: dict[str, Any] = {}
        self._changes: list[Change] = []
        self._obstacles: list[Obstacle] = []
        self._added: dict[LineId, int] = {}
        self._taken: dict[LineId, int] = {}
        self._new: list[LineId] = []
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
            self._count(change.line_id, change.quantity)
            self._price(change.line_id, change.unit_price, change.discount)
        for new in request.add:
            self._add(new)
        self._ship(request)
        self._person(request, person)
        self._wish(request)
        if self._is_money:
            self._money_may_change()
        return Edited(
            self._order() if self._changes else self._before,
            tuple(self._changes),
            tuple(self._obstacles),
            self._added,
            self._taken,
            tuple(self._new),
            self._is_money,
        )

    # Lines ----------------------------------------------------------------------------------------

    def _count(self, line_id: LineId, quantity: int | None) -> None:
        standing = self._present.lines[line_id]
        if quantity is None or quantity == standing.wanted:
            return
        what = f"quantity of line {line_id}"
        self._change(what, standing.wanted, quantity)
        self._is_money = True
        if quantity < standing.begun:
            self._refuse(
                what,
                f"{standing.begun} are picked, packed or gone, so no fewer than that can be wanted",
                reason="picking_begun",
                instead=("cancel_order", "return_items"),
            )
            return
        by = quantity - standing.wanted
        (self._added if by > 0 else self._taken)[line_id] = abs(by)
        if quantity == 0:
            del self._lines[line_id]
        else:
            self._replace(line_id, quantity=self._lines[line_id].quantity + by)

    def _price(self, line_id: LineId, price: Decimal | None, discount: Decimal | None) -> None:
        line = self._lines.get(line_id)
        if line is None:  # it is taken away
            return
        given = {"unit_price": price, "discount": discount}
        for name, amount in given.items():
            before = getattr(line, name)
            if amount is None or amount == before:
                continue
            what = f"{name.replace('_', ' ')} of line {line_id}"
            self._change(what, before, amount)
            self._is_money = True
            if self._present.lines[line_id].begun:
                self._refuse(
                    what,
                    "some of its units are picked, packed or gone, and keep their price",
                    reason="picking_begun",
                    instead=("refund_order",),
                )
            self._replace(line_id, **{name: amount})

    def _replace(self, line_id: LineId, **changes: Any) -> None:
        """Change a line. Its tax is computed anew, by its own rate."""
        line = self._lines[line_id]
        if line.tax_rate is None and line.tax:
            self._refuse(
                f"line {line_id}",
                "its tax was given as an amount without a rate, so nobody knows its new tax",
                reason="tax_rate_unknown",
                instead=("cancel_order",),
            )
        else:
            changes["tax"] = None
        self._lines[line_id] = line.model_copy(update=changes)

    def _add(self, new: NewLine) -> None:
        taken = {*self._present.lines, *self._lines}
        number = max((int(k) for k in taken if k.isascii() and k.isdecimal()), default=0) + 1
        line_id = str(number)
        self._lines[line_id] = Line(line_id=line_id, **new.model_dump())
        self._added[line_id] = new.quantity
        self._new.append(line_id)
        self._is_money = True
        self._change(f"line {line_id}", "", f"{new.quantity} × {new.sku} at {new.unit_price}")

    # The rest -------------------------------------------------------------------------------------

    def _ship(self, request: EditRequest) -> None:
        wish, now = request.shipping, self._shipping
        if wish is None:
            return
        if wish.service is not None and wish.service != now.service:
            self._change("shipping service", now.service, wish.service)
            if COLLECT in (wish.service, now.service):
                self._refuse(
                    "shipping service",
                    "goods that are collected and goods that are sent are handled differently",
                    reason="collected",
                    instead=("cancel_order",),
                )
            self._destination("shipping service")
            now = now.model_copy(update={"service": wish.service})
        rate = now.tax_rate if wish.tax_rate is None else wish.tax_rate
        price = now.price if wish.price is None else wish.price
        if (price, rate) != (now.price, now.tax_rate):
            if price != now.price:
                self._change("shipping price", now.price, price)
            if rate != now.tax_rate:
                self._change("tax rate of shipping", now.tax_rate or "", rate or "")
            self._is_money = True
            if rate is None and now.tax:
                self._refuse(
                    "shipping price",
                    "its tax was given as an amount without a rate: say its tax_rate, too",
                    reason="tax_rate_unknown",
                    instead=("edit_order",),
                )
            else:
                now = now.model_copy(update={"price": price, "tax_rate": rate, "tax": None})
        self._shipping = now

    def _person(self, request: EditRequest, person: PersonChange) -> None:
        address = self._shipping.address
        if person.address is not None and person.address != address:
            self._changes.append(Change(what="address"))
            if address is None:
                self._refuse(
                    "address",
                    "the goods are collected",
                    reason="collected",
                    instead=("cancel_order",),
                )
            elif address.country != person.address.country:
                self._refuse(
                    "address",
                    f"in {person.address.country} instead of {address.country} other taxes are "
                    "due: cancel the order, and place it anew",
                    reason="other_country",
                    instead=("cancel_order",),
                )
            self._destination("address")
            self._shipping = self._shipping.model_copy(update={"address": person.address})
        texts = {"billing": person.billing, "note": person.note}
        for name, given in texts.items():
            after = None if name in request.forget else given
            if name not in request.forget and given is None:
                continue
            if after != getattr(self._before, name):
                self._changes.append(Change(what=name))
                self._changed[name] = after

    def _wish(self, request: EditRequest) -> None:
        before = self._before.requested_delivery_date
        after = request.requested_delivery_date or before
        if "requested_delivery_date" in request.forget:
            after = None
        if after != before:
            self._change("requested delivery date", before or "", after or "")
            self._changed["requested_delivery_date"] = after

    def _destination(self, what: str) -> None:
        """Where it goes, and by which service, stands on labels."""
        if self._present.sent:
            self._refuse(
                what,
                "everything has left or is cancelled",
                reason="handed_over",
                instead=("return_items",),
            )
        elif self._present.labelled:
            self._refuse(
                what,
                "a parcel has its label, on which this stands",
                reason="label_bought",
                instead=("cancel_order",),
            )

    # Money ----------------------------------------------------------------------------------------

    def _money_may_change(self) -> None:
        if self._before.payment.provider == ELSEWHERE:
            why = "it is paid elsewhere: change it there, and pay back what is too much"
            self._refuse(
                "amounts",
                why,
                reason="paid_elsewhere",
                instead=("cancel_order", "refund_order"),
            )
        elif self._present.charged:
            self._refuse(
                "amounts",
                "something of the order is charged or invoiced, which stays as it is",
                reason="charged",
                instead=("cancel_order", "refund_order"),
            )
        if not self._lines or not any(self._wanted(line_id) for line_id in self._lines):
            self._refuse(
                "lines", "none would be left", reason="no_line_left", instead=("cancel_order",)
            )
        elif self._before.discount:
            # Each line has another share of the discount by now, so its tax is another one.
            for line_id, line in self._lines.items():
                if line.tax_rate is not None:
                    self._lines[line_id] = line.model_copy(update={"tax": None})

    def _wanted(self, line_id: LineId) -> int:
        standing = self._present.lines.get(line_id)
        before = standing.wanted if standing else 0
        return before + self._added.get(line_id, 0) - self._taken.get(line_id, 0)

    def _order(self) -> Order:
        """The new document. The one of before where it would be none: an obstacle says why."""
        update: dict[str, Any] = {**self._changed, "shipping": self._shipping}
        if self._is_money:
            update |= {"lines": tuple(self._lines.values()), "total": None}
        if not self._lines:
            return self._before
        document = self._before.model_copy(update=update).model_dump(mode="json")
        try:
            return Order.model_validate(document)
        except ValidationError as error:
            _, where, reason = faults(error, Order)[0]
            raise InvalidInput(
                f"the changed order would not add up: {where}: {reason}",
                reason="does_not_add_up",
            ) from None

    def _change(self, what: str, before: object, after: object) -> None:
        self._changes.append(Change(what=what, before=str(before), after=str(after)))

    def _refuse(self, what: str, why: str, *, reason: str, instead: tuple[str, ...]) -> None:
        self._obstacles.append(Obstacle(what=what, why=why, reason=reason, instead=instead))
