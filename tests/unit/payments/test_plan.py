"""The payment plan, for whatever an order needs and whatever stands at the companies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from activities.provider_errors import DeclineCode
from domain.payments.cover import ENDED, REST, SHARED, Need, Standing, When, lacking
from domain.payments.plan import Make, Payer, Plan, plan

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPARE = 12 * HOUR
PARTS = ("web-1:1", "web-1:2", "web-1:10", REST)


@dataclass(frozen=True)
class State:
    """All that a plan is made from. `lives`: how long each payer's authorizations live."""

    needs: tuple[Need, ...]
    payers: tuple[Payer, ...]
    standing: tuple[Standing, ...]
    when: When
    wanted: frozenset[str] | None
    lives: tuple[timedelta | None, ...]

    @property
    def plan(self) -> Plan:
        return plan(self.needs, self.payers, self.standing, self.when, self.wanted)

    @property
    def want(self) -> set[str]:
        """The parts that are asked for and are there."""
        live = {need.part for need in self.needs}
        return live if self.wanted is None else live & self.wanted

    @property
    def singly(self) -> bool:
        """The last payer's company charges once."""
        return self.payers[-1].once


def carried_out(state: State) -> State:
    """The state after the companies have done all that the plan says."""
    done = state.plan
    standing = [replace(s, part=done.bind.get(s.key, s.part)) for s in state.standing]
    for number, make in enumerate(done.make):
        life = state.lives[make.payer - 1]
        ends = None if life is None else NOW + life
        made = Standing(f"new {number}", make.payer, make.part, make.amount, NOW, ends)
        standing.append(made)
    over = {*done.void, *done.close}
    # What is replaced is released once others stand in its place.
    kept = tuple(replace(s, room=0) if s.key in over else s for s in standing)
    return replace(state, standing=kept)


lives = st.sampled_from([None, HOUR, 2 * DAY, 7 * DAY, 30 * DAY])
amounts = st.integers(0, 50)


@st.composite
def needed(draw: st.DrawFn) -> tuple[Need, ...]:
    parts = draw(st.lists(st.sampled_from(PARTS), unique=True, max_size=4))
    found = []
    for part in parts:
        amount = draw(amounts)
        most = amount + (draw(st.integers(0, 1)) if amount and len(parts) > 1 else 0)
        found.append(Need(part, amount, most, leaving=part != REST and draw(st.booleans())))
    return tuple(found)


@st.composite
def who_pays(draw: st.DrawFn) -> tuple[Payer, ...]:
    first = draw(st.lists(st.tuples(st.booleans(), amounts, st.booleans()), max_size=2))
    payers = [
        Payer(number, once=once, limit=limit, refused=refused)
        for number, (once, limit, refused) in enumerate(first, start=1)
    ]
    least = draw(st.sampled_from([1, 1, 20]))
    return (*payers, Payer(len(payers) + 1, once=draw(st.booleans()), least=least))


@st.composite
def at_the_companies(draw: st.DrawFn, payers: tuple[Payer, ...]) -> tuple[Standing, ...]:
    made = []
    for number in range(draw(st.integers(0, 5))):
        payer = draw(st.sampled_from(payers))
        part = draw(st.sampled_from([*PARTS, "web-1:3"])) if payer.once else SHARED
        when = NOW - draw(st.sampled_from([HOUR, DAY, 5 * DAY, 20 * DAY]))
        life = draw(lives)
        charged = draw(st.sampled_from([0, 0, 5]))
        made.append(
            Standing(
                *(f"web-1:authorize:{number}", payer.number, part, draw(amounts), when),
                ends=None if life is None else when + life,
                charged=charged,
                charging=bool(charged) and draw(st.booleans()),
            )
        )
    return tuple(made)


@st.composite
def states(draw: st.DrawFn, *, new: bool = False) -> State:
    payers = draw(who_pays())
    needs = draw(needed())
    parts = st.frozensets(st.sampled_from(PARTS), min_size=1)
    until = NOW + draw(st.sampled_from([0 * HOUR, HOUR, 2 * DAY, 10 * DAY]))
    return State(
        needs=needs,
        payers=payers,
        standing=() if new else draw(at_the_companies(payers)),
        when=When(now=NOW, until=until, spare=SPARE),
        wanted=None if new else draw(st.none() | parts),
        lives=tuple(draw(lives) for _ in payers),
    )


