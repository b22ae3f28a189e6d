"""Plans for orders on stock that is locked: one order after the other, on what the others leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.locations import Promise, Way, places
from domain.order import Shipping
from domain.places import SourcingRules
from domain.sourcing import Available, Demand, SourcingPlan, Take, plan_sourcing
from store import locations
from store.database import Connection
from store.locks import lock_stock


@dataclass(frozen=True)
class Wanted:
    """What an order wants, and where to. `excluded`: (sku, location) pairs not to be used."""

    demands: Sequence[Demand]
    shipping: Shipping
    rules: SourcingRules
    excluded: Set[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Sourced:
    """Whence to take what is wanted, and when the parcel of each location is there."""

    plan: SourcingPlan
    promises: dict[str, Promise]


class Shelves:
    """What is free of the locked stock, and how it would travel; less with every `take`."""

    def __init__(self, stock: Iterable[Available], ways: Sequence[list[Way]]) -> None:
        self._free: dict[str, dict[str, int]] = {}
        for item in stock:
            self._free.setdefault(item.sku, {})[item.location] = item.quantity
        self._ways = ways
        self._parcels = Counter[str]()
        self._now = datetime.now(UTC)

    def plan(self, number: int, wanted: Wanted) -> Sourced:
        """Choose for the `number`-th order of those for whom the shelves were locked."""
        skus = dict.fromkeys(demand.sku for demand in wanted.demands)
        stock = [
            Available(sku=sku, location=location, quantity=quantity)
            for sku in skus
            for location, quantity in self._free.get(sku, {}).items()
        ]
        held = {item.location for item in stock}
        ways = [self._as_it_is(way) for way in self._ways[number] if way.location in held]
        plan = plan_sourcing(
            wanted.demands,
            stock,
            places(ways, self._now),
            wanted.rules,
            excluded=wanted.excluded,
        )
        used = {take.location for take in plan.takes}
        country = wanted.shipping.address.country
        promised = {w.location: w.promise(self._now, country) for w in ways if w.location in used}
        return Sourced(plan, {name: told for name, told in promised.items() if told is not None})

    def take(self, takes: Sequence[Take]) -> None:
        """An order gets these units: they, and the places of its parcels, are gone for others."""
        for take in takes:
            self._free[take.sku][take.location] -= take.quantity
        self._parcels.update({take.location for take in takes})

    def _as_it_is(self, way: Way) -> Way:
        more = self._parcels[way.location] if way.parcels_a_day else 0
        return way.model_copy(update={"to_send": way.to_send + more}) if more else way


async def lock_shelves(conn: Connection, wants: Sequence[Wanted]) -> Shelves:
    """Lock the stock of every SKU that these orders want, all at once."""
    stock = await lock_stock(conn, [demand.sku for want in wants for demand in want.demands])
    held = sorted({item.location for item in stock})
    return Shelves(stock, await locations.ways_to(conn, held, [want.shipping for want in wants]))
