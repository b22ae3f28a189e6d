"""Charts that the server draws, as SVG: lines, stacked bars, a small line beside a number, a meter.

Why own: pages have no script and no style of their own (CSP), and a chart is read in three
languages, by people who do not see it, and by people who see no colours. Libraries write styles
into the picture, or text as outlines, and none writes the table. Colours, dashes and sizes stand
in charts.css, which a page with charts takes in; whatever is text grows with the reader's text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from domain.plain_text import one_line
from starter.web.scales import Scale, scale_of
from starter.web.words import Words

Show = Callable[[int], str]
"""A figure as people read it, such as `words.number`."""

_SIDE: Final = 1000  # of the inner drawing, which is stretched to the place that there is
_TOP, _HEIGHT = 8.0, 80.0  # per cent of the picture; below it stand the first and the last mark
_STACKED: Final = 4
_BAR_MAX: Final = 6.0  # per cent of the picture


class Series(NamedTuple):
    """Figures in the sequence of the marks; None: nobody knows this one, and there is a gap."""

    label: str
    values: Sequence[int | None]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a chart shows.

    `name`: of letters and dashes, used by no other chart of the page. `of`: what the marks are,
    such as "Day". `marks`: one for each figure, in the reader's language. `show`: left out,
    figures are plain numbers.
    """

    name: str
    title: str
    of: str
    marks: Sequence[str]
    series: Sequence[Series]
    show: Show | None = None
    unit: str = ""


def lines(words: Words, figures: Figures) -> Markup:
    """One or two series as lines, with the same figures as a table."""
    assert len(figures.series) <= 2, "more than two lines are not told apart"
    known = _known(figures.series)
    if not known:
        return _nothing(words, figures)
    scale = scale_of(min(known), max(known))
    figure, svg = _framed(words, figures, scale)
    for number, one in enumerate(figures.series, 1):
        _line(svg, one.values, scale, f"s{number}", len(figures.marks))
    _numbers(words, figures, svg, scale)
    return _whole(words, figures, figure)


def bars(words: Words, figures: Figures) -> Markup:
    """Up to four series as bars, one upon the other, with the same figures as a table.

    What is below zero goes down from it.
    """
    assert len(figures.series) <= _STACKED, "more than four parts are not told apart"
    if not _known(figures.series):
        return _nothing(words, figures)
    columns = [[one.values[at] or 0 for one in figures.series] for at in range(len(figures.marks))]
    low = min(sum(min(part, 0) for part in column) for column in columns)
    high = max(sum(max(part, 0) for part in column) for column in columns)
    scale = scale_of(low, high)
    figure, svg = _framed(words, figures, scale)
    _patterns(svg, figures)
    wide = 100 / len(columns)
    thick = min(0.76 * wide, _BAR_MAX)  # a few bars are not blocks
    for at, column in enumerate(columns):
        bar = SubElement(svg, "g")
        said = ", ".join(
            f"{one.label} {_shown(words, figures, one.values[at])}" for one in figures.series
        )
        SubElement(bar, "title").text = _text(f"{figures.marks[at]}: {said}")
        up = down = 0
        for number, part in enumerate(column, 1):
            foot = up if part > 0 else down
            up, down = up + max(part, 0), down + min(part, 0)
            if part:
                left = (at + 0.5) * wide - thick / 2
                _bar(bar, figures.name, number, left, thick, scale, foot, part)
    _numbers(words, figures, svg, scale)
    return _whole(words, figures, figure)


def sparkline(
    words: Words, title: str, values: Sequence[int | None], show: Show | None = None
) -> Markup:
    """A small line beside a number. Who does not see it hears its first, last and outer figures."""
    known = [one for one in values if one is not None]
    said = _told(words, known, show or words.number)
    svg = Element("svg", {"class": "spark", "role": "img", "aria-label": _text(f"{title}: {said}")})
    if known:
        _line(svg, values, scale_of(min(known), max(known)), "s1", len(values), top=10, height=80)
    return _marked(svg)


