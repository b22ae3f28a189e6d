"""Codes of vouchers and gift cards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.orders.voucher_codes import code_of, is_code, is_kept, kept, kept_if_code, last_four

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
codes = st.binary(min_size=12, max_size=12).map(code_of)


@given(codes)
def test_a_code_is_read_however_it_is_written(code: str) -> None:
    loose = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert is_code(code)
    assert is_code(loose)
    assert kept(loose) == kept(code)
    assert last_four(loose) == code.replace("-", "")[-4:]


@given(codes, st.integers(0, 19), st.integers(1, 31))
def test_a_code_with_one_wrong_letter_is_none(code: str, place: int, by: int) -> None:
    plain = code.replace("-", "")
    wrong = LETTERS[(LETTERS.index(plain[place]) + by) % 32]
    assert not is_code(plain[:place] + wrong + plain[place + 1 :])


@given(codes)
def test_what_is_kept_of_a_code_is_no_code(code: str) -> None:
    digest = kept(code)
    assert is_kept(digest)
    assert not is_code(digest)
    assert kept_if_code(code) == digest == kept_if_code(digest)
    assert kept(digest) != digest


def test_other_tokens_are_no_codes() -> None:
    for token in (
        "tok_ok",
        "",
        "pm_1234567890ABCDEF",
        "V000-0000-0000-0000",
        "V000-0000-0000-0000-0001",
        "4000-0000-0000-0000-0002",
    ):
        assert not is_code(token)
        assert kept_if_code(token) == token


def test_the_same_bytes_make_the_same_code() -> None:
    assert code_of(bytes(12)) == "V000-0000-0000-0000-0009"
    assert code_of(b"0123456789ab") == code_of(b"0123456789ab and more")
