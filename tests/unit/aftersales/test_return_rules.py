"""Which returns the rules approve, refuse, or put before a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.aftersales.return_labels import wanted_label
from domain.aftersales.return_rules import (
    UNITS_OF_A_RECORD,
    Asked,
    AskedLine,
    Limit,
    Record,
    ReturnRule,
    ReturnRules,
    ReturnTerms,
    decide,
    terms_for,
    window_ends,
)
from domain.errors import Refused
from domain.faults import faults
from domain.orders.return_messages import FAULT_OF_THE_SELLER

DELIVERED = datetime(2026, 11, 1, 12, tzinfo=UTC)
USUAL = timedelta(days=30)
SOLD: dict[str, Any] = {"seller": "main", "channel": "web"}


def line(terms: ReturnTerms | None = None, **fields: Any) -> AskedLine:
    usual: dict[str, Any] = {"line_id": "1", "quantity": 1, "reason": "other", "worth_minor": 1000}
    return AskedLine(**usual | fields, terms=terms or ReturnTerms())


def asked(*lines: AskedLine, days: float = 1, **fields: Any) -> Asked:
    usual: dict[str, Any] = {"currency": "EUR", "record": Record(delivered=0, returned=0)}
    return Asked(
        lines=lines,
        asked_at=DELIVERED + timedelta(days=days),
        delivered_at=DELIVERED,
        usual_window=USUAL,
        **usual | fields,
    )


def refused(what: Asked) -> str:
    with pytest.raises(Refused) as no:
        decide(what)
    return no.value.reason


def test_a_limit_that_is_finer_than_the_currency_is_a_limit_all_the_same() -> None:
    fine = ReturnTerms(review_above=Limit(amount=Decimal("10.005"), currency="EUR"))
    assert decide(asked(line(fine, worth_minor=1000))).outcome == "approved"
    assert decide(asked(line(fine, worth_minor=1001))).asks == ("worth_more",)


def test_without_rules_the_orders_own_window_decides() -> None:
    assert decide(asked(line(), days=30)).outcome == "approved"
    assert refused(asked(line(), days=30.1)) == "window_over"
    assert decide(asked(line(), days=300, late=True)).outcome == "approved"


def test_the_rule_for_a_category_counts_before_that_for_a_channel_and_that_before_a_sellers() -> (
    None
):
    rules = [
        ReturnRule(category="shoes", window_days=100),
        ReturnRule(channel="web", window_days=14, final_sale=True),
        ReturnRule(seller="main", window_days=7, review_share_percent=50),
        ReturnRule(seller="other", window_days=1),
        ReturnRule(window_days=3, reasons=("damaged",)),
    ]
    shoes = terms_for(rules, **SOLD, category="shoes")
    assert (shoes.window_days, shoes.final_sale, shoes.review_share_percent, shoes.reasons) == (
        *(100, True, 50),
        ("damaged",),
    )
    assert terms_for(rules, **SOLD, category=None).window_days == 14
    assert terms_for(rules, seller="main", channel="pos", category=None).window_days == 7
    assert terms_for(rules, seller="third", channel="pos", category=None).window_days == 3


@given(st.permutations([(), ("seller",), ("channel",), ("category",), ("channel", "category")]))
def test_the_sequence_of_the_rules_does_not_matter(scopes: Sequence[Sequence[str]]) -> None:
    sold = {**SOLD, "category": "shoes"}
    rules = [
        ReturnRule(window_days=len(scope) * 10 + len("".join(scope)), **{k: sold[k] for k in scope})
        for scope in scopes
    ]
    most_exact = next(rule for rule in rules if rule.channel and rule.category)
    assert terms_for(rules, **sold).window_days == most_exact.window_days


def test_the_longest_window_of_an_order_is_that_of_its_most_patient_line() -> None:
    terms = [ReturnTerms(window_days=5), ReturnTerms(), ReturnTerms(window_days=60)]
    assert window_ends(terms, DELIVERED, USUAL) == DELIVERED + timedelta(days=60)
    assert window_ends([], DELIVERED, USUAL) == DELIVERED + USUAL


def test_no_sale_is_final_where_the_seller_is_at_fault() -> None:
    final = ReturnTerms(final_sale=True)
    assert refused(asked(line(final, reason="changed_mind"))) == "final_sale"
    for reason in FAULT_OF_THE_SELLER:
        assert decide(asked(line(final, reason=reason))).outcome == "approved"


def test_only_the_reasons_that_a_rule_names_are_taken() -> None:
    terms = ReturnTerms(reasons=("did_not_fit",))
    assert decide(asked(line(terms, reason="did_not_fit"))).outcome == "approved"
    assert refused(asked(line(terms, reason="changed_mind"))) == "reason_not_taken"


def test_a_person_decides_about_what_is_worth_more_in_the_limits_own_currency() -> None:
    terms = ReturnTerms(review_above=Limit(amount=Decimal("20.00"), currency="EUR"))
    two = (line(terms), line(line_id="2"))
    assert decide(asked(*two)).outcome == "approved"
    assert decide(asked(*two, line(line_id="3", worth_minor=1))).asks == ("worth_more",)
    assert decide(asked(*two, line(line_id="3"), currency="USD")).outcome == "approved"


@given(st.integers(0, 100), st.integers(0, 40), st.data())
def test_a_person_decides_about_customers_who_send_much_back(
    percent: int, delivered: int, data: st.DataObject
) -> None:
    returned = data.draw(st.integers(0, delivered))
    terms = ReturnTerms(review_share_percent=percent)
    decision = decide(asked(line(terms), record=Record(delivered=delivered, returned=returned)))
    much = delivered >= UNITS_OF_A_RECORD and returned / delivered > percent / 100
    assert decision.asks == (("returns_much",) if much else ())


def test_one_line_that_is_refused_refuses_all() -> None:
    final = line(ReturnTerms(final_sale=True), line_id="2")
    assert refused(asked(line(), final)) == "final_sale"


def test_a_label_is_bought_where_a_line_has_one_and_is_free_where_one_of_them_is() -> None:
    fee = Limit(amount=Decimal("4.90"), currency="EUR")
    paid, free = ReturnTerms(label="paid", label_fee=fee), ReturnTerms(label="free")
    less = ReturnTerms(label="paid", label_fee=Limit(amount=Decimal("3.50"), currency="EUR"))
    foreign = ReturnTerms(label="paid", label_fee=Limit(amount=Decimal("9.00"), currency="USD"))
    none = ReturnTerms(label="none", label_service="slow")

    def fee_of(*lines: AskedLine) -> int | None:
        wanted = wanted_label(asked(*lines))
        return None if wanted is None else wanted.fee_minor

    assert fee_of(line(), line(none)) is None
    assert fee_of(line(paid)) == 490
    assert fee_of(line(less), line(paid)) == 490
    assert fee_of(line(paid), line(free)) == 0
    assert fee_of(line(paid, reason="damaged")) == fee_of(line(foreign)) == 0
    assert fee_of(line(paid), line(none)) == 490, "a line without a label makes nothing free"
    assert fee_of(line(paid), line(reason="defective")) == 0
    both = wanted_label(asked(line(none), line(paid.model_copy(update={"label_service": "post"}))))
    assert both is not None
    assert both.service == "post"


@pytest.mark.parametrize(
    ("amount", "currency"), [("4.905", "EUR"), ("0.5", "JPY"), ("1.0005", "KWD")]
)
def test_a_fee_that_is_finer_than_its_currency_is_refused_where_the_rule_is_read(
    amount: str, currency: str
) -> None:
    content = {"rules": [{"label": "paid", "label_fee": {"amount": amount, "currency": currency}}]}
    with pytest.raises(ValidationError) as no:
        ReturnRules.model_validate(content)
    _, where, why = faults(no.value, ReturnRules)[0]
    assert where == "rules[0].label_fee.amount"
    assert "more decimals" in why
    exact = {"amount": amount[:-1].rstrip("."), "currency": currency}
    assert ReturnRule.model_validate({"label_fee": exact}).label_fee is not None
