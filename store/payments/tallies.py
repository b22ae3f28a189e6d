"""What an order's lines charge, invoice and pay back, as rows: read, decided on, and kept.

`domain.orders.charges` decides. Everything here runs in the transaction of the fact that it is
about, under the order's lock: so two requests never get the same money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.orders.amounts import LineMoney, LineWorth, Worth
from domain.orders.charges import Charges, Due
from domain.orders.proposals import Proposal
from domain.orders.quantities import LineId, LineQuantities, LineUnits
from domain.payments import needs as rules
from domain.payments.cover import Need
from domain.payments.payments import Payment
from store.database import Connection, load_queries
from store.faults import refusals
from store.payments.payments import texts

_sql = load_queries(__file__)


class Charge(BaseModel):
    """What the customer has to pay for a parcel that left, or (`ahead`) for all of the order.

    `units`: line id → units that it pays for.
    """

    model_config = ConfigDict(frozen=True)

    charge_id: str
    order_id: str
    currency: str
    units: dict[str, int]
    amount_minor: int
    captured_minor: int
    ahead: bool

    @property
    def left(self) -> int:
        """The minor units that are not captured."""
        return self.amount_minor - self.captured_minor


@dataclass(frozen=True)
class Tallies:
    """The money of an order as its rows have it.

    `parts`: the units that are claimed for each fulfilment that is still to leave, oldest first.
    `taken`: the amount of each charge, and `unpaid`: of those that are not captured, in minor
    units. `whole`: the next parcel that leaves is charged with all that is left to charge.
    """

    order_id: str
    currency: str
    goodwill_percent_max: int
    charges: Charges
    parts: Mapping[str, LineUnits]
    taken: Mapping[str, int]
    unpaid: frozenset[str]
    kept: dict[LineId, LineMoney]
    whole: bool = False

    def older_than(self, fulfilment_id: str) -> list[LineUnits]:
        """The units of the older fulfilments that are still to leave."""
        place = _place(fulfilment_id)
        return [units for part, units in self.parts.items() if _place(part) < place]


async def load(conn: Connection, order_id: str) -> Tallies:
    """Read an order's money. The caller holds the order's lock."""
    return from_row(order_id, await _sql.tallies_of(conn, order_id=order_id))


def from_row(order_id: str, row: Mapping[str, Any]) -> Tallies:
    """An order's money, as the function `tallies_of` of the database has found it."""
    lines = row["lines"]
    money = {line["line_id"]: LineMoney.model_validate(line["money"] or {}) for line in lines}
    charges = Charges(
        {line["line_id"]: LineQuantities.model_validate(line["units"]) for line in lines},
        {line["line_id"]: _worth(line, money[line["line_id"]]) for line in lines},
        money,
        refunded=Worth.model_validate(row["refunded"]),
        invoiced=Worth.model_validate(row["invoiced"]),
        goodwill=row["goodwill"],
    )
    return Tallies(
        order_id,
        row["currency"],
        row["goodwill_percent_max"],
        charges,
        {each["fulfilment_id"]: each["units"] for each in row["parts"]},
        {each["charge_id"]: each["amount"] for each in row["taken"]},
        frozenset(each["charge_id"] for each in row["taken"] if each["left"]),
        money,
        whole=row["whole"],
    )


def proposed(found: Tallies, proposal: Proposal) -> Tallies:
    """The money as it would be after an edit."""
    money, units, worth = {}, {}, {}
    for line in proposal.lines:
        line_id = line.line_id
        before = found.charges.units(line_id)
        kept = found.kept.get(line_id, LineMoney())
        sendable = None if kept.sendable is None else kept.sendable + line.more
        money[line_id] = kept.model_copy(update={"sendable": sendable})
        units[line_id] = LineQuantities(
            ordered=line.quantity,
            cancelled=line.cancelled,
            shipped=before.shipped if before else 0,
        )
        stays = proposal.keeps and before is not None
        worth[line_id] = found.charges.worth[line_id] if stays else line
    charges = Charges(
        units,
        worth,
        money,
        refunded=found.charges.refunded,
        invoiced=found.charges.invoiced,
        goodwill=found.charges.goodwill,
    )
    if proposal.keeps:
        charges.cancelled(dict.fromkeys(units, 0))
    parts = {
        part: {k: n - proposal.taken.get(part, {}).get(k, 0) for k, n in claimed.items()}
        for part, claimed in found.parts.items()
    }
    return replace(found, charges=charges, parts=parts, kept=money)


