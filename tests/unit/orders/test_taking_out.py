"""What can be taken out of a fulfilment in place."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from domain.fulfilment.fulfilments import RECALLABLE
from domain.fulfilment.taking_out import possible
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import DROP_SHIP, BuiltIn, Handling

UNITS = st.dictionaries(st.sampled_from("123"), st.integers(0, 4))
STATES = st.sampled_from(get_args(FulfilmentState))
HANDLINGS = st.sampled_from((*get_args(BuiltIn), "x:engraving"))
LABELS = st.sampled_from((None, "requested", "bought", "refused", "voided"))


@given(STATES, HANDLINGS, LABELS, UNITS, UNITS)
def test_what_is_taken_out_was_wanted_and_claimed_and_never_all(
    state: FulfilmentState,
    handling: Handling,
    label: str | None,
    claimed: dict[str, int],
    wanted: dict[str, int],
) -> None:
    answer, units = possible(state, handling, label, claimed, wanted)
    both = {k: min(n, claimed[k]) for k, n in wanted.items() if min(n, claimed.get(k, 0))}
    assert units == (both if answer == "take" else {})
    gone = state not in RECALLABLE or handling == DROP_SHIP or not both
    assert (answer == "gone") == gone
    if answer == "take":
        assert sum(units.values()) < sum(claimed.values())


def test_a_parcel_whose_label_is_being_bought_is_stopped_as_a_whole() -> None:
    claimed, wanted = {"1": 2}, {"1": 1}
    assert possible("packed", "shipped", "requested", claimed, wanted).answer == "recall"
    assert possible("packed", "shipped", None, claimed, wanted).answer == "take"
    assert possible("labelled", "shipped", "bought", claimed, wanted).answer == "take"
    assert possible("labelled", "digital", "bought", claimed, wanted).answer == "recall"
    assert possible("labelled", "x:engraving", "bought", claimed, wanted).answer == "recall"
    assert possible("picking", "digital", None, claimed, wanted).answer == "take"
