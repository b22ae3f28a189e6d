"""What the shop has said of its SKUs and locations, kept by a worker while it holds.

Kits, items and lanes seldom change. So a worker keeps what it has read of them, and reads nothing
of it while it holds stock for orders. Each change gives the catalogue another version, at its
commit. The statement that locks the stock returns the version: what was kept of another one is
noticed in that same answer, and read anew. So no change can be missed, and nobody has to be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from domain.orders.order import Shipping
from domain.stock.items import Item
from domain.stock.kits import Parts
from domain.stock.location_ranking import Measure
from domain.stock.locations import Way
from domain.stored import stored
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

KEPT_MAX: Final = 50_000
"""SKUs, and addresses, that are kept at most; then everything is read anew as it is needed."""

Address: TypeAlias = tuple[str, str | None, str]
"""Country, postal code and service: what lanes lead to."""


@dataclass(frozen=True)
class Known:
    """What is known of some SKUs and addresses, all of one version.

    `kits`: the parts of those SKUs that are kits. `ways`: for each address, the way from each
    location; how many parcels wait there is not part of it. `measures`: those of the worker's
    extensions, by name.
    """

    version: int
    kits: Mapping[str, Parts]
    items: Mapping[str, Item]
    ways: Sequence[Sequence[Way]]
    measures: Mapping[str, Measure] = field(default_factory=dict)


class Catalogue:
    """A worker's copy of the catalogue: as much of it as was needed.

    `measures`: the ways in which the worker's extensions measure locations, by name.
    """

    def __init__(self, measures: Mapping[str, Measure] | None = None) -> None:
        self.measures = measures or {}
        self._version = -1
        self._parts: dict[str, Parts | None] = {}
        self._items: dict[str, Item] = {}
        self._ways: dict[Address, list[Way]] = {}

    async def of(
        self, conn: Connection, skus: Iterable[str], shippings: Sequence[Shipping]
    ) -> Known:
        """What is known of these. Reads what it does not have, in one statement."""
        wanted = sorted(set(skus))
        to = [(s.country, s.postal_code, s.service) for s in shippings]
        if max(len(self._parts), len(self._ways)) > KEPT_MAX:
            self.forget()
        while True:
            new = [sku for sku in wanted if sku not in self._parts]
            addresses = [address for address in dict.fromkeys(to) if address not in self._ways]
            if not new and not addresses:
                return self._known(wanted, to)
            # Another version than that of the rest drops the rest: next time it reads all at once.
            await self._read(conn, new, addresses)

    def forget(self) -> None:
        """Read everything anew: there is another version."""
        self._version = -1
        self._parts.clear()
        self._items.clear()
        self._ways.clear()

    async def _read(
        self, conn: Connection, skus: Sequence[str], addresses: Sequence[Address]
    ) -> None:
        row = await _sql.read(
            conn,
            skus=list(skus),
            countries=[country for country, _, _ in addresses],
            postal_codes=[postal_code for _, postal_code, _ in addresses],
            services=[service for _, _, service in addresses],
        )
        if row["version"] != self._version:
            self.forget()
            self._version = row["version"]
        self._parts |= {sku: row["kits"].get(sku) for sku in skus}
        self._items |= {item["sku"]: Item(**item) for item in row["items"]}
        self._ways |= {address: [] for address in addresses}
        for way in row["ways"]:
            self._ways[addresses[way.pop("number") - 1]].append(stored(Way, way))

    def _known(self, skus: Sequence[str], to: Sequence[Address]) -> Known:
        kits = {sku: parts for sku in skus if (parts := self._parts[sku]) is not None}
        named = {*skus, *(part for parts in kits.values() for part in parts)}
        items = {sku: item for sku in named if (item := self._items.get(sku)) is not None}
        ways = [self._ways[address] for address in to]
        return Known(self._version, kits, items, ways, self.measures)


async def look(conn: Connection, order_ids: Sequence[str], skus: Sequence[str]) -> Record:
    """Begin these orders, lock these SKUs, and look at what is there.

    Columns: begun, the orders that nobody had begun; version, that of the catalogue; free, as
    [SKU, location, units]; waited_for, whether a backorder waits for any of the SKUs; to_send,
    the parcels that wait at the locations with a limit a day.
    """
    found: Record = await _sql.look(conn, order_ids=list(order_ids), skus=list(skus))
    return found
