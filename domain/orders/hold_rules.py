"""Rules that hold an order when it is taken in: data that a shop sets, and lists of its own."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.fields import Amount, Currency, Document, Flag, Id, Who, inconsistent
from domain.orders.hold_messages import AskedReason, AtEnd
from domain.orders.order import Order
from domain.sellers import Code

RULES_MAX: Final = 100
ENTRIES_MAX: Final = 10_000
"""So many entries of a list may come at once."""

Span = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=366))]
ListedKind = Literal["customer_id", "email", "name", "phone", "postal_code"]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class OrdersWithin(Document):
    """More than so many orders of one customer within a span, this one included."""

    more_than: Annotated[int, Field(ge=1, le=99)]
    within: Span


class AmountOver(Document):
    """More than so much, of orders in this currency."""

    amount: Amount
    currency: Currency


class HoldWhen(Document):
    """What an order must be like: all that is given, and something must be.

    `address_refused`: the address check finds fault; until that is known, the order is held.
    `orders_within`: of a customer with the same id or mail address. `words`: one of them stands in
    the note or the gift message. `listed`: the customer or the address is on the list of that name.
    """

    amount_over: AmountOver | None = None
    orders_within: OrdersWithin | None = None
    countries_differ: Flag = False
    first_order: Flag = False
    words: Annotated[tuple[_Text, ...], Field(max_length=100)] = ()
    listed: Id | None = None
    address_refused: Flag = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_defaults=True):
            raise inconsistent("when", "must say what an order is like that is held", "rule_empty")
        return self


class HoldRule(Document):
    """Orders that are like `when` are held as they are taken in.

    `ends_after`: the hold ends by itself so long after, in the way of `at_end`. `channels`,
    `sellers`: of these alone; left out: of all.
    """

    rule: Id
    when: HoldWhen
    reason: AskedReason
    owner: Who = "customer service"
    ends_after: Span | None = None
    at_end: AtEnd = "release"
    channels: Annotated[tuple[Code, ...], Field(max_length=100)] = ()
    sellers: Annotated[tuple[Code, ...], Field(max_length=100)] = ()
    active: Flag = True


class HoldRules(Document):
    """All rules of a file."""

    rules: Annotated[tuple[HoldRule, ...], Field(min_length=1, max_length=RULES_MAX)]


class ListEntries(Document):
    """What is put on a list, or taken off it. Hashes of it are kept, and nothing else."""

    kind: ListedKind
    values: Annotated[tuple[_Text, ...], Field(min_length=1, max_length=ENTRIES_MAX)]


class Facts(BaseModel):
    """What is known of an order's customer beside the order.

    `earlier`: when their other orders were taken in, the newest first. `lists`: on which lists the
    customer or the address is.
    """

    model_config = ConfigDict(frozen=True)

    earlier: tuple[datetime, ...] = ()
    lists: frozenset[str] = frozenset()


def digest_of(kind: ListedKind, value: str) -> bytes:
    """What a list keeps of a value: a hash of it as it is compared."""
    plain = " ".join(value.casefold().split())
    if kind == "phone":
        plain = re.sub(r"[^0-9]", "", plain).lstrip("0")
    elif kind in ("email", "postal_code"):
        plain = plain.replace(" ", "")
    elif kind == "customer_id":
        plain = value.strip()
    return hashlib.sha256(f"{kind}:{plain}".encode()).digest()


def digests_of(order: Order) -> frozenset[bytes]:
    """What of an order may be on a list."""
    customer, address, billing = order.customer, order.shipping.address, order.billing
    found: list[tuple[ListedKind, str | None]] = [
        ("customer_id", customer.id),
        ("email", customer.email),
        ("phone", customer.phone),
        ("name", customer.name),
    ]
    for one in (address, billing):
        if one is not None:
            found += [("name", one.name), ("postal_code", one.postal_code)]
    return frozenset(digest_of(kind, value) for kind, value in found if value)
