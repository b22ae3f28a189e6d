"""What may be said to an order, and how a signal is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from domain.errors import InvalidInput
from domain.orders.messages import AttentionAnswer, CancelRequest
from domain.orders.order import LINES_MAX, QUANTITY_MAX
from domain.orders.return_messages import ReturnRequest
from workflows.engine.inbox import parse_signal

Request = CancelRequest | ReturnRequest

REQUESTS: tuple[type[Request], ...] = (CancelRequest, ReturnRequest)
SIGNALS: dict[str, type[Request]] = {"cancel": CancelRequest, "request_return": ReturnRequest}


def signal(name: str, data: bytes, *more: bytes) -> BaseModel:
    return parse_signal(name, [RawValue(Payload(data=part)) for part in (data, *more)])


def refused(model: type[BaseModel], **content: Any) -> list[tuple[int | str, ...]]:
    """The fields for which the message is refused."""
    with pytest.raises(ValidationError) as error:
        model.model_validate({"reason": "changed my mind", **content})
    return [fault["loc"] for fault in error.value.errors()]


@pytest.mark.parametrize("name", SIGNALS)
def test_a_reason_is_all_that_a_signal_needs(name: str) -> None:
    request = signal(name, b'{"reason": "changed my mind"}')
    assert isinstance(request, SIGNALS[name])
    assert request == SIGNALS[name](reason="changed my mind")
    assert request.lines == ()


@pytest.mark.parametrize("model", REQUESTS)
def test_lines_are_named_with_or_without_a_quantity(model: type[Request]) -> None:
    lines = [{"line_id": "1", "quantity": 2}, {"line_id": "2"}]
    request = model.model_validate({"reason": "broken", "lines": lines, "request_id": "r-1"})
    assert isinstance(request, CancelRequest | ReturnRequest)
    assert [(each.line_id, each.quantity) for each in request.lines] == [("1", 2), ("2", None)]
    assert model.model_validate_json(request.model_dump_json()) == request


@pytest.mark.parametrize("model", REQUESTS)
@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"reason": ""}, ("reason",)),
        ({"reason": "  \n"}, ("reason",)),
        ({"reason": "x" * 501}, ("reason",)),
        ({"reason": "\x00\u202e"}, ("reason",)),
        ({"reason": 7}, ("reason",)),
        ({"by": ""}, ("by",)),
        ({"by": "x" * 101}, ("by",)),
        ({"request_id": ""}, ("request_id",)),
        ({"request_id": "a:b"}, ("request_id",)),
        ({"request_id": "x" * 65}, ("request_id",)),
        ({"lines": None}, ("lines",)),
        ({"lines": "1"}, ("lines",)),
        ({"lines": [{"line_id": "1"}] * (LINES_MAX + 1)}, ("lines",)),
        ({"lines": [{"quantity": 1}]}, ("lines", 0, "line_id")),
        ({"lines": [{"line_id": "1", "quantity": 0}]}, ("lines", 0, "quantity")),
        ({"lines": [{"line_id": "1", "quantity": -1}]}, ("lines", 0, "quantity")),
        ({"lines": [{"line_id": "1", "quantity": 1.0}]}, ("lines", 0, "quantity")),
        ({"lines": [{"line_id": "1", "quantity": "1"}]}, ("lines", 0, "quantity")),
        ({"lines": [{"line_id": "1", "quantity": True}]}, ("lines", 0, "quantity")),
        ({"lines": [{"line_id": "1", "quantity": QUANTITY_MAX + 1}]}, ("lines", 0, "quantity")),
        ({"lines": [{"line_id": "1", "sku": "TEA"}]}, ("lines", 0, "sku")),
        ({"line": []}, ("line",)),
    ],
)
def test_what_cannot_be_meant_is_refused_by_field(
    model: type[BaseModel], content: dict[str, Any], field: tuple[int | str, ...]
) -> None:
    assert refused(model, **content) == [field]


@pytest.mark.parametrize("model", [CancelRequest, ReturnRequest])
def test_what_garbles_a_terminal_does_not_cost_a_request(
    model: type[CancelRequest | ReturnRequest],
) -> None:
    request = model.model_validate({"reason": "a\x00b\u202e\r\nc\ud83d", "by": "two\nlines"})
    assert (request.reason, request.by) == ("ab\nc", "two lines")


def test_an_answer_to_attention_says_what_and_why() -> None:
    answer = {"step": "ship web-1:1", "action": "retry", "note": "the carrier is back"}
    assert AttentionAnswer.model_validate(answer).by == "operator"
    for field, value in {"action": "skip", "note": " ", "step": ""}.items():
        with pytest.raises(ValidationError) as error:
            AttentionAnswer.model_validate({**answer, field: value})
        assert [fault["loc"] for fault in error.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cancel: is not JSON: "),
        (b"{", "cancel: is not JSON: "),
        (b"\xff\xfe", "cancel: is not JSON: "),
        (b"null", "cancel: "),
        (b'"please"', "cancel: "),
        (b"[]", "cancel: "),
        (b"{}", "reason: "),
        (
            b'{"reason": "x", "lines": [{"line_id": "1", "quantity": 0}]}',
            "lines[0].quantity: must be 1 or more",
        ),
        (b'{"reason": "x", "because": "y"}', "because: "),
    ],
)
def test_a_malformed_signal_is_refused_with_the_place(data: bytes, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        signal("cancel", data)
    assert str(error.value).startswith(said)


def test_a_signal_takes_one_object() -> None:
    with pytest.raises(InvalidInput, match="one JSON object, and got 2"):
        signal("cancel", b"{}", b"{}")
    with pytest.raises(InvalidInput, match="got 0"):
        parse_signal("cancel", [])


def test_an_unknown_signal_is_told_which_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"cancel, request_return, .*, resolve_attention$"):
        signal("cancle", b'{"reason": "x"}')


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=5))
def test_a_refusal_can_be_written_down_whatever_was_sent(name: str) -> None:
    # The refusal goes into the order's story: PostgreSQL takes no NUL, and UTF-8 no surrogate.
    document = json.dumps({"reason": "x", f"{name}!": 1}).encode()
    with pytest.raises(InvalidInput) as error:
        signal("cancel", document)
    assert "\x00" not in str(error.value)
    str(error.value).encode()
