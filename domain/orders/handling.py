"""Handling: the process by which the units of a line come to the customer.

An item says how its goods are handled. Of goods that are carried, the order says more: whether they
are sent, collected, or taken along from the till. Both are settled when the order is taken in, and
are kept with its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import StringConstraints

from domain.fields import Shape
from domain.orders.shipping import COLLECT

Outside = Annotated[
    str,
    StringConstraints(max_length=42),
    Shape(r"^x:[a-z0-9][a-z0-9_-]*$", "x: and the name of a workshop"),
]
"""Goods on which a workshop works before they leave: a program of somebody else's, by its name."""

ItemHandling = Annotated[
    str,
    StringConstraints(max_length=42),
    # One rule for both kinds: a union of two would tell their faults apart.
    Shape(
        r"^(shipped|digital|made_to_order|drop_ship|service|x:[a-z0-9][a-z0-9_-]*)$",
        "shipped, digital, made_to_order, drop_ship, service, or x: and the name of a workshop",
    ),
]
"""How the goods of a SKU are handled. shipped: they are carried, by a parcel or by the customer."""

BuiltIn = Literal[
    "shipped", "pick_up", "counter", "digital", "made_to_order", "drop_ship", "service"
]
"""pick_up: the customer collects it with a code. counter: the customer takes it from the till.

digital: codes that are given out; nobody carries anything. made_to_order: bought for the order, and
sent when it has come. drop_ship: bought for the order, and sent to the customer by the supplier.
service: given to the customer at a time that is agreed.
"""

Handling = BuiltIn | Outside
"""How units come to the customer."""

SHIPPED: Final[Handling] = "shipped"
PICK_UP: Final[Handling] = "pick_up"
COUNTER: Final[Handling] = "counter"
DIGITAL: Final[Handling] = "digital"
MADE_TO_ORDER: Final[Handling] = "made_to_order"
DROP_SHIP: Final[Handling] = "drop_ship"
SERVICE: Final[Handling] = "service"

AT_ONCE: Final[frozenset[Handling]] = frozenset({COUNTER, DIGITAL, DROP_SHIP})
"""Nobody in a warehouse does anything for these: they are handed over as soon as they are paid."""

BOUGHT: Final[frozenset[Handling]] = frozenset({MADE_TO_ORDER, DROP_SHIP})
"""A supplier is asked for these once an order is confirmed: until it has answered they wait."""

NEVER_BACK: Final[Mapping[Handling, tuple[str, str]]] = {
    DIGITAL: ("digital_delivered", "is a code that was given out"),
    SERVICE: ("service_is_over", "is a service that was given"),
}
"""What was delivered of these is never sent back: the reason why not, and in words."""

OUTSIDE: Final = "x:"
"""The handlings of workshops begin with this."""


def is_outside(handling: Handling) -> bool:
    """Whether a workshop works on it, and hands it over."""
    return handling.startswith(OUTSIDE)


def nobody_picks(handling: Handling) -> bool:
    """Whether nobody in a warehouse picks and packs it."""
    return handling in AT_ONCE or handling == SERVICE or is_outside(handling)


Handlings: TypeAlias = dict[str, Handling]
"""Line id → handling."""


def carried(service: str, *, over_the_counter: bool) -> Handling:
    """How an order's carried goods come to the customer. `over_the_counter`: by its policy."""
    if service != COLLECT:
        return SHIPPED
    return COUNTER if over_the_counter else PICK_UP


Category = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40),
    Shape(r"^[a-z0-9][a-z0-9_-]*$", "small letters, digits, '_' and '-', such as shoes"),
]
"""A kind of items, as a shop's own rules name it."""
