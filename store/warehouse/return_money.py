"""What is owed for goods that come back: their worth, less what the rules keep of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain import ids
from domain.aftersales.return_counts import lacking_kept, postage_kept
from domain.aftersales.return_rules import ReturnTerms, is_paid_at_once
from domain.errors import Refused
from domain.money import Money
from domain.orders.charges import Charges
from store.aftersales import return_labels, return_rules, returns
from store.aftersales.returns import FoundUnits, ReturnLine
from store.database import Connection, Record
from store.orders import events
from store.payments import billing, exchanges, payments, refunds, return_worth, tallies
from store.stock import kits

EXPECTED: Final = ("requested", "approved", "in_transit")


async def expected_refund(conn: Connection, return_id: str) -> Money:
    """What a return that is under way will pay back if all of it comes, as new; nothing more where
    that is paid back already.

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
        if row["paid_early"]:
            return Money(minor=0, currency=found.currency)
        terms = await return_rules.terms_of(conn, row["order_id"])
        label = await return_labels.find(conn, return_id)
    units = {line.line_id: line.quantity for line in lines}
    owed = found.charges.if_returned(units)
    kept = found.charges.keep(
        owed, **return_worth.kept(found.charges, lines, return_worth.as_new(units), terms, label)
    )
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
        keeps = return_worth.kept(charges, lines, units, terms, label)
        keeps["fee"] += await _lacking(conn, row["order_id"], charges, units)
        owed = charges.keep(owed, **keeps)
        why = row["reason"]
    else:
        owed = charges.came_back({line.line_id: line.quantity for line in lines})
        why = f"{row['fulfilment_id']} could not be delivered"
    return await billing.grant(conn, found, owed, row["return_id"], kind="return", why=why)


async def pay_early(conn: Connection, row: Record) -> billing.Grant | None:
    """Pay a return back because a carrier has it, where the rules say so: as if all came, as new.

    None: the rules do not, nothing is to be paid, a bank asks about the order, or what comes back
    pays for an exchange order, which has to know what that is. The caller holds the order's lock,
    and writes the credit note last.
    """
    return_id, order_id = row["return_id"], row["order_id"]
    if await exchanges.of_return(conn, return_id) is not None:
        return None
    lines = await returns.lines(conn, return_id)
    units = {line.line_id: line.quantity for line in lines}
    reasons = {line.line_id: line.reason_code for line in lines}
    asked = await return_rules.asked(conn, order_id, units, reasons, late=True)
    if not is_paid_at_once(asked, 0) or await payments.why_no_refund(conn, order_id):
        return None
    found = await tallies.load(conn, order_id)
    owed = found.charges.on_their_way_back(units)
    if owed is None:
        return None
    terms = {line.line_id: line.terms for line in asked.lines}
    label = await return_labels.find(conn, return_id)
    owed = found.charges.keep(
        owed, **return_worth.kept(found.charges, lines, return_worth.as_new(units), terms, label)
    )
    if not owed.worth.total or not is_paid_at_once(asked, owed.worth.total):
        return None
    await returns.paid_early(conn, return_id)
    return await billing.grant(conn, found, owed, return_id, kind="return", why=row["reason"])


async def settle_early(
    conn: Connection,
    row: Record,
    lines: Sequence[ReturnLine],
    units: Mapping[str, Sequence[FoundUnits]],
    terms: Mapping[str, ReturnTerms],
) -> None:
    """A return that is paid back is counted: what it pays too much is a person's task, or let be.

    What does not come stays with the customer, as units do that are paid back without a return.
    """
    found = await tallies.load(conn, row["order_id"])
    charges, return_id = found.charges, row["return_id"]
    received = {k: sum(each.quantity for each in some) for k, some in units.items()}
    charges.counted_after_all({line.line_id: line.quantity for line in lines}, received)
    await tallies.save(conn, found)
    refund = await refunds.find(conn, return_id)
    if refund is not None and refund.unissued == 0:
        await returns.set_state(conn, return_id, "refunded")
    missing = {x.line_id: x.quantity - received.get(x.line_id, 0) for x in lines}
    fee = return_worth.kept(charges, lines, units, terms, None)["fee"]
    fee -= return_worth.kept(charges, lines, return_worth.as_new(received), terms, None)["fee"]
    fee += await _lacking(conn, row["order_id"], charges, units)
    worth = sum(charges.worth[k].first(n).total for k, n in missing.items())
    reasons = {line.line_id: line.reason_code for line in lines}
    worth -= postage_kept(missing, terms, charges.worth, reasons)
    if not worth + fee:
        return
    short = Money(minor=worth + fee, currency=found.currency)
    if all(terms[line.line_id].not_returned == "write_off" for line in lines):
        await events.tell(
            conn,
            row["order_id"],
            f"written_off:{return_id}",
            "not returned, written off",
            who=ids.WHO,
            data={"return_id": return_id, "missing": missing, "amount": str(short)},
        )
        return
    reason = (
        f"{return_id} was paid back on its way, and {short} of that did not come back; have the "
        "customer pay it, or let it be, and say done"
    )
    step = f"return_short {return_id}"
    await events.raise_attention(conn, row["order_id"], step, reason, ["done"])


async def _lacking(
    conn: Connection,
    order_id: str,
    charges: Charges,
    units: Mapping[str, Sequence[FoundUnits]],
) -> int:
    """What is not paid back for kits that came without some parts, in minor units."""
    lacking = {
        line_id: [(each.quantity, each.lacks) for each in some if each.lacks]
        for line_id, some in units.items()
        if any(each.lacks for each in some)
    }
    if not lacking:
        return 0
    made_of = await kits.claimed(conn, order_id)
    weights = {k: await kits.weights(conn, order_id, made_of[k]) for k in lacking}
    return sum(
        lacking_kept(some, made_of[k], weights[k], charges.worth[k]) for k, some in lacking.items()
    )
