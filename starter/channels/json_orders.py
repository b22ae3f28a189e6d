"""Orders in JSON: one object, an array of them, or one on each line.

The text is scanned value by value, so that a malformed value is reported with its line and the
others are still read. Stricter than `json`: NaN and a key that appears twice are refused, because
their meaning cannot be known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any, Final, NoReturn

from starter.channels.read_results import Record, to_record, unreadable
from starter.channels.text import NOT_UTF8, NUMBER_TOO_LONG, LineNumbers, first_undecoded

RECORD_CHARACTERS_MAX: Final = 1_000_000
"""An order of 500 lines with everything filled in takes a fifth of this."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_RECORD_START: Final = re.compile(r"^\{", re.MULTILINE)
_WHOLE_RECORD: Final = re.compile(r"^\{.*\}[ \t\r]*$", re.MULTILINE)
_FILE_START: Final = re.compile(r"(?<=\})\ufeff(?=\{\")")
# The marks that show where a broken JSON value ends. An unclosed string ends with its line.
_MARK: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[\[\]{},]')
_CLOSES: Final = {"{": "}", "[": "]"}


class _Malformed(Exception):
    """The fault of a value; `position` is None if it concerns the value as a whole."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Malformed(f"the key {key!r} appears twice in one object; keep one")
            seen.add(key)
    return document


def _no_constant(name: str) -> NoReturn:
    raise _Malformed(f"{name} is not a JSON value")


_decoder: Final = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_constant)


def read_json(text: str) -> Iterator[Record]:
    """The orders in a text that begins with `{` or `[`, in order."""
    start = _skip_space(text, 0)
    if not text.startswith("[", start) and _is_lines(text, start):
        return read_json_lines(text)
    return _values(text, start)


def read_json_lines(text: str) -> Iterator[Record]:
    """One order on each line; blank lines are ignored."""
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip(" \t\r")
        # A file whose last line lacks its end may have another file's first line behind it.
        for part in _FILE_START.split(content):
            if part:
                yield _on_line(part, number)


def _on_line(content: str, number: int) -> Record:
    try:
        document, end = _value(content, 0)
        if _skip_space(content, end) != len(content):
            raise _Malformed("something follows the order on its line", end)
    except _Malformed as error:
        column = "" if error.position is None else f" (column {error.position + 1})"
        return unreadable(number, f"{error.reason}{column}")
    return to_record(document, number)


def has_record_lines(text: str) -> bool:
    """Whether at least one line begins like an order in JSON Lines."""
    return _RECORD_START.search(text) is not None


def _is_lines(text: str, start: int) -> bool:
    """Whether it is JSON Lines, and not one object, however that is laid out and broken."""
    try:
        _, end = _value(text, start)
    except _Malformed:
        # In one object that is spread over lines, only its own start is at the margin.
        starts = len(list(islice(_RECORD_START.finditer(text), 2)))
        return starts > 1 and _WHOLE_RECORD.search(text) is not None
    one_line = "\n" not in text[start:end]
    return one_line and _skip_space(text, end) != len(text)


def _values(text: str, start: int) -> Iterator[Record]:
    """An object or an array; or several, each on lines of its own, as in files put together."""
    end: int | None = start
    while end is not None:
        read = _array if text.startswith("[", end) else _single
        end = yield from read(text, end)


def _next_value(text: str, rest: int) -> int | None:
    """Where another file's value begins, if one does."""
    begins = text.startswith(("{", "["), rest) and text[rest - 1 : rest] == "\n"
    return rest if begins else None


def _single(text: str, start: int) -> Generator[Record, None, int | None]:
    lines = LineNumbers(text)
    line = lines.at(start)
    try:
        document, end = _value(text, start)
    except _Malformed as error:
        yield unreadable(line, _with_place(error, text))
        return None
    yield to_record(document, line)
    rest = _skip_space(text, end)
    another = _next_value(text, rest)
    if rest != len(text) and another is None:
        yield unreadable(
            lines.at(rest),
            "something follows the order; several orders go into an array, or one on each line",
        )
    return another


def _array(text: str, start: int) -> Generator[Record, None, int | None]:
    lines = LineNumbers(text)
    position = _skip_space(text, start + 1)
    after_comma = False
    while position < len(text) and (text[position] != "]" or after_comma):
        line = lines.at(position)
        try:
            document, after = _value(text, position)
        except _Malformed as error:
            end = _end_of_malformed(text, position)
            lost = "" if end is not None else "; what follows it cannot be told apart from it"
            yield unreadable(line, f"{_with_place(error, text)}{lost}")
            if end is None:
                return None
            position = end
            comma_missing = False
        else:
            yield to_record(document, line)
            position = _skip_space(text, after)
            comma_missing = text[position : position + 1] not in (",", "]", "")
        after_comma = text.startswith(",", position)
        if after_comma:
            position = _skip_space(text, position + 1)
        if comma_missing:
            yield unreadable(lines.at(position), "a comma is missing before this element")
    if position >= len(text):
        yield unreadable(
            lines.at(len(text)), "the array is not closed: was the file cut off? ] is missing"
        )
        return None
    rest = _skip_space(text, position + 1)
    another = _next_value(text, rest)
    if rest != len(text) and another is None:
        yield unreadable(lines.at(rest), "something follows the array; one array is one file")
    return another


def _value(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins here, and where it ends. Raises _Malformed."""
    try:
        document, end = _decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        undecoded = first_undecoded(text, start, error.pos + 1)
        if undecoded is not None:
            raise _Malformed(NOT_UTF8, undecoded) from None
        raise _Malformed(f"is not JSON: {error.msg}", error.pos) from None
    except RecursionError:
        raise _Malformed("is nested too deeply to be an order") from None
    except ValueError:  # The library raises nothing else for valid JSON.
        raise _Malformed(NUMBER_TOO_LONG) from None
    undecoded = first_undecoded(text, start, end)
    if undecoded is not None:
        raise _Malformed(NOT_UTF8, undecoded)
    if end - start > RECORD_CHARACTERS_MAX:
        raise _Malformed(
            f"is {end - start} characters long; an order has {RECORD_CHARACTERS_MAX} at most"
        )
    return document, end


def _end_of_malformed(text: str, start: int) -> int | None:
    """Where to read on after a malformed element; None where nobody can say.

    That is the comma or bracket of the array it is in, found by counting brackets. Where elements
    begin on lines of their own, the next line that begins like this one goes before: an element
    with a quote or a bracket too few seems to go on beyond that.
    """
    counted = _end_by_brackets(text, start)
    margin = text[text.rfind("\n", 0, start) + 1 : start]
    if not margin.strip():
        found = re.compile(rf"\n{margin}\{{").search(text, start, counted or len(text))
        if found is not None:
            return found.end() - 1
    return counted


def _end_by_brackets(text: str, start: int) -> int | None:
    open_brackets: list[str] = []
    for mark in _MARK.finditer(text, start):
        character = mark[0]
        if character in _CLOSES:
            open_brackets.append(character)
        elif character in "}]":
            if not open_brackets:
                return mark.start() if character == "]" else None
            if _CLOSES[open_brackets.pop()] != character:
                return None
        elif character == "," and not open_brackets:
            return mark.start()
    return None


def _with_place(error: _Malformed, text: str) -> str:
    if error.position is None:
        return error.reason
    line = text.count("\n", 0, error.position) + 1
    column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
    return f"{error.reason} (line {line}, column {column})"


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    assert found is not None  # It matches the empty string, too.
    return found.end()
