"""Stripe through its SDK, at localstripe: the payment protocol, and the account's day.

Where localstripe is not as Stripe is, and what stands in for that: `tests/localstripe/company.py`.
Canned answers are as Stripe's pages give them.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.api.failure.v1 import Failure
from temporalio.converter import default
from temporalio.exceptions import ApplicationError

from activities.payments.provider import PaymentKind, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined, ProviderError, Unavailable
from activities.providers.stripe import api
from activities.providers.stripe.answers import capture_mark
from activities.providers.stripe.payment import StripePayment
from domain.money import Money
from runtime.logs import TALKATIVE, configure_logging
from runtime.settings import Settings
from tests.localstripe.company import BOOKINGS, INTENTS, REFUNDS, Answer, Call, fee_of
from tests.localstripe.stand_in import StandIn, stand_in
from tests.support.payment_calls import outcomes
from tests.support.stripe_calls import KEY, VISA, a_client, dollars

ORDER = "web-1"
DECLINED_CARD = "pm_card_chargeCustomerFail"
CONFIRMED_CARD = "4000002500003155"
DAY_S = 24 * 60 * 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[StandIn]:
    async with stand_in() as here:
        yield here


@pytest_asyncio.fixture(loop_scope="session")
async def here(running: StandIn) -> StandIn:
    await running.clear()
    return running


@pytest_asyncio.fixture(loop_scope="session")
async def stripe(here: StandIn) -> AsyncIterator[StripePayment]:
    client = a_client(here)
    yield client
    await client.close()


async def authorized(
    stripe: StripePayment,
    *,
    key: str = "authorize",
    order_id: str = ORDER,
    amount: Money | None = None,
    token: str = VISA,
    captured: Money | None = None,
) -> str:
    """An authorization of 100.00 USD, captured in part if asked."""
    receipt = await stripe.authorize(
        key=key, order_id=order_id, amount=amount or dollars(100_00), token=token
    )
    if captured is not None:
        await stripe.capture(
            key=f"{key}:capture", authorization=receipt.authorization, amount=captured
        )
    return receipt.authorization


async def refusal(call: Awaitable[object]) -> DeclineCode:
    """The code that the call is declined with."""
    with pytest.raises(Declined) as refused:
        await call
    return refused.value.code


async def looked_up(
    stripe: StripePayment, key: str, kind: PaymentKind, authorization: str | None
) -> PaymentReceipt | None:
    """What the key is known for, as a step asks that began a minute ago."""
    since = datetime.now(UTC) - timedelta(minutes=1)
    return await stripe.lookup(key=key, kind=kind, authorization=authorization, since=since)


# The way of the money


async def test_an_authorization_is_captured_once_and_refunded_in_parts(
    here: StandIn, stripe: StripePayment
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    held = await stripe.authorize(key="a", order_id=ORDER, amount=dollars(100_00), token=VISA)
    taken = await stripe.capture(key="c", authorization=held.authorization, amount=dollars(60_00))
    first = await stripe.refund(key="r1", authorization=held.authorization, amount=dollars(10_00))
    second = await stripe.refund(key="r2", authorization=held.authorization, amount=dollars(50_00))
    assert (
        await refusal(stripe.refund(key="r3", authorization=held.authorization, amount=dollars(1)))
        == DeclineCode.AMOUNT_TOO_LARGE
    )
    done = [held, taken, first, second]
    assert held.expires_at == held.at + stripe.capabilities.holds_for
    assert taken.fee == dollars(fee_of(60_00))
    assert {receipt.authorization for receipt in done} == {held.reference}
    assert len({receipt.reference for receipt in done}) == len(done)
    assert all(before <= receipt.at <= datetime.now(UTC) for receipt in done)
    assert {receipt.order_id for receipt in done} == {ORDER}
    assert sorted(await stripe.operations(ORDER), key=str) == sorted(done, key=str)
    assert sorted((await here.books())[ORDER]) == [
        *(("authorize", 100_00), ("capture", 60_00), ("refund", 10_00), ("refund", 50_00))
    ]


@pytest.mark.parametrize(
    ("currency", "minor", "sent"),
    [
        ("USD", 12_34, 1234),
        ("JPY", 500, 500),
        ("KWD", 5_120, 5120),
        ("ISK", 5, 500),
        ("UGX", 5_000, 500_000),
        ("MGA", 500_00, 500),
        ("HUF", 10_45, 1045),
    ],
)
async def test_amounts_are_sent_as_stripe_counts_them(
    here: StandIn, stripe: StripePayment, currency: str, minor: int, sent: int
) -> None:
    amount = Money(minor=minor, currency=currency)
    held = await authorized(stripe, amount=amount, captured=amount)
    back = await stripe.refund(key="r", authorization=held, amount=amount)
    assert (await here.books())[ORDER] == [
        *(("authorize", sent), ("capture", sent), ("refund", sent))
    ]
    assert back.amount == amount
    assert [done.amount for done in await stripe.operations(ORDER)] == [amount] * 3


@pytest.mark.parametrize(
    ("currency", "minor"),
    [("USD", 0), ("USD", -1), ("KWD", 5_124), ("MGA", 500_01), ("IQD", 5_000), ("USD", 10**18)],
)
async def test_what_stripe_cannot_be_asked_for_is_not_sent(
    here: StandIn, stripe: StripePayment, currency: str, minor: int
) -> None:
    amount = Money(minor=minor, currency=currency)
    calls = [
        stripe.authorize(key="a", order_id=ORDER, amount=amount, token=VISA),
        stripe.capture(key="c", authorization="pi_1", amount=amount),
        stripe.refund(key="r", authorization="pi_1", amount=amount),
    ]
    assert await outcomes([*calls]) == [DeclineCode.INVALID_AMOUNT] * 3
    assert here.calls == []


async def test_a_saved_card_is_authorized_again_while_the_customer_is_away(
    here: StandIn, stripe: StripePayment
) -> None:
    card = await here.make_card("4242424242424242")
    made = await here.company.answer(Call("POST", "/v1/customers"))
    customer = str(made.body["id"])
    token = f"{customer}-{card}"
    for number in range(2):
        await authorized(stripe, key=f"a{number}", token=token)
    created = [call for call in here.calls if call.path == INTENTS]
    for call in created:
        assert call.field("customer") == customer
        assert call.field("payment_method") == card
        assert call.field("off_session") == "true"
    assert (await here.books())[ORDER] == [("authorize", 100_00)] * 2


# A firm no


async def test_what_the_customer_has_to_confirm_is_given_up_and_cannot_be_confirmed_later(
    here: StandIn, stripe: StripePayment
) -> None:
    token = await here.make_card(CONFIRMED_CARD)
    here.fail("reset before", "POST", f"{INTENTS}/.*/cancel")
    with pytest.raises(Unavailable):
        await authorized(stripe, token=token)
    looked = looked_up(stripe, "authorize", "authorize", None)
    assert await refusal(looked) == DeclineCode.ACTION_REQUIRED
    assert await refusal(authorized(stripe, token=token)) == DeclineCode.ACTION_REQUIRED
    looked = looked_up(stripe, "authorize", "authorize", None)
    assert await refusal(looked) == DeclineCode.ACTION_REQUIRED
    found = await here.company.answer(Call("GET", INTENTS))
    assert [intent["status"] for intent in found.body["data"]] == ["canceled"]
    assert await stripe.list_day(datetime.now(UTC).date()) == ()


async def test_what_was_confirmed_before_it_was_given_up_is_authorized(
    here: StandIn, stripe: StripePayment
) -> None:
    token = await here.make_card(CONFIRMED_CARD)
    here.fail("reset before", "POST", f"{INTENTS}/.*/cancel")
    with pytest.raises(Unavailable):
        await authorized(stripe, token=token)
    (intent,) = (await here.company.answer(Call("GET", INTENTS))).body["data"]
    secret = [("client_secret", intent["client_secret"]), ("success", "true")]
    await here.company.answer(Call("POST", f"{INTENTS}/{intent['id']}/_authenticate", form=secret))
    # Stripe answers the key as it did at first: there is something to confirm.
    receipt = await stripe.authorize(
        key="authorize", order_id=ORDER, amount=dollars(100_00), token=token
    )
    assert receipt.reference == intent["id"]
    assert (await here.books())[ORDER] == [("authorize", 100_00)]


async def test_what_is_above_the_limits_is_refused_and_changes_nothing(
    here: StandIn, stripe: StripePayment
) -> None:
    held = await authorized(stripe)
    taken = await authorized(stripe, key="b", captured=dollars(60_00))
    before = await here.books()
    yen = Money(minor=10, currency="JPY")
    assert await outcomes(
        [
            stripe.capture(key="k1", authorization=held, amount=dollars(100_01)),
            stripe.refund(key="k2", authorization=held, amount=dollars(10_00)),
            stripe.capture(key="k3", authorization=taken, amount=dollars(10_00)),
            stripe.refund(key="k4", authorization=taken, amount=dollars(60_01)),
            stripe.capture(key="k5", authorization=held, amount=yen),
            stripe.refund(key="k6", authorization=taken, amount=yen),
            stripe.capture(key="k7", authorization="pi_none", amount=dollars(10_00)),
            stripe.refund(key="k8", authorization="pi_none", amount=dollars(10_00)),
            stripe.void(key="k9", authorization="pi_none"),
            stripe.authorize(key="k10", order_id=ORDER, amount=dollars(10_00), token="pm_none"),
        ]
    ) == [
        *[DeclineCode.AMOUNT_TOO_LARGE] * 4,
        *[DeclineCode.CURRENCY_MISMATCH] * 2,
        *[DeclineCode.NOT_FOUND] * 4,
    ]
    assert await here.books() == before


# Voids, and holds that end


async def test_a_void_after_the_capture_releases_nothing_more_and_is_the_end(
    here: StandIn, stripe: StripePayment
) -> None:
    held = await authorized(stripe, captured=dollars(60_00))
    released = await stripe.void(key="v", authorization=held)
    assert released.amount == dollars(0)
    assert await stripe.void(key="v", authorization=held) == released
    assert await looked_up(stripe, "v", "void", held) == released
    assert released in await stripe.list_day(released.at.date())
    assert (
        await outcomes(
            [
                stripe.void(key="w", authorization=held),
                stripe.capture(key="c2", authorization=held, amount=dollars(1_00)),
            ]
        )
        == [DeclineCode.ALREADY_VOIDED] * 2
    )
    back = await stripe.refund(key="r", authorization=held, amount=dollars(60_00))
    assert back.amount == dollars(60_00)
    assert ("void", 0) not in (await here.books())[ORDER]


async def test_what_was_not_captured_in_time_is_expired(
    here: StandIn, stripe: StripePayment
) -> None:
    held = await authorized(stripe)
    await here.company.expire(held)
    assert (
        await outcomes(
            [
                stripe.capture(key="c", authorization=held, amount=dollars(1_00)),
                stripe.void(key="v", authorization=held),
            ]
        )
        == [DeclineCode.EXPIRED] * 2
    )
    assert [done.kind for done in await stripe.operations(ORDER)] == ["authorize"]


async def test_a_void_that_a_capture_came_before_releases_nothing_more(
    here: StandIn, stripe: StripePayment
) -> None:
    held = await authorized(stripe)
    company, taken = here.company, False
    forward = company.answer

    async def capture_first(call: Call) -> Answer:
        nonlocal taken
        if call.path.endswith("/cancel") and not taken:
            taken = True
            await stripe.capture(key="c", authorization=held, amount=dollars(60_00))
        return await forward(call)

    company.answer = capture_first  # type: ignore[method-assign]  # the race, every time
    released = await stripe.void(key="v", authorization=held)
    company.answer = forward  # type: ignore[method-assign]  # as it was
    assert released.amount == dollars(0)
    assert (await here.books())[ORDER] == [("authorize", 100_00), ("capture", 60_00)]


# The day


async def test_a_day_has_every_effect_of_it_whoever_asked(
    here: StandIn, stripe: StripePayment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_PAGE", 2)
    today = datetime.now(UTC).date()
    expected = []
    for number in range(5):
        held = await stripe.authorize(
            key=f"a{number}", order_id=f"web-{number}", amount=dollars(100_00), token=VISA
        )
        expected.append(held)
        if number < 3:
            expected.append(
                await stripe.capture(
                    key=f"c{number}", authorization=held.reference, amount=dollars(60_00)
                )
            )
            expected.append(
                await stripe.refund(
                    key=f"r{number}", authorization=held.reference, amount=dollars(10_00)
                )
            )
    by_hand = await _charge_by_hand(here, amount=30_00)
    old = await stripe.authorize(key="old", order_id="web-9", amount=dollars(50_00), token=VISA)
    here.company.backdate(old.reference, DAY_S)
    expected.append(await stripe.void(key="v", authorization=old.reference))

    listed = await stripe.list_day(today)
    assert sorted((done for done in listed if done.key), key=str) == sorted(expected, key=str)
    assert {
        (done.kind, done.amount.minor, done.authorization, done.order_id)
        for done in listed
        if not done.key
    } == {("authorize", 30_00, by_hand, ""), ("capture", 30_00, by_hand, "")}
    assert [done.at for done in listed] == sorted(done.at for done in listed)
    (authorization,) = await stripe.list_day(today - timedelta(days=1))
    assert authorization.key == "old"


async def _charge_by_hand(here: StandIn, *, amount: int) -> str:
    """What somebody charged at Stripe's own pages; its intent."""
    form = [
        *(("amount", str(amount)), ("currency", "usd"), ("payment_method", VISA)),
        *(("confirm", "true"), ("capture_method", "manual")),
    ]
    made = await here.company.answer(Call("POST", INTENTS, form=form))
    intent = str(made.body["id"])
    await here.company.answer(Call("POST", f"{INTENTS}/{intent}/capture"))
    return intent


