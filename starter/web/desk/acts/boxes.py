"""The boxes of an act's form: their names, what stands above them, and which one a fault is in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from domain.errors import InvalidInput
from starter.web.desk.acts.acting import ADDRESS, CODE, ITEM, UNITS, Asking, Field
from starter.web.desk.acts.claiming import SENT
from starter.web.desk.acts.editing import LINE, line_changes
from starter.web.screens.faults_told import faults_told

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

_NAMED: Final = {
    "shipping.price": "shipping_price",
    "shipping.service": "service",
    "shipping.tax_rate": "shipping_tax",
    "payment.provider": "provider",
    "payment.token": "token",
    "requested_delivery_date": "date",
    "evidence[0]": "evidence",
    "line_id": "line",
    "reason": "why",
}
"""Places of requests whose box has another name, where none has theirs."""

_ROW: Final = re.compile(r"(?P<rows>\w+)\[(?P<n>[0-9]+)\](\.(?P<part>\w+))?")


def boxes(asking: Asking, field: Field) -> Iterator[str]:
    """The names of the boxes that a page has for a field."""
    if field.kind == "units":
        yield from (f"{kind}{line}" for line in field.most for kind in (UNITS, CODE))
    elif field.kind == "lines":
        yield from (f"{LINE}{place}" for place in field.values)
    elif field.kind in _PARTS:
        yield from (f"{field.name}-{part}" for part in _PARTS[field.kind])
    elif field.kind != "choice" or asking.field(field.name) in {x.value for x in field.options}:
        yield field.name


def labels(asking: Asking, fields: Sequence[Field]) -> dict[str, str]:
    """What stands above all boxes that the act can have on an order, by their names."""
    return dict(_labels(asking, fields))


def _labels(asking: Asking, fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
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
                    yield f"{LINE}{line}:{part}", f"{label}: {words(key)}"
        elif field.kind in _PARTS:
            for part, key in _PARTS[field.kind].items():
                yield f"{field.name}-{part}", f"{words(field.label)}: {words(key)}"
        elif field.kind != "tick":
            yield field.name, words(field.label, line=field.place)


def located(
    asking: Asking, fields: Sequence[Field], wrong: ValidationError | InvalidInput
) -> tuple[list[str], dict[str, str]]:
    """What is wrong with a form: a sentence each, and the same by the boxes that it is in."""
    words, above = asking.visit.words, labels(asking, fields)
    sentences, by_box = [], {}
    for place, told in faults_told(words, wrong):
        box = place if place in above else _box(asking, fields, place)
        if box in above:
            by_box[box] = told
        sentences.append(f"{above[box]}: {told}" if box in above else told)
    return sentences, by_box


def _box(asking: Asking, fields: Sequence[Field], place: str) -> str:
    """The box of what stands at a place of the request; "" for what has none."""
    if place in _NAMED:
        return _NAMED[place]
    if row := _ROW.fullmatch(place):
        return _of_row(asking, fields, row["rows"], int(row["n"]), row["part"] or "")
    which, _, part = place.partition(".")
    if not part:
        return place
    addresses = [field.name for field in fields if field.kind == "address"]
    name = which if which in addresses or not addresses else addresses[0]
    return f"{name}-{part}"


def _of_row(asking: Asking, fields: Sequence[Field], rows: str, n: int, part: str) -> str:
    """The same of the row with this number of those that were filled in."""
    found: list[str]
    if rows != "lines":
        items = (field.name for field in fields if field.kind == "item")
        found = [f"{name}-{part}" for name in items if asking.item(name)]
    elif any(field.kind == "lines" for field in fields):
        found = [f"{LINE}{change['line_id']}:{part}" for change in line_changes(asking)]
    else:
        found = [f"{UNITS}{line['line_id']}" for line in asking.lines()]
    return found[n] if n < len(found) else ""
