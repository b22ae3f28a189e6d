"""What somebody typed into a form that has no place for it any more: shown, to be copied.

While a form was filled in, somebody else may have done what makes the act impossible, or what
takes a line or a return out of it. Nobody types twice what can be shown to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from starter.web.desk.acts.acting import ADDRESS, CODE, ITEM, UNITS, Asking, Field
from starter.web.desk.acts.claiming import SENT

_LINE: Final = "line:"
_OF_LINE: Final = {
    "quantity": "how_many",
    "unit_price": "unit_price",
    "discount": "line_discount",
    "tax_rate": "tax_rate",
}
_PARTS: Final = {
    "item": dict(zip(ITEM, ("sku", "how_many", "unit_price", "tax_rate"), strict=True)),
    "address": {part: f"address_{part}" for part in ADDRESS},
}
"""The sentences of the parts of fields that have several, by the field's kind."""


def left_over(
    asking: Asking, fields: Sequence[Field], shown: Sequence[Field]
) -> list[tuple[str, str]]:
    """Pairs of a label and what was typed there.

    `fields`: all that the act asks. `shown`: those that the page has, with what was typed in them.
    Ticks are not told: they say nothing without their form.
    """
    places = {place for field in shown for place in _places(asking, field)}
    labels = dict(_labels(asking, fields))
    left = []
    for name, (value, *_) in asking.visit.sent.items():
        text = value.strip()
        if text.strip("0") and name not in places and name in labels:
            left.append((labels[name], _read(asking, fields, name, text)))
    return left


def _places(asking: Asking, field: Field) -> Iterator[str]:
    """The names of the boxes that a page has for a field."""
    if field.kind == "units":
        yield from (f"{kind}{line}" for line in field.most for kind in (UNITS, CODE))
    elif field.kind == "lines":
        yield from (f"{_LINE}{place}" for place in field.values)
    elif field.kind in _PARTS:
        yield from (f"{field.name}-{part}" for part in _PARTS[field.kind])
    elif field.kind != "choice" or asking.field(field.name) in {x.value for x in field.options}:
        yield field.name


def _labels(asking: Asking, fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    """The names of all boxes that the act can have on an order, and what stands above them."""
    words = asking.visit.words
    lines: Mapping[str, str] = {
        line.line_id: words("line_and_sku", line=line.line_id, sku=asking.shown.goods(line))
        for line in asking.detail.lines
    }
    for line in lines:
        yield f"{SENT}{line}", words("claim_sent", line=line)
    for field in fields:
        if field.kind == "units":
            for line, label in lines.items():
                yield f"{UNITS}{line}", label
                if field.options:
                    yield f"{CODE}{line}", words("reason_of_line", line=line)
        elif field.kind == "lines":
            for line, label in lines.items():
                for part, key in _OF_LINE.items():
                    yield f"{_LINE}{line}:{part}", f"{label}: {words(key)}"
        elif field.kind in _PARTS:
            for part, key in _PARTS[field.kind].items():
                yield f"{field.name}-{part}", f"{words(field.label)}: {words(key)}"
        elif field.kind != "tick":
            yield field.name, words(field.label, line=field.place)


def _read(asking: Asking, fields: Sequence[Field], name: str, text: str) -> str:
    """A choice as somebody reads it; a text as it was typed."""
    is_code = name.startswith(CODE)
    some = [field for field in fields if field.name == name or (is_code and field.kind == "units")]
    return next((x.text for field in some for x in field.options if x.value == text), text)
