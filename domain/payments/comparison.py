"""A payment company's day compared with our records, operation by operation.

Operations are compared by their idempotency keys, on whichever day either side dates them: our
clock and the company's differ, and an answer may arrive days after the effect. Each operation is
examined on one day only:

- an effect there, on the day of the effect by the company's clock;
- an operation that we recorded as done and is not there, on the day of our record;
- an operation without a known outcome, on the day on which we requested it.

Two kinds never reach a company: operations done by hand, and amounts of zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from domain.ids import order_of
from domain.payments.elsewhere import is_elsewhere, whole
from domain.payments.reconciliation import (
    Comparison,
    Difference,
    DifferenceClass,
    Kind,
    Moment,
    Ours,
    Remedy,
    Theirs,
)

_STEPS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "authorize": ("authorize_payment",),
    "capture": ("charge_payment",),
    "void": ("void_payment", "authorize_payment"),
    "refund": ("refund_payment",),
}
"""The steps of an order's workflow that make operations of a kind."""


def keys_about(theirs: Iterable[Theirs]) -> list[str]:
    """The keys of our operations that may belong to these effects."""
    keys = {key for effect in theirs for key in (effect.key, _authorize_key(effect.key))}
    return sorted(keys - {""})


def void_key(authorize_key: str) -> str:
    """The key under which an authorization is voided: web-1:authorize:2 → web-1:void:2."""
    return authorize_key.replace(":authorize", ":void", 1)


def step_is_about(step: str, kind: Kind, key: str) -> bool:
    """Whether an order's parked step brings this payment operation to its outcome.

    `charge_payment web-1:1` does so for the captures of its parcel (`web-1:1:capture`, and so on),
    `authorize_payment web-1:1` for all open authorizations and voids of the order.
    """
    name, _, part = step.partition(" ")
    if name not in _STEPS[kind]:
        return False
    if kind in ("authorize", "void"):
        return order_of(part) == order_of(key)
    return key.startswith(f"{part}:")


def not_listed(ours: Iterable[Ours], theirs: Iterable[Theirs], when: Moment) -> list[Ours]:
    """Operations that we recorded as done on this day and that the list, as far as read, lacks."""
    there = {effect.key for effect in theirs}
    return [
        done
        for done in ours
        if done.key not in there
        and _at_provider(done, when)
        and done.state == "succeeded"
        and done.settled_at is not None
        and _day(done.settled_at) == when.day
        and done.settled_at < when.listed_at
    ]


def still_held(ours: Iterable[Ours], theirs: Sequence[Theirs]) -> list[Theirs]:
    """The company's authorizations that were given up here and that the list shows unreleased."""
    given_up = {done.key for done in ours if done.given_up}
    released = {effect.authorization for effect in theirs if effect.kind == "void"}
    return [
        effect
        for effect in theirs
        if effect.kind == "authorize"
        and effect.key in given_up
        and effect.authorization not in released
    ]


def as_wholes(ours: Iterable[Ours]) -> list[Ours]:
    """The same operations, with the parts of each refund that was made elsewhere as one."""
    found: dict[str, Ours] = {}
    for done in ours:
        key = whole(done.key) if is_elsewhere(done.key) else done.key
        before = found.get(key)
        amount = done.amount_minor + (before.amount_minor if before else 0)
        found[key] = done.model_copy(update={"key": key, "amount_minor": amount})
    return list(found.values())


