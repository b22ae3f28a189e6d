"""A payment company's day against ours: every difference is named, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payments.comparison import (
    as_wholes,
    compare,
    keys_about,
    not_listed,
    step_is_about,
    still_held,
    void_key,
)
from domain.payments.reconciliation import Comparison, Difference, Kind, Moment, Ours, Theirs

DAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
NEXT_MIDNIGHT = MIDNIGHT + timedelta(days=1)
SECOND = timedelta(seconds=1)
WHEN = Moment(day=DAY, provider="sandbox", listed_at=NEXT_MIDNIGHT + timedelta(hours=1))


def ours(key: str = "web-1:1:capture", **fields: Any) -> Ours:
    """A capture of 12.50, done at noon."""
    usual: dict[str, Any] = {
        "provider": "sandbox",
        "order_id": key.split(":", maxsplit=1)[0],
        "kind": next((kind for kind in ("authorize", "void", "refund") if kind in key), "capture"),
        "amount_minor": 12_50,
        "currency": "USD",
        "state": "succeeded",
        "reference": f"ref_{key}",
        "requested_at": NOON,
        "settled_at": NOON,
    }
    if fields.get("state", "succeeded") != "succeeded":
        usual["reference"] = None
    if fields.get("state") in ("requested", "unknown"):
        usual["settled_at"] = None
    return Ours(key=key, **usual | fields)


def theirs(key: str = "web-1:1:capture", **fields: Any) -> Theirs:
    """The same at the company."""
    mine = ours(key or "web-1:1:capture")
    usual: dict[str, Any] = {
        "kind": mine.kind,
        "reference": f"ref_{key}",
        "authorization": "auth_1",
        "order_id": mine.order_id,
        "amount_minor": 12_50,
        "currency": "USD",
        "at": NOON,
    }
    return Theirs(key=key, **usual | fields)


def named(found: Comparison) -> list[tuple[str, str, str]]:
    return [(one.what, one.subject, one.remedy) for one in found.differences]


def test_a_day_on_which_both_have_the_same_is_clean() -> None:
    keys = ["web-1:authorize", "web-1:1:capture", "web-1:R1:refund", "web-1:void"]
    found = compare([ours(key) for key in keys], [theirs(key) for key in keys], WHEN)
    assert (named(found), found.listed, len(found.matched), found.under_way) == ([], 4, 4, 0)


A_KEY = "web-1:1:capture"
AUTHORIZE = "web-1:authorize"

ONE_DIFFERENCE = {
    "unknown here": ([], [theirs()], ("missing_here", A_KEY, "operator")),
    "without a key": (
        [],
        [theirs("", reference="cap_9")],
        ("missing_here", "cap_9", "operator"),
    ),
    "of nobody's order": (
        [],
        [theirs("", reference="cap_9", order_id="")],
        ("missing_here", "cap_9", "operator"),
    ),
    "unknown there": ([ours()], [], ("missing_there", A_KEY, "operator")),
    "released here only": (
        [ours("web-1:void")],
        [],
        ("missing_there", "web-1:void", "operator"),
    ),
    "another amount": (
        [ours()],
        [theirs(amount_minor=12_51)],
        ("amount", A_KEY, "operator"),
    ),
    "another currency": (
        [ours()],
        [theirs(currency="EUR")],
        ("amount", A_KEY, "operator"),
    ),
    "more is released there": (
        [ours("web-1:void")],
        [theirs("web-1:void", amount_minor=20_00)],
        ("amount", "web-1:void", "operator"),
    ),
    "another kind": (
        [ours()],
        [theirs(kind="refund")],
        ("state", A_KEY, "operator"),
    ),
    "another order": (
        [ours()],
        [theirs(order_id="web-2")],
        ("state", A_KEY, "operator"),
    ),
    "another reference": (
        [ours(reference="cap_8")],
        [theirs()],
        ("state", A_KEY, "operator"),
    ),
    "made at another company": (
        [ours(provider="stripe")],
        [theirs()],
        ("state", A_KEY, "operator"),
    ),
    "asked of another company": (
        [ours(provider="stripe", state="unknown")],
        [theirs()],
        ("state", A_KEY, "operator"),
    ),
    "refused here": (
        [ours(state="failed", code="capture_refused")],
        [theirs()],
        ("state", A_KEY, "operator"),
    ),
    "given up here": (
        [ours(AUTHORIZE, state="failed", code="not_found")],
        [theirs(AUTHORIZE)],
        ("state", AUTHORIZE, "void"),
    ),
    "given up here, and something else released": (
        [ours(AUTHORIZE, state="failed", code="not_found")],
        [theirs(AUTHORIZE), theirs("web-2:void", authorization="auth_2", at=NOON - timedelta(2))],
        ("state", AUTHORIZE, "void"),
    ),
    "a failed charge that the company has not seen, and has": (
        [ours(state="failed", code="not_found")],
        [theirs()],
        ("state", A_KEY, "operator"),
    ),
    "open here, done there": (
        [ours(state="unknown")],
        [theirs()],
        ("state", A_KEY, "retry"),
    ),
    "open here, not there": ([ours(state="requested")], [], ("state", A_KEY, "retry")),
    "its key taken again": (
        [ours()],
        [theirs(), theirs(reference="cap_again", at=NOON - SECOND)],
        ("missing_here", "cap_again", "operator"),
    ),
    "its key taken again later, our reference unknown": (
        [ours(reference=None)],
        [theirs(), theirs(reference="cap_again", at=NOON + SECOND)],
        ("missing_here", "cap_again", "operator"),
    ),
}


@pytest.mark.parametrize(
    ("mine", "there", "difference"), ONE_DIFFERENCE.values(), ids=[*ONE_DIFFERENCE]
)
def test_what_does_not_agree_is_named_with_its_class_and_rule(
    mine: list[Ours], there: list[Theirs], difference: tuple[str, str, str]
) -> None:
    found = compare([*mine, ours("web-7:authorize")], [theirs("web-7:authorize"), *there], WHEN)
    assert named(found) == [difference]
    (one,) = found.differences
    assert one.order_id == (mine[0].order_id if mine else there[0].order_id)


AGREES = {
    "made by hand": ([ours(provider="by_hand", reference=None)], []),
    "nothing to pay": ([ours(amount_minor=0, reference=None)], []),
    "made at another company": ([ours(provider="stripe")], []),
    "refused": ([ours(state="failed", code="capture_refused")], []),
    "given up, and never made": ([ours(AUTHORIZE, state="failed", code="not_found")], []),
    "given up, made, and released": (
        [ours(AUTHORIZE, state="failed", code="not_found")],
        [theirs(AUTHORIZE), theirs("web-1:void")],
    ),
    "given up, and released with another amount": (
        [ours(AUTHORIZE, state="failed", code="not_found", amount_minor=1)],
        [theirs(AUTHORIZE), theirs("web-1:void")],
    ),
    "the second one given up, made, and released": (
        [ours(AUTHORIZE + ":2", state="failed", code="not_found")],
        [theirs(AUTHORIZE + ":2"), theirs("web-1:void:2")],
    ),
    "given up yesterday, released today": (
        [ours(AUTHORIZE, state="failed", code="not_found")],
        [theirs("web-1:void")],
    ),
    "given up, and released the next day": (
        [ours(AUTHORIZE, state="failed", code="not_found")],
        [theirs(AUTHORIZE), theirs("web-1:void", at=NOON + timedelta(days=1))],
    ),
    "released with what was charged by hand": (
        [ours("web-1:void", by_hand_minor=5_00)],
        [theirs("web-1:void", amount_minor=17_50)],
    ),
    "released without what was charged by hand": (
        [ours("web-1:void", by_hand_minor=5_00)],
        [theirs("web-1:void")],
    ),
    "the company keeps no order ids": ([ours()], [theirs(order_id="")]),
    "listed twice": ([ours()], [theirs(), theirs()]),
    "just before midnight there, after it here": (
        [ours(settled_at=NEXT_MIDNIGHT + SECOND)],
        [theirs(at=NEXT_MIDNIGHT - SECOND)],
    ),
    "just before midnight here, after it there": (
        [ours(settled_at=NEXT_MIDNIGHT - SECOND)],
        [theirs(at=NEXT_MIDNIGHT)],
    ),
    "just before the day there, in it here": (
        [ours(settled_at=MIDNIGHT)],
        [theirs(at=MIDNIGHT - SECOND)],
    ),
    "found out days later": ([ours(settled_at=NOON)], [theirs(at=NOON - timedelta(days=3))]),
    "open since the day before": (
        [ours(state="unknown", requested_at=MIDNIGHT - SECOND)],
        [theirs(at=MIDNIGHT)],
    ),
    "not done yet when the list was made": ([ours(settled_at=WHEN.listed_at)], []),
}


@pytest.mark.parametrize(("mine", "there"), AGREES.values(), ids=[*AGREES])
def test_what_only_looks_different_is_none(mine: list[Ours], there: list[Theirs]) -> None:
    assert named(compare(mine, there, WHEN)) == []


def test_what_is_open_is_looked_at_on_the_day_on_which_it_was_asked_for() -> None:
    late = ours(state="unknown", requested_at=NEXT_MIDNIGHT - SECOND)
    effect = theirs(at=NEXT_MIDNIGHT)
    assert [len(compare([late], there, WHEN).differences) for there in ([], [effect])] == [1, 1]
    next_day = WHEN.model_copy(
        update={"day": DAY + timedelta(days=1), "listed_at": WHEN.listed_at + timedelta(days=1)}
    )
    assert named(compare([late], [effect], next_day)) == []


def test_what_was_asked_for_the_day_before_and_is_open_keeps_the_day_from_being_done() -> None:
    asked = ours(state="unknown", requested_at=MIDNIGHT - SECOND)
    found = compare([asked], [theirs(at=MIDNIGHT + SECOND)], WHEN)
    assert (named(found), found.listed, len(found.matched), found.under_way) == ([], 1, 0, 1)


def test_what_was_asked_for_a_moment_ago_is_under_way() -> None:
    today = WHEN.model_copy(update={"listed_at": NOON + timedelta(minutes=4)})
    found = compare([ours(state="requested")], [theirs()], today)
    assert (named(found), found.under_way) == ([], 1)
    today = WHEN.model_copy(update={"listed_at": NOON + timedelta(minutes=5)})
    found = compare([ours(state="requested")], [theirs()], today)
    assert (len(found.differences), found.under_way) == (1, 0)


def test_it_is_told_what_to_look_for_elsewhere() -> None:
    late, gone = ours("web-1:1:capture", settled_at=NOON), ours("web-2:1:capture")
    lost = ours("web-3:authorize", state="failed", code="not_found")
    mine = [late, gone, lost, ours("web-4:1:capture", provider="by_hand"), ours("web-5:1:capture")]
    there = [theirs("web-3:authorize", authorization="auth_3"), theirs("web-5:1:capture")]
    assert not_listed(mine, there, WHEN) == [late, gone]
    assert still_held(mine, there) == [there[0]]
    more = [theirs("web-1:1:capture"), theirs("web-3:void", authorization="auth_3")]
    assert not_listed(mine, there + more, WHEN) == [gone]
    assert still_held(mine, there + more) == []


def test_the_keys_that_are_looked_up_hold_those_of_what_a_void_may_release() -> None:
    there = [theirs("web-1:void:2"), theirs("web-2:1:capture"), theirs("")]
    assert keys_about(there) == ["web-1:authorize:2", "web-1:void:2", "web-2:1:capture"]
    assert void_key("web-1:authorize:2") == "web-1:void:2"


@pytest.mark.parametrize(
    ("step", "kind", "key", "is_it"),
    [
        ("charge_payment web-1:1", "capture", "web-1:1:capture", True),
        ("charge_payment web-1:1", "capture", "web-1:1:capture:2", True),
        ("charge_payment web-1:1", "capture", "web-1:10:capture", False),
        ("charge_payment web-1:1", "refund", "web-1:1:capture", False),
        ("refund_payment web-1:R1", "refund", "web-1:R1:refund", True),
        ("authorize_payment web-1", "authorize", "web-1:authorize", True),
        ("authorize_payment web-1", "authorize", "web-10:authorize", False),
        ("void_payment web-1", "void", "web-1:void", True),
        ("authorize_payment web-1:2", "authorize", "web-1:authorize:3", True),
        ("authorize_payment web-1:2", "void", "web-1:void", True),
        ("authorize_payment web-10:2", "void", "web-1:void", False),
        ("authorize_payment web-1:2", "capture", "web-1:2:capture", False),
        ("charge_payment web-1:prepaid", "capture", "web-1:prepaid:capture/2", True),
        ("pick web-1:1", "capture", "web-1:1:capture", False),
    ],
)
def test_the_step_that_makes_an_operation_is_known_by_its_name(
    step: str, kind: Kind, key: str, is_it: bool
) -> None:
    assert step_is_about(step, kind, key) == is_it


# Any day ------------------------------------------------------------------------------------------

EXPECTED = {
    "missing_here": "missing_here",
    "missing_there": "missing_there",
    "amount": "amount",
    "currency": "amount",
    "open": "state",
    "given_up": "state",
    "keyless": "missing_here",
    "twice": "missing_here",
}


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Ours], list[Theirs], set[tuple[str, str]]]:
    """Two sides of a day, and what differs: (class, subject)."""
    mine: list[Ours] = []
    there: list[Theirs] = []
    seeded: set[tuple[str, str]] = set()
    faults = st.sampled_from([*["clean"] * 5, *EXPECTED])
    for number in range(draw(st.integers(0, 12))):
        part = draw(st.sampled_from(["authorize", "1:capture", "R1:refund", "void"]))
        key = f"web-{number}:{part}"
        currency = draw(st.sampled_from(["USD", "JPY", "KWD"]))
        amount = draw(st.integers(1, 10**9))
        at = MIDNIGHT + timedelta(seconds=draw(st.integers(0, 86_399)))
        lag = timedelta(seconds=draw(st.integers(-600, 600)))
        here = ours(
            key, amount_minor=amount, currency=currency, requested_at=at, settled_at=at + lag
        )
        effect = theirs(
            key, amount_minor=amount, currency=currency, at=at, authorization=f"auth_{number}"
        )
        fault = draw(faults)
        subject = key
        match fault:
            case "missing_here":
                there.append(effect)
            case "missing_there":
                mine.append(here.model_copy(update={"settled_at": at}))
            case "amount":
                mine.append(here)
                other = amount + draw(st.integers(1, 100))
                there.append(effect.model_copy(update={"amount_minor": other}))
            case "currency":
                mine.append(here)
                there.append(effect.model_copy(update={"currency": "EUR"}))
            case "open":
                mine.append(
                    here.model_copy(
                        update={"state": "unknown", "settled_at": None, "reference": None}
                    )
                )
                if draw(st.booleans()):
                    there.append(effect)
            case "given_up":
                subject = key = f"web-{number}:authorize"
                given_up = {"key": key, "kind": "authorize"}
                mine.append(
                    here.model_copy(
                        update=given_up
                        | {"state": "failed", "code": "not_found", "reference": None}
                    )
                )
                there.append(effect.model_copy(update=given_up))
            case "keyless":
                subject = effect.reference
                there.append(effect.model_copy(update={"key": ""}))
            case "twice":
                subject = f"again_{number}"
                mine.append(here)
                there += [effect, effect.model_copy(update={"reference": subject})]
            case _:
                mine.append(here)
                there.append(effect)
        if fault != "clean":
            seeded.add((EXPECTED[fault], subject))
    return draw(st.permutations(mine)), draw(st.permutations(there)), seeded


@given(days())
def test_any_set_of_differences_is_named_exactly(
    day: tuple[list[Ours], list[Theirs], set[tuple[str, str]]],
) -> None:
    mine, there, seeded = day
    found = compare(mine, there, WHEN)
    assert {(one.what, one.subject) for one in found.differences} == seeded
    assert len(found.differences) == len(seeded)
    assert found.listed == len(there)


@given(days())
def test_every_effect_is_matched_or_is_a_difference_once(
    day: tuple[list[Ours], list[Theirs], set[tuple[str, str]]],
) -> None:
    mine, there, _ = day
    found = compare(mine, there, WHEN)
    told: list[Difference] = [one for one in found.differences if one.theirs is not None]
    references = [effect.reference for effect in found.matched] + [
        one.theirs.reference for one in told if one.theirs is not None
    ]
    assert sorted(references) == sorted(effect.reference for effect in there)


def test_the_parts_of_a_refund_that_was_made_elsewhere_are_one_and_agree_with_it() -> None:
    key = "web-1:elsewhere:0123"
    parts = [ours(key, kind="refund", amount_minor=2_50, reference="re_1")]
    parts.append(ours(f"{key}/2", kind="refund", amount_minor=10_00, reference="re_1"))
    (whole,) = as_wholes(parts)
    assert (whole.key, whole.amount_minor) == (key, 12_50)
    there = theirs(key, kind="refund", reference="re_1")
    assert compare([whole], [there], WHEN).differences == ()
    assert as_wholes([ours("web-1:1:refund/2"), ours("web-1:1:refund")]) == [
        ours("web-1:1:refund/2"),
        ours("web-1:1:refund"),
    ]
