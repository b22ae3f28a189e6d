"""What a warehouse reports of goods that come back: counted by condition, booked in, and owed.

Facts as those of `facts`: each is one transaction, and a repeat changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from domain import ids
from domain.aftersales.conditions import Disposition
from domain.aftersales.return_counts import Found, disposed, postage_kept, restocking_fee
from domain.aftersales.return_rules import ReturnTerms
from domain.errors import InvalidInput, NotFound, Refused
from domain.money import Money
from domain.orders.charges import Charges
from domain.orders.quantities import LineUnits
from store import waits
from store.aftersales import return_rules, returns
from store.aftersales.returns import Counted, FoundUnits, ReturnLine
from store.database import Connection, Record
from store.locks import lock_stock
from store.orders import events, orders
from store.payments import billing, tallies
from store.stock import kits, locations, stock
from store.warehouse import facts

_COUNTED_AS: Final[Mapping[Disposition, str]] = {
    "restock": "restocked",
    "refurbish": "refurbished",
    "scrap": "scrapped",
    "supplier": "to_supplier",
}
NO_TERMS: Final = ReturnTerms()


async def receive_return(
    conn: Connection,
    return_id: str,
    counted: Mapping[str, Counted | Sequence[Found]] | None = None,
    *,
    location: str | None = None,
    who: str,
) -> dict[str, Any]:
    """approved → received: the count of the return parcel, by line. Left out: all, restocked.

    A line is counted by what becomes of its units, or by their conditions: then the rules say what
    becomes of them. Restocked units are on hand again; refurbished ones where nothing is sold;
    others are booked in and leave again. Missing units stay with the customer. What came is owed
    back from now on, unless it was lost, less what the rules keep of it. Returns
    {"received": {line: n}, "missing": {line: n}}.
    """
    async with conn.transaction():
        row = await returns.locked(conn, return_id)
        order_id = row["order_id"]
        lines = await returns.lines(conn, return_id)
        wanted = {line.line_id: line.quantity for line in lines}
        terms = await return_rules.terms_of(conn, order_id)
        given = {k: Counted(restocked=n) for k, n in wanted.items()} if counted is None else counted
        units = {k: _found(each, terms.get(k, NO_TERMS)) for k, each in given.items()}
        counts = {line_id: _count_of(units.get(line_id, ())) for line_id in wanted}
        came = {line_id: sum(each.quantity for each in some) for line_id, some in units.items()}
        facts.check_count(came, wanted)
        outcome = {
            "received": {line_id: count.received for line_id, count in counts.items()},
            "missing": {
                k: wanted[k] - c.received for k, c in counts.items() if wanted[k] > c.received
            },
        }
        effect = f"receive_return:{return_id}"
        place = location or await returns.default_location(conn, order_id)
        told = {"counted": {k: c.model_dump() for k, c in counts.items()}, "location": place}
        is_found = row["kind"] == "found"  # Its order may have ended, and its steps be forgotten.
        if is_found and row["state"] == "closed":
            return outcome
        if not is_found and await facts.told_before(conn, row, "approved", effect, told):
            return outcome
        await _book_in(conn, return_id, counts, place, _workshops(counts, terms), who)
        await returns.count(conn, return_id, counts, units)
        await returns.set_state(conn, return_id, "closed" if is_found else "received")
        moved = {k: _moved(row["kind"], wanted[k], c.received) for k, c in counts.items()}
        await orders.move_lines(conn, order_id, moved)
        await events.tell(
            conn,
            order_id,
            effect,
            "lost goods are back" if is_found else "return received",
            who=who,
            why="units are missing" if outcome["missing"] else "",
            data={"return_id": return_id, **outcome, **told},
            answer=told,
            after_end=is_found,
        )
        if is_found:
            return outcome
        grant = await _owed_for(conn, row, lines, units, terms)
        refund = None if grant is None else grant.to_pay
        if refund is None and any(count.received for count in counts.values()):
            await returns.set_state(conn, return_id, "refunded")  # It was worth nothing.
        await waits.report(
            conn,
            order_id,
            ids.wait_id("receive_return", return_id),
            {**outcome, "refund": None if refund is None else refund.model_dump(mode="json")},
        )
        await billing.credit(conn, grant)
        return outcome


async def expected_refund(conn: Connection, return_id: str) -> Money:
    """What a return that is under way will pay back if all of it comes, as new.

    Raises NotFound, and Refused where nothing of it is to come any more.
    """
    async with conn.transaction():
        row = await returns.locked(conn, return_id)
        lines = await returns.lines(conn, return_id)
        if row["kind"] != "customer" or row["state"] not in ("requested", "approved"):
            raise Refused(
                f"{return_id} is {row['state']}: nothing of it is to come that the customer asked "
                "to send back",
                reason=f"return_{row['state']}",
            )
        found = await tallies.load(conn, row["order_id"])
        terms = await return_rules.terms_of(conn, row["order_id"])
    units = {line.line_id: line.quantity for line in lines}
    owed = found.charges.if_returned(units)
    new: dict[str, list[FoundUnits]] = {
        k: [FoundUnits(quantity=n, condition="new", disposition="restock")]
        for k, n in units.items()
    }
    kept = found.charges.keep(owed, **_kept(found.charges, lines, new, terms))
    return Money(minor=kept.worth.total, currency=found.currency)


def _found(counted: Counted | Sequence[Found], terms: ReturnTerms) -> list[FoundUnits]:
    """The units of a line, with what becomes of them."""
    if isinstance(counted, Counted):
        parts: list[tuple[Disposition, int]] = [
            ("restock", counted.restocked),
            ("refurbish", counted.refurbished),
            ("scrap", counted.scrapped),
            ("supplier", counted.to_supplier),
        ]
        counted = [
            Found(
                quantity=units,
                condition="new" if kind == "restock" else "damaged",
                disposition=kind,
            )
            for kind, units in parts
            if units
        ]
    return [
        FoundUnits(**each.model_dump(exclude={"disposition"}), disposition=disposed(each, terms))
        for each in counted
    ]


def _count_of(units: Iterable[FoundUnits]) -> Counted:
    sums = dict.fromkeys(_COUNTED_AS.values(), 0)
    for each in units:
        sums[_COUNTED_AS[each.disposition]] += each.quantity
    return Counted(**sums)


def _moved(kind: str, wanted: int, received: int) -> dict[str, int]:
    """An undelivered parcel counts as never sent, and what was lost stays lost."""
    if kind == "customer":
        return {"return_requested": -wanted, "returned": received}
    return {"shipped": -wanted, "cancelled": wanted} if kind == "undeliverable" else {}


async def _owed_for(
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
        owed = charges.keep(owed, **_kept(charges, lines, units, terms))
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
) -> dict[str, int]:
    """The fee for restocking and the postage that the rules keep, in minor units."""
    reasons = {line.line_id: line.reason_code for line in lines}
    received = {k: sum(each.quantity for each in some) for k, some in units.items()}
    fee = sum(
        restocking_fee(
            [(each.quantity, each.condition) for each in some],
            *(terms[k], charges.worth[k], reasons[k]),
        )
        for k, some in units.items()
    )
    return {"fee": fee, "postage": postage_kept(received, terms, charges.worth, reasons)}


def _workshops(counts: Mapping[str, Counted], terms: Mapping[str, ReturnTerms]) -> dict[str, str]:
    """Line id → where its units are refurbished."""
    places = {}
    for line_id, count in counts.items():
        if count.refurbished:
            place = terms[line_id].refurbish_at
            if place is None:
                raise InvalidInput(
                    "no rule of returns says where its units are refurbished (refurbish_at)",
                    where=f"counts, line {line_id}",
                )
            places[line_id] = place
    return places


async def _book_in(
    conn: Connection,
    return_id: str,
    counts: Mapping[str, Counted],
    location: str,
    workshops: Mapping[str, str],
    who: str,
) -> None:
    order_id = ids.order_of(return_id)
    made_of = await kits.claimed(conn, order_id)
    await locations.check(conn, [location])
    await _check_workshops(conn, set(workshops.values()))
    places = {line_id: [location] for line_id in counts}
    for line_id, workshop in workshops.items():
        places[line_id].append(workshop)
    await stock.ensure_rows(
        conn, [(part, place) for k, some in places.items() for part in made_of[k] for place in some]
    )
    await lock_stock(conn, {part for line_id in counts for part in made_of[line_id]})

    def moves(at: Mapping[str, str], units: LineUnits, sign: int = 1) -> list[stock.Move]:
        return [
            move
            for k, n in units.items()
            if n
            for move in stock.moves(made_of[k], at[k], on_hand=sign * n)
        ]

    here = dict.fromkeys(counts, location)
    stays = {k: c.received - c.refurbished for k, c in counts.items()}
    aside = {k: c.refurbished for k, c in counts.items()}
    back = [*moves(here, stays), *moves(workshops, aside)]
    gone = moves(here, {k: c.scrapped for k, c in counts.items()}, -1)
    sent = moves(here, {k: c.to_supplier for k, c in counts.items()}, -1)
    bookings: tuple[tuple[stock.MovementKind, str, list[stock.Move]], ...] = (
        ("returned", f"return:{return_id}", back),
        ("written_off", f"scrap:{return_id}", gone),
        ("to_supplier", f"supplier:{return_id}", sent),
    )
    for kind, effect, booked in bookings:
        await stock.move(
            conn, effect, kind, booked, order_id=order_id, who=who, why=f"return {return_id}"
        )


async def _check_workshops(conn: Connection, places: set[str]) -> None:
    """Raises where goods that are to be refurbished would be sold, or there is no such place."""
    if places:
        known = await locations.names(conn)
        for place in sorted(places):
            if place not in known:
                raise NotFound(locations.unknown(place, known))
            if not known[place]:
                raise Refused(
                    f"{place} is open, so what is put there is sold; `orderloom locations retire "
                    f"{place}` makes it a place to refurbish goods at",
                    reason="workshop_is_open",
                )
