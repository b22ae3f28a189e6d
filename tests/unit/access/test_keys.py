"""What keys may do, and how their texts are read."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.access.api_keys import ApiKey, KeyRequest
from domain.access.key_text import (
    ID_LENGTH,
    ID_LETTERS,
    SECRET_LENGTH,
    SECRET_LETTERS,
    KeyText,
    is_key_id,
    parse,
)
from domain.access.keys import (
    OF_A_CHANNEL,
    OF_A_SELLER,
    OF_NOBODY_ALLOWED,
    SCOPES,
    Capability,
    Grant,
    forbidden,
)
from domain.errors import Refused
from domain.faults import faults
from domain.fields import Who
from tests.architecture.source import ROOT

ENDS = datetime(2027, 1, 1, tzinfo=UTC)

ids = st.text(ID_LETTERS, min_size=ID_LENGTH, max_size=ID_LENGTH)
texts = st.builds(
    KeyText, ids, st.text(SECRET_LETTERS, min_size=SECRET_LENGTH, max_size=SECRET_LENGTH)
)
codes = st.sampled_from(["web", "pos", "b2b"])
some = st.none() | st.frozensets(codes, min_size=1)
grants = st.builds(
    Grant,
    key_id=ids,
    name=st.just("shop"),
    scopes=st.frozensets(st.sampled_from(SCOPES), min_size=1, max_size=4),
    channels=some,
    sellers=some,
    per_minute=st.integers(1, 3),
    expires_at=st.none() | st.sampled_from([ENDS, ENDS + timedelta(days=1)]),
)


def a_grant(**told: Any) -> Grant:
    usual: dict[str, Any] = {
        "key_id": "abcdefghij12",
        "name": "shop",
        "scopes": frozenset({"orders:read", "orders:write"}),
        "channels": None,
        "sellers": None,
        "per_minute": 600,
        "expires_at": None,
    }
    return Grant(**{**usual, **told})


def refusal(**told: Any) -> str:
    """Why a key like this is not made."""
    with pytest.raises(ValidationError) as refused:
        KeyRequest.model_validate({"name": "shop", "scopes": ["orders:read"], **told})
    return "; ".join(f"{where}: {why}" for _, where, why in faults(refused.value))


# Texts --------------------------------------------------------------------------------------------


@given(texts)
def test_a_text_is_read_as_it_was_written(text: KeyText) -> None:
    assert parse(text.whole()) == text
    assert is_key_id(text.key_id)


@given(st.text() | texts.map(KeyText.whole), st.text(min_size=1, max_size=3))
def test_odd_texts_are_no_keys_and_no_errors(text: str, more: str) -> None:
    for odd in (f"{text}{more}", f"{more}{text}", f"olk_{text}", text.upper(), f"{text}\n"):
        found = parse(odd)
        assert found is None or found.whole() == odd


@pytest.mark.parametrize(
    "text", ["", "olk__", "olk_abcdefghij12_", "\ud800", "olk_abcdefghij1٣_" + "a" * 43, "\0"]
)
def test_these_are_no_keys(text: str) -> None:
    assert parse(text) is None


@given(texts, texts)
def test_a_secret_is_known_by_its_digest_alone(one: KeyText, other: KeyText) -> None:
    assert one.is_one_of([other.digest(), one.digest()])
    assert one.is_one_of([other.digest()]) == (one.secret == other.secret)
    assert not one.is_one_of([])
    assert one.secret not in repr(one)


def test_a_secret_has_256_random_bits() -> None:
    assert len(set(SECRET_LETTERS)) ** SECRET_LENGTH > 2**256
    assert len(set(SECRET_LETTERS)) ** (SECRET_LENGTH - 1) < 2**256


# Scopes -------------------------------------------------------------------------------------------


def test_there_is_a_scope_to_read_and_one_to_write_for_each_capability() -> None:
    capabilities = get_args(Capability)
    assert list(SCOPES) == [f"{one}:{act}" for one in capabilities for act in ("read", "write")]


def test_to_write_does_not_include_to_read() -> None:
    writes = a_grant(scopes=frozenset({"orders:write"}))
    assert writes.allows("orders:write")
    assert not writes.allows("orders:read")
    assert not writes.allows("stock:write")


def test_a_short_form_stands_for_that_scope_of_each_capability() -> None:
    wanted = KeyRequest(name="shop", scopes=("all:read", "orders:write", "orders:read"))
    assert wanted.may == {*(one for one in SCOPES if one.endswith(":read")), "orders:write"}
    both = KeyRequest(name="shop", scopes=("all:read", "all:write"))
    assert both.may == set(SCOPES)


@pytest.mark.parametrize("scope", ["orders", "orders:all", "gifts:read", "", 1, None, ["a"]])
def test_a_scope_that_is_none_is_answered_with_those_that_there_are(scope: Any) -> None:
    told = refusal(scopes=["stock:read", scope])
    assert told.startswith("scopes[1]: must be a capability and what to do with it, such as")
    assert "reconciliation, operations, events, access" in told


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"scopes": []}, "scopes: must be 1 at least"),
        ({"channels": []}, "channels: must be 1 at least"),
        ({"sellers": []}, "sellers: must be 1 at least"),
        ({"channels": ["a b"]}, "channels[0]: must be letters"),
        ({"per_minute": 0}, "per_minute: must be 1 or more"),
        ({"name": " "}, "name: must have 1 characters at least"),
        ({"name": "x" * 61}, "name: must have 60 characters at most"),
        ({"expires_at": "2027-01-01"}, "expires_at: must be a time with its offset"),
        ({"secret": "mine"}, "secret: is not known here"),
    ],
)
def test_what_is_wrong_with_a_key_is_told_by_its_field(told: dict[str, Any], why: str) -> None:
    assert why in refusal(**told)


# Restricted keys ----------------------------------------------------------------------------------


def test_each_capability_is_of_a_channel_of_a_seller_or_of_nobody() -> None:
    assert not OF_A_CHANNEL & OF_A_SELLER
    nobodys = {*get_args(Capability)} - OF_A_CHANNEL - OF_A_SELLER
    assert nobodys == {
        *("stock", "catalogue", "locations", "purchasing", "sellers", "operations", "access"),
    }


def test_the_page_about_keys_tells_whose_each_capability_is() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| .* \| a?\s?(\w+)'s \|$", page, re.MULTILINE))
    assert told == {
        one: "channel" if one in OF_A_CHANNEL else "seller" if one in OF_A_SELLER else "nobody"
        for one in get_args(Capability)
    }


@pytest.mark.parametrize(
    ("restricted", "scope"),
    [*product(({}, {"channels": ["web"]}, {"sellers": ["main"]}), SCOPES)],
)
def test_a_restricted_key_may_little_of_what_is_not_its_own(
    restricted: dict[str, Any], scope: str
) -> None:
    capability = scope.partition(":")[0]
    own = {"channels": OF_A_CHANNEL, "sellers": OF_A_CHANNEL | OF_A_SELLER}
    fits = all(capability in own[by] or scope in OF_NOBODY_ALLOWED for by in restricted)
    told = {"scopes": ["orders:read", scope], **restricted}
    if fits:
        KeyRequest.model_validate({"name": "shop", **told})
    else:
        assert f"may not have {scope}; it may have orders:read" in refusal(**told)


def test_every_scope_that_does_not_fit_is_named() -> None:
    told = refusal(scopes=["stock:write", "orders:write", "access:read"], channels=["web"])
    assert told.startswith("scopes: a key for some channels may not have stock:write, access:read;")
    told = refusal(scopes=["all:read"], sellers=["main"])
    assert "may not have purchasing:read, operations:read, access:read; it may have " in told
    assert forbidden(SCOPES, None, None) == []


@given(grants, st.none() | codes, st.none() | codes)
def test_a_key_sees_what_is_of_its_channels_and_of_its_sellers(
    grant: Grant, channel: str | None, seller: str | None
) -> None:
    free = replace(grant, channels=None, sellers=None)
    assert free.sees(channel, seller)
    assert not free.is_restricted
    seen = grant.sees(channel, seller)
    by_one = replace(grant, sellers=None).sees(channel, seller)
    by_other = replace(grant, channels=None).sees(channel, seller)
    assert seen == (by_one and by_other)
    if grant.channels is not None and channel not in grant.channels:
        assert not seen


# What one key hands out ---------------------------------------------------------------------------


def covers(one: Grant, other: Grant) -> bool:
    try:
        one.check_covers(other)
    except Refused:
        return False
    return True


@given(grants, grants, grants)
def test_a_key_hands_out_no_more_than_it_has(one: Grant, other: Grant, third: Grant) -> None:
    assert covers(one, one)
    if not covers(one, other):
        return
    assert all(one.allows(scope) for scope in SCOPES if other.allows(scope))
    for channel, seller in product((None, "web", "pos", "b2b"), repeat=2):
        assert one.sees(channel, seller) or not other.sees(channel, seller)
    assert other.per_minute <= one.per_minute
    if covers(other, third):
        assert covers(one, third), "nor in two steps"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"scopes": frozenset({"orders:read", "stock:read"})}, "the scopes stock:read"),
        ({"channels": None}, "other channels"),
        ({"channels": frozenset({"web", "pos"})}, "other channels"),
        ({"sellers": None}, "other sellers"),
        ({"per_minute": 601}, "more than 600 requests a minute"),
        ({"expires_at": None}, "a later end"),
        ({"expires_at": ENDS + timedelta(seconds=1)}, "a later end"),
    ],
)
def test_what_a_key_may_not_hand_out_is_named(more: dict[str, Any], told: str) -> None:
    asks = a_grant(channels=frozenset({"web"}), sellers=frozenset({"main"}), expires_at=ENDS)
    with pytest.raises(Refused, match=f"more than it has itself: {told}; ask with a key"):
        asks.check_covers(replace(asks, **more))


@pytest.mark.parametrize(
    ("mine", "theirs", "may"),
    [
        # Without a role one asks for goodwill in any role, and approves as a buyer.
        *((None, None, True), (None, "agent", True), (None, "buyer", True)),
        *((None, "lead", False), (None, "admin", False)),
        *(("lead", "lead", True), ("lead", "admin", False), ("lead", None, False)),
        *(("agent", "agent", True), ("agent", "lead", False), ("agent", None, False)),
    ],
)
def test_a_key_hands_out_no_role_that_may_more(
    mine: str | None, theirs: str | None, may: bool
) -> None:
    asks = a_grant(role=mine)
    assert covers(asks, replace(asks, role=theirs)) == may


def test_a_key_has_few_old_secrets_at_once() -> None:
    key = ApiKey(
        **{**KeyRequest(name="shop", scopes=("orders:read",)).model_dump(), "key_id": "k"},
        state="live",
        made_at=ENDS,
        made_by="anna",
        last_used_at=None,
        revoked_at=None,
        revoked_by=None,
        secret_made_at=ENDS,
        secret_made_by="anna",
        old_secrets_end_at=(ENDS,) * 4,
    )
    key.check_rotation(timedelta(0))
    with pytest.raises(Refused, match="4 old secrets that still work, the first until 2027-01-01"):
        key.check_rotation(timedelta(hours=1))


# Who did it ---------------------------------------------------------------------------------------


@given(st.none() | st.text(max_size=200), ids)
def test_who_did_it_fits_an_orders_story_and_always_ends_with_the_key(
    by: str | None, key_id: str
) -> None:
    who = a_grant(key_id=key_id).who(by)
    assert TypeAdapter(Who).validate_python(who) == who
    assert who.endswith(f" (key {key_id})")


def test_who_did_it_is_the_person_or_else_the_program() -> None:
    assert a_grant().who("anna") == "anna (key abcdefghij12)"
    assert a_grant().who(None) == a_grant().who(" \u200f\n") == "shop (key abcdefghij12)"
    assert a_grant(name="x" * 60).who(None) == f"{'x' * 60} (key abcdefghij12)"
    assert a_grant().who("y" * 82) == f"{'y' * 80}… (key abcdefghij12)"
