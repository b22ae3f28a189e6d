"""What a cancellation would do is what it then does, to the unit and to the cent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.orders.order import Order
from domain.orders.quantities import LineQuantities
from domain.stock.cancelling import choose, money_without, smaller, without
from domain.stock.taking_away import Part
from tests.support.rows import Rows
from tests.support.strategies import orders


def part(state: str, **claimed: int) -> Part:
    units = {line_id.removeprefix("l"): n for line_id, n in claimed.items()}
    fields = {"state": state, "handling": "shipped", "location": "main", "claimed": units}
    return Part.model_validate(fields)


@given(order=orders(lines_max=3, quantity_max=4), data=st.data())
def test_the_preview_owes_what_cancelling_unit_by_unit_owes(
    order: Order, data: st.DataObject
) -> None:
    rows = Rows(order)
    some = st.fixed_dictionaries({k: st.integers(0, line.open) for k, line in rows.lines.items()})
    if gone := {k: n for k, n in data.draw(some, label="shipped").items() if n}:
        parcel = rows.reserve(gone)
        if data.draw(st.booleans(), label="charged ahead"):
            rows.charges.charge_all()
        rows.shipped(parcel)
    elif data.draw(st.booleans(), label="charged ahead"):
        rows.charges.charge_all()
    rest = st.fixed_dictionaries({k: st.integers(0, line.open) for k, line in rows.lines.items()})
    units = {k: n for k, n in data.draw(rest, label="cancelled").items() if n}
    left = rows.charges.left_to_charge
    foreseen, less = money_without(rows.charges, units)
    owed = 0
    for line_id, count in units.items():
        for _ in range(count):
            owed += rows.cancelled({line_id: 1}, allocated=False).worth.total
    assert foreseen.worth.total == owed
    assert less == left - rows.charges.left_to_charge


@given(data=st.data())
def test_units_are_taken_from_wherever_they_are_and_each_is_counted_once(
    data: st.DataObject,
) -> None:
    draw = data.draw
    counts = {name: draw(st.integers(0, 3)) for name in ("backordered", "allocated", "shipped")}
    extra = draw(st.integers(0, 3))
    line = LineQuantities(ordered=max(1, sum(counts.values()) + extra), **counts)
    wanted = draw(st.integers(1, line.ordered))
    first = draw(st.integers(0, line.allocated))
    parts = {"o:1": part("packed", l1=first), "o:2": part("picking", l1=line.allocated - first)}
    chosen = choose({"1": wanted}, {"1": line}, {}, parts)
    gone = chosen.units.get("1", 0)
    assert gone + sum(each.quantity for each in chosen.refused) == wanted
    assert gone == min(wanted, line.ordered - line.shipped)
    waits = line.open + line.backordered
    assert sum(n["1"] for n in chosen.parts.values()) == max(0, gone - waits)
    if chosen.parts.get("o:1"):  # the one that is packed gives last
        assert chosen.parts.get("o:2", {}).get("1", 0) == line.allocated - first
    after = without({"1": line}, chosen.units)["1"]
    assert after.cancelled == line.cancelled + gone
    assert after.shipped == line.shipped


def test_who_must_agree_is_told() -> None:
    lines = {k: LineQuantities(ordered=2, backordered=2) for k in "12"}
    chosen = choose({"1": 1, "2": 2}, lines, {"1": "drop_ship"}, {})
    assert chosen.units == {"1": 1, "2": 2}
    assert chosen.asked_first == {"1": 1}


def test_what_has_left_is_refused_with_its_rule() -> None:
    lines = {k: LineQuantities(ordered=3, shipped=1, cancelled=1) for k in "12"}
    chosen = choose({"1": 3, "2": 3}, lines, {"2": "digital"}, {})
    assert [(x.line_id, x.reason, x.quantity) for x in chosen.refused] == [
        ("1", "handed_over", 1),
        ("1", "already_cancelled", 1),
        ("2", "digital_delivered", 1),
        ("2", "already_cancelled", 1),
    ]


def test_a_box_is_opened_only_where_it_was_closed() -> None:
    for state, units, how in (
        ("picking", 1, "smaller"),
        ("packed", 1, "opened"),
        ("labelled", 1, "opened"),
        ("labelled", 2, "stops"),
    ):
        assert smaller("o:1", part(state, l1=2), {"1": units}).how == how
    busy = part("packed", l1=2).model_copy(update={"label": "requested"})
    assert smaller("o:1", busy, {"1": 1}).how == "restarts"
