"""Every SKU has its item, made by the first to name it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import permutations
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import NotFound
from domain.faults import faults
from domain.stock.items import Item
from domain.stock.kits import Kit
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def items(pool: Pool) -> list[str]:
    return [row[0] for row in await pool.fetch("select sku from item order by sku")]


async def test_an_item_is_made_by_whoever_names_it_first(bench: Bench) -> None:
    await bench.reserve(an_order(("ORDERED", 1)))
    await bench.stocked("STOCKED", 1)
    await bench.catalogue.set_items([Item(sku="DESCRIBED")])
    await bench.catalogue.define_kit(Kit(sku="KIT", parts={"STOCKED": 1}))
    assert await items(bench.pool) == ["DESCRIBED", "KIT", "ORDERED", "STOCKED"]
    # An item that was only named is still one that nobody has said anything of.
    assert [item.sku for item in await bench.catalogue.items()] == ["DESCRIBED"]
    with pytest.raises(NotFound, match="has the part ORDERED, which nobody knows"):
        await bench.catalogue.define_kit(Kit(sku="BOX", parts={"ORDERED": 1}))
    await bench.catalogue.set_items([Item(sku="ORDERED", name="Tea")])
    assert [item.sku for item in await bench.catalogue.items()] == ["DESCRIBED", "ORDERED"]


async def test_many_who_name_the_same_new_skus_at_once_do_not_block_each_other(
    bench: Bench,
) -> None:
    """In every sequence, by orders, receipts, and whoever describes or sells them."""
    skus = ("A", "B", "C", "D")
    at_once: list[Coroutine[Any, Any, object]] = []
    for number, names in enumerate(permutations(skus)):
        order = an_order(*((sku, 1) for sku in names), channel_order_id=str(number))
        at_once.append(Bench(bench.pool).reserve(order))
        at_once.append(bench.catalogue.set_items([Item(sku=sku) for sku in names]))
        at_once.append(
            bench.stock.receive(f"k{number}", names[0], "main", 1, who="test", why="test")
        )
    await asyncio.wait_for(asyncio.gather(*at_once), timeout=30)
    assert await items(bench.pool) == list(skus)


@pytest.mark.parametrize("handling", ["thrown", "x:", "x:Two Words", "pick_up"])
def test_a_handling_that_nobody_knows_is_refused_by_the_name_of_its_field(handling: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        Item.model_validate({"sku": "A", "handling": handling})
    ((_, field, reason),) = faults(wrong.value, Item)
    assert field == "handling"
    assert "the name of a workshop" in reason
