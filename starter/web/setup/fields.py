"""Forms of whole documents: a field for each part, and the document out of what was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel

from domain.errors import InvalidInput
from domain.seen import version_of
from starter.web.screens.visits import Visit
from starter.web.words import Words

Kind = Literal[
    "text",
    "email",
    "time",
    "number",
    "amount",
    "zone",
    "area",
    "lines",
    "ticks",
    "choice",
    "flag",
    "json",
    "country",
    "password",
    "table",
    "pairs",
]
"""`zone`: a time zone. `area`: a long text. `lines`: one value on each line. `ticks`: some of
several. `table`: rows of several values. `pairs`: rows of a name and what it stands for."""

ROWS_MAX: Final = 100
"""A table with more rows is shown as text, a row on each line: inputs would be too many."""

_ROWS_MORE: Final = 2
_DIGITS_MAX: Final = 15
_SEPARATORS: Final = {"table": ", ", "pairs": " = "}


class Field(NamedTuple):
    """One field. `path`: its place in the document, such as calendar.time_zone.

    Its label is the sentence `field_<path>`, with _ for each dot; `hint_<path>` stands below it,
    where there is one. `columns`: of a table; their heads are `column_<path>_<column>`.
    `amounts`: those of its columns that have amounts.
    """

    path: str
    kind: Kind = "text"
    required: bool = False
    columns: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """As sentences name it."""
        return self.path.replace(".", "_")

    def rows_of(self, value: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """The rows of a table, and some more for what is new."""
        return [*value, *({} for _ in range(_ROWS_MORE))]


def values_of(words: Words, document: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """What stands in each field for a document, as JSON has it: a text, or the ticked values."""
    return {field.path: _text(words, _at(document, field.path), field) for field in fields}


def sent_values(visit: Visit, fields: Sequence[Field]) -> dict[str, Any]:
    """What was typed into each field."""
    return {field.path: _sent(visit, field) for field in fields}


def _sent(visit: Visit, field: Field) -> Any:
    if field.kind == "ticks":
        return visit.sent.get(field.path, [])
    if field.kind in _SEPARATORS and field.path not in visit.sent:
        return _sent_rows(visit, field)
    return visit.field(field.path)


def _sent_rows(visit: Visit, field: Field) -> list[dict[str, str]]:
    """The rows of a table in which something stands, in their order."""
    rows = [
        {name: visit.field(f"{field.path}.{n}.{name}") for name in field.columns}
        for n in range(ROWS_MAX + _ROWS_MORE)
    ]
    return [row for row in rows if any(row.values())]


def document_of(visit: Visit, fields: Sequence[Field]) -> dict[str, Any]:
    """The document that a form has sent; what is empty is left out. Raises InvalidInput."""
    document: dict[str, Any] = {}
    for field in fields:
        value = _value(visit, field)
        if value is None:
            continue
        *way, name = field.path.split(".")
        part = document
        for step in way:
            part = part.setdefault(step, {})
        part[name] = value
    return document


def by_fields(words: Words, faults: Mapping[str, str], fields: Sequence[Field]) -> dict[str, str]:
    """What is wrong, by fields: of lanes[3].cost, by that of all lanes, with the box of it."""
    found: dict[str, str] = {}
    for place, reason in faults.items():
        # What a door says of several documents begins with which of them it is about.
        for inner in (place, place.partition("[0].")[2]):
            if field := _field_at(inner, fields):
                box = _box_of(words, inner.removeprefix(field.path), field)
                found[field.path] = f"{box}: {reason}" if box else reason
                break
    return found


def _box_of(words: Words, inner: str, field: Field) -> str:
    """What a box of a table is called, as [3].cost is; "" where the field is one box."""
    row = re.fullmatch(r"\[([0-9]+)\](?:\.(\w+))?", inner)
    if row is None or field.kind != "table":
        return ""
    head = f"column_{field.key}_{row[2]}"
    return f"{words(head)} {int(row[1]) + 1}" if words.has(head) else f"{int(row[1]) + 1}"


def _field_at(place: str, fields: Sequence[Field]) -> Field | None:
    """The field that this place of the document is in; of several, the one that says most."""
    there = [x for x in fields if place == x.path or place.startswith((f"{x.path}.", f"{x.path}["))]
    return max(there, key=lambda one: len(one.path), default=None)


def changes(
    now: Mapping[str, Any], sent: Mapping[str, Any], fields: Sequence[Field]
) -> list[tuple[Field, str]]:
    """The fields in which what is kept now is another value than what was sent, with the former."""
    return [
        (field, ", ".join(value) if isinstance(value, list) else str(value))
        for field in fields
        if _plain(value := _flat(now[field.path], field)) != _plain(_flat(sent[field.path], field))
    ]


def _flat(value: Any, field: Field) -> Any:
    """The rows of a table as text; anything else as it is."""
    if field.kind in _SEPARATORS and isinstance(value, list):
        return _lines_of(value, field)
    return value


def _lines_of(rows: Sequence[Mapping[str, str]], field: Field) -> str:
    parts = ([row.get(name, "") for name in field.columns] for row in rows)
    return "\n".join(_SEPARATORS[field.kind].join(row) for row in parts)


def is_stale(visit: Visit, now: BaseModel) -> bool:
    """Whether others have changed it since the page was shown whose form was sent."""
    return visit.field("seen") not in ("", version_of(now))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(value)
    return "\n".join(line.strip() for line in str(value).splitlines())


def _at(document: Mapping[str, Any], path: str) -> Any:
    part: Any = document
    for step in path.split("."):
        part = part.get(step) if isinstance(part, Mapping) else None
    return part


def _text(words: Words, value: Any, field: Field) -> Any:
    match field.kind:
        case "ticks":
            return [str(one) for one in value or ()]
        case "flag":
            return "1" if value else ""
        case "lines":
            return "\n".join(str(one) for one in value or ())
        case "json":
            return json.dumps(value, ensure_ascii=False, indent=2) if value else ""
        case "table" | "pairs":
            return _rows(words, value or (), field)
    text = "" if value is None else str(value)
    return words.typed(text) if field.kind == "amount" else text


def _rows(words: Words, found: Any, field: Field) -> Any:
    """The rows of a table, or their text: there, commas stand between what is in them."""
    if isinstance(found, Mapping):
        found = [dict(zip(field.columns, pair, strict=True)) for pair in found.items()]
    rows = [{name: str(row.get(name, "")) for name in field.columns} for row in found]
    if len(rows) > ROWS_MAX:
        return _lines_of(rows, field)
    return [
        {name: words.typed(text) if name in field.amounts else text for name, text in row.items()}
        for row in rows
    ]


def _value(visit: Visit, field: Field) -> Any:
    """None: nothing was said."""
    text = visit.field(field.path)
    match field.kind:
        case "ticks":
            return visit.sent.get(field.path) or None
        case "flag":
            return text == "1"
        case "table" | "pairs":
            rows = _typed_rows(visit, field) or [_split(x, field) for x in _lines(text)]
            return _table(rows, field) or None
        case "amount":
            return visit.amount(field.path) or None
    return _read(text, field) if text else None


def _typed_rows(visit: Visit, field: Field) -> list[dict[str, str]]:
    """The rows of a table, their amounts as documents have them. Raises InvalidInput."""
    return [
        {k: visit.amount_in(v, field.path) if k in field.amounts else v for k, v in row.items()}
        for row in _sent_rows(visit, field)
    ]


def _read(text: str, field: Field) -> Any:
    match field.kind:
        case "number":
            is_one = text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX
            return int(text) if is_one else text
        case "lines":
            return _lines(text)
        case "json":
            return _json(text, field)
    return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _json(text: str, field: Field) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"is no JSON: {error}", where=field.path) from None


def _split(line: str, field: Field) -> dict[str, str]:
    """A row of a table that was shown as text; its last columns may be missing."""
    values = [value.strip() for value in line.split(_SEPARATORS[field.kind].strip())]
    if len(values) > len(field.columns):
        raise InvalidInput(f"“{line}” has more than {len(field.columns)} parts", where=field.path)
    return dict(zip(field.columns, values, strict=False))


def _table(rows: Sequence[Mapping[str, str]], field: Field) -> Any:
    """The part of a document that stands in these rows."""
    if field.kind == "pairs":
        name, stands_for = field.columns
        return {row.get(name, ""): row.get(stands_for, "") for row in rows}
    return [
        {
            name: int(value)
            if value.isascii() and value.isdecimal() and name.endswith(_COUNTS)
            else value
            for name, value in row.items()
            if value
        }
        for row in rows
    ]


_COUNTS: Final = ("_km", "_days")
"""Columns that hold whole numbers end so."""
