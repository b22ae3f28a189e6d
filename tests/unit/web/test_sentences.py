"""Each sentence that programs write as a reason, a note or a memo is known to the pages."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from typing import Final

import pytest

from starter.web.desk.journal_forms import JOURNAL
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.screens.words import screen_words
from tests.support.written import HOLE, ROOT, Sources, Written

SAMPLES: Final = (
    *("web-1:2", "web-1:R1", "12.50 USD", "3", "2nd", "2027-03-01", "3 days", "TEA", "PO-7"),
    *("damaged", "voucher", "H1", "lost by the carrier"),
)
"""What a sentence may be filled in with."""

NOT_TOLD: Final = {
    "already cancelled": "units of an answer, beside their code",
    "bought for this order, and its supplier does not stop it any more": "the same",
    "so near its appointment it is not cancelled any more; ask for a refund": "the same",
    "with a workshop, which does not stop any more": "the same",
    "we have changed it": "a partner reads it, and not a page",
    f"{HOLE} was placed before: not done twice": "what came by EDI stands there as it is",
}
"""Sentences that no page tells, and why."""


def sentences() -> Iterator[Written]:
    """Each once."""
    told: set[str] = set()
    for one in Sources().written():
        if one.text not in told and one.text not in NOT_TOLD:
            told.add(one.text)
            yield one


def filled(text: str) -> Iterator[str]:
    """A sentence as it may be written."""
    parts = text.split(HOLE)
    for some in itertools.product(SAMPLES, repeat=len(parts) - 1):
        yield "".join(itertools.chain(*zip(parts, (*some, ""), strict=True)))


def test_each_sentence_that_is_written_has_its_form() -> None:
    """One that is new is noticed here: give it a form, and its words in each language."""
    words, told = screen_words("de"), IN_TEMPLATES["journal_told"]
    unknown = {
        one.text.replace(HOLE, "…"): one.place
        for one in sentences()
        if all(told(words, text) == text for text in filled(one.text))
    }
    assert unknown == {}


def test_what_is_said_to_be_told_nowhere_is_still_written() -> None:
    written = {one.text for one in Sources().written()}
    assert NOT_TOLD.keys() <= written


@pytest.mark.parametrize(
    "source",
    [
        'def f(): tell(why="a new sentence")',
        'def f(): tell(why=f"a new sentence" if a else "")',
        '_NEW = "a new sentence"\ndef f(): tell(reason=_NEW)',
        'def f():\n    why = "a new sentence"\n    tell(note=why)',
        'def g(): return "a new sentence"\ndef f(): tell(memo=g())',
    ],
)
def test_a_sentence_is_found_however_it_is_passed(source: str) -> None:
    found = Sources({"new.py": ast.parse(source)}).written()
    assert [one.text for one in found] == ["a new sentence"]


def test_an_errors_code_is_no_sentence() -> None:
    source = 'def f(): raise Refused("no more of it", reason="not a code")'
    assert list(Sources({"new.py": ast.parse(source)}).written()) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("PO-7 from ACME", "PO-7 von ACME"),
        ("refund of 12.50 EUR came back", "Erstattung von 12,50\xa0€ kam zurück"),
        ("shipped: web-1:2 shipped", "versandt: web-1:2 wurde dem Paketdienst übergeben"),
        ("received: PO-7 from ACME", "eingegangen: PO-7 von ACME"),
        (
            "gift_card of 20.00 EUR issued: she asked",
            "Geschenkkarte über 20,00\xa0€ ausgegeben: she asked",
        ),
        ("dispute dp_1 of 5.00 EUR: under review", "Streitfall dp_1 über 5,00\xa0€: in Prüfung"),
        ("it is a void here, a refund there", "hier ist es: freigeben; dort: erstatten"),
        ("counted by hand", "counted by hand"),
    ],
)
def test_a_journal_is_told_with_what_it_is_about(text: str, told: str) -> None:
    assert IN_TEMPLATES["journal_told"](screen_words("de"), text) == told


def test_what_somebody_types_about_an_order_is_no_journal() -> None:
    """`from grandma` is a gift's sender there, and a location here."""
    words = screen_words("de")
    assert IN_TEMPLATES["reason_told"](words, "from grandma") == "from grandma"
    assert IN_TEMPLATES["journal_told"](words, "from main") == "von main"
    assert "move_from" in JOURNAL


NAMES: Final = {
    "document %s",
    "interchange %s",
    "order %s",
    "mail server",
    "book_dispute %s:%s",
    "YYYY-MM-DD HH24:MI UTC",
    "it is not known what became of a %s at %s (%s)",
}
"""What tasks are called by, and not why they wait."""

VALUES: Final = (
    *("refund", "sandbox", "12", "855", "web", "damaged", "fraud review", "needs response", "Kim"),
    *("2027-03-01 08:00 UTC", "the amounts differ", "units are missing", "https://one.example"),
)


def task_sentences() -> set[str]:
    """All that the list of tasks writes in English."""
    source = (ROOT / "store/views/attention.sql").read_text(encoding="utf-8")
    code = re.sub(r"--.*", "", source)
    texts = {text.replace('"', "") for text in re.findall(r"'([^']*)'", code)}
    english = {text for text in texts if re.search(r"[A-Za-z]{2,},? [a-z%]", text)}
    return english - NAMES


def test_each_task_says_why_in_the_readers_language() -> None:
    words, told = screen_words("de"), IN_TEMPLATES["task_told"]
    unknown = [
        text
        for text in sorted(task_sentences())
        if all(told(words, one) == one for one in with_values(text))
    ]
    assert unknown == []


def with_values(text: str) -> Iterator[str]:
    parts = text.split("%s")
    for some in itertools.product(VALUES, repeat=len(parts) - 1):
        yield "".join(itertools.chain(*zip(parts, (*some, ""), strict=True)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sandbox: the amounts differ", "sandbox: die Beträge sind verschieden"),
        ("stripe: needs response, fraudulent", "stripe: zu beantworten, fraudulent"),
        ("late: it came after its promised day", "zu spät: es kam nach dem zugesagten Tag"),
        ("sandbox: what nobody knows", "sandbox: what nobody knows"),
    ],
)
def test_a_task_is_told_with_what_it_is_about(text: str, told: str) -> None:
    assert IN_TEMPLATES["task_told"](screen_words("de"), text) == told
