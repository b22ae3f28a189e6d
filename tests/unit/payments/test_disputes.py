"""What of a dispute counts, whichever of its pieces comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounting.accounts import Account, moved
from domain.errors import Conflict
from domain.money import Money
from domain.payments.disputes import CLOSED, Dispute, DisputeState, latest

BEGAN = datetime(2026, 11, 25, 12, tzinfo=UTC)
S = DisputeState


def piece(state: DisputeState, second: int = 0, *, fee: int = 0, **fields: Any) -> Dispute:
    return Dispute(
        **{
            "dispute_id": "du_1",
            "subjects": ("pi_1",),
            "amount": Money(minor=25_00, currency="USD"),
            "fee": Money(minor=fee, currency="USD"),
            "state": state,
            "opened_at": BEGAN,
            "said_at": BEGAN + timedelta(seconds=second),
            **fields,
        }
    )


pieces = st.builds(
    piece,
    st.sampled_from(S),
    st.integers(0, 3),
    fee=st.sampled_from([0, 15_00]),
    amount=st.sampled_from(
        [Money(minor=25_00, currency="USD"), Money(minor=20_00, currency="USD")]
    ),
    moves=st.integers(0, 2),
    reason=st.sampled_from(["fraudulent", "duplicate"]),
    respond_by=st.sampled_from([None, BEGAN, BEGAN + timedelta(days=7)]),
)


@given(st.lists(pieces, min_size=1, max_size=6), st.randoms())
def test_the_same_pieces_come_to_the_same_in_any_order_and_however_often(
    told: list[Dispute], random: Any
) -> None:
    again = [*told, *random.choices(told, k=3)]
    random.shuffle(again)
    assert reduce(latest, again) == reduce(latest, told)


@given(pieces, pieces, pieces)
def test_it_matters_not_how_the_pieces_are_put_together(a: Dispute, b: Dispute, c: Dispute) -> None:
    assert latest(latest(a, b), c) == latest(a, latest(b, c))


@pytest.mark.parametrize(
    ("was", "late", "stays"),
    [
        (piece(S.UNDER_REVIEW, 5), piece(S.NEEDS_RESPONSE, 4), S.UNDER_REVIEW),
        (piece(S.WON, 5), piece(S.UNDER_REVIEW, 4), S.WON),
        (piece(S.LOST, 5), piece(S.WON, 4), S.LOST),
        # The company's clocks differ: a chargeback is no inquiry again, nor undecided.
        (piece(S.NEEDS_RESPONSE, 5), piece(S.WARNING_UNDER_REVIEW, 6), S.NEEDS_RESPONSE),
        (piece(S.WON, 5), piece(S.UNDER_REVIEW, 6), S.WON),
        (piece(S.LOST, 5), piece(S.NEEDS_RESPONSE, 6), S.LOST),
        # Of the same second, what is further along counts.
        (piece(S.NEEDS_RESPONSE, 5), piece(S.UNDER_REVIEW, 5), S.UNDER_REVIEW),
        (piece(S.LOST, 5), piece(S.NEEDS_RESPONSE, 5), S.LOST),
    ],
)
def test_a_late_piece_never_moves_it_back(was: Dispute, late: Dispute, stays: str) -> None:
    assert latest(was, late).state == latest(late, was).state == stays


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (piece(S.WARNING_CLOSED, 5), piece(S.NEEDS_RESPONSE, 6)),  # an inquiry became a chargeback
        (piece(S.LOST, 5), piece(S.APPEAL_NEEDS_RESPONSE, 6)),
        (piece(S.APPEAL_UNDER_REVIEW, 5), piece(S.WON, 6)),
        (piece(S.WON, 5), piece(S.LOST, 6)),  # the bank has thought again
    ],
)
def test_what_the_company_opens_again_is_open_again(was: Dispute, now: Dispute) -> None:
    assert latest(was, now) == latest(now, was) == now


def test_the_piece_that_knows_of_more_movements_knows_the_fee() -> None:
    opened = piece(S.NEEDS_RESPONSE, 5)
    taken = piece(S.NEEDS_RESPONSE, 5, fee=15_00, moves=1)
    assert latest(opened, taken) == latest(taken, opened) == taken


def test_pieces_in_different_currencies_are_no_dispute() -> None:
    other = piece(S.WON, amount=Money(minor=25_00, currency="EUR"))
    with pytest.raises(Conflict, match=r"about 25\.00 USD, and now about 25\.00 EUR"):
        latest(piece(S.NEEDS_RESPONSE), other)


@pytest.mark.parametrize(
    ("state", "held"),
    [
        *((state, 0) for state in (S.WARNING_NEEDS_RESPONSE, S.WARNING_UNDER_REVIEW)),
        *((state, 0) for state in (S.WARNING_CLOSED, S.PREVENTED, S.WON)),
        *((state, 25_00) for state in (S.NEEDS_RESPONSE, S.UNDER_REVIEW, S.LOST)),
        *((state, 25_00) for state in (S.APPEAL_NEEDS_RESPONSE, S.APPEAL_UNDER_REVIEW)),
    ],
)
def test_what_the_customer_has_back_or_may_get_is_not_refunded_too(
    state: DisputeState, held: int
) -> None:
    assert piece(state).held == held


@given(pieces, pieces)
def test_every_entry_balances_and_brings_the_books_to_what_it_is(a: Dispute, b: Dispute) -> None:
    entry = moved(a.booked, b.booked)
    assert sum(entry.values()) == 0
    for account in Account:
        assert a.booked.get(account, 0) + entry.get(account, 0) == b.booked.get(account, 0)


def test_the_usual_way_of_a_dispute_in_the_books() -> None:
    opened, won, lost = piece(S.NEEDS_RESPONSE), piece(S.WON), piece(S.LOST)
    assert moved({}, opened.booked) == {"disputes": 25_00, "cash_in_transit": -25_00}
    assert moved(opened.booked, won.booked) == {"disputes": -25_00, "cash_in_transit": 25_00}
    taken_off = {k: v for k, v in moved(opened.booked, lost.booked).items() if v}
    assert taken_off == {"write_offs": 25_00, "disputes": -25_00}
    assert piece(S.WON, fee=15_00).fee_booked == {
        Account.PROVIDER_FEES: 15_00,
        Account.CASH_IN_TRANSIT: -15_00,
    }


def test_every_state_is_open_or_closed() -> None:
    assert {state for state in S if not piece(state).is_open} == CLOSED
    assert {S.WARNING_CLOSED, S.PREVENTED, S.LOST, S.WON} == CLOSED
