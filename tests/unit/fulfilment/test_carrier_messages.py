"""Carriers' messages: who has signed them, and which scans they tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from standardwebhooks import Webhook

from domain.errors import InvalidInput
from domain.fulfilment.carrier_messages import Scan, Told, read, verify
from domain.fulfilment.easypost import STATUSES, sign
from domain.fulfilment.tracking import CarrierStatus
from tests.support.carrier_desk import (
    EASYPOST_SECRET,
    GENERIC_SECRET,
    by_easypost,
    by_easypost_v2,
    by_standard,
    detail,
    generic,
    scan,
    tracker_event,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
BODY = tracker_event("1Z1", [detail("in_transit", NOW)])

OF_ITS_LIBRARY = "28915fac733ae0797b9d9b23dfeb0a967cdfd62c9ce26f7486c574d396826622"
"""What `validate_webhook` of easypost-python expects for a body, under the secret "sécret"."""


def test_easypost_is_known_by_either_of_its_signatures() -> None:
    for headers in (by_easypost(BODY), by_easypost_v2(BODY, NOW)):
        known = ["another secret", EASYPOST_SECRET]
        assert verify("easypost", headers, BODY, known, now=NOW) == "evt_1"
        assert verify("easypost:eu", headers, BODY, known, now=NOW) == "evt_1"
        for body, secrets in ((BODY + b" ", known), (BODY, ["another secret"]), (BODY, [])):
            with pytest.raises(InvalidInput, match="secret that is known here") as error:
                verify("easypost", headers, body, secrets, now=NOW)
            assert EASYPOST_SECRET not in str(error.value)


def test_easypost_signs_as_its_own_library_does() -> None:
    body = json.dumps({"description": "batch.created"}, separators=(",", ":")).encode()
    header = "hmac-sha256-hex=" + OF_ITS_LIBRARY
    assert by_easypost(body, "sécret") == {"x-hmac-signature": header}


def test_a_second_signature_counts_with_its_time_alone() -> None:
    old = by_easypost_v2(BODY, NOW - timedelta(days=2))
    with pytest.raises(InvalidInput, match="longer than a day ago"):
        verify("easypost", old, BODY, [EASYPOST_SECRET], now=NOW)
    moved = {**old, "x-timestamp": by_easypost_v2(BODY, NOW)["x-timestamp"]}
    with pytest.raises(InvalidInput, match="secret that is known here"):
        verify("easypost", moved, BODY, [EASYPOST_SECRET], now=NOW)
    tomorrow = by_easypost_v2(BODY, NOW + timedelta(days=2))
    with pytest.raises(InvalidInput, match="longer than a day ago"):
        verify("easypost", tomorrow, BODY, [EASYPOST_SECRET], now=NOW)
    elsewhere = {**by_easypost_v2(BODY, NOW), "x-path": "/other"}
    with pytest.raises(InvalidInput, match="secret that is known here"):
        verify("easypost", elsewhere, BODY, [EASYPOST_SECRET], now=NOW)


@pytest.mark.parametrize("zone", ["-0000", "+0000", "GMT"])
@pytest.mark.parametrize("prefix", ["hmac-sha256-hex=", "HMAC-SHA256-hex=", ""])
def test_a_signature_is_read_in_each_spelling_that_is_seen(zone: str, prefix: str) -> None:
    second = f"{NOW:%a, %d %b %Y %H:%M:%S} {zone}"
    code = sign(f"{second}POST/in".encode() + BODY, EASYPOST_SECRET).partition("=")[2]
    headers = {"x-timestamp": second, "x-path": "/in", "x-hmac-signature-v2": prefix + code}
    assert verify("easypost", headers, BODY, [EASYPOST_SECRET], now=NOW) == "evt_1"
    assert verify("easypost", headers, BODY, [EASYPOST_SECRET], now=NOW + timedelta(hours=23))


@pytest.mark.parametrize("second", ["", "yesterday", "Tue, 99 Xxx 2025", "1" * 400])
def test_a_signed_time_that_is_none_is_refused_in_words(second: str) -> None:
    code = sign(f"{second}POST".encode() + BODY, EASYPOST_SECRET)
    headers = {"x-timestamp": second, "x-hmac-signature-v2": code}
    with pytest.raises(InvalidInput, match="must come with x-timestamp"):
        verify("easypost", headers, BODY, [EASYPOST_SECRET], now=NOW)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"id": 7}', b'{"id": "a\\u0000b"}', b"\xff"])
def test_what_has_no_usable_id_is_known_by_its_content(body: bytes) -> None:
    named = verify("easypost", by_easypost(body), body, [EASYPOST_SECRET], now=NOW)
    assert named.startswith("sha256:")


def test_others_sign_as_standard_webhooks_has_it() -> None:
    body = generic(scan("T1", "in_transit"))
    headers = by_standard(body, "msg_1", NOW)
    assert verify("dhl", headers, body, [GENERIC_SECRET], now=NOW) == "msg_1"
    theirs = Webhook(GENERIC_SECRET).sign("msg_1", NOW, body.decode())
    assert headers["webhook-signature"] == theirs
    late = NOW + timedelta(minutes=6)
    with pytest.raises(InvalidInput, match="sign it again"):
        verify("dhl", headers, body, [GENERIC_SECRET], now=late)
    with pytest.raises(InvalidInput, match="secret that is known here"):
        verify(
            "dhl",
            headers | {"webhook-id": "x"},
            body,
            [GENERIC_SECRET],
            now=NOW,
        )


def statuses(told: Told) -> list[str]:
    return [one.status for one in told.scans]


def test_a_tracker_is_read_with_all_its_scans_in_the_sequence_of_their_times() -> None:
    later = detail("out_for_delivery", NOW, "Out for delivery", "CHICAGO")
    first = detail("pre_transit", NOW - timedelta(days=2), "Label made")
    told = read("easypost", tracker_event("1Z1", [later, first], carrier="UPS", status="delivered"))
    assert told.faults == []
    assert statuses(told) == ["pre_transit", "out_for_delivery", "delivered"]
    one = told.scans[1]
    assert (one.carrier, one.tracking_number, one.happened_at) == ("UPS", "1Z1", NOW)
    assert one.detail == "Out for delivery, CHICAGO US"
    again = read("easypost", tracker_event("1Z1", [later], event_id="evt_2", carrier="UPS"))
    assert [scan.event_id for scan in again.scans] == [one.event_id]


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        ("failure", "failure", ""),
        ("return_to_sender", "return_to_sender", ""),
        ("available_for_pickup", "available_for_pickup", ""),
        ("cancelled", "unknown", "cancelled: x"),
        ("error", "unknown", "error: x"),
        ("held_by_aliens", "unknown", "held_by_aliens: x"),
    ],
)
def test_each_word_of_easypost_is_read_and_none_is_lost(theirs: str, ours: str, said: str) -> None:
    (one,) = read("easypost", tracker_event("1Z1", [detail(theirs, NOW, "x")])).scans
    assert one.status == ours
    assert one.detail == (said or "x")


@pytest.mark.parametrize(
    ("reason", "ours", "said"),
    [
        ("lost", "failure", "x"),
        ("unknown", "failure", "x"),
        (None, "failure", "x"),
        ("weather_delay", "in_transit", "failure, weather_delay: x"),
        ("held", "in_transit", "failure, held: x"),
        ("refused", "return_to_sender", "failure, refused: x"),
    ],
)
def test_a_failure_that_may_pass_or_comes_back_is_no_loss(
    reason: str | None, ours: str, said: str
) -> None:
    one = detail("failure", NOW, "x") | {"status_detail": reason}
    (read_so,) = read("easypost", tracker_event("1Z1", [one])).scans
    assert (read_so.status, read_so.detail) == (ours, said)
    lost = detail("failure", NOW, "x") | {"status_detail": "lost"}
    (later,) = read("easypost", tracker_event("1Z1", [lost])).scans
    assert (later.event_id == read_so.event_id) == (ours == "failure"), "lost after all"


@pytest.mark.parametrize("now", ["in_transit", "out_for_delivery", "delivered"])
def test_a_parcel_that_was_found_again_was_not_lost(now: str) -> None:
    way = [detail("failure", NOW, "x"), detail(now, NOW + timedelta(hours=1))]
    assert statuses(read("easypost", tracker_event("1Z1", way))) == ["in_transit", now]
    assert statuses(read("easypost", tracker_event("1Z1", way[:1], status=now)))[0] == "in_transit"
    back = [detail("return_to_sender", NOW), detail("delivered", NOW + timedelta(hours=1))]
    told = read("easypost", tracker_event("1Z1", back))
    assert statuses(told) == ["return_to_sender", "delivered"], "it was delivered to the sender"


def test_a_trackers_own_failure_has_its_reason_as_well() -> None:
    event = json.loads(tracker_event("1Z1", [], status="failure"))
    event["result"]["status_detail"] = "weather_delay"
    (one,) = read("easypost", json.dumps(event).encode()).scans
    assert (one.status, one.detail) == ("in_transit", "failure, weather_delay")


def test_a_tracker_without_scans_tells_its_status_once() -> None:
    twice = [read("easypost", tracker_event("1Z1", [], status="in_transit")) for _ in range(2)]
    assert {told.scans[0].event_id for told in twice} == {twice[0].scans[0].event_id}
    assert [statuses(told) for told in twice] == [["in_transit"]] * 2


def test_what_is_of_no_tracker_tells_nothing() -> None:
    assert read("easypost", tracker_event("1Z1", [], kind="batch.created")).scans == []


def test_a_scan_that_is_wrong_is_named_and_the_others_are_read() -> None:
    bad = scan("T1", "flying", happened_at="yesterday")
    told = read("dhl", generic(bad, scan("T2", "delivered")))
    assert [one.tracking_number for one in told.scans] == ["T2"]
    assert [fault.partition(":")[0] for fault in told.faults] == [
        "scans[0].status",
        "scans[0].happened_at",
    ]
    nothing = detail("in_transit", NOW) | {"datetime": None}
    told = read("easypost", tracker_event("1Z1", [nothing, detail("delivered", NOW)]))
    assert (statuses(told), len(told.faults)) == (["delivered"], 1)


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[]", b'{"scans": []}', b'{"scans": 1}', b'{"a": 1}', b"[" * 100_000]
)
def test_what_is_no_message_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="body: "):
        read("dhl", body)


@pytest.mark.parametrize("found", [5, {"a": 1}, "x", [{}] * 1001])
def test_scans_that_are_no_list_or_too_many_are_refused_in_words(found: object) -> None:
    event = json.loads(tracker_event("1Z1", []))
    event["result"]["tracking_details"] = found
    with pytest.raises(InvalidInput, match="must be a list of 1000 scans at most"):
        read("easypost", json.dumps(event).encode())


def test_a_scan_of_an_odd_shape_is_named_and_an_odd_place_is_left_out() -> None:
    event = json.loads(tracker_event("1Z1", [detail("in_transit", NOW, "x")]))
    event["result"]["tracking_details"][0]["tracking_location"] = "Chicago"
    event["result"]["tracking_details"].append("delivered")
    told = read("easypost", json.dumps(event).encode())
    assert [(one.status, one.detail) for one in told.scans] == [("in_transit", "x")]
    assert [fault.partition(":")[0] for fault in told.faults] == [
        "scans[1].status",
        "scans[1].happened_at",
    ]


PAGE = Path("docs/carriers.md").read_text(encoding="utf-8")


def test_the_page_shows_a_message_that_is_read_and_names_all_fields_and_statuses() -> None:
    example = PAGE.partition("```json")[2].partition("```")[0]
    told = read("dhl", example.encode())
    assert (statuses(told), told.faults) == (["in_transit"], [])
    generic_part, _, of_easypost = PAGE.partition("## EasyPost")
    for name in (*Scan.model_fields, *get_args(CarrierStatus)):
        assert f"`{name}`" in generic_part
    for word in STATUSES:
        assert f"`{word}`" in of_easypost
