"""What comes back, counted by its condition: what becomes of it, and what the seller keeps.

A rule says what becomes of goods in a condition; the warehouse may say otherwise. It says as well
what restocking costs the customer, and whether the postage of the outward way is paid back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from domain.aftersales.conditions import Condition, Disposition
from domain.aftersales.return_rules import ReturnTerms
from domain.fields import Document, Printable, Sku
from domain.orders.amounts import LineWorth
from domain.orders.quantities import LineId
from domain.orders.return_messages import FAULT_OF_THE_SELLER, ReturnReason

Parts: TypeAlias = Mapping[str, int]
"""Of each part of a kit (SKU), so much."""

UNITS_MAX: Final = 1_000_000_000

USUAL: Final[Mapping[Condition, Disposition]] = {
    "new": "restock",
    "opened": "restock",
    "used": "scrap",
    "damaged": "scrap",
}
"""What becomes of goods where no rule says it."""


class Found(Document):
    """Units of one line in one condition. `photo`: an address or an id of one, kept as it is.

    `disposition`: what becomes of them, where it is not what the rules say. `reference`: of the
    supplier, for what goes back there. `lacks`: of a kit, the parts that each of these units came
    without.
    """

    quantity: Annotated[int, Field(strict=True, ge=1, le=UNITS_MAX)]
    condition: Condition = "new"
    disposition: Disposition | None = None
    photo: Printable | None = None
    reference: Printable | None = None
    lacks: dict[Sku, Annotated[int, Field(strict=True, ge=1, le=UNITS_MAX)]] = Field(
        default_factory=dict, max_length=1000
    )


class FoundGoods(Document):
    """Units of an item in one condition, in a parcel that nobody announced."""

    sku: Sku
    quantity: Annotated[int, Field(strict=True, ge=1, le=UNITS_MAX)]
    condition: Condition = "new"
    photo: Printable | None = None


def by_line(
    goods: Iterable[FoundGoods], lines: Mapping[LineId, tuple[str, int]]
) -> dict[LineId, list[Found]] | None:
    """The units by the lines that they can be of: line id → its SKU, and how many at most.

    None where there are other goods, or more of them.
    """
    found: dict[LineId, list[Found]] = {}
    room = {line_id: most for line_id, (_, most) in lines.items()}
    for each in goods:
        left = each.quantity
        for line_id, (sku, _) in lines.items():
            taken = min(left, room[line_id]) if sku == each.sku else 0
            if taken:
                part = Found(quantity=taken, condition=each.condition, photo=each.photo)
                found.setdefault(line_id, []).append(part)
                room[line_id] -= taken
                left -= taken
        if left:
            return None
    return found


def disposed(found: Found, terms: ReturnTerms) -> Disposition:
    """What becomes of these units."""
    ruled = (terms.dispositions or {}).get(found.condition)
    return found.disposition or ruled or USUAL[found.condition]


def restocking_fee(
    units: Iterable[tuple[int, Condition]],
    terms: ReturnTerms,
    worth: LineWorth,
    reason: ReturnReason,
) -> int:
    """The fee for units of one line, in minor units, tax included; 0 where the seller is at fault.

    A share of what the units cost, without their shipping, rounded down.
    """
    if terms.restocking_percent is None or reason in FAULT_OF_THE_SELLER:
        return 0
    whole = worth.whole.goods + worth.whole.tax
    shares = sum(count * terms.restocking_percent.get(condition, 0) for count, condition in units)
    return whole * shares // (worth.quantity * 100)


def lacking_kept(
    units: Iterable[tuple[int, Parts]], made_of: Parts, weights: Parts, worth: LineWorth
) -> int:
    """What is not paid back for kits of one line that came without some parts, in minor units.

    A share of what the kits cost, without their shipping, rounded down: of each part by its weight,
    which is what one unit of it weighs. `made_of`: the parts of one kit.
    """
    one = sum(weights[part] * count for part, count in made_of.items())
    lacking = sum(
        count * sum(weights[part] * n for part, n in lacks.items()) for count, lacks in units
    )
    whole = worth.whole.goods + worth.whole.tax
    return whole * lacking // (worth.quantity * one) if lacking else 0


def postage_kept(
    received: Mapping[LineId, int],
    terms: Mapping[LineId, ReturnTerms],
    worth: Mapping[LineId, LineWorth],
    reasons: Mapping[LineId, ReturnReason],
) -> int:
    """The share of the outward postage that is not paid back, in minor units, tax included."""
    kept = 0
    for line_id, units in received.items():
        paid_back = terms[line_id].outbound_postage != "kept"
        if not (paid_back or reasons[line_id] in FAULT_OF_THE_SELLER):
            whole = worth[line_id].whole.only_shipping.total
            kept += whole * units // worth[line_id].quantity
    return kept
