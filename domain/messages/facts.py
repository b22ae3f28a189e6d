"""What a template is filled in with. All of it is text that can be printed as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.messages.kinds import MessageKind
from domain.sellers import Language


class Part(BaseModel):
    """A part of what is told: frozen, and without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToldItem(Part):
    """So many units of something. `day`: when it comes, where others come on another day."""

    name: str
    quantity: int
    day: str = ""


class ToldShop(Part):
    """Who writes. An empty text is one that nobody has said. `has_logo`: the mail carries it."""

    name: str
    colour: str = "#1f4f82"
    support_email: str = ""
    support_phone: str = ""
    has_logo: bool = False


class Facts(Part):
    """Of a message. A text that does not belong to it, or that nobody knows, is empty.

    `number`: the order's, as its channel wrote it. `day`: when it arrives. `items`: of the parcel,
    where the message is about one, or what is cancelled, waited for or late, else of the order.
    `cancelled`: besides the `items`, in a message of `NAMES_CANCELLED`. `total`: of the order, in a
    message of `TOTAL_NOW` without what is cancelled.
    `link`: to the customer's page. `code`: with which goods are collected. `earlier_day`: a
    promised day that is not held, perhaps. `moved`: of a promised day. `invoice`, `credit_note`:
    the number of the one that is attached.
    """

    language: Language
    shop: ToldShop
    number: str
    name: str
    placed_on: str
    total: str
    items: tuple[ToldItem, ...]
    address: tuple[str, ...]
    cancelled: tuple[ToldItem, ...] = ()
    carrier: str = ""
    tracking_number: str = ""
    day: str = ""
    earlier_day: str = ""
    moved: Literal["", "sooner", "later"] = ""
    amount: str = ""
    code: str = ""
    return_id: str = ""
    decision: str = ""
    invoice: str = ""
    credit_note: str = ""
    link: str = ""


COUNTED: Final[tuple[MessageKind, ...]] = ("backordered", "partly_cancelled")
"""Kinds that name the units that their event is about, and no others."""

NAMES_CANCELLED: Final[tuple[MessageKind, ...]] = ("confirmed", "backordered")
"""Kinds that name what is cancelled apart from what comes."""

TOTAL_NOW: Final[tuple[MessageKind, ...]] = ("confirmed", "payment_refused")
"""Kinds that tell what is to be paid, and not what was ordered."""


def units_told(kind: MessageKind, data: Mapping[str, Any]) -> dict[str, int]:
    """The units by order line that an event of one of these kinds is about."""
    if kind == "backordered":
        parts = [data.get("backordered")]
    elif data.get("missing"):
        # What waits instead of it stands beside it.
        parts = [data["missing"]]
    else:
        # By fulfilment, and those that had none yet.
        parts = [*(data.get("units") or {}).values(), data.get("backordered")]
    counted: dict[str, int] = {}
    for part in parts:
        for line_id, count in (part or {}).items():
            counted[line_id] = counted.get(line_id, 0) + count
    return counted
