"""How a company signs: held against the check that comes with Stripe's own library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.payments.signatures import sign, verify

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECRET = "whsec_of_the_company_1"
BODY = b'{"id": "evt_1", "type": "charge.dispute.created"}'


def refused(body: bytes, header: str, secrets: list[str] | None = None) -> str:
    with pytest.raises(InvalidInput) as error:
        verify(body, header, secrets or [SECRET], now=NOW)
    return str(error.value)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text("abcXYZ_09", min_size=1))
def test_what_stripes_library_signs_is_taken_and_what_is_signed_here_the_library_takes(
    text: str, secret: str
) -> None:
    theirs = stripe.WebhookSignature.generate_signature_header(
        text, secret, timestamp=int(NOW.timestamp())
    )
    verify(text.encode(), theirs, [secret], now=NOW)
    ours = sign(text.encode(), secret, at=NOW)
    assert ours == theirs
    assert stripe.WebhookSignature.verify_header(text, ours, secret)


@pytest.mark.parametrize(
    "forged",
    [
        BODY.replace(b"created", b"closed"),
        BODY[:-1],
        BODY + b" ",
        b"",
    ],
)
def test_a_body_that_is_not_the_signed_one_is_refused(forged: bytes) -> None:
    verify(BODY, sign(BODY, SECRET, at=NOW), [SECRET], now=NOW)
    assert "not made with a secret" in refused(forged, sign(BODY, SECRET, at=NOW))


def test_another_secret_is_refused_and_no_error_shows_one() -> None:
    header = sign(BODY, "whsec_of_somebody_else", at=NOW)
    message = refused(BODY, header)
    assert "ORDERLOOM" not in message, "strangers read it"
    assert SECRET not in message
    assert header.rpartition("=")[2] not in message


def test_another_time_than_the_signed_one_is_refused() -> None:
    stale = sign(BODY, SECRET, at=NOW - timedelta(hours=1))
    fresh = stale.replace(
        f"t={int((NOW - timedelta(hours=1)).timestamp())}", f"t={int(NOW.timestamp())}"
    )
    assert "not made with a secret" in refused(BODY, fresh)


@pytest.mark.parametrize(
    ("age_s", "said"),
    [(301, "301 s ago"), (86_400, "86400 s ago"), (-301, "301 s from now")],
)
def test_a_stale_signature_and_one_from_the_future_are_refused(age_s: int, said: str) -> None:
    assert said in refused(BODY, sign(BODY, SECRET, at=NOW - timedelta(seconds=age_s)))


@pytest.mark.parametrize("age_s", [0, 299, -299])
def test_clocks_may_differ_a_little(age_s: int) -> None:
    verify(BODY, sign(BODY, SECRET, at=NOW - timedelta(seconds=age_s)), [SECRET], now=NOW)


def test_while_a_secret_is_replaced_both_are_good() -> None:
    old = sign(BODY, "whsec_old", at=NOW)
    new = sign(BODY, "whsec_new", at=NOW)
    both = f"{old},{new.partition(',')[2]}"
    for header in (old, new, both):
        verify(BODY, header, ["whsec_new", "whsec_old"], now=NOW)
    verify(BODY, both, ["whsec_new"], now=NOW)
    assert "not made with a secret" in refused(BODY, both, ["whsec_third"])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        "v1=00",
        "nothing of it",
        "t=,v1=" + "0" * 64,
        "t=soon,v1=" + "0" * 64,
        "t=1,t=2,v1=" + "0" * 64,
        "t=1,v0=" + "0" * 64,
        "t=1,v1=" + "ä" * 64,
        "t=1,v1=\udc80" + "0" * 63,
        "t=\u0661,v1=" + "0" * 64,
        "t=" + "9" * 5000 + ",v1=" + "0" * 64,
        "," * 100_000,
    ],
)
def test_a_header_that_is_none_is_refused(header: str) -> None:
    assert "must be like" in refused(BODY, header)


def test_only_the_scheme_that_counts_is_looked_at() -> None:
    right = sign(BODY, SECRET, at=NOW)
    verify(BODY, f"{right},v0={'0' * 64},v1={'1' * 64}", [SECRET], now=NOW)
    assert "must be like" in refused(BODY, right.replace("v1=", "v0="))
