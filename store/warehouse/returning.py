"""What a warehouse reports of goods that come back: counted by condition, booked in, and owed.

Facts as those of `facts`: each is one transaction, and a repeat changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from domain import ids
from domain.aftersales.conditions import Disposition
from domain.aftersales.return_counts import Found, FoundGoods, disposed
from domain.aftersales.return_rules import ReturnTerms
from store import waits
from store.aftersales import return_labels, return_rules, returns, unannounced
from store.aftersales.returns import Counted, FoundUnits
from store.database import Connection, Record
from store.orders import events, orders
from store.payments import billing
from store.warehouse import facts, return_money, return_stock

_COUNTED_AS: Final[Mapping[Disposition, str]] = {
    "restock": "restocked",
    "refurbish": "refurbished",
    "scrap": "scrapped",
    "supplier": "to_supplier",
}
NO_TERMS: Final = ReturnTerms()


_BACK: Final = {"found": "lost goods are back", "claimed": "claimed goods are back"}
"""What the story tells of goods for which nothing is owed any more."""


async def receive_return(
    conn: Connection,
    return_id: str,
    counted: Mapping[str, Counted | Sequence[Found]] | None = None,
    *,
    extra: Sequence[FoundGoods] = (),
    location: str | None = None,
    who: str,
) -> dict[str, Any]:
    """approved → received: the count of the return parcel, by line. Left out: all, restocked.

    A line is counted by what becomes of its units, or by their conditions: then the rules say what
    becomes of them. Restocked units are on hand again; refurbished ones where nothing is sold;
    others are booked in and leave again. Missing units stay with the customer. What came is owed
    back from now on, unless it was lost, less what the rules keep of it. `extra`: what was in the
    parcel besides; it waits for a person, and is never paid back by itself. Returns
    {"received": {line: n}, "missing": {line: n}}.
    """
    async with conn.transaction():
        row = await returns.locked(conn, return_id)
        order_id = row["order_id"]
        lines = await returns.lines(conn, return_id)
        wanted = {line.line_id: line.quantity for line in lines}
        terms = await return_rules.terms_of(conn, order_id)
        given = {k: Counted(restocked=n) for k, n in wanted.items()} if counted is None else counted
        found = {k: _as_found(each) for k, each in given.items()}
        units = {k: _disposed(some, terms.get(k, NO_TERMS)) for k, some in found.items()}
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
        place = location or await returns.default_location(conn, return_id)
        # What was said, without what the rules make of it: they may be others for a repeat.
        told = {
            "found": {k: _told(some) for k, some in found.items() if some},
            "extra": [each.model_dump(exclude={"photo"}) for each in extra],
            "location": place,
        }
        # Its order may have ended, and its steps be forgotten.
        is_found = row["kind"] in ("found", "claimed")
        is_over = row["state"] == "closed"
        if is_found and is_over and await events.is_told(conn, order_id, effect):
            return outcome
        expected = "in_transit" if row["state"] == "in_transit" else "approved"
        # One that was closed because nothing came is refused: what comes now, nobody announced.
        if (is_over or not is_found) and await facts.told_before(conn, row, expected, effect, told):
            return outcome
        await return_stock.book_in(conn, return_id, counts, units, place, terms, who=who)
        await returns.count(conn, return_id, counts, units)
        if row["kind"] == "customer" and not any(outcome["received"].values()):
            await returns.set_state(conn, return_id, "closed", because="nothing was in its parcel")
        else:
            await returns.set_state(
                conn, return_id, "closed" if is_found or row["anew"] else "received"
            )
        await _nobody_waits(conn, row)
        if extra:
            await unannounced.receive(
                conn,
                f"with {return_id}",
                extra,
                location=place,
                order_id=order_id,
                came_with=return_id,
                why=f"it came with {return_id}, which was for less, or for other goods",
                who=who,
            )
        kind = "anew" if row["anew"] else row["kind"]
        moved = {k: _moved(kind, wanted[k], c.received) for k, c in counts.items()}
        await orders.move_lines(conn, order_id, moved)
        await events.tell(
            conn,
            order_id,
            effect,
            _BACK.get(row["kind"], "return received"),
            who=who,
            why="units are missing" if outcome["missing"] else "",
            data={
                "return_id": return_id,
                **outcome,
                "counted": {k: c.model_dump() for k, c in counts.items()},
                "location": place,
            },
            answer=told,
            after_end=is_found,
        )
        if is_found:
            return outcome
        if row["anew"]:  # The order reserves its units again, which are paid for.
            wait_id = ids.wait_id("receive_return", return_id)
            await waits.report(conn, order_id, wait_id, {**outcome, "anew": True})
            return outcome
        grant, refund, step = None, None, "receive_return"
        if row["paid_early"]:
            step = "receive_paid_return"
            await return_money.settle_early(conn, row, lines, units, terms)
        else:
            grant = await return_money.owed_for(conn, row, lines, units, terms)
            refund = None if grant is None else grant.to_pay
            if refund is None and any(outcome["received"].values()):
                await returns.set_state(conn, return_id, "refunded")  # It was worth nothing.
        await waits.report(
            conn,
            order_id,
            ids.wait_id(step, return_id),
            {**outcome, "refund": None if refund is None else refund.model_dump(mode="json")},
        )
        await billing.credit(conn, grant)
        return outcome


async def _nobody_waits(conn: Connection, row: Record) -> None:
    """It is here: nobody has to look for it any more. A label that was not bought yet is not
    needed, and costs nothing.
    """
    if row["kind"] == "customer":
        step = returns.parcel_step(row["return_id"])
        await events.resolve_attention(conn, row["order_id"], step, "its parcel was counted")
        await return_labels.give_up(conn, row["return_id"], only_if_unbought=True)


def _as_found(counted: Counted | Sequence[Found]) -> list[Found]:
    """The units of a line by their condition."""
    if not isinstance(counted, Counted):
        return list(counted)
    parts: list[tuple[Disposition, int]] = [
        ("restock", counted.restocked),
        ("refurbish", counted.refurbished),
        ("scrap", counted.scrapped),
        ("supplier", counted.to_supplier),
    ]
    return [
        Found(quantity=units, condition="new" if kind == "restock" else "damaged", disposition=kind)
        for kind, units in parts
        if units
    ]


def _disposed(found: Iterable[Found], terms: ReturnTerms) -> list[FoundUnits]:
    """The units of a line, with what becomes of them."""
    return [
        FoundUnits(**each.model_dump(exclude={"disposition"}), disposition=disposed(each, terms))
        for each in found
    ]


def _told(found: Iterable[Found]) -> list[dict[str, Any]]:
    """What a count says. Nothing that may show or name a person."""
    says = {"quantity", "condition", "disposition", "lacks"}
    return [each.model_dump(include=says) for each in found]


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
