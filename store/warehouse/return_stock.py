"""What a count of a return does to the stock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from domain import ids
from domain.aftersales.return_rules import ReturnTerms
from domain.errors import InvalidInput, NotFound, Refused
from domain.orders.quantities import LineUnits
from store.aftersales.returns import Counted, FoundUnits
from store.database import Connection
from store.locks import lock_stock
from store.stock import kits, locations, stock


async def book_in(
    conn: Connection,
    return_id: str,
    counts: Mapping[str, Counted],
    units: Mapping[str, Sequence[FoundUnits]],
    location: str,
    terms: Mapping[str, ReturnTerms],
    *,
    who: str,
) -> None:
    """Put a line's units on hand again at the location, or where they are refurbished; what is
    scrapped, or goes back to its supplier, leaves again. Parts that kits came without are lost.

    Raises InvalidInput and Refused where no rule says where units are refurbished, that place is
    open, or a line has no such parts. The caller holds the order's lock.
    """
    workshops = _workshops(counts, terms)
    order_id = ids.order_of(return_id)
    made_of = await kits.claimed(conn, order_id)
    for line_id, some in units.items():
        _check_parts(line_id, some, made_of.get(line_id, {}))
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
        ("written_off", f"lacks:{return_id}", _lacking(units, location, workshops)),
    )
    for kind, effect, booked in bookings:
        await stock.move(
            conn, effect, kind, booked, order_id=order_id, who=who, why=f"return {return_id}"
        )


def _check_parts(line_id: str, units: Sequence[FoundUnits], made_of: Mapping[str, int]) -> None:
    for each in units:
        few = all(n <= made_of.get(part, 0) for part, n in each.lacks.items())
        if each.lacks and (len(made_of) < 2 or not few or each.lacks == made_of):
            raise InvalidInput(
                f"only some parts of a kit can be missing; one is {dict(made_of)}",
                where=f"counts, line {line_id}, lacks",
            )
        if each.lacks and each.disposition == "supplier":
            raise InvalidInput(
                "a kit that is not whole does not go back to its supplier",
                where=f"counts, line {line_id}",
            )


def _lacking(
    units: Mapping[str, Sequence[FoundUnits]], location: str, workshops: Mapping[str, str]
) -> list[stock.Move]:
    """Missing parts of kits that stay. Of those that are scrapped, all parts leave anyway."""
    gone: Counter[tuple[str, str]] = Counter()
    for line_id, some in units.items():
        for each in some:
            place = workshops[line_id] if each.disposition == "refurbish" else location
            if each.disposition != "scrap":
                for part, n in each.lacks.items():
                    gone[part, place] += n * each.quantity
    return [stock.Move(sku=part, location=at, on_hand=-n) for (part, at), n in gone.items()]


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