async def test_an_empty_day_is_empty(stripe: StripePayment) -> None:
    assert await stripe.list_day(date(2024, 2, 29)) == ()


# What localstripe never answers


def _error(status: int, **error: Any) -> Answer:
    return Answer(status, {"error": error})


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (
            _error(402, type="card_error", code="card_declined", decline_code="insufficient_funds"),
            DeclineCode.INSUFFICIENT_FUNDS,
        ),
        (
            _error(402, type="card_error", code="authentication_required"),
            DeclineCode.ACTION_REQUIRED,
        ),
        (_error(402, type="card_error", code="expired_card"), DeclineCode.CARD_DECLINED),
        (
            _error(400, type="invalid_request_error", code="amount_too_small", param="amount"),
            DeclineCode.INVALID_AMOUNT,
        ),
        (
            _error(400, type="invalid_request_error", param="payment_method"),
            DeclineCode.NOT_FOUND,
        ),
        (_error(400, type="invalid_request_error", param="currency"), DeclineCode.INVALID_AMOUNT),
    ],
)
async def test_why_an_authorization_is_refused_is_told(
    here: StandIn, stripe: StripePayment, answer: Answer, code: DeclineCode
) -> None:
    here.fail("canned", "POST", INTENTS, answer=answer)
    assert await refusal(authorized(stripe)) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "capture_charge_authorization_expired"}, DeclineCode.EXPIRED),
        ({"code": "charge_expired_for_capture"}, DeclineCode.EXPIRED),
        ({"code": "card_declined"}, DeclineCode.CAPTURE_REFUSED),
    ],
)
async def test_why_a_capture_is_refused_is_told(
    here: StandIn, stripe: StripePayment, error: dict[str, str], code: DeclineCode
) -> None:
    held = await authorized(stripe)
    here.fail("canned", "POST", f"{INTENTS}/.*/capture", answer=_error(402, **error))
    capture = stripe.capture(key="c", authorization=held, amount=dollars(1_00))
    assert await refusal(capture) == code


