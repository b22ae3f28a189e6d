"""What rules, steps and facts write in English is told in the language of who reads the page."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import pytest

from activities.orders.order_records import CloseOrder
from domain.orders.quantities import LineQuantities
from starter.web.desk.journal_forms import JOURNAL
from starter.web.desk.reason_forms import WHO, WHOLE
from starter.web.desk.reasons import told as reason_told
from starter.web.desk.reasons import who_told
from starter.web.desk.refusal_forms import REFUSALS
from starter.web.desk.task_forms import TASKS
from starter.web.screens.words import screen_words
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.whole_shop import whole_shop
from workflows.state.order_book import OrderBook

LANGUAGES: Final = ("ko", "de")
ROOT: Final = Path(__file__).parents[2]
WRITERS: Final = (
    "domain",
    "store",
    "activities",
    "workflows",
    "starter/simulation",
    "starter/service",
)
_PIECE: Final = re.compile(r"[A-Za-z](?:[A-Za-z ,']|; )+")
_ENGLISH: Final = re.compile(
    r"\b(?:the|and|of|is|not|with|by|to|it|that|authorized|shipped|delivered|carrier|channel"
    r"|customer|warehouse|service|order|window|over)\b"
)
_TYPED: Final = (
    *("ring twice", "too small", "it came late", "two names", "no such box", "a recall"),
    *("customer service scratched", "scratched", "sold out", "for Christmas", "ordered before"),
)
"""What people and companies say in the whole shop."""

_BRIEF: Final = ("move_sent", "tasks_differs", "tasks_dispute", "tasks_document")
"""Forms of codes, or with too few words: tests/unit/web/test_sentences.py has these."""

_LEFT_OUT: Final = {"step_early": {"name"}}
"""Parts of a form that its sentence does not say."""


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_page_of_an_order_has_a_sentence_in_english_for_who_reads_another_language(
    pool: Pool, language: str
) -> None:
    bench, desk = Bench(pool), await Desk(pool).signed_in("anna", language=language)
    pages = await whole_shop(bench, desk)
    ended = await _ended(bench)
    mine = [one for one in (*pages, ended) if one.startswith("app/orders/web-")]
    seen = [one for one in mine if "/messages/" not in one]  # a mail is in its reader's language
    assert len(seen) > 20
    found = [(path, one) for path in seen for one in _english(await desk.get(f"/{path}"))]
    assert found == []


def _english(answer: httpx.Response) -> Iterator[str]:
    """Words that are English and neither German nor Korean, in a page without what was typed."""
    text = re.sub(r"web-\S+", "", html.unescape(text_of(answer)))
    for typed in _TYPED:
        text = text.replace(typed, "")
    yield from _ENGLISH.findall(text)


async def _ended(bench: Bench) -> str:
    """The page of an order that is closed."""
    order = an_order(("TEA", 1, "209.47"), channel_order_id="ended")
    await bench.charged(await bench.at(order, "delivered"))
    book = OrderBook(order.order_id)
    book.last_delivery = datetime(2027, 3, 1, tzinfo=UTC)
    book.lines["1"] = LineQuantities(ordered=1, shipped=1, delivered=1)
    close = CloseOrder(order_id=order.order_id, decision="closed", reason=book.why_closed)
    await bench.records.close_order(close)
    return f"app/orders/{order.order_id}"


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_each_form_has_its_sentence_which_says_all_of_it(language: str) -> None:
    words = screen_words(language)
    for begin, forms in (("because_", {**WHOLE, **JOURNAL, **TASKS, **REFUSALS}), ("who_", WHO)):
        for key, form in forms.items():
            parts = {name: f"<{name}>" for name in re.compile(form).groupindex}
            told = words(f"{begin}{key}", **parts)
            left_out = {name for name, part in parts.items() if part not in told}
            assert left_out <= _LEFT_OUT.get(key, set()), key


def test_each_form_is_written_somewhere() -> None:
    """A sentence that was changed where it is written is noticed here."""
    written = _written()
    for key, form in {**WHOLE, **JOURNAL, **TASKS, **REFUSALS, **WHO}.items():
        if key in _BRIEF:
            continue
        pieces = _PIECE.findall(re.sub(r"\?P<\w+>|\\\w", "", form))
        longest = max(pieces, key=len).strip()
        assert len(longest) > 2, key
        assert longest in written, key


def _written() -> str:
    """All texts that programs write, each on a line, in whatever pieces they stand."""
    texts: list[str] = []
    for place in WRITERS:
        for file in (ROOT / place).rglob("*.py"):
            nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            values = (node.value for node in nodes if isinstance(node, ast.Constant))
            texts += [value for value in values if isinstance(value, str)]
        files = (ROOT / place).rglob("*.sql")
        texts += [re.sub(r"'\s*\n\s*'", "", one.read_text(encoding="utf-8")) for one in files]
    return "\n".join(texts).replace("''", "'")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("209.47 EUR authorized", "209,47\xa0€ autorisiert"),
        ("web-1:2 shipped", "web-1:2 wurde dem Paketdienst übergeben"),
        ("delivered, and the return window is over", "zugestellt, und die Rückgabefrist ist um"),
        ("not available: 1 of 2 TEA, 3 of 3 POT", "nicht verfügbar: 1 von 2 × TEA, 3 von 3 × POT"),
        ("not in stock within 3 days", "nicht innerhalb von 3 Tagen auf Lager"),
        ("done: sent by transfer", "Es wurde von Hand getan: sent by transfer"),
        ("not paid: the charge was refused", "nicht bezahlt: die Berechnung wurde abgelehnt"),
        (
            "failure, but the parcel is delivered here",
            "der Paketdienst meldet „verloren oder zerstört“, aber hier ist das Paket „zugestellt“",
        ),
        (
            "held, stock: a recall; customer service sees to it",
            "angehalten, Bestand: a recall. Es kümmert sich: Kundendienst",
        ),
        ("all shipped", "all shipped"),
    ],
)
def test_a_reason_is_told_with_what_it_is_about(text: str, told: str) -> None:
    words = screen_words("de")
    assert reason_told(words, text) == told


def test_who_is_no_person_is_told_too() -> None:
    words = screen_words("ko")
    assert who_told(words, "carrier sandbox") == "배송사 sandbox"
    assert who_told(words, "warehouse (simulated)") == "창고 (모의)"
    assert who_told(words, "Kim (kim)") == "Kim (kim)"
