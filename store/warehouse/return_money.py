"""What is owed for goods that come back: their worth, less what the rules keep of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.aftersales.return_counts import postage_kept, restocking_fee
from domain.aftersales.return_rules import ReturnTerms
from domain.errors import Refused
from domain.money import Money
from domain.orders.charges import Charges
from store.aftersales import return_labels, return_rules, returns
from store.aftersales.return_labels import ReturnLabel
from store.aftersales.returns import FoundUnits, ReturnLine
from store.database import Connection, Record
from store.payments import billing, tallies

EXPECTED: Final = ("requested", "approved", "in_transit")


async def expected_refund(conn: Connection, return_id: str) -> Money:
    """What a return that is under way will pay back if all of it comes, as new.

    Raises NotFound, and Refused where nothing of it is to come any more.
    """
    async with conn.transaction():
        row = await returns.locked(conn, return_id)
        lines = await returns.lines(conn, return_id)
        if row["kind"] != "customer" or row["state"] not in EXPECTED:
            raise Refused(
                f"{return_id} is {row['state']}: nothing of it is to come that the customer asked "
                "to send back",
                reason=f"return_{row['state']}",
            )
        found = await tallies.load(conn, row["order_id"])
        terms = await return_rules.terms_of(conn, row["order_id"])
        label = await return_labels.find(conn, return_id)
    units = {line.line_id: line.quantity for line in lines}
    owed = found.charges.if_returned(units)
    new: dict[str, list[FoundUnits]] = {
        k: [FoundUnits(quantity=n, condition="new", disposition="restock")]
        for k, n in units.items()
    }
    kept = found.charges.keep(owed, **_kept(found.charges, lines, new, terms, label))
    return Money(minor=kept.worth.total, currency=found.currency)


async def owed_for(
    conn: Connection,
    row: Record,
    lines: Sequence[ReturnLine],
    units: Mapping[str, Sequence[FoundUnits]],
    terms: Mapping[str, ReturnTerms],
) -> billing.Grant | None:
    """Owe the customer what came back, less what the rules keep of it.

    Of a parcel that could not be delivered, all of it.
    """
    found = await tallies.load(conn, row["order_id"])
    charges = found.charges
    if row["kind"] == "customer":
        received = {
            line.line_id: sum(each.quantity for each in units.get(line.line_id, ()))
            for line in lines
        }
        owed = charges.returned(received)
        label = await return_labels.find(conn, row["return_id"])
        owed = charges.keep(owed, **_kept(charges, lines, units, terms, label))
        why = row["reason"]
    else:
        owed = charges.came_back({line.line_id: line.quantity for line in lines})
        why = f"{row['fulfilment_id']} could not be delivered"
    return await billing.grant(conn, found, owed, row["return_id"], kind="return", why=why)


def _kept(
    charges: Charges,
    lines: Sequence[ReturnLine],
    units: Mapping[str, Sequence[FoundUnits]],
    terms: Mapping[str, ReturnTerms],
    label: ReturnLabel | None,
) -> dict[str, int]:
    """The fee for restocking and for the label, and the postage that the rules keep, in minor
    units.
    """
    reasons = {line.line_id: line.reason_code for line in lines}
    received = {k: sum(each.quantity for each in some) for k, some in units.items()}
    fee = sum(
        restocking_fee(
            [(each.quantity, each.condition) for each in some],
            *(terms[k], charges.worth[k], reasons[k]),
        )
        for k, some in units.items()
    )
    if label is not None and label.label in ("requested", "bought") and any(received.values()):
        fee += label.fee_minor
    return {"fee": fee, "postage": postage_kept(received, terms, charges.worth, reasons)}
