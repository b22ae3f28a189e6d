"""Links to customers' pages: what they hold, and that nobody can make or change one."""

from __future__ import annotations

import string
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access.page_links import PageKey, PageLink, link_token, order_of

DAY = date(2027, 3, 1)
NEW = PageKey(2, b"n" * 32)
OLD = PageKey(1, b"o" * 32)
KEYS = {key.key_no: key.secret for key in (NEW, OLD)}
LETTERS = string.ascii_letters + string.digits + "-_"


@given(st.integers(1, 2**55 - 1), st.sampled_from([NEW, OLD]), st.booleans())
def test_a_link_leads_to_its_order(order_no: int, key: PageKey, whole: bool) -> None:
    link = PageLink(order_no, whole)
    token = link_token(link, key, DAY)
    assert len(token) == 36
    assert {*token} <= {*LETTERS}
    assert order_of(token, KEYS, DAY) == link


def test_a_changed_letter_leads_nowhere() -> None:
    token = link_token(PageLink(1001), NEW, DAY)
    for place in range(len(token)):
        for letter in {*LETTERS} - {token[place]}:
            changed = token[:place] + letter + token[place + 1 :]
            assert order_of(changed, KEYS, DAY) in ("changed", "unknown"), changed


@pytest.mark.parametrize("token", ["", "x", "ä" * 36, "a" * 35, "a" * 36, "a" * 4000, "a b=" * 9])
def test_what_is_no_link_leads_nowhere(token: str) -> None:
    assert order_of(token, {**KEYS, 0: b"z" * 32}, DAY) in ("changed", "unknown")


def test_a_link_is_good_through_its_last_day() -> None:
    token = link_token(PageLink(1001), NEW, DAY)
    assert order_of(token, KEYS, DAY) == PageLink(1001)
    assert order_of(token, KEYS, DAY + timedelta(days=1)) == "expired"


def test_a_link_of_a_key_that_was_revoked_leads_nowhere() -> None:
    token = link_token(PageLink(1001), OLD, DAY)
    assert order_of(token, KEYS, DAY) == PageLink(1001)
    assert order_of(token, {NEW.key_no: NEW.secret}, DAY) == "unknown"
    forged = link_token(PageLink(1001), PageKey(NEW.key_no, OLD.secret), DAY)
    assert order_of(forged, KEYS, DAY) == "changed"
