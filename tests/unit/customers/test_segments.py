"""Who belongs to a segment, and which rules are refused when they are set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.customers.membership import Facts, belongs, checks, wanted
from domain.customers.segments import Segment

NOW = datetime(2026, 11, 30, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "orders": 3,
    "first_order_at": NOW - timedelta(days=90),
    "last_order_at": NOW - timedelta(days=10),
    "units_delivered": 10,
    "units_returned": 3,
    "worth": {"EUR": {"ordered": 12000, "paid": 10000, "kept": 9000}},
    "channels": ["web", "b2b"],
    "sellers": ["main"],
    "countries": ["DE"],
    "consent": {"marketing": True},
}


def a_segment(**rules: Any) -> Segment:
    return Segment.model_validate({"segment": "some", **rules})


@pytest.mark.parametrize(
    ("rules", "is_in"),
    [
        ({"worth": [{"currency": "EUR", "at_least": "90.00"}]}, True),
        ({"worth": [{"currency": "EUR", "at_least": "90.01"}]}, False),
        ({"worth": [{"currency": "EUR", "of": "paid", "at_least": "90.01"}]}, True),
        ({"worth": [{"currency": "EUR", "of": "ordered", "at_most": "119.99"}]}, False),
        ({"worth": [{"currency": "USD", "at_most": "5"}]}, True),
        ({"worth": [{"currency": "USD", "at_least": "0.01"}]}, False),
        (
            {"worth": [{"currency": "EUR", "at_least": "1"}, {"currency": "JPY", "at_least": "1"}]},
            False,
        ),
        ({"orders": {"at_least": 3, "at_most": 3}}, True),
        ({"orders": {"at_least": 4}}, False),
        ({"orders": {"at_most": 2}}, False),
        ({"returned": {"at_least_percent": 30}}, True),
        ({"returned": {"at_least_percent": 31}}, False),
        ({"returned": {"at_most_percent": 29}}, False),
        ({"returned": {"at_least_percent": 30, "units": 11}}, False),
        ({"last_order": {"within": "P10D"}}, True),
        ({"last_order": {"within": "P9D"}}, False),
        ({"last_order": {"longer_ago": "P9D"}}, True),
        ({"last_order": {"longer_ago": "P10D"}}, False),
        ({"last_order": {"longer_ago": "P5D", "within": "P20D"}}, True),
        ({"channels": ["pos", "b2b"]}, True),
        ({"channels": ["pos"]}, False),
        ({"sellers": ["other"]}, False),
        ({"countries": ["DE", "KR"]}, True),
        ({"countries": ["KR"]}, False),
        ({"consent": "marketing"}, True),
        ({"consent": "reviews"}, False),
        ({"consent": "delivery_updates"}, True),
        ({"channels": ["web"], "orders": {"at_most": 2}}, False),
    ],
)
def test_all_that_a_segment_asks_for_must_hold(rules: dict[str, Any], is_in: bool) -> None:
    facts, to = Facts.model_validate(FACTS), a_segment(**rules)
    assert belongs(facts, to, NOW) is is_in
    looked_at = checks(facts, to, NOW)
    assert all(one.holds for one in looked_at) is is_in
    assert [one.wanted for one in looked_at] == [one.partition(": ")[2] for one in wanted(to)]


def test_who_has_no_order_that_counts_has_no_last_one() -> None:
    nobody = Facts.model_validate(
        {**FACTS, "orders": 0, "first_order_at": None, "last_order_at": None}
    )
    assert not belongs(nobody, a_segment(last_order={"longer_ago": "P1D"}), NOW)
    assert belongs(nobody, a_segment(orders={"at_most": 0}), NOW)


def test_each_rule_is_told_in_words() -> None:
    to = a_segment(
        worth=[{"currency": "EUR", "at_least": "10", "at_most": "90.00"}],
        orders={"at_least": 1, "at_most": 2},
        returned={"at_least_percent": 30, "units": 5},
        last_order={"within": "P30D", "longer_ago": "P5D"},
        channels=["web", "pos"],
        countries=["KR"],
        consent="delivery_updates",
    )
    assert [
        f"{one.rule}: {one.wanted} / {one.found} / {one.holds}"
        for one in checks(Facts.model_validate({**FACTS, "countries": []}), to, NOW)
    ] == [
        "worth: kept from 10 to 90.00 EUR / kept 90.00 EUR / True",
        "orders: from 1 to 2 / 3 / False",
        "returned: from 30 to 100 %, of 5 delivered or more / 3 of 10 delivered / True",
        "last_order: within 30 days, longer ago than 5 days / 10 days ago / True",
        "channels: pos, web / b2b, web / True",
        "countries: KR / none / False",
        "consent: delivery_updates / yes, by default / True",
    ]
    assert wanted(to)[3] == "last order: within 30 days, longer ago than 5 days"


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({}, "must say for whom"),
        ({"about": "everybody"}, "must say for whom"),
        ({"worth": [{"currency": "EUR"}]}, "must have at_least or at_most"),
        ({"worth": [{"currency": "JPY", "at_least": "1.50"}]}, "JPY"),
        ({"worth": [{"currency": "EUR", "at_least": "2", "at_most": "1"}]}, "must not be below"),
        ({"worth": [{"currency": "XXQ", "at_least": "2"}]}, "unknown currency"),
        ({"worth": [{"currency": "EUR", "at_least": 2}]}, "decimal string"),
        ({"orders": {}}, "must have at_least or at_most"),
        ({"orders": {"at_least": 3, "at_most": 2}}, "must not be below"),
        ({"orders": {"at_least": -1}}, "greater than or equal"),
        ({"returned": {"at_least_percent": 101}}, "less than or equal"),
        ({"returned": {"at_least_percent": 50, "at_most_percent": 40}}, "must not be below"),
        ({"last_order": {}}, "must have within or longer_ago"),
        ({"last_order": {"within": "P5D", "longer_ago": "P6D"}}, "must be more than longer_ago"),
        ({"last_order": {"within": "soon"}}, "duration"),
        ({"countries": ["Germany"]}, "country code"),
        ({"consent": "everything"}, "marketing"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_set(rules: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        a_segment(**rules)
