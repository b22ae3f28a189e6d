"""What an edit makes of all but the lines: shipping, discount, address, note and dates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from domain.orders.edit_messages import EditRequest, PersonChange
from domain.orders.edit_notes import Notes
from domain.orders.edited import Present
from domain.orders.shipping import COLLECT


class EditedTerms:
    """An order's terms, as far as they are changed. `changed`: fields of the order's document."""

    def __init__(self, present: Present, notes: Notes) -> None:
        self._present = present
        self._before = present.order
        self._notes = notes
        self.shipping = present.order.shipping
        self.changed: dict[str, Any] = {}
        self.is_money = False
        self.is_elsewhere = False

    def change(self, request: EditRequest, person: PersonChange) -> None:
        """Everything that the request asks for."""
        self._service(request)
        self._price(request)
        self._discount(request.discount)
        self._address(request, person)
        self._person(request, person)
        self._wish(request)
        if self.is_elsewhere:
            self._destination()

    def _service(self, request: EditRequest) -> None:
        before = self.shipping.service
        after = before if request.shipping is None else request.shipping.service or before
        if after == before:
            return
        self._notes.change("shipping service", before, after)
        self.is_elsewhere = True
        if COLLECT in (after, before):
            self._notes.refuse(
                "shipping service",
                "goods that are collected and goods that are sent are handled differently",
                reason="collected",
                instead=("cancel_order",),
            )
        self.shipping = self.shipping.model_copy(update={"service": after})

    def _price(self, request: EditRequest) -> None:
        wish, now = request.shipping, self.shipping
        if wish is None:
            return
        rate = now.tax_rate if wish.tax_rate is None else wish.tax_rate
        price = now.price if wish.price is None else wish.price
        if (price, rate) == (now.price, now.tax_rate):
            return
        if price != now.price:
            self._notes.change("shipping price", now.price, price)
        if rate != now.tax_rate:
            self._notes.change("tax rate of shipping", _text(now.tax_rate), _text(rate))
        self.is_money = True
        if rate is None and now.tax:
            self._notes.refuse(
                "shipping price",
                "its tax was given as an amount without a rate: say its tax_rate, too",
                reason="tax_rate_unknown",
                instead=("edit_order",),
            )
        else:
            update = {"price": price, "tax_rate": rate, "tax": None}
            self.shipping = now.model_copy(update=update)

    def _discount(self, discount: Decimal | None) -> None:
        if discount is not None and discount != self._before.discount:
            self._notes.change("discount of the order", self._before.discount, discount)
            self.changed["discount"] = discount
            self.is_money = True

    def _address(self, request: EditRequest, person: PersonChange) -> None:
        before, after = self.shipping.address, person.address
        if after is None or after == before:
            return
        self._notes.change("address")
        self.is_elsewhere = True
        if before is None:
            self._notes.refuse(
                "address", "the goods are collected", reason="collected", instead=("cancel_order",)
            )
        elif before.country != after.country and not self._taxes_are_said(request):
            self._notes.refuse(
                "address",
                f"in {after.country} instead of {before.country} other taxes are due: say the "
                "tax_rate of each line and of shipping, while nothing is charged; or cancel the "
                "order, and place it anew",
                reason="other_country",
                instead=("edit_order", "cancel_order"),
            )
        self.shipping = self.shipping.model_copy(update={"address": after})

    def _taxes_are_said(self, request: EditRequest) -> bool:
        """The request says the rate of all that is taxed, so the seller has looked."""
        said = {x.line_id for x in request.lines if x.tax_rate is not None or x.quantity == 0}
        ship = request.shipping is not None and request.shipping.tax_rate is not None
        return (
            not self._present.charged
            and said >= {line.line_id for line in self._before.lines}
            and all(new.tax_rate is not None for new in request.add)
            and (ship or not self.shipping.price)
            and not self._before.fees
        )

    def _person(self, request: EditRequest, person: PersonChange) -> None:
        texts = {"billing": person.billing, "note": person.note}
        for name, given in texts.items():
            after = None if name in request.forget else given
            if name not in request.forget and given is None:
                continue
            if after != getattr(self._before, name):
                self._notes.change(name)
                self.changed[name] = after

    def _wish(self, request: EditRequest) -> None:
        before = self._before.requested_delivery_date
        after = request.requested_delivery_date or before
        if "requested_delivery_date" in request.forget:
            after = None
        if after != before:
            self._notes.change("requested delivery date", _text(before), _text(after))
            self.changed["requested_delivery_date"] = after

    def _destination(self) -> None:
        """Where it goes, and by which service, stands on labels, and suppliers were told it."""
        if self._present.sent:
            self._notes.refuse(
                "address or service",
                "everything has left or is cancelled",
                reason="handed_over",
                instead=("return_items",),
            )
        elif self._present.bought_to:
            self._notes.refuse(
                "address or service",
                "a supplier who sends goods of this order to the customer was told it",
                reason="with_supplier",
                instead=("cancel_order",),
            )
        elif self._present.at_work:
            self._notes.refuse(
                "address or service",
                "a workshop has goods of this order, and may have read where it sends them",
                reason="not_in_place",
                instead=("cancel_order",),
            )
        elif self._present.labelling:
            self._notes.refuse(
                "address or service",
                "the label of a parcel is just being bought: ask again in a moment",
                reason="label_being_bought",
                instead=("edit_order", "cancel_order"),
            )


def _text(value: object) -> object:
    return "" if value is None else value
