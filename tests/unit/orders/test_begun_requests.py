"""What was done for a request, by the effects that name it."""

from __future__ import annotations

from typing import Any

from domain.orders.continuation import BegunRequest
from store.orders.states import begun


def cancelled(effect: str, **parts: dict[str, int]) -> dict[str, Any]:
    waits = parts.pop("waits", {})
    return {"effect": effect, "data": {"units": parts, "backordered": waits}}


def test_units_of_all_parcels_and_waits_of_a_request_are_added_up() -> None:
    done = [
        cancelled("cancel:call-1:web-1:2", first={"1": 1, "2": 1}),
        cancelled("cancel:call-1:B:2", waits={"2": 3}),
        cancelled("cancel:unnamed:0af3:web-1:3", other={"1": 1}),
    ]
    assert begun("web-1", done) == {
        "call-1": BegunRequest(cancelled={"1": 1, "2": 4}),
        "unnamed:0af3": BegunRequest(cancelled={"1": 1}),
    }


def test_a_parcel_that_the_order_gave_up_by_itself_was_no_request() -> None:
    assert begun("web-1", [cancelled("cancel:web-1:2", first={"1": 1})]) == {}


def test_the_return_of_a_request_is_known_by_its_id() -> None:
    told = {"return_id": "web-1:R1", "units": {"1": 2}}
    done = [{"effect": "approve_return:call-1", "data": told}]
    assert begun("web-1", done) == {"call-1": BegunRequest(return_id="web-1:R1", units={"1": 2})}