def meter(words: Words, title: str, value: int, limit: int, show: Show | None = None) -> Markup:
    """A value against its limit, with both in words. Above the limit the whole bar is hatched."""
    shown = show or words.number
    said = words("meter_of", value=shown(value), limit=shown(limit))
    whole = Element("span", {"class": "meter"})
    svg = SubElement(whole, "svg", {"role": "img", "aria-label": _text(f"{title}: {said}")})
    SubElement(svg, "rect", {"class": "track", "width": "100%", "height": "100%"})
    part = 100.0 if limit <= 0 else 100 * max(0, min(value, limit)) / limit
    over = " over" if value > limit else ""
    SubElement(svg, "rect", {"class": f"fill{over}", "width": _per(part), "height": "100%"})
    SubElement(whole, "span", {"class": "said"}).text = _text(f"{said}{' !' if over else ''}")
    return _marked(whole)


def _known(series: Sequence[Series]) -> list[int]:
    return [value for one in series for value in one.values if value is not None]


def _framed(words: Words, figures: Figures, scale: Scale) -> tuple[Element, Element]:
    """A figure with its caption, and in it a picture with its axes."""
    figure = Element("figure", {"class": "chart"})
    _caption(figure, figures)
    title, about = f"{figures.name}-title", f"{figures.name}-about"
    named = {"role": "img", "aria-labelledby": title, "aria-describedby": about}
    svg = SubElement(figure, "svg", named)
    SubElement(svg, "title", {"id": title}).text = _text(figures.title)
    told = (
        f"{one.label}: {_told(words, _known([one]), figures.show or words.number)}"
        for one in figures.series
    )
    marks = f"{figures.marks[0]} – {figures.marks[-1]}."
    SubElement(svg, "desc", {"id": about}).text = _text(" ".join((marks, *told)))
    for tick in scale.ticks():
        y = _y(scale.up(tick))
        kind = "zero" if tick == 0 else "grid"
        SubElement(svg, "line", {"class": kind, "x1": "0", "x2": "100%", "y1": y, "y2": y})
    ends = (("only", "50%"),) if len(figures.marks) == 1 else (("begin", "0"), ("end", "100%"))
    for (kind, x), mark in zip(ends, (figures.marks[0], figures.marks[-1]), strict=False):
        SubElement(svg, "text", {"class": kind, "x": x, "y": "98%"}).text = _text(mark)
    return figure, svg


def _numbers(words: Words, figures: Figures, svg: Element, scale: Scale) -> None:
    """What the scale's lines stand for: written last, so that no bar hides it."""
    for tick in scale.ticks():
        label = SubElement(svg, "text", {"x": "0", "y": _y(scale.up(tick)), "dy": "-.25em"})
        label.text = _text((figures.show or words.number)(tick))


def _line(
    svg: Element,
    values: Sequence[int | None],
    scale: Scale,
    kind: str,
    marks: int,
    *,
    top: float = _TOP,
    height: float = _HEIGHT,
) -> None:
    """A line with its gaps; a dot where a figure stands alone, and at the last one."""
    frame = {"y": _per(top), "height": _per(height), "width": "100%"}
    stretched = {"viewBox": f"0 0 {_SIDE} {_SIDE}", "preserveAspectRatio": "none"}
    inner = SubElement(svg, "svg", {**frame, **stretched})
    points = [
        None if value is None else ((at + 0.5) / marks, scale.up(value))
        for at, value in enumerate(values)
    ]
    path = []
    for before, (x, y) in ((b, p) for b, p in pairwise((None, *points)) if p is not None):
        path.append(f"{'M' if before is None else 'L'}{x * _SIDE:.0f} {(1 - y) * _SIDE:.0f}")
    drawn = {"class": f"line {kind}", "d": "".join(path), "vector-effect": "non-scaling-stroke"}
    SubElement(inner, "path", drawn)
    around = (None, *points, None)
    alone = [
        point
        for before, point, after in zip(around, points, around[2:], strict=False)
        if point is not None and before is None and after is None
    ]
    newest = [point for point in points if point is not None][-1:]
    for x, y in dict.fromkeys([*alone, *newest]):
        spot = {"cx": _per(x * 100), "cy": _per(top + height * (1 - y)), "r": "3"}
        SubElement(svg, "circle", {"class": kind, **spot})


