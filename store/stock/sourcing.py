"""Plans for orders on locked stock, one order after the other, each on the stock that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from itertools import zip_longest

from domain.errors import Unreachable
from domain.orders.handling import BOUGHT, DIGITAL, DROP_SHIP
from domain.orders.order import Shipping
from domain.orders.quantities import LineUnits
from domain.orders.sourcing_rules import CRITERIA, SourcingRules
from domain.stock.items import Item
from domain.stock.location_ranking import Place
from domain.stock.locations import Promise, Way, places
from domain.stock.sourcing import Available, Demand, SourcingPlan, Take, plan_sourcing
from store import clock
from store.database import Connection
from store.locks import empty_baskets
from store.stock import backorders
from store.stock.catalogue import Catalogue, Known, look


@dataclass(frozen=True)
class Wanted:
    """The demand of an order, and its address. `excluded`: forbidden (SKU, location) pairs.

    `backorder`: missing units may be backordered. `basket`: the order may use its units.
    """

    demands: Sequence[Demand]
    shipping: Shipping
    rules: SourcingRules
    excluded: Set[tuple[str, str]] = frozenset()
    backorder: bool = False
    basket: str | None = None


@dataclass(frozen=True)
class Sourced:
    """The units to take from each location, and the arrival of each location's parcel.

    Units that are not there are in `waits` if they are backordered, otherwise in `missing`.
    """

    plan: SourcingPlan
    promises: Mapping[str, Promise] = field(default_factory=dict)
    waits: LineUnits = field(default_factory=dict)
    missing: LineUnits = field(default_factory=dict)


class Shelves:
    """The free units of the locked stock, and the locations' ways; fewer with every `take`."""

    def __init__(
        self,
        free: dict[str, dict[str, int]],
        known: Known,
        held: Mapping[str, Sequence[Available]],
        *,
        begun: Set[str],
        to_send: Mapping[str, int],
    ) -> None:
        self._free = free
        self._to_send = to_send
        self._held = dict(held)
        self.known = known
        self.begun = begun
        """The orders that were begun with this lock."""
        self._own: Sequence[Available] = ()  # The latest order's basket held these.
        self._parcels = Counter[str]()
        self.now = clock.now()

    def ways(self, number: int) -> list[Way]:
        """The way of a parcel from each location with such stock to the `number`-th order."""
        held = {location for shelf in self._free.values() for location in shelf}
        return [self._as_it_is(way) for way in self.known.ways[number] if way.location in held]

    @property
    def skus(self) -> list[str]:
        """The SKUs whose rows are locked, sorted."""
        return sorted(self._free)

    def plan(self, number: int, wanted: Wanted) -> Sourced:
        """Choose locations for the `number`-th of the orders that the shelves were locked for.

        The units of its basket are free from now on. If it leaves some of a SKU that can be
        backordered, the backorders come first.
        """
        for item in self._own:
            if self._may_wait(item.sku):
                shelf = self._free[item.sku]
                shelf[item.location] -= min(item.quantity, max(shelf[item.location], 0))
        self._own = self._held.pop(wanted.basket or "", ())
        for item in self._own:
            self._free[item.sku][item.location] += item.quantity
        stock = [
            Available(sku=sku, location=location, quantity=quantity)
            for sku in dict.fromkeys(part for d in wanted.demands for part in d.takes)
            for location, quantity in self._free.get(sku, {}).items()
            if not self._ahead(sku, location)
        ]
        held = {item.location for item in stock}
        ways = [way for way in self.ways(number) if way.location in held]
        plan = self._choose(wanted, stock, ways)
        taken = Counter[str]()
        for take in plan.takes:
            taken[take.line_id] += take.quantity
        lacking = {
            d.line_id: d.quantity - taken[d.line_id]
            for d in wanted.demands
            if d.quantity > taken[d.line_id]
        }
        waits = {
            d.line_id: lacking[d.line_id]
            for d in wanted.demands
            if d.line_id in lacking
            and (d.handling in BOUGHT or (wanted.backorder and self._waits(d)))
        }
        country = wanted.shipping.country
        used = {take.location for take in plan.takes}
        promised = {w.location: w.promise(self.now, country) for w in ways if w.location in used}
        return Sourced(
            plan,
            promises={name: told for name, told in promised.items() if told is not None},
            waits=waits,
            missing={k: n for k, n in lacking.items() if k not in waits},
        )

    def _choose(
        self, wanted: Wanted, stock: Sequence[Available], ways: Sequence[Way]
    ) -> SourcingPlan:
        """Carried goods by the order's rules. Codes make no parcel, and come from anywhere.

        What a supplier sends to the customer is never taken from stock.
        """
        demands = [
            demand
            for demand in wanted.demands
            if demand.handling != DROP_SHIP and not self._ahead(demand.sku)
        ]
        codes = [demand for demand in demands if demand.handling == DIGITAL]
        carried = [demand for demand in demands if demand.handling != DIGITAL]
        plan = SourcingPlan(takes=(), missing={})
        if carried or not codes:
            found = self._measured(places(ways, self.now), wanted)
            plan = plan_sourcing(carried, stock, found, wanted.rules, excluded=wanted.excluded)
        if codes:
            skus = {part for demand in codes for part in demand.takes}
            there = [item for item in stock if item.sku in skus]
            plan = plan.beside(plan_sourcing(codes, there, excluded=wanted.excluded))
        return plan

    def take(self, takes: Sequence[Take]) -> None:
        """Give these units to an order: they, and the capacity for its parcels, are gone."""
        for take in takes:
            for part, units in take.takes.items():
                self._free[part][take.location] -= take.quantity * units
        self._parcels.update({take.location for take in takes})

    def _measured(self, found: Sequence[Place], wanted: Wanted) -> Sequence[Place]:
        """The same locations with what extensions measure, where the order's rules ask for it.

        Raises Unreachable where they ask for what this worker does not measure.
        """
        asked = [name for name in wanted.rules.prefer if name not in CRITERIA]
        if not asked:
            return found
        measures = self.known.measures
        for name in asked:
            if name not in measures:
                raise Unreachable(
                    f"the policy prefers locations by {name!r}, which no extension of this worker "
                    "measures: see `orderloom extensions`"
                )
        return [
            place.model_copy(
                update={"measures": tuple((n, measures[n](place, wanted.shipping)) for n in asked)}
            )
            for place in found
        ]

    def _item(self, sku: str) -> Item:
        return self.known.items.get(sku) or _plain(sku)

    def _ahead(self, sku: str, location: str | None = None) -> bool:
        """Whether a pre-order's day has not come yet at a location; without one, at all of them."""
        item = self._item(sku)
        if item.available_from is None:
            return False
        latest = max(self._days.values())
        return item.ahead(latest if location is None else self._days.get(location, latest))

    def _may_wait(self, sku: str) -> bool:
        """Whether units that are not there are backordered: always, or until its day has come."""
        item = self._item(sku)
        return item.backorder or (
            item.available_from is not None and item.ahead(min(self._days.values()))
        )

    def _waits(self, demand: Demand) -> bool:
        """Whether missing units are backordered.

        Those of a kit are not: a kit never arrives as such.
        """
        return demand.sku in demand.takes and self._may_wait(demand.sku)

    @cached_property
    def _days(self) -> Mapping[str, date]:
        """The day at each location: a first day of sale is a day of the warehouse."""
        calendars = {way.location: way.calendar for ways in self.known.ways for way in ways}
        days = {location: calendar.today(self.now) for location, calendar in calendars.items()}
        return days or {"": self.now.date()}

    def _as_it_is(self, way: Way) -> Way:
        if not way.parcels_a_day:
            return way
        to_send = self._to_send.get(way.location, 0) + self._parcels[way.location]
        return way.model_copy(update={"to_send": to_send})


