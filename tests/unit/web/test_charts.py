"""Charts: any figures, nothing from outside unescaped, and the same figures as a table."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from starter.web import charts
from starter.web.charts import Figures, Series, lines, meter, sparkline
from starter.web.scales import scale_of
from starter.web.screens.words import screen_words
from starter.web.words import Words

EN = screen_words("en")
FAR = 10**20
VALUES = st.lists(st.none() | st.integers(-FAR, FAR), max_size=40)
HTML = '<script>alert("1")</script>&\x00\x08\ufffe'


def figures(*series: list[int | None], label: str = "Taken", **told: Any) -> Figures:
    size = max((len(one) for one in series), default=0)
    marks = [f"Day {at}" for at in range(size)]
    named = [Series(f"{label} {at}", one) for at, one in enumerate(series)]
    return Figures(name="orders", title="Orders", of="Day", marks=marks, series=named, **told)


def xml(drawn: Markup) -> Element:
    return fromstring(drawn)  # noqa: S314  (it is ours)


def rows(drawn: Markup) -> list[list[str]]:
    return [[cell.text or "" for cell in row] for row in xml(drawn).iterfind(".//tbody/tr")]


def places(chart: Element) -> list[float]:
    """Everything in the picture that is a place or a length, in per cent."""
    names = ("x", "x1", "x2", "y", "y1", "y2", "cx", "cy", "width", "height")
    found = [one.get(name, "") for one in chart.iter() for name in names]
    return [float(one[:-1]) for one in found if one.endswith("%")]


@pytest.mark.parametrize("draw", [lines, charts.bars])
@given(first=VALUES, second=VALUES, text=st.text(max_size=20))
def test_any_figures_make_a_picture_within_its_frame_and_a_table(
    draw: Callable[[Words, Figures], Markup],
    first: list[int | None],
    second: list[int | None],
    text: str,
) -> None:
    size = min(len(first), len(second))
    drawn = draw(EN, figures(first[:size], second[:size], label=text, unit=text))
    chart = xml(drawn)
    assert all(0 <= place <= 100 for place in places(chart))
    assert "nan" not in drawn
    if all(one is None for one in first[:size] + second[:size]):
        assert "No figures yet." in drawn
    else:
        table = rows(drawn)
        assert len(table) == size
        written = ["–" if one is None else EN.number(one) for one in first[:size]]
        assert [row[1] for row in table] == written


@given(values=VALUES)
def test_a_small_line_of_any_figures(values: list[int | None]) -> None:
    chart = xml(sparkline(EN, "Orders", values))
    assert chart.get("role") == "img"
    assert (chart.find("svg") is not None) == any(one is not None for one in values)


@given(value=st.integers(-FAR, FAR), limit=st.integers(-FAR, FAR))
def test_a_meter_of_any_figures(value: int, limit: int) -> None:
    drawn = xml(meter(EN, "Pool", value, limit))
    assert all(0 <= place <= 100 for place in places(drawn))
    assert (drawn.find(".//rect[@class='fill over']") is not None) == (value > limit)


def test_a_meter_says_both_figures() -> None:
    drawn = meter(EN, "Connections", 12, 20)
    assert 'aria-label="Connections: 12 of 20"' in drawn
    assert 'width="60%"' in drawn


def test_a_screen_reader_hears_what_a_line_says() -> None:
    chart = xml(lines(EN, figures([3, None, 12, 7])))
    svg = chart.find("svg")
    assert svg is not None
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "orders-title"
    heard = chart.findtext(".//desc")
    assert heard == "Day 0 – Day 3. Taken 0: First 3, last 7, lowest 3, highest 12."


def test_a_line_has_a_gap_where_nothing_is_known_and_a_dot_where_a_figure_is_alone() -> None:
    chart = xml(lines(EN, figures([5, None, 10, 10])))
    path = chart.find(".//path")
    assert path is not None
    assert path.get("d") == "M125 500M625 0L875 0"
    assert [dot.get("cx") for dot in chart.iterfind(".//circle")] == ["12.5%", "87.5%"]


def test_bars_stand_one_upon_the_other_and_below_zero_where_they_are_negative() -> None:
    (one,) = xml(charts.bars(EN, figures([7]))).iterfind("svg/g/rect")
    assert (one.get("x"), one.get("width")) == ("47%", "6%")  # not a block over all of it
    chart = xml(charts.bars(EN, figures([4, -2], [4, -2])))
    drawn = [(one.get("y"), one.get("height")) for one in chart.iterfind(".//g/rect")]
    assert drawn == [
        *(("40%", "21.33%"), ("18.67%", "21.33%")),
        *(("61.33%", "10.67%"), ("72%", "10.67%")),
    ]


def test_series_are_told_apart_by_signs_and_words_and_not_by_colour_alone() -> None:
    bars = charts.bars(EN, figures([1], [2], [3], [4]))
    chart = xml(bars)
    signs = {one.get("d") for one in chart.iterfind(".//pattern/path")}
    assert len(signs) == 3
    assert [one.text for one in chart.iterfind(".//ul/li/span")] == [f"Taken {n}" for n in range(4)]
    drawn = lines(EN, figures([1, 2], [2, 3]))
    assert {"line s1", "line s2"} <= {str(one.get("class")) for one in xml(drawn).iter()}


def test_nothing_from_outside_is_markup() -> None:
    told = figures([1, 2], [2, 1], label=HTML, unit=HTML)
    for draw in (lines, charts.bars):
        drawn = draw(EN, told)
        assert "<script" not in drawn
        assert "&lt;script&gt;" in drawn
        xml(drawn)


def test_figures_and_axes_are_in_the_readers_language() -> None:
    drawn = lines(screen_words("de"), figures([1_000, 250_000]))
    assert "250.000" in drawn
    assert "Als Tabelle" in drawn
    money = lines(EN, figures([999_900, 50], show=lambda minor: EN.money(minor, "EUR")))
    assert rows(money)[0] == ["Day 0", "€9,999.00"]


def test_a_chart_of_a_month_is_small() -> None:
    month: list[int | None] = [(at * 7919) % 1_000 for at in range(30)]
    for draw, series in ((lines, (month, month[::-1])), (charts.bars, (month,) * 4)):
        size = len(gzip.compress(str(draw(EN, figures(*series))).encode(), 5))
        assert size <= 3_000, (draw.__name__, size)


@given(low=st.integers(-FAR, FAR), high=st.integers(-FAR, FAR))
def test_a_scale_is_round_and_has_few_steps(low: int, high: int) -> None:
    low, high = sorted((low, high))
    scale = scale_of(low, high)
    ticks = list(scale.ticks())
    assert scale.low <= low <= high <= scale.high
    assert 0 in ticks
    assert 2 <= len(ticks) <= 7
    assert str(scale.step).rstrip("0") in {"1", "2", "5"}
