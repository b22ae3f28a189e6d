"""What companies' events say, and what of them is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.providers.sandbox import webhooks as sandbox
from activities.providers.sandbox.webhooks import SandboxDispute, SandboxPaymentEvent
from activities.providers.stripe import events as stripe_events
from domain.errors import InvalidInput
from domain.money import Money
from domain.payments.disputes import Dispute, DisputeState
from domain.payments.provider_events import DisputeNews, PaymentNews
from starter.service.webhooks import read

SECOND = 1_764_072_000
AT = datetime.fromtimestamp(SECOND, UTC)


def stripe_event(kind: str, content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """As in Stripe's API reference, with what is not looked at left out."""
    return {
        "id": "evt_1",
        "object": "event",
        "created": SECOND + 60,
        "type": kind,
        "data": {"object": content},
        "request": {"id": None, "idempotency_key": None},
        **fields,
    }


def stripe_dispute(**fields: Any) -> dict[str, Any]:
    return {
        "id": "du_1",
        "object": "dispute",
        "amount": 2500,
        "balance_transactions": [],
        "charge": "ch_1",
        "created": SECOND,
        "currency": "usd",
        "evidence_details": {"due_by": SECOND + 86_400, "has_evidence": False},
        "payment_intent": "pi_1",
        "reason": "fraudulent",
        "status": "needs_response",
        **fields,
    }


def taken(amount: int = -2500, fee: int = 1500, currency: str = "usd") -> dict[str, Any]:
    return {"id": "txn_1", "amount": amount, "fee": fee, "currency": currency}


def heard(content: dict[str, Any], kind: str = "charge.dispute.updated") -> Dispute:
    news = stripe_events.read_event(stripe_event(kind, content))
    assert isinstance(news, DisputeNews)
    return news.dispute


def test_a_dispute_of_stripe_is_read() -> None:
    assert heard(stripe_dispute(), "charge.dispute.created") == Dispute(
        dispute_id="du_1",
        subjects=("pi_1", "ch_1"),
        amount=Money(minor=25_00, currency="USD"),
        fee=Money(minor=0, currency="USD"),
        state=DisputeState.NEEDS_RESPONSE,
        reason="fraudulent",
        opened_at=AT,
        respond_by=datetime.fromtimestamp(SECOND + 86_400, UTC),
        said_at=datetime.fromtimestamp(SECOND + 60, UTC),
    )


def test_the_fee_is_what_the_movements_say_in_the_currency_of_the_account() -> None:
    moves = [taken(-2300, 1500, "eur"), taken(2300, 0, "eur")]
    told = heard(stripe_dispute(status="won", balance_transactions=moves))
    assert (told.fee, told.moves) == (Money(minor=15_00, currency="EUR"), 2)


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("jpy", 500, 500), ("kwd", 1230, 1230), ("isk", 50_000, 500)]
)
def test_amounts_are_read_as_stripe_counts_them(currency: str, amount: int, minor: int) -> None:
    told = heard(stripe_dispute(amount=amount, currency=currency))
    assert told.amount == Money(minor=minor, currency=currency.upper())


def test_objects_instead_of_their_ids_are_read_as_well() -> None:
    told = heard(stripe_dispute(charge={"id": "ch_1"}, payment_intent=None))
    assert told.subjects == ("ch_1",)