@lru_cache(maxsize=10_000)
def _plain(sku: str) -> Item:
    """A SKU of which the shop has said nothing."""
    return Item(sku=sku)


async def lock_shelves(
    conn: Connection,
    wants: Sequence[Wanted],
    catalogue: Catalogue,
    *,
    order_ids: Sequence[str] = (),
) -> Shelves:
    """Lock the stock of every SKU that these orders want, all at once; for kits, of the parts.

    `order_ids`: those of the wants, where the orders are to be begun as well. Backorders of these
    SKUs are served first. The kits of the wants may have changed since they were looked up: that is
    for the caller to see, by what the shelves know.
    """
    demands = [demand for want in wants for demand in want.demands]
    skus = sorted({part for demand in demands for part in demand.takes})
    asked = [*skus, *(demand.sku for demand in demands)]
    shippings = [want.shipping for want in wants]
    known = await catalogue.of(conn, asked, shippings)
    found = await look(conn, order_ids, skus)
    if found["version"] != known.version:
        catalogue.forget()
        known = await catalogue.of(conn, asked, shippings)
    free: dict[str, dict[str, int]] = {}
    for sku, location, quantity in found["free"]:
        free.setdefault(sku, {})[location] = quantity
    there = [sku for sku, shelf in free.items() if max(shelf.values()) > 0]
    if found["waited_for"] and there:
        for served in await backorders.serve(conn, there):
            free[served.sku][served.location] -= served.quantity
    begun = frozenset(found["begun"])
    baskets = [
        want.basket
        for order_id, want in zip_longest(order_ids, wants)
        if want.basket is not None and (order_id is None or order_id in begun)
    ]
    held = await empty_baskets(conn, baskets, skus)
    return Shelves(free, known, held, begun=begun, to_send=found["to_send"])
