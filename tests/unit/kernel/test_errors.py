"""The error tree: names and exit codes that others rely on, and messages that can be printed."""

from __future__ import annotations

import pytest

from domain import errors
from domain.errors import Conflict, InvalidInput, OrderloomError, Refused


def _tree(root: type[OrderloomError]) -> list[type[OrderloomError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in _tree(child))]


OURS = [kind for kind in _tree(OrderloomError) if kind.__module__ == errors.__name__]


def test_kinds_and_exit_codes_stay_what_they_are() -> None:
    assert {kind.kind: kind.exit_code for kind in OURS} == {
        "error": 1,
        "invalid_input": 2,
        "unknown_currency": 2,
        "cannot_decrypt": 2,
        "refused": 1,
        "conflict": 1,
        "not_found": 1,
        "not_authorized": 1,
        "ending": 1,
        "illegal_transition": 1,
        "unreachable": 3,
    }
    assert len({kind.kind for kind in OURS}) == len(OURS)


def test_the_tree_is_drawn_as_it_is() -> None:
    assert errors.__doc__ is not None
    for kind in OURS:
        assert kind.__name__ in errors.__doc__


def test_invalid_input_says_where() -> None:
    assert str(InvalidInput("is missing", where="lines[0].sku")) == "lines[0].sku: is missing"
    assert str(InvalidInput("is missing")) == "is missing"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a\x00b", r"a\x00b"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\x9bb", r"a\x9bb"),
        ("a\ud800b", r"a\ud800b"),
        ("one\n\ttwo", "one\n\ttwo"),
        ("김민지 – 1 €", "김민지 – 1 €"),
    ],
)
def test_a_message_can_be_printed_and_stored_whatever_it_quotes(message: str, shown: str) -> None:
    for kind in (Refused, Conflict, InvalidInput):
        assert str(kind(message)) == shown
    assert str(InvalidInput("is unknown", where=message)) == f"{shown}: is unknown"
