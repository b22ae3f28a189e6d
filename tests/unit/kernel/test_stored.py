"""What was accepted once is readable for ever: today's lists are asked only about what is new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import calendars, fields
from domain.currencies import Currencies, listed
from domain.errors import UnknownCurrency
from domain.money import Money, decimals, to_minor
from domain.orders.order import Order
from domain.purchasing.purchase_orders import PurchasingPolicy, SupplierItem
from domain.stock.locations import Location
from domain.stored import stored
from tests.support.builders import an_order
from tests.support.strategies import orders

CODES = st.from_regex(r"\A[A-Z]{3}\Z").filter(lambda code: listed(code) is None)


@contextmanager
def without_lists() -> Iterator[None]:
    """A day on which every list is empty."""

    def gone(*_: Any) -> Any:
        raise ZoneInfoNotFoundError

    def no_holidays(*_: Any) -> Any:
        raise NotImplementedError

    with pytest.MonkeyPatch.context() as day:
        day.setattr(iso4217, "Currency", lambda _: SimpleNamespace(exponent=None))
        day.setattr(fields, "COUNTRY_CODES", frozenset[str]())
        day.setattr(fields, "language_tag", lambda _: None)
        day.setattr(calendars, "ZoneInfo", gone)
        day.setattr(calendars, "public_holidays", no_holidays)
        yield


@given(written=orders())
def test_an_order_is_read_as_it_was_written_when_the_lists_have_become_empty(
    written: Order,
) -> None:
    document = written.model_dump(mode="json")
    with without_lists():
        read = stored(Order, document)
        assert read.model_dump(mode="json") == document
        assert (read.total_minor, read.digest) == (written.total_minor, written.digest)
        with pytest.raises(ValidationError):
            Order.model_validate(document)


def test_what_else_is_stored_is_read_when_the_lists_have_become_empty() -> None:
    assert decimals("EUR") == 2
    written: dict[str, Any] = {
        "location": "main",
        "calendar": {"time_zone": "Mars/Olympus", "holidays": "SU"},
        "lanes": [{"country": "YU", "cost": "4.50", "currency": "EUR"}],
    }
    terms = {"supplier": "s", "sku": "TEA", "lead_time_days": 3, "unit_price": "6.00"}
    with without_lists():
        location = stored(Location, written)
        assert location.lanes[0].cost_minor == 450
        monday = datetime(2026, 11, 23, 10, tzinfo=UTC)
        assert location.calendar.leaves_on(monday) == monday.date()
        assert stored(SupplierItem, {**terms, "currency": "EUR"}).price.each == 6
        with pytest.raises(ValidationError):
            Location.model_validate(written)
        # It travels with each purchase order, whose workflow reads it again for years.
        PurchasingPolicy.model_validate_json('{"approve_up_to": {"BGN": "5.00"}}')


def test_a_shape_that_became_stricter_does_not_make_an_order_unreadable() -> None:
    document = an_order(("TEA", 1)).model_dump(mode="json")
    document["customer"]["email"] = "kim at home"
    assert stored(Order, document).customer.email == "kim at home"


@given(code=CODES, places=st.integers(0, 4), minor=st.integers(0, 10**12))
def test_the_decimals_of_a_currency_stay_as_they_were_kept(
    code: str, places: int, minor: int
) -> None:
    mine = Currencies()
    assert mine.decimals(code) is None
    assert mine.missed
    mine.kept({code: places})
    assert (mine.decimals(code), mine.are_due) == (places, False)
    mine.kept({"USD": 2})
    assert mine.decimals(code) == places
    assert mine.decimals("JPY") == 0
    assert mine.are_due  # another process may not know the yen


def test_an_amount_in_an_unknown_currency_stops_no_list() -> None:
    with pytest.raises(UnknownCurrency, match="ISO 4217"):
        decimals("ZZZ")
    with pytest.raises(UnknownCurrency):
        to_minor("1.00", "ZZZ")
    assert str(Money(minor=1250, currency="ZZZ")) == "1250 ZZZ in its smallest unit"