@given(states())
def test_a_plan_that_was_carried_out_leaves_an_empty_one(state: State) -> None:
    event(f"{len(state.plan.make)} to make, {len(state.plan.void)} to release")
    once = carried_out(state)
    # What is replaced by what was just made is released then, as soon as it stands.
    assert not once.plan.make
    assert not once.plan.bind
    twice = carried_out(once)
    assert not twice.plan, "nothing is left to do"
    assert twice.plan.holds


@given(states())
def test_it_makes_no_difference_whether_it_is_carried_out_at_once_or_one_by_one(
    state: State,
) -> None:
    whole = Counter({(x.payer, x.part): x.amount for x in state.plan.make})
    done: Counter[tuple[int, str]] = Counter()
    while state.plan.make:
        make = state.plan.make[0]
        done[make.payer, make.part] += make.amount
        life = state.lives[make.payer - 1]
        ends = None if life is None else NOW + life
        new = Standing(f"new {len(done)}", make.payer, make.part, make.amount, NOW, ends)
        bound = tuple(replace(s, part=state.plan.bind.get(s.key, s.part)) for s in state.standing)
        state = replace(state, standing=(*bound, new))
    assert done == whole


@given(states())
def test_a_wanted_part_is_covered_or_the_plan_names_what_it_lacks(state: State) -> None:
    done = state.plan
    lasting = [s for s in state.standing if state.when.lasts(s)]
    for need in state.needs:
        own = sum(s.usable for s in lasting if s.part == need.part)
        shared = sum(s.usable for s in lasting if s.part == SHARED)
        if need.part in state.want and own + shared < need.amount:
            assert done.lacking[need.part] >= need.amount - own - shared
    of_wanted = {part: amount for part, amount in done.lacking.items() if part in state.want}
    assert done.holds is (not of_wanted)
    main = state.payers[-1].number
    assert lacking(state.needs, main, state.standing, state.when, state.want) == of_wanted
    after = carried_out(state)
    lasts = [s for s in after.standing if s.key.startswith("new") or state.when.lasts(s)]
    together = sum(s.usable for s in lasts if s.part in (SHARED, *state.want))
    wanted = sum(need.amount for need in state.needs if need.part in state.want)
    assert together >= wanted


@given(states())
def test_nothing_is_authorized_beyond_what_is_needed_and_rounding(state: State) -> None:
    done = state.plan
    total = sum(make.amount for make in done.make)
    assert all(make.amount > 0 for make in done.make)
    most = {need.part: max(need.amount, need.most) for need in state.needs}
    assert total <= sum(most.values())
    if done.holds:
        assert not done.make, "what holds is left as it is"
    leaving = {need.part for need in state.needs if need.leaving}
    for make in done.make:
        assert make.part in {SHARED, *state.want, *leaving}
        assert make.part == SHARED or make.amount <= most[make.part]
        payer = state.payers[make.payer - 1]
        assert payer.once or make.part == SHARED
        assert not payer.once or make.part != SHARED or payer.least > 1


@given(states(new=True))
def test_a_new_order_is_authorized_to_the_minor_unit(state: State) -> None:
    done = state.plan
    total = sum(make.amount for make in done.make)
    needed_ = sum(need.amount for need in state.needs)
    singly = {make.part for make in done.make if make.payer == state.payers[-1].number}
    rounding = sum(need.most - need.amount for need in state.needs if need.part in singly)
    assert total == needed_ + (rounding if state.singly else 0)
    for payer in state.payers[:-1]:
        paid = sum(make.amount for make in done.make if make.payer == payer.number)
        assert payer.limit is not None
        assert paid <= (0 if payer.refused else payer.limit)


@given(states())
def test_a_limit_holds_whatever_ended_and_was_made_again(state: State) -> None:
    before = {
        payer.number: sum(s.charged + s.room for s in state.standing if s.payer == payer.number)
        for payer in state.payers[:-1]
    }
    assume(all(before[p.number] <= (p.limit or 0) for p in state.payers[:-1]))
    after = carried_out(carried_out(state))
    for payer in state.payers[:-1]:
        stands = sum(
            s.charged + s.room
            for s in after.standing
            if s.payer == payer.number and (s.key.startswith("new") or state.when.lasts(s))
        )
        assert stands <= (payer.limit or 0)