async def limit(conn: Connection, order_ids: Sequence[str]) -> None:
    """Keep that less than all of these orders can be sent, so that less is authorized for them.

    Call it once, before anything of them is charged.
    """
    await _sql.limit_tallies(conn, order_ids=list(order_ids))


async def save(conn: Connection, tallies: Tallies) -> None:
    """Keep what a decision has changed. Nothing, if it has changed nothing."""
    if changed(tallies):
        await take(conn, tallies, "", Due())


async def take(conn: Connection, tallies: Tallies, charge_id: str, due: Due) -> None:
    """Keep a charge that is due by now, if there is any, and what it has changed."""
    await _sql.keep(
        conn,
        order_id=tallies.order_id,
        lines=changed(tallies),
        charge_id=charge_id,
        units=dict(due.units),
        amount=due.worth.total,
        ahead=charge_id == ids.prepaid_id(tallies.order_id),
        after_refund=due.after_refund,
    )


def changed(tallies: Tallies) -> list[dict[str, object]]:
    """The money of the lines that a decision has changed."""
    return [
        {"line_id": line_id, **money.model_dump()}
        for line_id, money in tallies.charges.money.items()
        if money != tallies.kept[line_id]
    ]


async def take_back(conn: Connection, charge_id: str) -> None:
    """Keep that a charge of everything was refused; it is for what was captured of it alone."""
    await _sql.take_charge_back(conn, charge_id=charge_id)


async def charge(conn: Connection, charge_id: str) -> Charge | None:
    """A charge by its id; None: nothing is due under it."""
    row = await _sql.charge_of(conn, charge_id=charge_id)
    return None if row is None else Charge(**row)


async def to_make(
    conn: Connection, order_id: str, charge_id: str
) -> tuple[Charge | None, list[Payment]]:
    """A charge, if anything is due under it, and every operation of its order, oldest first.

    The order is locked until the transaction ends. Raises NotFound.
    """
    with refusals():
        row = await _sql.charge_to_make(conn, order_id=order_id, charge_id=charge_id)
    due = None if row["due"] is None else Charge(**row["due"])
    return due, [Payment(**texts(each)) for each in row["operations"]]


def needs(tallies: Tallies, first: str = "", *, prepaid: str = "") -> list[Need]:
    """What each part of an order is charged that is not paid: what left, then what is to leave.

    As if it were charged in this sequence, the fulfilment `first` before the others. With
    `prepaid`, the id of a charge of all that can be sent, that is the one part until it is charged;
    what is added to the order later is charged as it leaves.
    """
    if prepaid and prepaid not in tallies.taken:
        amount = tallies.charges.left_to_charge
        return [Need(prepaid, amount, amount)] if amount else []
    left = [Need(part, tallies.taken[part], tallies.taken[part]) for part in sorted(tallies.unpaid)]
    return [*left, *rules.needs(tallies.charges, tallies.parts, first)]


def _worth(line: dict[str, object], money: LineMoney) -> LineWorth:
    units = line["units"]
    assert isinstance(units, dict)
    sold = LineWorth.model_validate({**line, "quantity": units["ordered"]})
    return sold.model_copy(update={"whole": sold.whole - money.reduced})


def _place(fulfilment_id: str) -> tuple[int, str]:
    return len(fulfilment_id), fulfilment_id