@pytest.mark.parametrize(
    ("moves", "state"), [([], DisputeState.PREVENTED), ([taken()], DisputeState.LOST)]
)
def test_what_was_settled_beforehand_is_lost_where_the_money_was_taken(
    moves: list[Any], state: DisputeState
) -> None:
    assert heard(stripe_dispute(status="prevented", balance_transactions=moves)).state == state


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": "25.00"}, "amount"),
        ({"currency": "xyz"}, "unknown currency"),
        ({"currency": "isk", "amount": 1050}, "not a whole amount of ISK"),
        ({"status": "charge_refunded"}, "does not know"),
        ({"charge": None, "payment_intent": None}, "neither a payment_intent nor a charge"),
        ({"id": None}, "id"),
    ],
)
def test_a_dispute_that_cannot_be_read_says_what_is_wrong(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        heard(stripe_dispute(**fields))


@pytest.mark.parametrize(
    ("kind", "content", "fate", "references"),
    [
        (
            "payment_intent.amount_capturable_updated",
            {"id": "pi_1", "latest_charge": "ch_1"},
            "authorized",
            ("pi_1", "ch_1"),
        ),
        ("payment_intent.succeeded", {"id": "pi_1"}, "captured", ("pi_1",)),
        ("charge.captured", {"id": "ch_1", "payment_intent": "pi_1"}, "captured", ("ch_1", "pi_1")),
        ("payment_intent.payment_failed", {"id": "pi_1"}, "failed", ("pi_1",)),
        ("payment_intent.canceled", {"id": "pi_1"}, "ended", ("pi_1",)),
        ("charge.expired", {"id": "ch_1", "payment_intent": "pi_1"}, "ended", ("ch_1", "pi_1")),
        ("refund.created", {"id": "re_1", "payment_intent": "pi_1"}, "refunded", ("re_1",)),
        ("refund.failed", {"id": "re_1", "payment_intent": "pi_1"}, "refund_failed", ("re_1",)),
        ("refund.updated", {"id": "re_1", "status": "canceled"}, "refund_failed", ("re_1",)),
        ("charge.refund.updated", {"id": "re_1", "status": "failed"}, "refund_failed", ("re_1",)),
    ],
)
def test_what_stripe_says_of_payments_is_read(
    kind: str, content: dict[str, Any], fate: str, references: tuple[str, ...]
) -> None:
    request = {"id": "req_1", "idempotency_key": "web-1:authorize"}
    news = stripe_events.read_event(stripe_event(kind, content, request=request))
    assert isinstance(news, PaymentNews)
    assert (news.fate, news.keys, news.references) == (fate, ("web-1:authorize",), references)


@pytest.mark.parametrize("pieces", [0, 1, 2])
def test_a_dispute_that_is_taken_in_another_currency_has_its_amount_in_that_of_the_payment(
    pieces: int,
) -> None:
    moves = [taken(-5400, 2000, "gbp"), taken(120, 0, "gbp")][:pieces]
    told = heard(stripe_dispute(amount=6000, currency="eur", balance_transactions=moves))
    assert str(told.amount) == "60.00 EUR"
    assert str(told.fee) == ("20.00 GBP" if pieces else "0.00 EUR")


REFUND = {"id": "re_1", "payment_intent": "pi_1", "charge": "ch_1", "amount": 4000}


@pytest.mark.parametrize(
    ("content", "version", "refund"),
    [
        ({"status": "succeeded"}, "2025-03-31.basil", "pi_1"),
        ({"status": "pending", "payment_intent": None}, None, "ch_1"),
        ({"status": "failed"}, "2025-03-31.basil", None),
        ({"payment_intent": None, "charge": None}, "2025-03-31.basil", None),
        ({"status": "succeeded"}, "2024-06-20", None),
    ],
    ids=["whole", "of a charge", "failed", "of nothing", "of an older version"],
)
def test_a_refund_that_stripe_tells_of_as_a_whole_is_read_with_its_amount_and_its_payment(
    content: dict[str, Any], version: str | None, refund: str | None
) -> None:
    told = stripe_event(
        "refund.created", {**REFUND, "currency": "eur", **content}, api_version=version
    )
    news = stripe_events.read_event(told)
    assert isinstance(news, PaymentNews)
    if refund is None:
        assert news.refund is None
        return
    assert news.refund is not None
    assert (news.refund.reference, news.refund.authorization) == ("re_1", refund)
    assert str(news.refund.amount) == "40.00 EUR"


def test_that_something_else_of_a_refund_was_updated_is_no_news() -> None:
    updated = stripe_event("refund.updated", {"id": "re_1", "status": "succeeded"}, request=None)
    assert stripe_events.read_event(updated) is None


def test_the_key_of_a_call_is_where_the_event_or_the_object_has_it() -> None:
    marked = {"id": "pi_1", "metadata": {"orderloom_key": "web-1:authorize"}}
    by_itself = stripe_event("payment_intent.payment_failed", marked, request=None)
    news = stripe_events.read_event(by_itself)
    assert isinstance(news, PaymentNews)
    assert news.keys == ("web-1:authorize",)
    request = {"idempotency_key": "web-1:1:capture"}
    news = stripe_events.read_event(
        stripe_event("payment_intent.succeeded", marked, request=request)
    )
    assert isinstance(news, PaymentNews)
    assert news.keys == ("web-1:1:capture", "web-1:authorize")


def test_an_event_about_something_else_says_nothing() -> None:
    assert stripe_events.read_event(stripe_event("customer.created", {"id": "cus_1"})) is None
    body = {"id": "e", "type": "weather.changed", "created": SECOND, "data": {}}
    assert sandbox.read_event(body) is None


def test_an_error_names_the_field_and_not_what_it_holds() -> None:
    with pytest.raises(InvalidInput) as error:
        heard(stripe_dispute(created="Kim Minji"))
    assert "created" in str(error.value)
    assert "Kim" not in str(error.value)


def test_what_the_sandbox_company_sends_is_what_is_read_of_it() -> None:
    told = SandboxDispute(
        id="d1", authorization="auth_1", amount_minor=500, currency="JPY", fee_minor=1500,
        status=DisputeState.UNDER_REVIEW, reason="general", opened=SECOND, respond_by=SECOND + 9,
    )  # fmt: skip
    sent = sandbox.dispute_event("e1", told, what="updated", at=AT, secret="s")
    news = sandbox.read_event(json.loads(sent.body))
    assert isinstance(news, DisputeNews)
    assert news.dispute.amount == Money(minor=500, currency="JPY")
    assert news.dispute.subjects == ("auth_1",)
    assert news.dispute.said_at == news.dispute.opened_at == AT
    paid = SandboxPaymentEvent(key="web-1:authorize", reference="auth_1", why="it says so")
    sent = sandbox.payment_event("e2", "ended", paid, at=AT, secret="s")
    assert sandbox.read_event(json.loads(sent.body)) == PaymentNews(
        fate="ended",
        keys=("web-1:authorize",),
        references=("auth_1",),
        said_at=AT,
        why="it says so",
    )


def test_what_opens_a_payment_to_the_browser_is_not_kept() -> None:
    secret = "pi_1_secret_abc"
    content = {"id": "pi_1", "client_secret": secret, "next": [{"client_secret": secret, "a": 1}]}
    body = json.dumps(stripe_event("payment_intent.succeeded", content)).encode()
    kept, envelope = read(body)
    assert kept["data"]["object"] == {"id": "pi_1", "next": [{"a": 1}]}
    assert (envelope.id, envelope.created) == ("evt_1", SECOND + 60)
    assert secret not in json.dumps(kept)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"id": "evt_1", "type": "a", "crea',
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"type": "a", "created": 1}',
        b'{"id": "", "type": "a", "created": 1}',
        b'{"id": 7, "type": "a", "created": 1}',
        b'{"id": "e", "created": 1}',
        b'{"id": "e", "type": "a"}',
        b'{"id": "e", "type": "a", "created": true}',
        b'{"id": "e", "type": "a", "created": "1"}',
        b'{"id": "e", "type": "a", "created": 1e300}',
        b'{"id": "e", "type": "a", "created": -1}',
        b'{"id": "e", "type": "a", "created": 1, "data": NaN}',
        b'{"id": "e", "type": "a", "created": 1, "data": 1e999}',
        b'{"id": "e", "type": "a", "created": 1, "data": "\\u0000"}',
        b'{"id": "e", "type": "a", "created": 1, "\\u0000": 1}',
        b'{"id": "e", "type": "a", "created": 1, "data": "\\ud800"}',
        b'{"id": "e", "type": "a", "created": 1, "data": ' + b"[" * 100_000 + b"}",
        b'{"id": "e", "type": "a", "created": 1, "data": ' + b"[" * 900 + b"]" * 900 + b"}" + b"x",
    ],
)
def test_a_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="body: "):
        read(body)