async def test_a_refund_that_fails_at_the_bank_is_refused_and_no_effect(
    here: StandIn, stripe: StripePayment
) -> None:
    held = await authorized(stripe, captured=dollars(60_00))
    await stripe.refund(key="r", authorization=held, amount=dollars(10_00))
    (refund,) = (await here.company.answer(Call("GET", REFUNDS))).body["data"]
    failed = refund | {"status": "failed", "failure_reason": "lost_or_stolen_card"}
    here.fail("canned", "POST", REFUNDS, answer=Answer(200, failed))
    refused = stripe.refund(key="r2", authorization=held, amount=dollars(10_00))
    assert await refusal(refused) == DeclineCode.REFUND_REFUSED
    page = Answer(200, {"object": "list", "url": REFUNDS, "data": [failed], "has_more": False})
    here.fail("canned", "GET", REFUNDS, answer=page, times=2)
    assert await refusal(looked_up(stripe, "r", "refund", held)) == DeclineCode.REFUND_REFUSED
    assert "refund" not in {done.kind for done in await stripe.operations(ORDER)}


async def test_a_call_that_stripe_cannot_read_is_no_fault_of_the_card(
    here: StandIn, stripe: StripePayment
) -> None:
    answer = _error(400, type="invalid_request_error", code="parameter_unknown", message="What?")
    here.fail("canned", "POST", INTENTS, answer=answer)
    with pytest.raises(Unavailable, match="parameter_unknown"):
        await authorized(stripe)


