"""How well a supplier keeps its word, in figures."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from domain.purchasing.scorecards import BoughtLine, by_month, scorecard

TODAY = date(2026, 11, 30)
DAY = date(2026, 11, 2)


def line(days: int | None = 5, **changes: Any) -> BoughtLine:
    """10 TEA that were promised within 7 days and came after so many; None: not yet."""
    usual: dict[str, Any] = {
        "supplier": "assam",
        "po_id": "PO-1",
        "sku": "TEA",
        "ordered_on": DAY,
        "sent_on": DAY,
        "promised_on": DAY + timedelta(days=7),
        "quantity": 10,
        "cancelled": 0,
        "refused": False,
        "ended_by_us": False,
        "unit_price": "2.50",
        "currency": "EUR",
        "lead_time_days": 7,
        "arrived_on": None if days is None else DAY + timedelta(days=days),
        "received": 0 if days is None else 10,
        "outstanding": 10 if days is None else 0,
    }
    return BoughtLine.model_validate({**usual, **changes})


def test_a_line_is_on_time_or_late_or_nobody_can_say() -> None:
    soon = line(None, promised_on=TODAY)
    never = line(None, outstanding=0, cancelled=10)
    card = scorecard([line(7), line(8), line(None), soon, never], TODAY)
    assert (card.lines, card.counted, card.on_time, card.on_time_percent) == (5, 3, 1, 33)
    assert scorecard([], TODAY).on_time_percent is None


def test_lead_times_are_told_by_their_middle_and_their_spread() -> None:
    card = scorecard([line(n) for n in (4, 5, 6, 6, 20)], TODAY)
    assert (card.promised_days, card.real_days) == (7, 6)
    assert card.real_days_least is not None
    assert card.real_days_most is not None
    assert card.real_days_least <= 4
    assert card.real_days_most >= 20
    few = scorecard([line(4), line(20, sent_on=None)], TODAY)
    assert (few.real_days, few.real_days_most) == (4, None)


def test_what_we_cancelled_is_not_short_and_what_came_beyond_is_over() -> None:
    ours = line(received=4, cancelled=6, ended_by_us=True)
    card = scorecard([ours, line(received=7, cancelled=3), line(received=11)], TODAY)
    assert (card.ordered, card.short, card.over, card.short_percent) == (30, 3, 1, 10)


def test_refusals_are_counted_by_order_and_prices_compared_with_the_one_before() -> None:
    later = DAY + timedelta(days=3)
    lines = [
        line(po_id="PO-2", refused=True, ordered_on=later, unit_price="2.75"),
        line(po_id="PO-2", refused=True, ordered_on=later, sku="POT"),
        line(),
        line(currency="USD", unit_price="9"),
    ]
    card = scorecard(lines, TODAY)
    assert card.refused == 1
    (change,) = card.price_changes
    assert (change.sku, str(change.before), str(change.after), change.on) == (
        *("TEA", "2.50", "2.75"),
        later,
    )


def test_a_year_is_told_by_the_month_of_the_order() -> None:
    months = by_month([line(), line(8), line(ordered_on=date(2026, 10, 31))], TODAY)
    assert [(month, card.on_time_percent) for month, card in months.items()] == [
        ((2026, 10), 100),
        ((2026, 11), 50),
    ]
