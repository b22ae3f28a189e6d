"""What an edit makes of an order: its amounts, its words, and what cannot be changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import InvalidInput, Refused
from domain.money import to_decimal
from domain.orders.amounts import sum_of, value_lines
from domain.orders.edit_messages import EditRequest, OrderEdit, PersonChange
from domain.orders.edited import Edited, LineStanding, Present, tax_of, total_of
from domain.orders.edits import edited
from domain.orders.order import Order
from domain.orders.request_kinds import KINDS
from tests.support.builders import an_order, shipping
from tests.support.strategies import orders

NOBODY = PersonChange()
ELSEWHERE = {"provider": "elsewhere", "token": "shop-1"}


def as_it_is(order: Order, *, shipped: int = 0, **more: Any) -> Present:
    """`shipped`: units of its first line."""
    lines = {
        line.line_id: LineStanding(
            ordered=line.quantity, shipped=shipped if line is order.lines[0] else 0
        )
        for line in order.lines
    }
    return Present(order, 1, lines, **more)


def asked(**changes: Any) -> EditRequest:
    return EditRequest.model_validate({"reason": "the customer called", **changes})


def edit(order: Order, **changes: Any) -> Edited:
    return edited(as_it_is(order), asked(**changes), NOBODY)


def computed(order: Order) -> Order:
    """The same order with each tax of a line computed by its rate, as an edit leaves it."""
    lines = [line.model_copy(update={"tax": None}) for line in order.lines]
    return Order.model_validate(
        order.model_copy(update={"lines": tuple(lines), "total": None}).model_dump(mode="json")
    )


class TestAmounts:
    @given(orders(), st.integers(1, 9), st.data())
    @settings(max_examples=150, deadline=None)
    def test_more_units_and_then_as_many_as_before_cost_what_they_cost_before(
        self, order: Order, more: int, data: st.DataObject
    ) -> None:
        order = computed(order)
        line = data.draw(st.sampled_from(order.lines))
        there = edit(order, lines=[{"line_id": line.line_id, "quantity": line.quantity + more}])
        back = edit(there.order, lines=[{"line_id": line.line_id, "quantity": line.quantity}])
        assert there.added == back.taken == {line.line_id: more}
        assert total_of(back.order) == total_of(order)
        assert value_lines(back.order) == value_lines(order)

    @given(orders(), st.integers(0, 10**6), st.data())
    @settings(max_examples=150, deadline=None)
    def test_another_price_and_then_the_old_one_cost_what_they_cost_before(
        self, order: Order, price: int, data: st.DataObject
    ) -> None:
        order = computed(order)
        line = data.draw(st.sampled_from(order.lines))
        new = str(to_decimal(price, order.currency))
        try:
            there = edit(order, lines=[{"line_id": line.line_id, "unit_price": new}])
        except InvalidInput:  # a discount is more than the goods are worth by then
            assume(False)
        old = format(line.unit_price, "f")
        back = edit(there.order, lines=[{"line_id": line.line_id, "unit_price": old}])
        assert (there.added, there.taken) == ({}, {})
        assert value_lines(back.order) == value_lines(order)

    @given(orders(), st.integers(1, 5), st.integers(0, 10**6), st.sampled_from(["0", "7.7", "19"]))
    @settings(max_examples=150, deadline=None)
    def test_a_line_added_and_taken_away_again_leaves_the_amounts_of_before(
        self, order: Order, quantity: int, price: int, rate: str
    ) -> None:
        order = computed(order)
        new = {
            "sku": "LID",
            "quantity": quantity,
            "unit_price": str(to_decimal(price, order.currency)),
            "tax_rate": rate,
        }
        there = edit(order, add=[new])
        (line_id,) = there.new
        assert there.added == {line_id: quantity}
        back = edit(there.order, lines=[{"line_id": line_id, "quantity": 0}])
        assert value_lines(back.order) == value_lines(order)

    @given(orders(), st.integers(1, 9), st.data())
    @settings(max_examples=100, deadline=None)
    def test_the_lines_worth_adds_up_to_the_new_total(
        self, order: Order, more: int, data: st.DataObject
    ) -> None:
        line = data.draw(st.sampled_from(order.lines))
        done = edit(order, lines=[{"line_id": line.line_id, "quantity": line.quantity + more}])
        worth = sum_of(each.whole for each in value_lines(done.order).values())
        assert worth.total == done.order.total_minor

    def test_tax_goes_by_the_lines_own_rate_and_shipping_stays(self) -> None:
        order = an_order(("TEA", 2), shipping=shipping("5.00", "0.50"))
        line = order.lines[0].model_copy(update={"tax_rate": Decimal(10)})
        order = order.model_copy(update={"lines": (line,)})
        done = edit(order, lines=[{"line_id": "1", "quantity": 3}])
        assert str(total_of(order)) == "27.50 USD"
        assert str(total_of(done.order)) == "38.50 USD"
        assert str(tax_of(done.order)) == "3.50 USD"

    def test_the_discount_of_the_order_is_spread_anew(self) -> None:
        done = edit(an_order(("TEA", 2)), discount="4.00")
        assert str(total_of(done.order)) == "21.00 USD"
        assert [str(change) for change in done.changes] == ["discount of the order: 0 → 4.00"]

    def test_a_given_total_is_that_of_the_order_as_it_was_placed(self) -> None:
        order = an_order(("TEA", 2), total="25.00")
        done = edit(order, shipping={"price": "7.00"})
        assert str(total_of(done.order)) == "27.00 USD"
        assert (done.added, done.taken, done.is_money) == ({}, {}, True)

    def test_only_a_price_adds_and_takes_no_unit(self) -> None:
        done = edit(an_order(("TEA", 2)), lines=[{"line_id": "1", "unit_price": "9.00"}])
        assert (done.added, done.taken, done.new) == ({}, {}, ())
        assert [str(change) for change in done.changes] == ["unit price of line 1: 10.00 → 9.00"]

    def test_what_is_as_it_was_is_no_change(self) -> None:
        order = an_order(("TEA", 2))
        done = edit(order, lines=[{"line_id": "1", "quantity": 2, "unit_price": "10.0"}])
        assert (done.changes, done.order, done.is_money) == ((), order, False)

    def test_a_new_line_has_an_id_that_no_line_has_however_long_theirs_are(self) -> None:
        order = an_order(("TEA", 2), ("CUP", 1))
        lines = [
            line.model_copy(update={"line_id": line_id})
            for line, line_id in zip(order.lines, ("9" * 100, "9" * 18), strict=True)
        ]
        order = order.model_copy(update={"lines": tuple(lines)})
        new = {"sku": "LID", "quantity": 1, "unit_price": "1.00"}
        done = edit(order, add=[new, new])
        done.check()
        assert len({line.line_id for line in done.order.lines}) == 4

    def test_cancelled_units_stay_cancelled_and_are_not_counted(self) -> None:
        order = an_order(("TEA", 5))
        present = Present(order, 1, {"1": LineStanding(ordered=5, cancelled=2)})
        done = edited(present, asked(lines=[{"line_id": "1", "quantity": 4}]), NOBODY)
        assert done.added == {"1": 1}
        assert done.order.lines[0].quantity == 6  # the two are among them, as in the order's rows


class TestOnceSomethingIsCharged:
    @given(orders(), st.integers(1, 5), st.integers(0, 10**6), st.sampled_from(["0", "7.7", "19"]))
    @settings(max_examples=150, deadline=None)
    def test_a_line_that_is_added_leaves_the_others_as_they_were(
        self, order: Order, quantity: int, price: int, rate: str
    ) -> None:
        new = {
            "sku": "LID",
            "quantity": quantity,
            "unit_price": str(to_decimal(price, order.currency)),
            "tax_rate": rate,
        }
        done = edited(as_it_is(order, charged=True), asked(add=[new]), NOBODY)
        (line_id,) = done.new
        after = value_lines(done.order)
        added = after.pop(line_id)
        assert after == value_lines(order)
        assert added.whole.only_shipping.total == 0
        assert total_of(done.order).minor == total_of(order).minor + added.whole.total

    def test_more_of_a_line_is_a_line_of_its_own_and_less_is_cancelled(self) -> None:
        order = an_order(("TEA", 3), ("CUP", 2))
        changes = [{"line_id": "1", "quantity": 5}, {"line_id": "2", "quantity": 0}]
        done = edited(as_it_is(order, shipped=3, charged=True), asked(lines=changes), NOBODY)
        done.check()
        assert (done.added, done.taken, done.new, done.keeps) == ({"3": 2}, {"2": 2}, ("3",), True)
        assert [str(change) for change in done.changes] == [
            "quantity of line 1: 3 → 5",
            "line 3: none → 2 × TEA at 10.00",
            "quantity of line 2: 2 → 0",
        ]
        assert [line.quantity for line in done.order.lines] == [3, 2, 2]

    def test_a_lower_price_is_owed_back_and_the_document_keeps_what_it_was_sold_for(self) -> None:
        order = an_order(("TEA", 3))
        changes = [{"line_id": "1", "unit_price": "9.00"}]
        done = edited(
            as_it_is(order, shipped=3, charged=True, sent=True), asked(lines=changes), NOBODY
        )
        done.check()
        assert done.lowered == {"1": Decimal("9.00")}
        assert done.order == order


class TestObstacles:
    @pytest.mark.parametrize(
        ("changes", "more", "reason"),
        [
            ({"lines": [{"line_id": "1", "quantity": 1}]}, {"shipped": 2}, "handed_over"),
            ({"lines": [{"line_id": "1", "unit_price": "11.00"}]}, {"charged": True}, "charged"),
            ({"lines": [{"line_id": "1", "discount": "1.00"}]}, {"charged": True}, "charged"),
            ({"lines": [{"line_id": "1", "tax_rate": "7"}]}, {"charged": True}, "charged"),
            ({"shipping": {"price": "0.00"}}, {"charged": True}, "charged"),
            ({"discount": "1.00"}, {"charged": True}, "charged"),
            ({"lines": [{"line_id": "1", "quantity": 2}]}, {"charging": True}, "being_charged"),
            (
                {"lines": [{"line_id": "1", "unit_price": "9.00"}]},
                {"charged": True, "unpaid": True},
                "being_charged",
            ),
            ({"lines": [{"line_id": "1", "quantity": 0}]}, {}, "no_line_left"),
            ({"shipping": {"service": "express"}}, {"labelling": True}, "label_being_bought"),
            ({"shipping": {"service": "express"}}, {"bought_to": True}, "with_supplier"),
            ({"shipping": {"service": "express"}}, {"at_work": True}, "not_in_place"),
            ({"shipping": {"service": "express"}}, {"sent": True}, "handed_over"),
            ({"shipping": {"service": "collect"}}, {}, "collected"),
        ],
    )
    def test_what_cannot_be_changed_is_refused_with_its_code_and_the_way_on(
        self, changes: dict[str, Any], more: dict[str, Any], reason: str
    ) -> None:
        done = edited(as_it_is(an_order(("TEA", 3)), **more), asked(**changes), NOBODY)
        with pytest.raises(Refused) as no:
            done.check()
        assert no.value.reason == reason
        assert no.value.instead
        assert set(no.value.instead) <= {kind.update for kind in KINDS}

    @pytest.mark.parametrize(
        "changes",
        [
            {"add": [{"sku": "CUP", "quantity": 1, "unit_price": "8.00"}]},
            {"lines": [{"line_id": "1", "quantity": 4}]},
        ],
    )
    @pytest.mark.parametrize("charged", [True, False])
    def test_once_all_has_left_or_is_cancelled_more_is_another_order(
        self, changes: dict[str, Any], charged: bool
    ) -> None:
        lines = {"1": LineStanding(ordered=3, cancelled=0 if charged else 3)}
        present = Present(an_order(("TEA", 3)), 1, lines, charged=charged, sent=True)
        done = edited(present, asked(**changes), NOBODY)
        assert [(each.reason, each.instead) for each in done.obstacles] == [("handed_over", ())]

    def test_an_order_paid_elsewhere_keeps_its_amounts_and_may_get_another_address(self) -> None:
        order = an_order(("TEA", 3), payment=ELSEWHERE)
        with pytest.raises(Refused) as no:
            edit(order, lines=[{"line_id": "1", "quantity": 1}]).check()
        assert no.value.reason == "paid_elsewhere"
        edit(order, requested_delivery_date="2026-12-24").check()

    def test_a_tax_without_a_rate_is_not_guessed(self) -> None:
        order = an_order(("TEA", 3))
        line = order.lines[0].model_copy(update={"tax": Decimal("2.00")})
        order = order.model_copy(update={"lines": (line,)})
        for changes in ({"lines": [{"line_id": "1", "quantity": 4}]}, {"discount": "1.00"}):
            with pytest.raises(Refused) as no:
                edit(order, **changes).check()
            assert no.value.reason == "tax_rate_unknown"

    def test_a_line_that_is_not_there_is_named(self) -> None:
        with pytest.raises(InvalidInput, match=r"there is no line 7; the order has 1"):
            edit(an_order(("TEA", 3)), lines=[{"line_id": "7", "quantity": 1}])

    def test_a_discount_above_the_line_is_refused_by_the_rules_of_a_new_order(self) -> None:
        with pytest.raises(InvalidInput, match="is more than the line is worth"):
            edit(an_order(("TEA", 1)), lines=[{"line_id": "1", "discount": "10.01"}])


class TestPerson:
    def test_a_change_of_the_person_is_named_and_not_told(self) -> None:
        order = an_order(("TEA", 3))
        address = order.shipping.address
        assert address is not None
        person = PersonChange(
            address=address.model_copy(update={"line1": "9 Secret Street"}), note="ring twice"
        )
        done = edited(as_it_is(order), asked(personal=True, request_id="r1"), person)
        assert [str(change) for change in done.changes] == ["address", "note"]
        assert done.order.shipping.address == person.address
        assert done.order.note == "ring twice"
        assert not done.is_money

    @pytest.mark.parametrize(
        ("said", "charged", "reason"),
        [
            ({}, False, "other_country"),
            ({"lines": [{"line_id": "1", "tax_rate": "10"}]}, False, None),
            ({"lines": [{"line_id": "1", "tax_rate": "10"}]}, True, "charged"),
        ],
    )
    def test_another_country_wants_each_tax_said_while_nothing_is_charged(
        self, said: dict[str, Any], charged: bool, reason: str | None
    ) -> None:
        order = an_order(("TEA", 3), shipping=shipping("0.00"))
        assert order.shipping.address is not None
        abroad = order.shipping.address.model_copy(update={"country": "JP"})
        request = asked(personal=True, request_id="r1", **said)
        done = edited(as_it_is(order, charged=charged), request, PersonChange(address=abroad))
        assert next((each.reason for each in done.obstacles), None) == reason
        if reason is None:
            assert str(tax_of(done.order)) == "3.00 USD"

    def test_a_note_can_be_taken_away(self) -> None:
        done = edit(an_order(("TEA", 1), note="by the door"), forget=["note"])
        assert done.order.note is None
        assert [change.what for change in done.changes] == ["note"]


class TestRequests:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"lines": [{"line_id": "1"}]},
            {"lines": [{"line_id": "1", "quantity": -1}]},
            {"lines": [{"line_id": "1", "quantity": 1}, {"line_id": "1", "quantity": 2}]},
            {"shipping": {}},
            {"personal": True},
            {"address": {"name": "Kim"}},
            {"version": 0, "forget": ["note"]},
        ],
    )
    def test_a_request_that_says_nothing_or_too_much_is_refused(
        self, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(ValidationError):
            asked(**changes)

    def test_what_is_about_a_person_goes_apart_from_the_request(self) -> None:
        whole = OrderEdit.model_validate(
            {
                "reason": "moved",
                "request_id": "r1",
                "version": 2,
                "note": "ring twice",
                "shipping": {"service": "express"},
            }
        )
        assert whole.person == PersonChange(note="ring twice")
        assert "ring" not in whole.as_met.model_dump_json()
        assert (whole.as_met.personal, whole.as_met.version) == (True, 2)
        assert whole.as_met.shipping is not None