@given(states(), st.randoms(use_true_random=False))
def test_the_sequence_of_parts_and_of_rows_changes_nothing(state: State, random: Random) -> None:
    other = replace(
        state,
        needs=tuple(random.sample(state.needs, len(state.needs))),
        standing=tuple(random.sample(state.standing, len(state.standing))),
    )
    assert other.plan == state.plan


@given(states())
def test_what_is_being_charged_is_never_released_at_the_company(state: State) -> None:
    done = state.plan
    charging = {s.key for s in state.standing if s.charging}
    assert not charging & set(done.void)
    assert set(done.close) <= charging


@given(states())
def test_what_lasts_is_never_released_and_what_ends_only_when_others_stand(state: State) -> None:
    done = state.plan
    over = {s.key: s for s in state.standing if s.key in {*done.void, *done.close}}
    assert not any(state.when.lasts(s) for s in over.values())
    left = [s for s in state.standing if s.key not in over]
    main = state.payers[-1].number
    every = {need.part for need in state.needs}
    now = replace(state.when, until=NOW, spare=timedelta(0))  # what can be charged today
    if done.holds:
        before = lacking(state.needs, main, state.standing, now, state.want)
        assert lacking(state.needs, main, left, now, state.want) == before
    assert every >= set(done.lacking)


@given(states())
def test_a_payer_who_refused_is_not_asked_again(state: State) -> None:
    refused = {payer.number for payer in state.payers if payer.refused}
    assert not refused & {make.payer for make in state.plan.make}


# By example ---------------------------------------------------------------------------------------

CARD, ONCE = Payer(1), Payer(1, once=True)
TODAY = When(now=NOW, until=NOW)


def stands(
    key: str,
    part: str,
    room: int,
    *,
    age: timedelta = HOUR,
    life: timedelta | None = None,
    payer: int = 1,
) -> Standing:
    made = NOW - age
    return Standing(key, payer, part, room, made, None if life is None else made + life)


def test_an_order_that_costs_nothing_needs_nothing() -> None:
    assert not plan([], [CARD], [], TODAY)
    done = plan([Need("web-1:1", 0)], [CARD], [], TODAY)
    assert not done
    assert done.holds


def test_all_parts_share_one_authorization_where_it_can_be_charged_several_times() -> None:
    needs = [Need("web-1:1", 33, 34), Need(REST, 67, 67)]
    assert plan(needs, [CARD], [], TODAY).make == (Make(1, SHARED, 100),)


def test_each_part_has_its_own_and_rounding_where_it_can_be_charged_once() -> None:
    needs = [Need("web-1:1", 33, 34), Need(REST, 67, 67)]
    done = plan(needs, [ONCE], [], TODAY)
    assert done.make == (Make(1, REST, 67), Make(1, "web-1:1", 34))


def test_the_first_pays_up_to_its_limit_and_the_last_what_is_left() -> None:
    credit, card = Payer(1, limit=40), Payer(2, once=True)
    needs = [Need("web-1:2", 67, 67), Need("web-1:1", 33, 34)]
    done = plan(needs, [credit, card], [], TODAY)
    assert done.make == (Make(1, SHARED, 40), Make(2, "web-1:2", 60))
    none = plan(needs, [replace(credit, refused=True), card], [], TODAY)
    assert none.make == (Make(2, "web-1:1", 34), Make(2, "web-1:2", 67))


def test_what_ends_is_renewed_for_all_that_still_need_it_and_then_released() -> None:
    needs = [Need("web-1:1", 33), Need("web-1:2", 30)]
    old = stands("old", SHARED, 100, age=6 * DAY, life=7 * DAY)
    late = When(now=NOW, until=NOW + 2 * DAY, spare=SPARE)
    done = plan(needs, [CARD], [old], late, wanted={"web-1:1"})
    assert (done.make, done.void, done.lacking) == (
        (Make(1, SHARED, 63),),
        (),
        {"web-1:1": 33, "web-1:2": 30},
    )
    new = stands("new", SHARED, 63, age=HOUR, life=7 * DAY)
    done = plan(needs, [CARD], [old, new], late, wanted={"web-1:1"})
    assert (done.make, done.void, done.holds) == ((), ("old",), True)


def test_what_another_part_needs_that_is_about_to_leave_is_not_taken_from_it() -> None:
    needs = [Need("web-1:1", 40, leaving=True), Need("web-1:2", 60)]
    left = stands("left", SHARED, 60)
    assert plan(needs, [CARD], [left], TODAY, wanted={"web-1:2"}).make == (Make(1, SHARED, 40),)
    calm = [replace(need, leaving=False) for need in needs]
    assert not plan(calm, [CARD], [left], TODAY, wanted={"web-1:2"}).make


