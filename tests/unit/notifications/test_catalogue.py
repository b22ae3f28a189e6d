"""The catalogue has every type, and says of every line of a story whether it is an event."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from domain.notifications.catalogue import CATALOGUE, MoneyData, data_of, message_of_test
from domain.notifications.customer_catalogue import CUSTOMER_CATALOGUE
from domain.notifications.event_types import (
    CHANGES_TOLD,
    CUSTOMER_EVENT_TYPES,
    EVENT_TYPES,
    NOT_TOLD,
    TEST_TYPE,
    TOLD,
    is_known,
)
from domain.views.order_snapshot import OrderSnapshot
from store.customers.changes import ChangeKind
from tests.architecture.source import ROOT

_construct: Any = OrderSnapshot.model_construct
ORDER: OrderSnapshot = _construct(order_id="web-1")


def test_every_type_is_told_by_a_line_and_described() -> None:
    assert set(CATALOGUE) == set(TOLD.values())
    assert set(CUSTOMER_CATALOGUE) == set(CHANGES_TOLD.values()) == set(CUSTOMER_EVENT_TYPES)
    assert {*CATALOGUE, *CUSTOMER_CATALOGUE} == set(EVENT_TYPES)
    assert set(CHANGES_TOLD) == set(get_args(ChangeKind)) - {"ordered"}
    assert set(TOLD) & NOT_TOLD == set()
    assert all(re.fullmatch(r"orderloom\.[a-z]+\.[a-z_]+\.v1", one) for one in EVENT_TYPES)
    assert all(kind.when.endswith(".") for kind in CATALOGUE.values())
    assert all(kind.when.endswith(".") for kind in CUSTOMER_CATALOGUE.values())


def test_a_line_that_nobody_has_thought_of_is_not_known() -> None:
    assert is_known("shipped")
    assert is_known("put back")
    assert is_known("pay refused")
    assert not is_known("exploded")


# Made of two words where they are written, or of the kind of a payment.
PUT_TOGETHER = {
    *("held", "dispute", "difference resolved", "units cancelled", "promise at risk"),
    *("promise missed", "missing units cancelled", "missing units refunded"),
    *("authorize refused", "capture refused", "refund refused", "void refused", "closed"),
    *("needs attention", "attention resolved", "undeliverable", "lost", "intercepted"),
}


@pytest.mark.parametrize("word", sorted({*TOLD, *NOT_TOLD} - PUT_TOGETHER))
def test_each_line_is_written_somewhere(word: str) -> None:
    """A row of the table that no line has any more would be dead."""
    folders = ("store", "activities", "workflows", "domain/orders", "domain/fulfilment")
    files = [
        file
        for folder in folders
        for file in Path(ROOT, folder).rglob("*")
        if file.suffix in {".py", ".sql"} and "migrations" not in file.parts
    ]
    quoted = (f'"{word}"', f"'{word}'")
    assert any(any(q in file.read_text(encoding="utf-8") for q in quoted) for file in files)


def test_amounts_are_told_with_the_decimals_of_their_currency() -> None:
    told = {"amount_minor": 1250, "currency": "EUR", "payment_key": "web-1:1:capture"}
    data = data_of("orderloom.payment.charged.v1", ORDER, "charged", None, told)
    assert isinstance(data, MoneyData)
    assert (data.amount, data.currency, data.payment_id) == ("12.50", "EUR", "web-1:1:capture")
    granted = {"granted": {"refund_id": "web-1:G1", "amount": {"minor": 5, "currency": "JPY"}}}
    data = data_of("orderloom.refund.granted.v1", ORDER, "refund granted", "sorry", granted)
    assert data.model_dump(exclude={"order"}) == {
        "reason": "sorry",
        "refund_id": "web-1:G1",
        "amount": "5",
        "currency": "JPY",
    }


def test_what_is_erased_from_the_story_is_simply_not_said() -> None:
    for kind in CATALOGUE:
        what = "dispute: lost" if "disputed" in kind else "needs attention: pick web-1:1"
        data = data_of(kind, ORDER, what, None, {})
        assert data.reason is None


def test_a_test_is_a_whole_message() -> None:
    at = datetime(2026, 11, 29, tzinfo=UTC).isoformat()
    message = message_of_test("test_1", at)
    assert message.type == TEST_TYPE
    assert b"subject" not in message.body()


ODD_LINES: dict[str, dict[str, Any]] = {
    # As a line tells it that plans missing units anew: by fulfilment, and then by line.
    "missing units cancelled": {"units": {"web-1:2": {"1": 1, "2": 3}}, "backordered": {}},
    "promise at risk": {"promised_on": "some day", "fulfilment_id": 7},
    "picked": {"picked": {"1": "three"}},
}


@pytest.mark.parametrize("what", ODD_LINES)
def test_an_odd_line_still_tells_the_order_and_holds_nothing_back(what: str) -> None:
    said = data_of(TOLD[what], ORDER, what, "why", ODD_LINES[what])
    assert (said.order.order_id, said.reason) == ("web-1", "why")
    assert getattr(said, "units", None) is None
