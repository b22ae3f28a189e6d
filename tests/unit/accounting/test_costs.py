"""Moving average cost: whatever comes and goes, nothing is gained or lost."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounting.accounts import Account
from domain.accounting.costs import COST_MAX, Holding, change_of, postings
from domain.errors import InvalidInput
from domain.money import Money

CURRENCIES = ("EUR", "JPY", "KWD")


def after(held: Holding, units: int, change: dict[str, int]) -> Holding:
    costs = Counter(held.costs)
    costs.update(change)
    return Holding(quantity=held.quantity + units, costs={k: v for k, v in costs.items() if v})


def test_units_that_go_have_cost_their_share_and_the_last_what_is_left() -> None:
    held, gone = Holding(quantity=3, costs={"EUR": 1000}), []
    while held.quantity:
        change = change_of(held, -1)
        gone.append(change["EUR"])
        held = after(held, -1, change)
    assert gone == [-333, -333, -334]
    assert held == Holding()


def test_each_currency_is_averaged_by_itself() -> None:
    held = Holding(quantity=4, costs={"EUR": 1000, "JPY": 9})
    assert change_of(held, -2) == {"EUR": -500, "JPY": -4}


def test_what_was_paid_is_taken_in_as_it_was_paid() -> None:
    held = Holding(quantity=2, costs={"EUR": 10})
    assert change_of(held, 3, paid=Money(minor=21, currency="JPY")) == {"JPY": 21}
    assert change_of(held, 3, paid=Money(minor=0, currency="JPY")) == {}


def test_what_nobody_knows_the_price_of_is_taken_in_at_what_the_others_have_cost() -> None:
    assert change_of(Holding(quantity=2, costs={"EUR": 11}), 3) == {"EUR": 16}
    assert change_of(Holding(), 3) == {}


def test_what_comes_back_has_cost_what_it_had_when_it_went() -> None:
    held = Holding(quantity=5, costs={"EUR": 5000})
    assert change_of(held, 2, sold=Holding(quantity=2, costs={"EUR": 7})) == {"EUR": 7}
    assert change_of(held, 1, sold=Holding(quantity=2, costs={"EUR": 7})) == {"EUR": 3}
    # More than went out that we know of: at what the others have cost.
    assert change_of(held, 3, sold=Holding(quantity=2, costs={"EUR": 7})) == {"EUR": 3000}


def test_a_price_that_nobody_pays_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"2 units for .* EUR cannot be meant"):
        change_of(Holding(), 2, paid=Money(minor=COST_MAX + 1, currency="EUR"))
    with pytest.raises(InvalidInput, match="cannot be meant"):
        change_of(Holding(quantity=1, costs={"EUR": COST_MAX}), 2)


@pytest.mark.parametrize(
    ("kind", "bought", "against"),
    [
        ("received", True, Account.PURCHASES),
        ("received", False, Account.OPENING),
        ("shipped", False, Account.COST_OF_GOODS_SOLD),
        ("returned", False, Account.COST_OF_GOODS_SOLD),
        ("written_off", False, Account.WRITE_OFFS),
        ("adjusted", False, Account.WRITE_OFFS),
        ("counted", False, Account.WRITE_OFFS),
    ],
)
def test_inventory_is_booked_against_where_the_goods_come_from_or_go(
    kind: str, bought: bool, against: Account
) -> None:
    changes = [{"EUR": 7}, {"EUR": 1, "JPY": 5}, {}]
    assert postings(changes, kind, bought=bought) == {
        "EUR": {Account.INVENTORY: 8, against: -8},
        "JPY": {Account.INVENTORY: 5, against: -5},
    }


@given(st.data())
def test_in_any_sequence_all_that_was_paid_is_held_or_was_booked_as_gone(
    data: st.DataObject,
) -> None:
    held = Holding()
    booked = Counter[tuple[Account, str]]()
    out: dict[str, Holding] = defaultdict(Holding)

    def book(kind: str, units: int, change: dict[str, int], *, bought: bool = False) -> None:
        nonlocal held
        held = after(held, units, change)
        for currency, accounts in postings([change], kind, bought=bought).items():
            booked.update({(account, currency): n for account, n in accounts.items()})

    for _ in range(data.draw(st.integers(1, 25))):
        units = data.draw(st.integers(1, 9))
        order = data.draw(st.sampled_from("ABC"))
        match data.draw(st.sampled_from(["buy", "find", "ship", "return", "lose"])):
            case "buy":
                price = data.draw(st.integers(0, 10**6))
                paid = Money(minor=price, currency=data.draw(st.sampled_from(CURRENCIES)))
                book("received", units, change_of(held, units, paid=paid), bought=True)
            case "find":
                book("counted", units, change_of(held, units))
            case "ship" if held.quantity:
                units = min(units, held.quantity)
                change = change_of(held, -units)
                out[order] = after(out[order], units, {k: -v for k, v in change.items()})
                book("shipped", -units, change)
            case "return" if out[order].quantity:
                units = min(units, out[order].quantity)
                change = change_of(held, units, sold=out[order])
                out[order] = after(out[order], -units, {k: -v for k, v in change.items()})
                book("returned", units, change)
            case "lose" if held.quantity:
                units = min(units, held.quantity)
                book("written_off", -units, change_of(held, -units))
        assert all(cost > 0 for cost in held.costs.values())
        assert held.quantity or not held.costs
    for currency in CURRENCIES:
        assert booked[Account.INVENTORY, currency] == held.costs.get(currency, 0)
        sold = sum(holding.costs.get(currency, 0) for holding in out.values())
        assert booked[Account.COST_OF_GOODS_SOLD, currency] == sold
        assert sum(amount for (_, code), amount in booked.items() if code == currency) == 0


@given(
    st.integers(1, 40),
    st.integers(0, 10**9),
    st.lists(st.integers(1, 9), max_size=20),
    st.integers(0, 10**9),
)
def test_an_order_that_comes_back_piece_by_piece_brings_back_all_that_it_had_cost(
    quantity: int, cost: int, pieces: list[int], other: int
) -> None:
    shelf = Holding(quantity=7, costs={"EUR": other} if other else {})
    out = Holding(quantity=quantity, costs={"EUR": cost} if cost else {})
    back = 0
    for piece in [*pieces, quantity]:
        units = min(piece, out.quantity)
        change = change_of(shelf, units, sold=out) if units else {}
        back += change.get("EUR", 0)
        out = after(out, -units, {k: -v for k, v in change.items()})
    assert (out, back) == (Holding(), cost)
