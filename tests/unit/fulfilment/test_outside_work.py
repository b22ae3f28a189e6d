"""What workshops say, in whatever way their language writes it: read where it can be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from domain.fulfilment.outside_work import Note, WorkAnswer


def answer(**said: Any) -> WorkAnswer:
    return WorkAnswer.model_validate_json(json.dumps(said))


def note(said: Any) -> str:
    return Note.model_validate_json(json.dumps({"note": said})).note


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("1 of 2\x00 engraved", "1 of 2 engraved"),
        ("a" * 5000, "a" * 500),
        ("  two\r\nlines ", "two\nlines"),
        (None, ""),
        (17, ""),
        ({"de": "fertig"}, ""),
    ],
)
def test_of_a_note_is_kept_what_can_be_and_no_work_fails_for_it(said: Any, kept: str) -> None:
    assert note(said) == kept
    assert answer(outcome="done", note=said).note == kept


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_without_a_parcel_both_its_fields_may_be_empty(nothing: str | None) -> None:
    said = answer(outcome="done", note=nothing, carrier=nothing, tracking_number=nothing)
    assert (said.carrier, said.tracking_number) == (None, None)


def test_a_number_may_be_written_as_a_number() -> None:
    assert answer(outcome="done", carrier="dhl", tracking_number=7).tracking_number == "7"


@pytest.mark.parametrize("number", ["JD\x0077", "", "a" * 101, "\u200b", "JD\n77"])
def test_a_parcel_that_nobody_could_find_is_no_answer(number: str) -> None:
    with pytest.raises(ValidationError):
        answer(outcome="done", carrier="dhl", tracking_number=number)