def compare(ours: Sequence[Ours], theirs: Sequence[Theirs], when: Moment) -> Comparison:
    """Compare a day. `theirs` may hold more than the day, to find effects of another date.

    `ours`: our operations with `keys_about(theirs)`, done on the day, or open since the day.
    """
    known = {done.key: done for done in ours}
    effects = sorted(
        {effect.reference: effect for effect in theirs}.values(),
        key=lambda effect: (effect.at, effect.reference),
    )
    holders = _holders(effects, known)
    held = {effect.reference for effect in still_held(ours, effects)}
    of_day = [effect for effect in effects if effect.day == when.day]
    matched: list[Theirs] = []
    found: list[Difference] = []
    asked_before = 0
    for effect in of_day:
        done = known.get(effect.key)
        if effect.key and holders[effect.key] != effect.reference:
            why = f"its key {effect.key} is that of {holders[effect.key]}"
            found.append(_missing_here(effect.reference, effect, why))
        elif done is not None and done.open and _at_provider(done, when):
            # An open one is examined below, on the day of its request; a settled one is examined
            # here.
            asked_before += _day(done.requested_at) != when.day
        elif done is not None:
            difference = _compared(done, effect, when, held=effect.reference in held)
            if difference is None:
                matched.append(effect)
            else:
                found.append(difference)
        elif _releases_what_was_given_up(effect, known):
            matched.append(effect)
        else:
            why = "nothing is known of it here"
            found.append(_missing_here(effect.key or effect.reference, effect, why))
    found += [_missing_there(done) for done in not_listed(ours, effects, when)]
    unsettled = [
        done
        for done in ours
        if done.open and _at_provider(done, when) and _day(done.requested_at) == when.day
    ]
    overdue = [done for done in unsettled if done.requested_at + when.patience <= when.listed_at]
    at = {effect.reference: effect for effect in effects}
    found += [_unsettled(done, at.get(holders.get(done.key, ""))) for done in overdue]
    return Comparison(
        day=when.day,
        listed=len(of_day),
        matched=tuple(matched),
        under_way=len(unsettled) - len(overdue) + asked_before,
        differences=tuple(sorted(found, key=lambda one: (one.subject, one.what))),
    )


def _compared(done: Ours, effect: Theirs, when: Moment, *, held: bool) -> Difference | None:
    """The difference in an operation that both sides have, and that is settled here."""

    state, amount = DifferenceClass.STATE, DifferenceClass.AMOUNT
    # A void at the company may include an amount that was charged by hand here.
    amounts = {done.amount_minor, done.amount_minor + done.by_hand_minor}
    same_amount = done.currency == effect.currency and effect.amount_minor in amounts
    given_up = "it was given up here as never made, and is held there"
    # The first check that fails is reported.
    checks = (
        (done.provider != when.provider, state, f"it is recorded as made at {done.provider}"),
        (done.kind != effect.kind, state, f"it is a {done.kind} here, a {effect.kind} there"),
        (
            effect.order_id not in ("", done.order_id),
            state,
            f"it is about order {effect.order_id} there",
        ),
        (done.given_up and held, state, given_up),
        (
            done.state == "failed" and not done.given_up,
            state,
            f"it failed here ({done.code}), and is done there",
        ),
        (done.state == "succeeded" and not same_amount, amount, "the amounts differ"),
        (
            done.reference not in (None, effect.reference),
            state,
            f"it is recorded here as {done.reference}",
        ),
    )
    for holds, what, why in checks:
        if holds:
            return Difference(
                subject=done.key,
                what=what,
                why=why,
                remedy=Remedy.VOID if why == given_up else Remedy.OPERATOR,
                ours=done,
                theirs=effect,
            )
    return None


def _missing_here(subject: str, effect: Theirs, why: str) -> Difference:
    return Difference(
        subject=subject,
        what=DifferenceClass.MISSING_HERE,
        why=why,
        remedy=Remedy.OPERATOR,
        theirs=effect,
    )


def _missing_there(done: Ours) -> Difference:
    return Difference(
        subject=done.key,
        what=DifferenceClass.MISSING_THERE,
        why="it is recorded as done, and the company has no such effect",
        remedy=Remedy.OPERATOR,
        ours=done,
    )


def _unsettled(done: Ours, effect: Theirs | None) -> Difference:
    done_there = "its outcome is not known here, and it is done there"
    not_there = "its outcome is not known here, and it is not listed there"
    return Difference(
        subject=done.key,
        what=DifferenceClass.STATE,
        why=done_there if effect else not_there,
        remedy=Remedy.RETRY,
        ours=done,
        theirs=effect,
    )


def _holders(effects: Sequence[Theirs], known: Mapping[str, Ours]) -> dict[str, str]:
    """Key → the reference of its effect: the one that we recorded, otherwise the first."""
    holders: dict[str, str] = {}
    for effect in effects:
        recorded = known.get(effect.key)
        if effect.key not in holders or (recorded and recorded.reference == effect.reference):
            holders[effect.key] = effect.reference
    return holders


def _releases_what_was_given_up(effect: Theirs, known: Mapping[str, Ours]) -> bool:
    """Whether it releases an authorization that was given up here, but made after all."""
    if effect.kind != "void":
        return False
    authorization = known.get(_authorize_key(effect.key))
    return authorization is not None and authorization.given_up


def _authorize_key(key: str) -> str:
    return key.replace(":void", ":authorize", 1) if ":void" in key else ""


def _at_provider(done: Ours, when: Moment) -> bool:
    return done.provider == when.provider and done.amount_minor > 0


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
