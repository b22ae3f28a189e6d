"""Which products and variations of WooCommerce a SKU is, and how their stock is set together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.shops.telling import Level


@dataclass(frozen=True)
class Item:
    """A product; `parent`: the product that it is a variation of; empty: it is none."""

    id: int
    parent: str = ""


@dataclass
class Batch:
    """Changes that one request makes. `skus`: their id there → our SKU."""

    content: list[dict[str, Any]] = field(default_factory=list)
    skus: dict[str, str] = field(default_factory=dict)


def items_of(
    levels: Sequence[Level], found: Sequence[Mapping[str, Any]]
) -> Mapping[str, Sequence[Item]]:
    """Our SKU → what it is there, of products as they are listed. One that is not there lacks."""
    by_name: dict[str, dict[int, Item]] = defaultdict(dict)
    for one in found:
        is_variation = one.get("type") == "variation"
        item = Item(int(one["id"]), str(one.get("parent_id")) if is_variation else "")
        by_name[str(one.get("sku"))][item.id] = item
    items = {
        level.sku: [item for name in level.names for item in by_name.get(name, {}).values()]
        for level in levels
    }
    return {sku: known for sku, known in items.items() if known}


def batches(
    levels: Sequence[Level], items: Mapping[str, Sequence[Item]]
) -> Iterator[tuple[str, Batch]]:
    """The path of each request, and what it changes."""
    made: dict[str, Batch] = defaultdict(Batch)
    for level in levels:
        for item in items.get(level.sku, ()):
            path = f"products/{item.parent}/variations/batch" if item.parent else "products/batch"
            batch = made[path]
            if str(item.id) not in batch.skus:
                change = {"id": item.id, "manage_stock": True, "stock_quantity": level.units}
                batch.content.append(change)
                batch.skus[str(item.id)] = level.sku
    yield from made.items()