def test_a_part_takes_over_what_stands_for_one_that_was_stopped() -> None:
    needs = [Need("web-1:3", 30)]
    both = [stands("small", "web-1:1", 30), stands("large", "web-1:2", 60)]
    done = plan(needs, [ONCE], both, TODAY, wanted={"web-1:3"})
    assert (dict(done.bind), done.make) == ({"small": "web-1:3"}, ())
    needs = [Need("web-1:3", 90)]
    done = plan(needs, [ONCE], both, TODAY, wanted={"web-1:3"})
    assert (dict(done.bind), done.make) == ({"small": "web-1:3", "large": "web-1:3"}, ())


def test_what_has_come_of_the_rest_takes_over_what_stands_for_it() -> None:
    needs = [Need("web-1:3", 30), Need(REST, 20)]
    rest = stands("rest", REST, 50)
    done = plan(needs, [ONCE], [rest], TODAY, wanted={"web-1:3"})
    assert (dict(done.bind), done.make) == ({"rest": "web-1:3"}, ())
    assert not plan(needs, [ONCE], [rest], TODAY).bind, "not where the rest wants it, too"


@pytest.mark.parametrize(
    ("life", "age", "lasts"),
    [
        (None, 99 * DAY, True),
        (7 * DAY, 4 * DAY, True),  # until the hand-over's limit
        (7 * DAY, 5 * DAY, False),
        (2 * DAY, DAY, True),  # another one would not last until then either
        (2 * DAY, 36 * HOUR + HOUR, False),  # its end is near
        (DAY, 17 * HOUR, True),
        (DAY, 19 * HOUR, False),  # in the last quarter of a short life
    ],
)
def test_an_authorization_is_renewed_as_late_as_is_safe(
    life: timedelta | None, age: timedelta, lasts: bool
) -> None:
    handed_over = When(now=NOW, until=NOW + 2 * DAY, spare=SPARE)
    assert handed_over.lasts(stands("it", SHARED, 1, age=age, life=life)) is lasts


@given(
    st.timedeltas(HOUR, 60 * DAY), st.timedeltas(0 * HOUR, 30 * DAY), st.timedeltas(HOUR, 5 * DAY)
)
def test_a_new_authorization_is_not_found_too_short_a_moment_later(
    life: timedelta, asked: timedelta, spare: timedelta
) -> None:
    new = Standing("new", 1, SHARED, 1, NOW, NOW + life)
    for passed in (timedelta(0), min(spare, life / 4) * 0.99):
        later = NOW + passed
        assert When(now=later, until=later + asked, spare=spare).lasts(new)


def test_a_company_says_with_these_codes_that_an_authorization_has_ended() -> None:
    assert set(ENDED) == {DeclineCode.EXPIRED, DeclineCode.ALREADY_VOIDED}


# A company's least amount -------------------------------------------------------------------------

SMALL = Payer(1, once=True, least=50)


def test_where_a_part_is_less_than_the_least_amount_one_authorization_is_for_all_parts() -> None:
    needs = [Need("web-1:1", 9_70, 9_70), Need(REST, 30, 30)]
    assert plan(needs, [SMALL], [], TODAY).make == (Make(1, SHARED, 10_00),)
    enough = [Need("web-1:1", 9_70, 9_70), Need(REST, 50, 50)]
    assert plan(enough, [SMALL], [], TODAY).make == (Make(1, REST, 50), Make(1, "web-1:1", 9_70))


def test_what_was_made_for_all_parts_is_renewed_for_all_parts() -> None:
    needs = [Need("web-1:1", 9_70, 9_70), Need(REST, 30, 30)]
    old = stands("a", SHARED, 10_00, age=timedelta(days=7), life=timedelta(days=7, hours=1))
    until = When(now=NOW, until=NOW + timedelta(days=1))
    assert plan(needs, [SMALL], [old], until, {"web-1:1"}).make == (Make(1, SHARED, 10_00),)


def test_beside_what_was_made_for_a_part_alone_none_is_made_for_all() -> None:
    needs = [Need("web-1:1", 9_70, 9_70), Need("web-1:2", 30, 30)]
    own = stands("a", "web-1:1", 9_70)
    assert plan(needs, [SMALL], [own], TODAY).make == (Make(1, "web-1:2", 30),)
