"""Files of imports as items: each record is one, and nothing of an order is lost on its way."""

from __future__ import annotations

import json
from collections import Counter
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from domain.access.keys import SCOPES, Grant
from domain.errors import InvalidInput
from domain.jobs.jobs import KINDS, NEEDS, Kind, Maker, covers
from domain.jobs.options import OPTIONS, ManyCancellations, Print
from domain.orders.order import Order
from domain.stored import stored
from starter.jobs.exports import EXPORTS
from starter.jobs.items import DO
from starter.jobs.reading import check_readable, items_of
from tests.support import marketplace_files
from tests.support.builders import a_document
from tests.support.strategies import orders


@given(st.lists(orders(), min_size=1, max_size=4), st.booleans())
def test_an_order_is_the_same_after_it_was_kept(some: list[Order], as_array: bool) -> None:
    sent = [one.model_dump_json(exclude_none=True) for one in some]
    text = f"[{','.join(sent)}]" if as_array else "\n".join(sent)
    items = list(items_of("import_orders", text.encode(), {}))
    assert len(items) == len(some)
    for order, item in zip(some, items, strict=True):
        kept = from_json(to_json(item.content))
        read = stored(Order, kept["order"])
        assert (read, read.digest) == (order, order.digest)
        assert item.reference == order.order_id


def test_a_marketplaces_file_belongs_to_the_channel_that_the_job_names() -> None:
    file = marketplace_files.amazon(marketplace_files.item("305-1"))
    (placed,) = items_of("import_orders", file.encode(), {})
    assert placed.content["order"]["channel"] == "marketplace"
    (placed,) = items_of("import_orders", file.encode(), {"channel": "amazonde"})
    assert placed.content["order"]["channel"] == "amazonde"
    assert placed.reference == Order.model_validate(placed.content["order"]).order_id


def test_what_was_left_out_of_an_order_is_told_after_it_was_kept() -> None:
    document = a_document(("TEA", 1)) | {"note": "x" * 9000}
    (item,) = items_of("import_orders", json.dumps(document).encode(), {})
    assert len(item.content["left_out"]) == 1


@example(b"[]", "import_orders")
@given(st.binary(max_size=300), st.sampled_from([kind for kind in KINDS if "import" in kind]))
def test_any_bytes_are_refused_or_give_items_with_a_reason(data: bytes, kind: Kind) -> None:
    try:
        check_readable(kind, data)
        found = list(items_of(kind, data, {}))
    except InvalidInput:
        return
    for item in found:
        assert (item.content is None) == bool(item.faults)
        to_json(item.content)
        said = f"{item.detail}{item.reference}"
        assert said.isascii() or said.encode("utf-8")
        assert "\0" not in said


@given(
    st.lists(st.sampled_from(["TEA,main,1", "TEA,,1", "x", "POT,main,-1,9", '"a\nb"']), max_size=9)
)
def test_every_line_of_a_table_is_one_item_at_most(rows: list[str]) -> None:
    data = "\n".join(["sku,location,quantity", *rows]).encode()
    items = list(items_of("import_stock", data, {}))
    assert all(times == 1 for times in Counter(item.line for item in items).values())
    sound = [item for item in items if item.content is not None]
    assert len(sound) == rows.count("TEA,main,1")


def test_the_same_file_gives_the_same_items() -> None:
    data = b'{"a": 1}\n' * 5 + json.dumps(a_document()).encode()
    assert list(items_of("import_orders", data, {})) == list(items_of("import_orders", data, {}))


@given(*(st.none() | st.lists(st.sampled_from(["web", "b2b", "pos"]), min_size=1).map(tuple),) * 2)
def test_who_covers_another_sees_all_that_the_other_sees(
    mine: tuple[str, ...] | None, theirs: tuple[str, ...] | None
) -> None:
    everything = ("web", "b2b", "pos", "another")
    seen = [one for one in everything if Maker("x", channels=theirs).sees(one, "main")]
    also = [one for one in everything if Maker("x", channels=mine).sees(one, "main")]
    if covers(mine, theirs):
        assert set(seen) <= set(also)
    elif theirs is not None:
        assert not set(seen) <= set(also)


@given(
    *(st.none() | st.frozensets(st.sampled_from(["web", "b2b"]), min_size=1),) * 2,
    st.sampled_from(["web", "b2b"]),
    st.sampled_from(["web", "b2b"]),
)
def test_a_job_sees_what_its_key_sees(
    channels: frozenset[str] | None, sellers: frozenset[str] | None, channel: str, seller: str
) -> None:
    grant = Grant("k", "n", frozenset(), channels, sellers, 1, None)
    maker = Maker(
        *("x", "k"),
        None if channels is None else tuple(channels),
        None if sellers is None else tuple(sellers),
    )
    assert maker.sees(channel, seller) == grant.sees(channel, seller)


def test_every_kind_has_its_scopes_its_options_and_its_work() -> None:
    assert set(NEEDS) == set(OPTIONS) == set(DO) | EXPORTS == set(get_args(Kind))
    assert all(NEEDS[kind] and NEEDS[kind] <= set(SCOPES) for kind in KINDS)


@pytest.mark.parametrize("model", [ManyCancellations, Print])
@pytest.mark.parametrize("where", [{}, None, {"state": "lost"}])
def test_nothing_is_done_to_all_orders_by_mistake(
    model: type[ManyCancellations | Print], where: object
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(
            {"where": where, "reason": "x"} if model is ManyCancellations else {"where": where}
        )
