"""Stripe's amounts, what its answers amount to, and how it is set up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from activities.companies import Companies
from activities.extension import Tools
from activities.payments.provider import PaymentKind
from activities.provider_errors import DeclineCode, Declined, Unavailable
from activities.providers.stripe import receipts
from activities.providers.stripe.amounts import from_stripe, to_stripe
from activities.providers.stripe.answers import (
    CardDetails,
    Charge,
    Intent,
    MethodDetails,
    Multicapture,
    Transaction,
    capture_mark,
)
from activities.providers.stripe.extension import EXTENSION
from activities.providers.stripe.payment import ANSWER_WITHIN, StripePayment
from activities.providers.stripe.refusals import WrongState, translate
from activities.providers.stripe.settings import StripeSettings
from domain.errors import InvalidInput
from domain.money import Money
from runtime.extensions import Installed, settings_of
from starter.demo import shop
from workflows.engine.timeouts import PROVIDER_CALL

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CURRENCIES = ["USD", "EUR", "JPY", "KRW", "ISK", "UGX", "MGA", "HUF", "TWD", "KWD", "BHD", "TND"]


# Amounts


# What Stripe has no number for: a part of an ariary, a last decimal of three that is not 0.
UNITS = {"MGA": 100, **dict.fromkeys(("KWD", "BHD", "TND"), 10)}


@given(currency=st.sampled_from(CURRENCIES), minor=st.integers(min_value=1, max_value=10**12))
def test_an_amount_that_is_sent_is_exactly_ours(currency: str, minor: int) -> None:
    amount = Money(minor=minor, currency=currency)
    if minor % UNITS.get(currency, 1) == 0:
        assert from_stripe(to_stripe(amount), currency.lower()) == amount
        return
    with pytest.raises(Declined) as refused:
        to_stripe(amount)
    assert refused.value.code == DeclineCode.INVALID_AMOUNT


@pytest.mark.parametrize(
    ("minor", "currency", "sent"),
    [
        *((10_00, "USD", 1000), (500, "JPY", 500), (5, "ISK", 500), (5, "UGX", 500)),
        *((10_45, "HUF", 1045), (800_45, "TWD", 80045), (5_120, "KWD", 5120), (3_00, "MGA", 3)),
    ],
)
def test_amounts_are_as_on_stripes_page(minor: int, currency: str, sent: int) -> None:
    assert to_stripe(Money(minor=minor, currency=currency)) == sent


@pytest.mark.parametrize("currency", ["IQD", "LYD", "CLF"])
def test_other_currencies_of_more_than_two_decimals_are_not_taken(currency: str) -> None:
    with pytest.raises(Declined, match=f"does not take {currency}"):
        to_stripe(Money(minor=1000, currency=currency))


def test_a_part_of_a_crown_is_none_of_ours() -> None:
    with pytest.raises(ValueError, match="550 is not a whole amount of ISK"):
        from_stripe(550, "isk")
    booking = Transaction(id="txn", created=0, amount=1000, currency="isk", fee=29)
    assert booking.kept is None


# Receipts


def an_intent(received: int, marks: dict[str, str], *, several: bool) -> Intent:
    """An authorization of 100.00 USD, of which so much was taken."""
    multicapture = Multicapture(status="available") if several else None
    charge = Charge(
        id="ch_1",
        status="succeeded",
        amount=100_00,
        currency="usd",
        created=0,
        payment_method_details=MethodDetails(card=CardDetails(multicapture=multicapture)),
    )
    return Intent(
        id="pi_1",
        status="requires_capture" if several else "succeeded",
        amount=100_00,
        currency="usd",
        created=0,
        amount_received=received,
        metadata=marks,
        latest_charge=charge,
    )


def booked(number: int, amount: int, currency: str = "usd") -> Transaction:
    """A booking of so many seconds ago."""
    at = int(NOW.timestamp()) - number
    return Transaction(id=f"txn_{number}", created=at, amount=amount, currency=currency, fee=number)


def test_what_others_write_in_metadata_is_no_capture_of_ours() -> None:
    ours = capture_mark("web-1:1:capture", 60_00)
    foreign = {"capture_method": "manual", "capture_note": "500 abc", "capture_": ""}
    assert [mark.amount for mark in an_intent(60_00, ours | foreign, several=False).captures] == [
        60_00
    ]


def test_bookings_are_told_apart_by_amount_in_whatever_currency_they_are_paid_out() -> None:
    marks = capture_mark("big", 60_00) | capture_mark("small", 10_00)
    bookings = [booked(1, 5_400, "eur"), booked(2, 900, "eur")]
    found = receipts.captured(an_intent(70_00, marks, several=True), bookings, NOW)
    assert {(done.key, done.at, done.fee) for done in found} == {
        ("big", bookings[0].at, Money(minor=1, currency="EUR")),
        ("small", bookings[1].at, Money(minor=2, currency="EUR")),
    }


def test_a_capture_that_nobody_here_asked_for_has_no_key() -> None:
    marks = capture_mark("ours", 60_00)
    bookings = [booked(1, 60_00), booked(2, 10_00)]
    found = receipts.captured(an_intent(70_00, marks, several=True), bookings, NOW)
    assert {(done.key, done.amount.minor) for done in found} == {("ours", 60_00), ("", 10_00)}


def test_where_bookings_are_missing_the_last_one_counts_and_the_cost_is_not_known() -> None:
    marks = capture_mark("a", 60_00) | capture_mark("b", 10_00)
    for bookings, at in ([booked(5, 60_00)], NOW - timedelta(seconds=5)), ([], NOW):
        found = [*receipts.captured(an_intent(70_00, marks, several=True), bookings, NOW)]
        assert [(done.at, done.fee) for done in found] == [(at, None)] * 2


def test_each_of_several_captures_has_a_reference_of_its_own_and_a_single_one_the_charge() -> None:
    marks = capture_mark("a", 60_00) | capture_mark("b", 10_00)
    several = receipts.captured(an_intent(70_00, marks, several=True), [], NOW)
    assert len({done.reference for done in several}) == 2
    (single,) = receipts.captured(
        an_intent(60_00, capture_mark("a", 60_00), several=False), [], NOW
    )
    assert single.reference == "ch_1"


def test_a_hold_ends_when_the_card_says_so() -> None:
    intent = an_intent(0, {}, several=False)
    assert receipts.authorized(intent).expires_at == datetime(1970, 1, 8, tzinfo=UTC)
    assert intent.charge is not None
    early = intent.charge.model_copy(
        update={"payment_method_details": MethodDetails(card=CardDetails(capture_before=3600))}
    )
    told = receipts.authorized(intent.model_copy(update={"latest_charge": early}))
    assert told.expires_at == datetime(1970, 1, 1, 1, tzinfo=UTC)


# Errors


@pytest.mark.parametrize(
    ("error", "kind", "expected"),
    [
        (stripe.APIError("?", http_status=409), "capture", Unavailable),
        (stripe.APIError("?", http_status=503), None, Unavailable),
        (stripe.RateLimitError("slow down"), "refund", Unavailable),
        (stripe.AuthenticationError("Invalid API Key provided: sk_1"), "authorize", Unavailable),
        (stripe.PermissionError("rk_1 lacks a permission"), "refund", Unavailable),
    ],
)
def test_what_is_no_firm_no_leaves_the_outcome_unknown(
    error: stripe.StripeError, kind: PaymentKind | None, expected: type[Exception]
) -> None:
    ours = translate(error, kind)
    assert isinstance(ours, expected)
    assert "k_1" not in str(ours)


@pytest.mark.parametrize(
    ("code", "param", "status", "kind", "expected"),
    [
        ("payment_intent_unexpected_state", None, 400, "capture", WrongState),
        ("resource_missing", "intent", 404, "capture", DeclineCode.NOT_FOUND),
        (None, None, 404, "refund", DeclineCode.NOT_FOUND),
        ("amount_too_large", "amount_to_capture", 400, "capture", DeclineCode.AMOUNT_TOO_LARGE),
        ("charge_already_refunded", None, 400, "refund", DeclineCode.AMOUNT_TOO_LARGE),
        ("charge_disputed", None, 400, "refund", DeclineCode.REFUND_REFUSED),
        ("balance_insufficient", None, 400, "refund", DeclineCode.REFUND_REFUSED),
        (None, "amount", 400, "refund", DeclineCode.AMOUNT_TOO_LARGE),
        ("something_new", None, 400, "capture", DeclineCode.CAPTURE_REFUSED),
        ("something_new", None, 400, "authorize", Unavailable),
        ("something_new", None, 400, "void", Unavailable),
    ],
)
def test_a_request_that_is_refused_is_told_by_its_code(
    code: str | None, param: str | None, status: int, kind: PaymentKind, expected: object
) -> None:
    error = stripe.InvalidRequestError(  # type: ignore[no-untyped-call]  # so in the SDK
        "No", param, code, http_status=status
    )
    ours = translate(error, kind)
    assert expected in (type(ours), getattr(ours, "code", None))


def test_a_lookup_with_its_call_fits_in_the_time_of_a_step() -> None:
    assert 2 * ANSWER_WITHIN < PROVIDER_CALL


# Set-up

NO_TOOLS = Tools(pool=cast(Any, None))


def made(settings: StripeSettings) -> Installed:
    return Installed("stripe", "orderloom", "", EXTENSION, settings)


def test_without_a_key_there_is_no_stripe_and_the_demo_pays_as_its_channel_says() -> None:
    assert Companies.of([made(StripeSettings())], (), NO_TOOLS).payment == {}
    assert shop.paid_with(None) is None


async def test_with_a_key_there_is_and_the_demo_pays_with_a_test_card() -> None:
    settings = StripeSettings(api_key=SecretStr("sk_test_1"), multicapture=True)
    provider = Companies.of([made(settings)], (), NO_TOOLS).payment["stripe"]
    assert isinstance(provider, StripePayment)
    assert provider.capabilities.captures == "several"
    await provider.close()
    paid = shop.paid_with(settings.api_key)
    assert paid is not None
    for order in shop.read_northwind_orders(3, paid=paid):
        assert (order.payment.provider, order.payment.token) == ("stripe", "pm_card_visa")


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
def test_the_demo_takes_no_key_that_moves_real_money(key: str) -> None:
    with pytest.raises(InvalidInput, match="test key") as refused:
        shop.paid_with(SecretStr(key))
    assert key not in str(refused.value)


async def test_each_account_at_stripe_is_a_company_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORDERLOOM_STRIPE_ACCOUNTS__UK__API_KEY", "sk_test_uk")
    monkeypatch.setenv("ORDERLOOM_STRIPE_ACCOUNTS__UK__MULTICAPTURE", "true")
    monkeypatch.setenv("ORDERLOOM_STRIPE_ACCOUNTS__US__API_KEY", "sk_test_us")
    one = Installed("stripe", "orderloom", "", EXTENSION, *settings_of(EXTENSION))
    companies = Companies.of([one], (), NO_TOOLS)
    accounts = companies.payment
    assert list(accounts) == ["stripe:uk", "stripe:us"]
    assert accounts["stripe:uk"].capabilities.captures == "several"
    assert accounts["stripe:us"].capabilities.captures == "once"
    await companies.close()
    monkeypatch.setenv("ORDERLOOM_STRIPE_ACCOUNTS__UK__API_KEY", "pk_test_uk")
    with pytest.raises(
        InvalidInput, match=r"ORDERLOOM_STRIPE_ACCOUNTS__UK__API_KEY: .*must be a secret key"
    ):
        settings_of(EXTENSION)
