"""What a shop's message means for an order here, and how its parts are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from domain.errors import InvalidInput
from domain.faults import faults
from domain.fields import wrong
from domain.money import decimals, to_minor
from domain.orders.order import Order
from domain.orders.prices import tax_of
from domain.payments.elsewhere import PaidBack

Read = TypeVar("Read", bound=BaseModel)

_FAULTS_MAX: Final = 5

OUR_REFUND: Final = "Orderloom refund "
"""The note of a refund that we had the shop make begins so; the key of our call follows."""

ERASED: Final = "erased-"
"""The id of a customer begins so whose person was erased: nobody knows any more where it went."""


@dataclass(frozen=True)
class OrderNews:
    """An order as the shop has it now.

    `order`: as it was placed there; None: the message only cancels. `wait`: why it is not placed
    yet, or never. `cancelled`: why it was cancelled there; empty: it was not. `removed`: line id →
    units that were taken off it there. `paid_back`: refunds that the shop has made, without those
    that it made because we asked: we know of these.
    """

    number: str
    order: Order | None
    wait: str = ""
    cancelled: str = ""
    removed: Mapping[str, int] = field(default_factory=dict)
    paid_back: tuple[PaidBack, ...] = ()


class Shape(BaseModel):
    """Base of what others send: what we do not know is none of our business."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _given(cls, content: Any) -> Any:
        """null is as good as nothing."""
        if not isinstance(content, dict):
            return content
        return {name: value for name, value in content.items() if value is not None}


def _number(value: Any) -> Any:
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise wrong("must be an amount")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise wrong("must be an amount") from None
    if not amount.is_finite() or abs(amount.adjusted()) > 20:
        raise wrong("must be an amount")
    return amount


Number = Annotated[Decimal, BeforeValidator(_number)]


def text_of(value: Any) -> Any:
    """The text of what may be a number; nothing for null."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(text_of)]


def is_ours(note: str) -> bool:
    """Whether a refund with this note was made because we asked for it."""
    return note.startswith(OUR_REFUND)


def read(model: type[Read], content: Any) -> Read:
    """A message as a shape of ours. Raises InvalidInput that names what is wrong."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise told(error, model) from None


def told(error: ValidationError, model: type[BaseModel]) -> InvalidInput:
    """What is wrong with a document, in one line."""
    found = [f"{path or 'it'} {reason}" for _, path, reason in faults(error, model)]
    return InvalidInput("; ".join(found[:_FAULTS_MAX]))


def amount_text(amount: Decimal, currency: str) -> str:
    """An amount as our documents have it. Zeros that the currency has no place for are left out."""
    places = decimals(currency)
    exact = amount.normalize()
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        exact = exact.quantize(Decimal(1).scaleb(-places))
    return format(exact, "f")


def rate_of(
    rates: Iterable[Decimal], cost: Decimal, tax: Decimal, currency: str, *, included: bool
) -> str | None:
    """The rate in percent, where the tax is what it makes of the cost; None: it is something else.

    Shops round where they like: a rate that does not fit is left out, and the tax stands.
    """
    rate = sum(rates, Decimal(0))
    if not 0 < rate < 1000:
        return None
    try:
        apart = tax_of(to_minor(cost, currency), rate, included=included) - to_minor(tax, currency)
    except InvalidInput:
        return None
    text = format(round(rate, 6).normalize(), "f")
    return text if abs(apart) <= 1 else None


def place(document: Mapping[str, Any]) -> Order:
    """Our order. Raises InvalidInput that names what is wrong, amounts that do not fit included."""
    try:
        return Order.model_validate(document)
    except ValidationError as error:
        raise told(error, Order) from None


def differences(order: Order, placed: Mapping[str, Any]) -> str:
    """What of an order was edited since it was placed; empty: nothing that we go by.

    `placed`: its document, in which the person may be erased.
    """
    now = order.model_dump(mode="json")
    lines = {line["line_id"]: line for line in placed.get("lines", ())}
    edited = []
    for line in now["lines"]:
        old = lines.pop(line["line_id"], None)
        if old is None:
            edited.append(f"{line['quantity']} × {line['sku']} was added")
        elif (old["sku"], old["quantity"]) != (line["sku"], line["quantity"]):
            edited.append(
                f"{old['quantity']} × {old['sku']} became {line['quantity']} × {line['sku']}"
            )
        elif Decimal(old["unit_price"]) != Decimal(line["unit_price"]):
            edited.append(f"the price of {line['sku']} was changed")
    edited += [f"{old['quantity']} × {old['sku']} was taken out" for old in lines.values()]
    erased = str((placed.get("customer") or {}).get("id", "")).startswith(ERASED)
    address = (placed.get("shipping") or {}).get("address")
    to = now["shipping"]["address"]
    if address and to and not erased and _where(address) != _where(to):
        edited.append("the address was changed")
    return "; ".join(edited)


def _where(address: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in address.items() if value is not None}
