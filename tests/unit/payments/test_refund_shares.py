"""Which tenders a refund goes back to: exact, and never more to one than it paid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.orders.policy import RefundTenders
from domain.payments.refund_shares import Paid, shares_back

POLICIES: tuple[RefundTenders, ...] = ("last_first", "by_ratio")

authorizations = st.lists(
    st.builds(Paid, tender=st.integers(1, 4), refundable=st.integers(0, 10**6)), max_size=6
).map(lambda found: sorted(found, key=lambda each: each.tender))


def total(paid: list[Paid]) -> int:
    return sum(each.refundable for each in paid)


@given(authorizations, st.integers(0, 10**7), st.sampled_from(POLICIES))
def test_all_of_it_goes_back_and_no_more_through_one_than_it_can_pay(
    paid: list[Paid], amount: int, tenders: RefundTenders
) -> None:
    shares = shares_back(amount, paid, tenders)
    assert sum(shares) == min(amount, total(paid))
    assert all(0 <= share <= each.refundable for share, each in zip(shares, paid, strict=True))


@given(authorizations, st.lists(st.integers(1, 10**5), max_size=8), st.sampled_from(POLICIES))
def test_part_refunds_in_any_sequence_come_to_what_each_tender_paid(
    paid: list[Paid], amounts: list[int], tenders: RefundTenders
) -> None:
    left = paid
    for amount in (*amounts, total(paid)):
        shares = shares_back(amount, left, tenders)
        left = [
            each._replace(refundable=each.refundable - share)
            for each, share in zip(left, shares, strict=True)
        ]
    assert total(left) == 0


@given(authorizations, st.integers(0, 10**6))
def test_by_ratio_each_tender_is_within_a_unit_of_its_share(paid: list[Paid], amount: int) -> None:
    amount = min(amount, total(paid))
    shares = shares_back(amount, paid, "by_ratio")
    for tender in {each.tender for each in paid}:
        mine = [(n, each) for n, each in zip(shares, paid, strict=True) if each.tender == tender]
        exact = amount * sum(each.refundable for _, each in mine)
        assert abs(sum(n for n, _ in mine) * total(paid) - exact) < max(1, total(paid))


def test_last_first_takes_the_last_tender_before_the_one_before_it() -> None:
    paid = [Paid(1, 10_00), Paid(2, 5_00), Paid(2, 3_00)]
    assert shares_back(9_00, paid, "last_first") == [1_00, 5_00, 3_00]


def test_by_ratio_takes_from_each_tender_and_of_one_tender_the_last_first() -> None:
    paid = [Paid(1, 10_00), Paid(2, 5_00), Paid(2, 5_00)]
    assert shares_back(9_00, paid, "by_ratio") == [4_50, 0, 4_50]
    assert shares_back(15_00, paid, "by_ratio") == [7_50, 2_50, 5_00]