@pytest.mark.parametrize(
    "content", [{"object": "payment_intent"}, {"object": "payment_intent", "id": 5, "status": []}]
)
async def test_an_answer_that_is_not_as_documented_leaves_the_outcome_unknown(
    here: StandIn, stripe: StripePayment, content: dict[str, Any]
) -> None:
    here.fail("canned", "POST", INTENTS, answer=Answer(200, content))
    with pytest.raises(Unavailable, match="not as documented"):
        await authorized(stripe)


async def test_a_payment_that_is_not_decided_yet_is_unknown(
    here: StandIn, stripe: StripePayment
) -> None:
    held = await authorized(stripe)
    (intent,) = (await here.company.answer(Call("GET", INTENTS))).body["data"]
    processing = intent | {"status": "processing", "latest_charge": None}
    here.fail("canned", "POST", INTENTS, answer=Answer(200, processing))
    with pytest.raises(Unavailable, match=f"{held}: it is processing"):
        await authorized(stripe, key="b")


# Several captures


@pytest_asyncio.fixture(loop_scope="session")
async def several(here: StandIn) -> AsyncIterator[StripePayment]:
    client = StripePayment(SecretStr(KEY), api_base=here.url, multicapture=True)
    yield client
    await client.close()


async def test_with_multicapture_the_rest_stays_held_until_it_is_released(
    here: StandIn, several: StripePayment
) -> None:
    stripe = several
    assert stripe.capabilities.captures == "several"
    held = await authorized(stripe)
    created = here.calls[-1]
    assert created.field("payment_method_options[card][request_multicapture]") == "if_available"
    (intent,) = (await here.company.answer(Call("GET", INTENTS))).body["data"]
    charge = intent["latest_charge"] | {
        "payment_method_details": {"card": {"multicapture": {"status": "available"}}}
    }
    path, marks = f"{INTENTS}/{held}", intent["metadata"]
    bookings: list[dict[str, Any]] = []

    def tell(method: str, where: str, body: dict[str, Any], times: int = 1) -> None:
        here.fail("canned", method, where, answer=Answer(200, body), times=times)

    def now(received: int, status: str = "requires_capture") -> dict[str, Any]:
        told = {"status": status, "amount_received": received, "metadata": {**marks}}
        return {**intent, **told, "latest_charge": charge}

    page = {"object": "list", "url": BOOKINGS, "data": bookings, "has_more": False}
    receipts = []
    for number, (amount, received) in enumerate(((60_00, 60_00), (10_00, 70_00))):
        tell("GET", path, now(received - amount))
        tell("POST", f"{path}/capture", now(received))
        bookings.append(
            {
                "object": "balance_transaction",
                "id": f"txn_{number}",
                "type": "charge",
                "amount": amount,
                "fee": number,
                "currency": "usd",
                "created": intent["created"] + number,
            }
        )
        marks |= capture_mark(f"c{number}", amount)
        tell("GET", path, now(received))
        tell("GET", BOOKINGS, page)
        receipts.append(
            await stripe.capture(key=f"c{number}", authorization=held, amount=dollars(amount))
        )
        sent = next(call for call in here.calls[::-1] if call.path == f"{path}/capture")
        assert (sent.field("amount_to_capture"), sent.field("final_capture")) == (
            *(str(amount), "false"),
        )
    assert [(done.amount, done.fee) for done in receipts] == [
        *((dollars(60_00), dollars(0)), (dollars(10_00), dollars(1)))
    ]
    assert len({done.reference for done in receipts}) == 2

    tell("GET", path, now(70_00))
    marks["orderloom_void"] = "3000 v"
    tell("POST", f"{path}/capture", now(70_00, "succeeded"))
    tell("GET", BOOKINGS, page)
    released = await stripe.void(key="v", authorization=held)
    sent = next(call for call in here.calls[::-1] if call.path == f"{path}/capture")
    assert (sent.field("amount_to_capture"), sent.field("final_capture")) == ("0", "true")
    assert sent.field("metadata[orderloom_void]") == "3000 v"
    assert (released.amount, released.at) == (dollars(30_00), receipts[1].at)


