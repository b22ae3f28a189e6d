"""The request to change a placed order, its preview, and its answer.

What is about a person is asked for apart from the rest: it is kept with the order's person, and
only the fact that something is there goes to the order's workflow.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.fields import (
    Amount,
    Day,
    Document,
    Flag,
    LineId,
    Note,
    Reason,
    Service,
    Sku,
    UnitPrice,
    inconsistent,
)
from domain.money import Money
from domain.orders.lines import LINES_MAX, QUANTITY_MAX, Quantity
from domain.orders.messages import OrderRequest, Units
from domain.orders.people import Address
from domain.orders.price_fields import Rate, TaxCategory

VERSION_MAX: Final = 1_000_000

Forgotten = Literal["billing", "note", "requested_delivery_date"]


class LineChange(Document):
    """What becomes of a line. `quantity`: all units that are still wanted of it; 0 takes it away.

    `discount` is for the whole line. A change of quantity leaves it as it is. `tax_rate`, in
    percent: another one, for instance in another country.
    """

    line_id: LineId
    quantity: Annotated[int, Field(strict=True, ge=0, le=QUANTITY_MAX)] | None = None
    unit_price: UnitPrice | None = None
    discount: Amount | None = None
    tax_rate: Rate | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        wishes = (self.quantity, self.unit_price, self.discount, self.tax_rate)
        if all(wish is None for wish in wishes):
            raise inconsistent(
                "quantity", "say what changes: quantity, unit_price, discount or tax_rate"
            )
        return self


class NewLine(Document):
    """A line that is added. Its id is the next number that no line of the order has had."""

    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice
    discount: Amount = Decimal(0)
    tax_rate: Rate | None = None
    tax_category: TaxCategory | None = None


class ShippingChange(Document):
    """Another shipping service, another price of shipping, or both."""

    service: Service | None = None
    price: Amount | None = None
    tax_rate: Rate | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.service is None and self.price is None and self.tax_rate is None:
            raise inconsistent("service", "say what changes: service, price or tax_rate")
        return self


class _Edit(OrderRequest):
    """What changes, but for what is about a person. `version`: of the order as it was seen.

    Without a version the order is changed as it is by then. `total`: what the preview said that it
    comes to; where it would come to something else, nothing is changed. `discount`: of the whole
    order, instead of the one that it has. `forget`: fields that are taken away.
    """

    reason: Reason
    version: Annotated[int, Field(strict=True, ge=1, le=VERSION_MAX)] | None = None
    total: Amount | None = None
    lines: Annotated[tuple[LineChange, ...], Field(max_length=LINES_MAX)] = ()
    add: Annotated[tuple[NewLine, ...], Field(max_length=LINES_MAX)] = ()
    shipping: ShippingChange | None = None
    discount: Amount | None = None
    requested_delivery_date: Day | None = None
    forget: tuple[Forgotten, ...] = ()

    @property
    def _says_something(self) -> bool:
        wishes = (self.lines, self.add, self.shipping, self.requested_delivery_date, self.forget)
        return any(wishes) or self.discount is not None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        named: set[str] = set()
        for index, line in enumerate(self.lines):
            if line.line_id in named:
                raise inconsistent(f"lines[{index}].line_id", f"{line.line_id!r} is named twice")
            named.add(line.line_id)
        return self


class EditRequest(_Edit):
    """Change a placed order: all of it, or nothing.

    `personal`: an address, a billing address or a note is kept for this request, by its id. Those
    are sent by the command and over HTTP, because nothing about a person enters Temporal.
    """

    personal: Flag = False

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self._says_something and not self.personal:
            raise inconsistent("lines", "say what changes")
        if self.personal and self.request_id is None:
            raise inconsistent("request_id", "is needed to find what is kept for it")
        return self


class PersonChange(Document):
    """What changes of the person that an order is for. None: it stays."""

    address: Address | None = None
    billing: Address | None = None
    note: Note | None = None

    def __bool__(self) -> bool:
        """Something changes."""
        return any(part is not None for part in (self.address, self.billing, self.note))


class OrderEdit(_Edit, PersonChange):
    """Change a placed order: all of it, or nothing. Without `version`, as it is by then."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self._says_something and not self.person:
            raise inconsistent("lines", "say what changes")
        return self

    @property
    def person(self) -> PersonChange:
        """What changes of the person."""
        return PersonChange(address=self.address, billing=self.billing, note=self.note)

    @property
    def as_met(self) -> EditRequest:
        """The rest, as it goes to the order's workflow."""
        given = self.model_dump(exclude=set(PersonChange.model_fields), exclude_unset=True)
        return EditRequest(**given, personal=bool(self.person))


class Change(BaseModel):
    """One thing that changes, in words. What is about a person is named and not told."""

    model_config = ConfigDict(frozen=True)

    what: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if not self.before and not self.after:
            return self.what
        return f"{self.what}: {self.before or 'none'} → {self.after or 'none'}"


class Obstacle(BaseModel):
    """What cannot be changed, and why: a stable code (`reason`), and what can be asked instead."""

    model_config = ConfigDict(frozen=True)

    what: str
    why: str
    reason: str
    instead: tuple[str, ...] = ()


class AddedUnits(BaseModel):
    """Units of a line: whether they are in stock, and the day of their arrival, if it is known."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    quantity: int
    in_stock: bool
    arrives_on: date | None = None


class EditPreview(BaseModel):
    """What an edit would do; nothing is written. Apply it by this `version` and `total`.

    `to_authorize`: what is authorized more before it is applied; `released`: what will be charged
    less; `to_pay_back`: what was charged already and is owed back. `promised`: when the `added`
    units would arrive, as the stock is now; nothing can be promised of the rest.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    version: int
    changes: tuple[Change, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    total_before: Money
    total: Money
    tax_before: Money
    tax: Money
    to_authorize: Money
    released: Money
    to_pay_back: Money
    added: tuple[Units, ...] = ()
    taken_away: tuple[Units, ...] = ()
    promised: tuple[AddedUnits, ...] = ()


class EditOutcome(BaseModel):
    """The order was changed. `version`: the order's document from now on.

    `to_pay_back`: what was charged for units that are taken away, or above a lower price.
    """

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["edited", "unchanged"]
    version: int
    changes: tuple[Change, ...] = ()
    total_before: Money
    total: Money
    to_pay_back: Money | None = None
    added: tuple[Units, ...] = ()
    taken_away: tuple[Units, ...] = ()
    backordered: tuple[Units, ...] = ()