def _bar(
    bar: Element, name: str, number: int, x: float, wide: float, scale: Scale, foot: int, part: int
) -> None:
    """One part of a bar, from its foot on."""
    head, low = scale.up(foot + max(part, 0)), scale.up(foot + min(part, 0))
    place = {"x": _per(x), "width": _per(wide), "y": _y(head)}
    tall = {"height": _per((head - low) * _HEIGHT)}
    fill = {} if number == 1 else {"fill": f"url(#{name}-p{number})"}
    SubElement(bar, "rect", {"class": f"bar s{number}", **place, **tall, **fill})


# Signs in the fill of the second, third and fourth part, in a square of eight pixels.
_SIGNS: Final = {2: "M0 8L8 0M-2 2L2 -2M6 10L10 6", 3: "M2 4h3", 4: "M0 4h8"}


def _patterns(svg: Element, figures: Figures) -> None:
    if len(figures.series) == 1:
        return
    kept = SubElement(svg, "defs")
    for number in range(2, len(figures.series) + 1):
        size = {"width": "8", "height": "8", "patternUnits": "userSpaceOnUse"}
        pattern = SubElement(kept, "pattern", {"id": f"{figures.name}-p{number}", **size})
        ground = {"class": f"ground s{number}", "width": "8", "height": "8"}
        SubElement(pattern, "rect", ground)
        SubElement(pattern, "path", {"class": "sign", "d": _SIGNS[number]})


def _whole(words: Words, figures: Figures, figure: Element) -> Markup:
    """With the legend, where there is more than one series, and the table."""
    if len(figures.series) > 1:
        legend = SubElement(figure, "ul", {"class": "legend"})
        is_bars = figure.find("svg/g") is not None
        for number, one in enumerate(figures.series, 1):
            item = SubElement(legend, "li")
            key = SubElement(item, "svg", {"aria-hidden": "true"})
            if is_bars:
                fill = {} if number == 1 else {"fill": f"url(#{figures.name}-p{number})"}
                sized = {"width": "100%", "height": "100%"}
                SubElement(key, "rect", {"class": f"bar s{number}", **sized, **fill})
            else:
                ends = {"x1": "0", "x2": "100%", "y1": "50%", "y2": "50%"}
                SubElement(key, "line", {"class": f"line s{number}", **ends})
            SubElement(item, "span").text = _text(one.label)
    details = SubElement(figure, "details", {"id": f"{figures.name}-table"})
    SubElement(details, "summary").text = words("as_table")
    table = SubElement(details, "table")
    heads = SubElement(SubElement(table, "thead"), "tr")
    for head in (figures.of, *(one.label for one in figures.series)):
        SubElement(heads, "th", {"scope": "col"}).text = _text(head)
    body = SubElement(table, "tbody")
    for at, mark in enumerate(figures.marks):
        row = SubElement(body, "tr")
        SubElement(row, "th", {"scope": "row"}).text = _text(mark)
        for one in figures.series:
            SubElement(row, "td").text = _text(_shown(words, figures, one.values[at]))
    return _marked(figure)


def _nothing(words: Words, figures: Figures) -> Markup:
    figure = Element("figure", {"class": "chart"})
    _caption(figure, figures)
    SubElement(figure, "p", {"class": "note"}).text = words("no_figures")
    return _marked(figure)


def _caption(figure: Element, figures: Figures) -> None:
    unit = f" ({figures.unit})" if figures.unit else ""
    SubElement(figure, "figcaption").text = _text(f"{figures.title}{unit}")


def _shown(words: Words, figures: Figures, value: int | None) -> str:
    return "–" if value is None else (figures.show or words.number)(value)


def _told(words: Words, known: Sequence[int], show: Show) -> str:
    """What a line says to somebody who does not see it."""
    if not known:
        return words("no_figures")
    outer = {"low": show(min(known)), "high": show(max(known))}
    return words("figures_told", first=show(known[0]), last=show(known[-1]), **outer)


def _y(up: float) -> str:
    return _per(_TOP + _HEIGHT * (1 - up))


def _per(part: float) -> str:
    return f"{part:.2f}".rstrip("0").rstrip(".") + "%"


def _text(text: str) -> str:
    """What XML can hold of it."""
    kept: str = one_line(text)
    return kept.replace("\ufffe", "").replace("\uffff", "")


def _marked(element: Element) -> Markup:
    """Templates show it as it is."""
    text = tostring(element, encoding="unicode", short_empty_elements=False)
    return Markup(text)  # noqa: S704  (the serializer has escaped every text)
