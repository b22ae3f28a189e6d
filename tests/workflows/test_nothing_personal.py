"""Nothing about a person is in Temporal, in an id or in a log: it stands in tables of its own."""

from __future__ import annotations

import asyncio
import logging

import pytest

from domain.orders.messages import CancelRequest, ReturnRequest
from tests.support.builders import a_policy, an_order
from tests.support.planted import found_in, planted
from tests.support.runs import runs_of
from tests.support.shop import Shop


async def test_no_name_of_a_customer_is_in_a_history_a_search_attribute_or_a_log(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await asyncio.gather(shop.stocked("TEA", 3), shop.stocked("CUP", 2, "second"))
    order = an_order(("TEA", 3, "12.50"), ("CUP", 2), **planted())
    returned = await shop.placed(order, a_policy(give_up_after=10, return_window=60))
    recalled = f"{order.order_id}:2"
    await asyncio.gather(shop.drive(returned, "delivered"), shop.drive(recalled, "labelled"))
    no_cups = CancelRequest.model_validate({"reason": "no cups", "lines": [{"line_id": "2"}]})
    await shop.aftersales.cancel(order.order_id, no_cups)
    await shop.told(order.order_id, "authorization released")
    await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="too strong"))
    await shop.finish(order.order_id)
    seen = b"".join(
        event.SerializeToString()
        for run in await runs_of(shop, order.order_id)
        for event in run.events
    )
    assert b"too strong" in seen, "what people type does enter; a codec can encrypt it"
    assert found_in(seen) == []
    about = await shop.workflow(order.order_id).describe()
    assert found_in(about.raw_description.SerializeToString()) == []
    assert found_in(str(await shop.view(order.order_id))) == []
    assert caplog.records
    assert found_in(caplog.text) == []
    await shop.settled()
