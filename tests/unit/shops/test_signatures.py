"""Shops' signatures: what is not signed by the shop is not taken, whatever else it says."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.shops.access import ShopKind
from domain.shops.connections import NewShop, ShopOptions
from domain.shops.signatures import is_ping, sign_body, sign_standard, verify

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
BODY = b'{"id": 1}'
WHSEC = "whsec_" + base64.b64encode(b"x" * 32).decode()


@pytest.mark.parametrize(
    ("kind", "signature", "topic"),
    [
        ("shopify", "x-shopify-hmac-sha256", "x-shopify-topic"),
        ("woocommerce", "x-wc-webhook-signature", "x-wc-webhook-topic"),
    ],
)
def test_a_body_is_taken_with_any_of_the_secrets(
    kind: ShopKind, signature: str, topic: str
) -> None:
    headers = {signature: sign_body(BODY, "old-secret"), topic: "order.created"}
    envelope = verify(kind, headers, BODY, ["new-secret", "old-secret"], now=NOW)
    assert envelope.topic == "order.created"
    for wrong in ({}, {signature: "é"}, {**headers, signature: sign_body(b"{}", "old-secret")}):
        with pytest.raises(InvalidInput, match="secret that is known"):
            verify(kind, wrong, BODY, ["new-secret", "old-secret"], now=NOW)
    with pytest.raises(InvalidInput):
        verify(kind, headers, BODY, ["new-secret"], now=NOW)


def test_a_repeat_has_the_id_of_the_first() -> None:
    headers = {"x-shopify-hmac-sha256": sign_body(BODY, "s3cret-s3"), "x-shopify-webhook-id": "w1"}
    assert verify("shopify", headers, BODY, ["s3cret-s3"], now=NOW).message_id == "w1"
    signed = {
        "x-wc-webhook-signature": sign_body(BODY, "s3cret-s3"),
        "x-wc-webhook-topic": "order.updated",
    }
    one = verify("woocommerce", signed, BODY, ["s3cret-s3"], now=NOW)
    again = verify(
        "woocommerce", {**signed, "x-wc-webhook-delivery-id": "7"}, BODY, ["s3cret-s3"], now=NOW
    )
    assert one == again


def test_a_generic_message_counts_for_five_minutes_and_for_its_own_id() -> None:
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": "v1,AAAA " + sign_standard("m1", NOW, BODY, WHSEC),
    }
    envelope = verify("generic", headers, BODY, [WHSEC], now=NOW + timedelta(minutes=5))
    assert (envelope.message_id, envelope.sent) == ("m1", NOW)
    for moment in (NOW + timedelta(minutes=6), NOW - timedelta(minutes=6)):
        with pytest.raises(InvalidInput, match="300 s"):
            verify("generic", headers, BODY, [WHSEC], now=moment)
    for change in ({"webhook-id": "m2"}, {"webhook-timestamp": "1"}, {"webhook-signature": ""}):
        with pytest.raises(InvalidInput):
            verify("generic", {**headers, **change}, BODY, [WHSEC], now=NOW)


def test_it_agrees_with_the_library_of_the_standard() -> None:
    standard = pytest.importorskip("standardwebhooks")
    now = datetime.now(UTC)
    signed = sign_standard("m1", now, BODY, WHSEC)
    assert signed == standard.Webhook(WHSEC).sign("m1", now, BODY.decode())


def test_only_woocommerce_has_the_ping() -> None:
    assert is_ping("woocommerce", b"webhook_id=12")
    for body in (b"webhook_id=", b"webhook_id=12&x=1", b"{}", b"webhook_id=12\n"):
        assert not is_ping("woocommerce", body)
    assert not is_ping("shopify", b"webhook_id=12")


def test_secrets_and_options_that_cannot_work_are_refused() -> None:
    for kind, secret in (
        ("generic", "not-a-whsec-secret"),
        ("shopify", "short"),
        ("shopify", "é" * 9),
    ):
        with pytest.raises(ValidationError, match=r"secrets\[0\]"):
            NewShop.model_validate({"kind": kind, "secrets": [secret]})
    for options in ({"paid": False}, {"paid": True, "provider": "stripe"}):
        with pytest.raises(ValidationError, match="provider"):
            ShopOptions.model_validate(options)
    assert "hush-hush" not in repr(
        NewShop.model_validate({"kind": "shopify", "secrets": ["hush-hush"]})
    )
