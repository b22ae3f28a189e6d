"""What a scanned code may have been on the goods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.warehouse.codes import as_typed, forms


@pytest.mark.parametrize(
    ("scanned", "printed"),
    [
        ("8801234567893", "08801234567893"),
        ("012345678905", "12345678905".zfill(13)),
        ("00012345678905", "012345678905"),
        ("(01)09506000134352(17)261231(10)AB", "9506000134352"),
        ("010950600013435210AB\x1d17261231", "9506000134352"),
        ("10AB\x1d0109506000134352", "9506000134352"),
        ("]C1010950600013435210AB", "9506000134352"),
        ("]d2\x1d0109506000134352", "9506000134352"),
        ("https://id.gs1.org/01/09506000134352/10/AB?x=1", "9506000134352"),
        ("]E08801234567893", "8801234567893"),
        ("tea-1", "TEA-1"),
        ("tEA", "Tea"),
        ("ㅆㄸㅁ-1", "TEA-1"),
        ("매ㅣ", "AOL"),
        ("앙럇ㄱ", "DKDFITR"),
        ("Aß1", "A-1"),
    ],
)
def test_a_code_is_known_however_it_is_written(scanned: str, printed: str) -> None:
    found = forms(scanned)
    assert (found[0], printed in found) == (scanned, True), found


def test_no_item_is_made_of_what_only_looks_like_one() -> None:
    wrong_digit = "010950600013435910AB"
    assert all(len(form) == len(wrong_digit) for form in forms(wrong_digit))
    assert forms("https://example.com/menu/1/2") == [
        *("https://example.com/menu/1/2", "HTTPS://EXAMPLE.COM/MENU/1/2"),
    ]
    assert as_typed("Schön") == "Schön".translate(str.maketrans("ö", ";"))


@given(st.text(max_size=200))
def test_any_text_has_few_forms(code: str) -> None:
    found = forms(code)
    assert len(found) <= 16
    assert found[:1] == ([code.strip()] if code.strip() else [])