# Secrets


async def test_a_key_that_stripe_does_not_accept_is_no_fault_of_the_card(
    here: StandIn,
) -> None:
    wrong = StripePayment(SecretStr("rk_test_wrong"), api_base=here.url)
    with pytest.raises(Unavailable, match="ORDERLOOM_STRIPE__API_KEY"):
        await authorized(wrong)
    await wrong.close()
    assert await here.books() == {}


@pytest.fixture
def worker_log(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """A worker's log, with all that it can tell, on standard error."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(Settings(log_level="debug"))
    yield capsys
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)


async def test_the_key_is_in_no_error_no_log_and_no_history(
    here: StandIn, stripe: StripePayment, worker_log: pytest.CaptureFixture[str]
) -> None:
    told = []
    message = f"Invalid API Key provided: {KEY}"
    for status in (401, 403):
        here.fail("canned", "POST", INTENTS, answer=_error(status, message=message))
    here.fail("reset before", "POST", INTENTS)
    here.fail("500 before", "POST", INTENTS)
    for number in range(4):
        with pytest.raises(ProviderError) as unknown:
            await authorized(stripe, key=f"a{number}")
        told.append(unknown.value)
    with pytest.raises(Declined) as declined:
        await authorized(stripe, token=DECLINED_CARD)
    told.append(declined.value)
    await authorized(stripe, key="good")
    asked = [call.authorization for call in here.calls]
    assert set(asked) == {f"Bearer {KEY}"}
    for error in told:
        recorded = Failure()
        as_a_step_fails = ApplicationError(str(error), type="t")
        as_a_step_fails.__cause__ = error
        default().failure_converter.to_failure(
            as_a_step_fails, default().payload_converter, recorded
        )
        seen = [
            *("".join(traceback.format_exception(error)), repr(error), str(recorded)),
            repr(vars(error)),
        ]
        assert not any(KEY in text or KEY[-12:] in text for text in seen)
        assert error.__cause__ is None
    logging.getLogger("orderloom").debug("the log is open")
    logged = worker_log.readouterr().err
    assert "the log is open" in logged
    assert KEY not in logged
    assert KEY not in repr(stripe)
