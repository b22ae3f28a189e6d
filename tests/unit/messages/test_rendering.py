"""Each mail reads well in each language, and a template can do nothing but be filled in."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from domain.errors import InvalidInput
from domain.messages.examples import the_poorest, the_richest
from domain.messages.kinds import KINDS, MessageKind
from domain.messages.rendering import SOURCE_MAX, render, source_of
from domain.messages.words import amount_text, country_text, day_text
from domain.sellers import Language

NASTY = 'Eve <img src="https://evil.example/x.png"> {{ 7 * 7 }} & Söhne'
"""What a customer may be called."""
LANGUAGES: tuple[Language, ...] = get_args(Language)
VOID = {"meta", "br", "img"}


class Page(HTMLParser):
    """Tags that are closed, and what would be asked of another machine."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.language: str | None = None
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert given.get("src") in {None, "cid:logo"}
        assert tag != "img" or given["alt"]
        assert tag not in {"script", "link", "iframe"}
        if tag == "html":
            self.language = given["lang"]
        if given.get("href"):
            self.links.append(given["href"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_richest_and_the_poorest_order_are_whole_pages(
    kind: MessageKind, language: Language
) -> None:
    rich = render(kind, the_richest(language).model_copy(update={"name": NASTY}))
    page = Page(rich.html)
    assert page.language == language
    assert set(page.links) == {"https://track.example/o/abc"}
    assert "url(" not in rich.html
    assert "{{ 7 * 7 }}" in rich.text
    assert "\n" not in rich.subject
    assert "<p" not in rich.text
    assert "&lt;img" in rich.html
    assert "&lt;" not in rich.text
    assert "&amp;amp;" in rich.html, "what is filled in is escaped"
    assert max(len(line) for line in rich.text.splitlines()) <= 130  # a name is never broken
    poor = render(kind, the_poorest(language))
    assert Page(poor.html).links == []
    assert "\n\n\n" not in poor.text
    assert "1001" in poor.subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_plain_text_says_what_the_html_says(kind: MessageKind, language: Language) -> None:
    facts = the_richest(language).model_copy(update={"day": "DAY", "number": "1001"})
    made = render(kind, facts)
    for word in ("DAY", "1001", "https://track.example/o/abc", "help@x.example", "112"):
        assert (word in made.text) == (word in made.html.partition("</h1>")[2]), word


def test_a_day_that_comes_sooner_is_no_bad_news() -> None:
    for language, word in (("en", "sooner"), ("ko", "빨리"), ("de", "früher")):
        facts = the_poorest(LANGUAGES[LANGUAGES.index(language)])
        made = render("delayed", facts.model_copy(update={"moved": "sooner", "day": "DAY"}))
        Page(made.html)
        assert word in made.subject
        assert "DAY" in made.text
        for sorry in ("sorry", "leid", "죄송", "late", "늦"):
            assert sorry not in made.text.partition("\n")[2]


def test_days_and_amounts_are_as_people_write_them() -> None:
    day = date(2026, 12, 3)
    assert day_text(day, "en") == "Thursday, 3 December 2026"
    assert day_text(day, "ko") == "2026년 12월 3일 목요일"
    assert day_text(day, "de") == "Donnerstag, 3. Dezember 2026"
    assert [country_text("DE", x) for x in LANGUAGES] == ["Germany", "독일", "Deutschland"]
    assert amount_text(123450, "EUR", "de") == "1.234,50\xa0€"
    assert amount_text(15000, "KRW", "ko") == "₩15,000"
    assert amount_text(123450, "USD", "en") == "$1,234.50"


def a_template(body: str) -> str:
    return (
        "{% block subject %}a{% endblock %}{% block preheader %}b{% endblock %}"
        f"{{% block title %}}c{{% endblock %}}{{% block body %}}{body}{{% endblock %}}"
    )


def test_a_sellers_own_template_stands_in_the_place_of_ours() -> None:
    own = a_template("{% call p() %}Hi {{ name }}{% endcall %}")
    made = render("shipped", the_richest("en"), own)
    assert "Hi Ève &lt;b&gt;" in made.html
    assert "Hi Ève <b>" in made.text
    assert source_of("shipped", "en") != own


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ nmae }}", "nmae"),
        ("{{ number.isoformat() }}", "isoformat"),
        ("{{ number * 1000000000 }}", r"\* is not for templates"),
        # Texts that double with each line, loops without an end, and pages of another's HTML.
        ("{% set a = name ~ name %}{% set b = a ~ a %}{{ b }}", "set is not for templates"),
        ("{% with a = name ~ name %}{{ a }}{% endwith %}", "with is not for templates"),
        ("{{ self.body() }}", "a call of body"),
        ("{% block b %}{{ self.c() }}{{ self.c() }}{% endblock %}", "a call of c"),
        ("{{ '{:>999999999}'.format(1) }}", "a call of format"),
        ("{{ number.ljust(999999999) }}", "a call of ljust"),
        ("{{ goods | join(goods | join(goods | join(goods | join(name)))) }}", "comes to more"),
        (f"{{{{ '{'x' * 40_000}' | join('{'y' * 40_000}') }}}}", "comes to more than"),
        ("{% for a in [name] %}{{ a }}{% endfor %}", "a loop over anything but"),
        ("{% autoescape false %}{{ name }}{% endautoescape %}", "autoescape is not for"),
        ("{% if number %}" * 150 + "{% endif %}" * 150, "nested too deeply"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
        ("\0", "signs that are no text"),
        ("\ud800", "signs that are no text"),
        ("{{ '%1000000000s' % number }}", "% is not for templates"),
        ("{{ number | center(1000000000) }}", "center"),
        ("{{ number | safe }}", "safe"),
        ("{% for a in goods %}{% for b in goods %}x{% endfor %}{% endfor %}", "loop in a loop"),
        ("{% for a in range(1000000000) %}x{% endfor %}", "a loop over anything but"),
        ("{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}", "macros"),
        ("{% include 'en/shipped.jinja' %}", "include"),
        ("{% import 'en/shipped.jinja' as x %}", "import"),
        ("{{ p.__globals__ }}", "unsafe|globals"),
        ("{{ goods[0].model_config }}{% if", "."),
        ("x" * SOURCE_MAX, "longer than"),
        ("{{ goods | join('" + "x" * 9000 + "') }}", "comes to more than"),
    ],
)
def test_what_a_template_may_not_is_refused(body: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        render("shipped", the_richest("en"), a_template(body))


def test_a_long_list_is_cut_where_large_mailboxes_would_cut_the_mail() -> None:
    rests: dict[Language, str] = {
        "en": "and 400 more",
        "ko": "외 400종",
        "de": "und 400 weitere",
    }
    for language, rest in rests.items():
        made = render("received", the_richest(language))
        assert rest in made.html
        assert rest in made.text
        assert len(made.html.encode()) < 102_000


def test_a_template_without_a_block_is_refused() -> None:
    with pytest.raises(InvalidInput, match="lacks the block preheader, title, body"):
        render("shipped", the_richest("en"), "{% block subject %}a{% endblock %}")


def test_a_subject_never_has_a_line_break() -> None:
    own: Any = a_template("x").replace("%}a{%", "%}a\r\nBcc: all@x.example{%")
    assert render("shipped", the_richest("en"), own).subject == "a Bcc: all@x.example"
