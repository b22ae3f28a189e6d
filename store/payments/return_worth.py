"""What goods that come back are worth: what is paid back, and what the rules keep of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.aftersales.return_counts import postage_kept, restocking_fee
from domain.aftersales.return_labels import wanted_label
from domain.aftersales.return_rules import Asked, ReturnTerms
from domain.orders.amounts import Worth
from domain.orders.charges import Charges
from domain.orders.quantities import LineId, LineUnits
from domain.orders.return_messages import ReturnReason
from store.aftersales.return_labels import ReturnLabel
from store.aftersales.returns import FoundUnits, ReturnLine
from store.database import Connection
from store.payments import tallies


@dataclass(frozen=True)
class Expected:
    """What units pay back if all of them come, as new. `by_line`: before anything is `kept` of it.

    `paid_back`: so many of them are paid back already, and pay nothing but their shipping.
    """

    worth: Worth
    kept: Worth
    by_line: Mapping[LineId, Worth]
    paid_back: LineUnits


async def expected(conn: Connection, order_id: str, asked: Asked) -> Expected:
    """What these units of an order will pay back, of which nobody has asked to return them yet.

    The caller holds the order's lock.
    """
    charges = (await tallies.load(conn, order_id)).charges
    units = {line.line_id: line.quantity for line in asked.lines}
    by_line = {k: charges.if_returned({k: n}, asked=False).worth for k, n in units.items()}
    owed = charges.if_returned(units, asked=False)
    terms = {line.line_id: line.terms for line in asked.lines}
    keeps = _kept(charges, {x.line_id: x.reason for x in asked.lines}, as_new(units), terms)
    label = wanted_label(asked)
    keeps["fee"] += 0 if label is None else label.fee_minor
    kept_of_it = charges.keep(owed, **keeps)
    return Expected(
        kept_of_it.worth,
        kept_of_it.kept,
        by_line,
        {k: max(0, n - charges.concedable(k)) for k, n in units.items()},
    )


def kept(
    charges: Charges,
    lines: Sequence[ReturnLine],
    units: Mapping[str, Sequence[FoundUnits]],
    terms: Mapping[str, ReturnTerms],
    label: ReturnLabel | None,
) -> dict[str, int]:
    """The fee for restocking and for the label, and the postage that the rules keep, in minor
    units.
    """
    keeps = _kept(charges, {line.line_id: line.reason_code for line in lines}, units, terms)
    if label is not None and label.label in ("requested", "bought") and any(units.values()):
        keeps["fee"] += label.fee_minor
    return keeps


def _kept(
    charges: Charges,
    reasons: Mapping[LineId, ReturnReason],
    units: Mapping[str, Sequence[FoundUnits]],
    terms: Mapping[str, ReturnTerms],
) -> dict[str, int]:
    received = {k: sum(each.quantity for each in some) for k, some in units.items()}
    fee = sum(
        restocking_fee(
            [(each.quantity, each.condition) for each in some],
            *(terms[k], charges.worth[k], reasons[k]),
        )
        for k, some in units.items()
    )
    return {"fee": fee, "postage": postage_kept(received, terms, charges.worth, reasons)}


def as_new(units: LineUnits) -> dict[str, list[FoundUnits]]:
    """Units of lines as they are if nothing is wrong with them."""
    return {
        k: [FoundUnits(quantity=n, condition="new", disposition="restock")]
        for k, n in units.items()
        if n
    }
