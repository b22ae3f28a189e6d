"""One journey through `orderloom up`, the command line and the `temporal` program."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import Any

from starter.cli.terminal.output import wire
from store.stock import stock
from store.stock.stock import StockLevel
from store.views import lists, reads, warehouse_tasks
from tests.e2e.stack import EXAMPLES, Shell, assert_no_stack, fresh_shell, until

ORDER = "web-1001"
TEA = "TEA-ASSAM-250"
POT = "POT-CAST-IRON-08"

STATES_AT_THE_END = {ORDER: "delivered", "web-1002": "cancelled", "web-1003": "confirmed"}


def test_an_order_travels_from_the_shelf_to_a_paid_back_return_and_a_restart_changes_nothing() -> (
    None
):
    with fresh_shell() as shell:
        with shell.up() as up:
            the_schema_describes_the_example(shell)
            stock_is_taken_in_once_and_never_below_what_is_there(shell)
            an_order_placed_twice_is_one_and_other_content_is_a_conflict(shell)
            the_warehouse_and_the_carrier_bring_it_to_the_customer(shell)
            a_return_by_the_temporal_program_is_paid_back_for_what_came(shell)
            a_minimal_cancel_signal_takes_an_order_back(shell)
            a_malformed_message_is_reported_and_changes_nothing(shell)
            an_update_by_the_temporal_program_answers(shell)
            lists_show_what_happened(shell)
            before = everything(shell)
            assert up.stop() == 0
            assert_no_stack(shell)
        assert "orderloom up" in shell.orderloom("show", ORDER, code=3)
        with shell.up("--no-http") as up:
            assert everything(shell) == before
            an_order_that_was_under_way_goes_on_to_its_end(shell)
            assert up.stop() == 0
        assert_no_stack(shell)


def _is_told(shell: Shell, told: str) -> bool:
    return told in story(shell, "web-1003")


def the_schema_describes_the_example(shell: Shell) -> None:
    schema = shell.orderloom("schema", "order")
    document = example()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= set(document) <= set(schema["properties"])


def stock_is_taken_in_once_and_never_below_what_is_there(shell: Shell) -> None:
    shell.orderloom("stock", "import", "examples/stock.csv")
    assert level(shell, TEA).on_hand == 120
    shell.orderloom("stock", "import", "examples/stock.csv")
    assert level(shell, TEA).on_hand == 120
    shell.orderloom("stock", "receive", TEA, "40")
    assert level(shell, TEA).on_hand == 160
    shell.orderloom("stock", "adjust", TEA, "-3", "--reason", "water damage")
    assert level(shell, TEA).on_hand == 157
    refusal = shell.orderloom("stock", "adjust", POT, "-13", "--reason", "lost", code=1)
    assert "are on hand at main" in refusal
    assert level(shell, POT).on_hand == 12


def an_order_placed_twice_is_one_and_other_content_is_a_conflict(shell: Shell) -> None:
    assert place(shell, example()) == "confirmed"
    before = everything(shell)
    assert shell.orderloom("place", "examples/order.json")["summary"] == {"confirmed": 1}
    assert everything(shell) == before
    other = example(note="No, the front door.")
    assert place(shell, other, code=1) == "conflict"
    assert everything(shell) == before
    document = example()
    del document["currency"]
    assert "currency" in json.dumps(
        shell.orderloom("place", "-", stdin=json.dumps(document), code=2)
    )


def the_warehouse_and_the_carrier_bring_it_to_the_customer(shell: Shell) -> None:
    [task] = shell.orderloom("warehouse", "tasks", "--order", ORDER)["tasks"]
    assert (task["task"], task["part_id"]) == ("pick", f"{ORDER}:1")
    shell.orderloom("warehouse", "pick", f"{ORDER}:1", "--count", "1=3", "--count", "2=1")
    shell.orderloom("warehouse", "pack", f"{ORDER}:1")
    until(lambda: ("handover", f"{ORDER}:1") in tasks(shell, ORDER), "a label")
    shell.orderloom("warehouse", "handover", f"{ORDER}:1")
    until(lambda: summary(shell, ORDER)["captured"] == "97.37", "the charge")
    refusal = shell.orderloom("cancel", ORDER, "--reason", "too late", code=1)
    assert refusal["return_offered"]
    [parcel] = shell.orderloom("carrier", "parcels")["parcels"]
    for status in ("in_transit", "delivered"):
        event = ("carrier", "event", parcel["tracking_number"], status, "--event-id", status)
        assert shell.orderloom(*event)["heard"] == "new"
        assert shell.orderloom(*event)["heard"] == "repeat"
    until(lambda: summary(shell, ORDER)["state"] == "delivered", "the delivery")
    assert summary(shell, ORDER)["payment_status"] == "paid"


def a_return_by_the_temporal_program_is_paid_back_for_what_came(shell: Shell) -> None:
    signal(shell, ORDER, "request_return", '{"reason": "the pot is too small"}')
    until(lambda: tasks(shell, ORDER) == [("receive-return", f"{ORDER}:R1")], "an approved return")
    shell.orderloom(
        "warehouse", "receive-return", f"{ORDER}:R1",
        *("--count", "1=2", "--count", "2=1", "--scrap", "1=1"),
    )  # fmt: skip
    until(lambda: summary(shell, ORDER)["refunded"] != "0.00", "the refund")
    tea, pot = detail(shell, ORDER)["lines"]
    assert (tea["returned"], pot["returned"]) == (2, 1)
    # Of three, one stays: it is worth what the first one is.
    back = worth(tea, 3) - worth(tea, 1) + worth(pot, 1)
    assert Decimal(summary(shell, ORDER)["refunded"]) == back
    assert level(shell, TEA).on_hand == 157 - 3 + 1
    assert level(shell, POT).on_hand == 12


def a_minimal_cancel_signal_takes_an_order_back(shell: Shell) -> None:
    assert place(shell, example(channel_order_id="1002")) == "confirmed"
    signal(shell, "web-1002", "cancel", '{"reason": "ordered twice"}')
    until(lambda: summary(shell, "web-1002")["state"] == "cancelled", "the cancellation")
    assert summary(shell, "web-1002")["payment_status"] == "voided"
    assert level(shell, TEA).allocated == level(shell, POT).allocated == 0


def a_malformed_message_is_reported_and_changes_nothing(shell: Shell) -> None:
    # This order is placed with a return window that is soon over.
    (shell.folder / "policy.json").write_text('{"return_window": "PT1S"}', encoding="utf-8")
    order = example(channel_order_id="1003")
    assert place(shell, order, "--policy", "policy.json") == "confirmed"
    before = detail(shell, "web-1003") | {"story": []}
    for name, message, told in (
        ("cancel", '{"raeson": "ordered twice"}', "cancel refused"),
        ("request_return", '["all of it"]', "request_return refused"),
        ("stop", '{"reason": "ordered twice"}', "stop refused"),
    ):
        signal(shell, "web-1003", name, message)
        until(partial(_is_told, shell, told), told)
    [refused, *_] = [e for e in events(shell, "web-1003") if e.what == "cancel refused"]
    assert "reason" in refused.why
    update(shell, "web-1003", "cancel_order", '{"lines": [{"line_id": "2"}]}', code=1)
    assert detail(shell, "web-1003") | {"story": []} == before


def an_update_by_the_temporal_program_answers(shell: Shell) -> None:
    request = '{"reason": "one is enough", "lines": [{"line_id": "1", "quantity": 2}],'
    request += ' "request_id": "call-4711"}'
    answer = update(shell, "web-1003", "cancel_order", request)["result"]
    assert answer["outcome"] == "cancelled"
    assert [(x["line_id"], x["quantity"]) for x in answer["cancelled"]] == [("1", 2)]
    assert update(shell, "web-1003", "cancel_order", request)["result"] == answer
    assert summary(shell, "web-1003")["cancelled"] == 2
    assert "9" in update(
        shell, "web-1003", "cancel_order", '{"reason": "x", "lines": [{"line_id": "9"}]}', code=1
    )


def lists_show_what_happened(shell: Shell) -> None:
    listed = shell.orderloom("orders")["orders"]
    assert {row["order_id"]: row["state"] for row in listed} == STATES_AT_THE_END
    [cancelled] = shell.orderloom("orders", "--state", "cancelled")["orders"]
    assert cancelled["order_id"] == "web-1002"
    assert shell.orderloom("orders", "--attention")["orders"] == []
    assert shell.orderloom("show", ORDER) == json.loads(json.dumps(detail(shell, ORDER)))
    told = [event["what"] for event in shell.orderloom("events", ORDER)["events"]]
    milestones = ("received", "stock reserved", "confirmed", "picked", "packed", "label bought")
    assert [what for what in told if what in milestones] == list(milestones)
    assert "refunded" in told
    query = 'OrderNumber = "1001" AND OrderAmount > 90'
    found = until(lambda: shell.temporal("workflow", "list", "--query", query), "the order")
    assert [item["execution"]["workflowId"] for item in found] == [f"order:{ORDER}"]
    assert shell.orderloom("audit")["clean"]


def an_order_that_was_under_way_goes_on_to_its_end(shell: Shell) -> None:
    [(task, part)] = tasks(shell, "web-1003")
    assert task == "pick"
    shell.orderloom("warehouse", "pick", part)
    shell.orderloom("warehouse", "pack", part)
    until(lambda: ("handover", part) in tasks(shell, "web-1003"), "a label")
    shell.orderloom("warehouse", "handover", part)
    [parcel] = shell.orderloom("carrier", "parcels")["parcels"]
    shell.orderloom("carrier", "event", parcel["tracking_number"], "delivered")
    until(lambda: summary(shell, "web-1003")["state"] == "closed", "the end")
    done = summary(shell, "web-1003")
    tea, pot = detail(shell, "web-1003")["lines"]
    assert Decimal(done["captured"]) == worth(tea, 1) + worth(pot, 1)
    assert states(shell) == {**STATES_AT_THE_END, "web-1003": "closed"}
    assert shell.orderloom("audit")["clean"]


def example(**changes: Any) -> dict[str, Any]:
    """The example order."""
    return {**json.loads((EXAMPLES / "order.json").read_text(encoding="utf-8")), **changes}


def place(shell: Shell, document: dict[str, Any], *options: str, code: int = 0) -> str:
    """Place from standard input; what became of it."""
    answer = shell.orderloom("place", "-", *options, stdin=json.dumps(document), code=code)
    [order] = answer["orders"]
    assert order["order_id"] == f"web-{document['channel_order_id']}"
    return str(order["outcome"])


def signal(shell: Shell, order_id: str, name: str, message: str) -> None:
    shell.temporal(
        *("workflow", "signal", "--workflow-id", f"order:{order_id}"),
        *("--name", name, "--input", message),
    )


def update(shell: Shell, order_id: str, name: str, message: str, *, code: int = 0) -> Any:
    return shell.temporal(
        *("workflow", "update", "execute", "--workflow-id", f"order:{order_id}"),
        *("--name", name, "--input", message),
        code=code,
    )


def summary(shell: Shell, order_id: str) -> dict[str, Any]:
    found: dict[str, Any] = detail(shell, order_id)["summary"]
    return found


def detail(shell: Shell, order_id: str) -> Any:
    """What `orderloom show` tells, without starting it."""
    found = shell.read(lambda conn: reads.detail(conn, order_id))
    return wire(found, found.summary.currency)


def states(shell: Shell) -> dict[str, str]:
    found = shell.read(lists.summaries)
    return {row.order_id: row.state for row in found}


def events(shell: Shell, order_id: str) -> list[reads.EventRow]:
    return shell.read(lambda conn: reads.story(conn, order_id))


def story(shell: Shell, order_id: str) -> list[str]:
    return [event.what for event in events(shell, order_id)]


def tasks(shell: Shell, order_id: str) -> list[tuple[str, str]]:
    found = shell.read(lambda conn: warehouse_tasks.find(conn, order_id=order_id))
    return [(task.task, task.part_id) for task in found]


def level(shell: Shell, sku: str) -> StockLevel:
    found = shell.read(lambda conn: stock.level(conn, sku, "main"))
    assert found is not None
    return found


def worth(line: dict[str, Any], units: int) -> Decimal:
    """What the first units of a line are worth, to the cent: whole × n // quantity, each part."""
    parts = (Decimal(line[part]) * 100 for part in ("goods", "tax", "shipping", "shipping_tax"))
    return sum((whole * units // line["ordered"] for whole in parts), Decimal(0)) / 100


def everything(shell: Shell) -> dict[str, Any]:
    """All that there is to be known about stock and orders."""
    orders = states(shell)
    return {
        "stock": shell.read(stock.levels),
        "orders": {order_id: detail(shell, order_id) for order_id in orders},
        "stories": {order_id: events(shell, order_id) for order_id in orders},
    }
