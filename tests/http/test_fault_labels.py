"""What is wrong with a form is told with the labels that it shows: of all forms for staff."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from domain.sellers import LANGUAGES, Language
from starter.web.screens.labels import about, labelled
from starter.web.screens.words import FOLDERS
from starter.web.words import catalogue
from store.database import Pool
from tests.support.bench import Bench
from tests.support.desk import Desk
from tests.support.whole_shop import whole_shop

ALONE = ("wrong_rule_empty", "wrong_missing_scopes", "wrong_missing_roles")
"""Sentences that say themselves what is to be filled in."""

FORM = re.compile(
    r'<form[^>]*method="post"[^>]*action="(?:\.\./|\./)*([^"]*)"[^>]*>(.*?)</form>', re.DOTALL
)
BOX = re.compile(r"<(?:input|textarea|select)\b[^>]*>")
NAME = re.compile(r'\bname="([^"]*)"')
VALUE = re.compile(r'\bvalue="([^"]*)"')


def forms_in(page: str) -> list[tuple[str, dict[str, str], list[str]]]:
    """The address of each form with boxes to type in, what it sends anyway, and these boxes."""
    found = []
    for action, inner in FORM.findall(page):
        hidden, typed = {}, []
        for tag in BOX.findall(inner):
            name = NAME.search(tag)
            kind = re.search(r'type="(\w+)"', tag)
            if name is None or (kind and kind[1] in ("checkbox", "radio")):
                continue
            if kind and kind[1] == "hidden":
                value = VALUE.search(tag)
                hidden[html.unescape(name[1])] = html.unescape(value[1]) if value else ""
            else:
                typed.append(html.unescape(name[1]))
        if typed:
            found.append((html.unescape(action), hidden, typed))
    return found


def called(page: str) -> set[str]:
    """All that the page calls a box."""
    texts = re.findall(r"<(?:label|legend)\b[^>]*>(.*?)</(?:label|legend)>", page, re.DOTALL)
    plain = [" ".join(re.sub(r"<[^>]*>", " ", one).split()) for one in texts]
    return {html.unescape(one) for one in (*plain, *re.findall(r'aria-label="([^"]*)"', page))}


def faults_of(answer: httpx.Response, language: Language) -> Iterator[tuple[str, str]]:
    """The label and the sentence of what is said above a form to be wrong with a field."""
    sentences = [
        re.sub(r"\\{\w+\\}", ".*", re.escape(str(one)))
        for key, one in catalogue(language, *FOLDERS).items()
        if key.startswith("wrong_") and key != "wrong_other" and key not in ALONE
    ]
    known = re.compile(rf"(?:(.*): )?({'|'.join(sentences)})")
    for block in re.findall(r'<div class="told trouble".*?</div>', answer.text, re.DOTALL):
        for line in re.findall(r"</span>(.*?)</p>", block, re.DOTALL):
            if told := known.fullmatch(html.unescape(line).strip()):
                yield told[1] or "", told[2]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_fault_of_every_form_is_told_with_a_label_of_its_form(
    pool: Pool, language: Language
) -> None:
    desk = await Desk(pool).signed_in("anna", language=language)
    told: Counter[str] = Counter()
    wrong = []
    for path in await whole_shop(Bench(pool), desk):
        page = (await desk.get(f"/{path}")).text
        for action, hidden, boxes in forms_in(page):
            for typed in ("", "-7,x"):
                sent = {**hidden, **dict.fromkeys(boxes, typed)}
                if "language" in sent:  # Of what is read from then on.
                    sent["language"] = language
                answer = await desk.send_form(action, **sent)
                assert "\ufdd0" not in answer.text
                for label, sentence in faults_of(answer, language):
                    told[action] += 1
                    if label not in called(answer.text) and label.split(": ")[0] not in called(
                        answer.text
                    ):
                        wrong.append((path, action, label, sentence))
    assert wrong == []
    assert len(told) > 15, told


def test_a_page_of_several_forms_is_told_of_the_one_that_was_sent() -> None:
    page = (
        '<form action="../a"><label for="x">Paid</label><input id="x" name="amount"></form>'
        '<form action="../b"><label for="y">Asked</label><input id="y" name="amount"></form>'
    )
    assert labelled(f"{page}{about('amount', 'Wrong.')}", "b") == f"{page}Asked: Wrong."
    assert labelled(f"{page}{about('amount', 'Wrong.')}", "a") == f"{page}Paid: Wrong."


def test_ticks_and_rows_are_told_by_what_stands_above_them() -> None:
    page = (
        "<form><fieldset><legend>Roles</legend>"
        '<input type="checkbox" name="roles" value="a"><input type="checkbox" name="roles">'
        '</fieldset><fieldset><legend>Ways &amp; means</legend><input name="ways.0.cost">'
        '<input name="ways.1.cost"></fieldset></form>'
    )
    told = f"{page}{about('roles', 'None.')} {about('ways[1].cost', 'Wrong.')}"
    assert labelled(told, "x") == f"{page}Roles: None. Ways &amp; means: Wrong."
