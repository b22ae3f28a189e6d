"""How often a client looks for the decisions on the orders that it has placed."""

from __future__ import annotations

from starter.service.decisions import (
    LOOKING_SHARE_MAX,
    PAUSE_S_MAX,
    PAUSE_S_MIN,
    PAUSE_S_SLOW,
    pause_after,
)


def test_looks_become_rarer_while_nothing_is_decided_but_stay_far_below_a_customers_wait() -> None:
    pauses = [PAUSE_S_MIN]
    for _ in range(20):
        pauses.append(pause_after(pauses[-1], took=0.001, took_before=0.001))
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_S_MAX <= 0.05
    assert pause_after(PAUSE_S_MAX, found=True, took=0.001, took_before=0.001) <= PAUSE_S_MIN


def test_one_slow_look_makes_nobody_wait_and_the_second_makes_looks_rarer() -> None:
    assert pause_after(PAUSE_S_MIN, took=0.5, took_before=0.001) <= PAUSE_S_MAX
    assert pause_after(PAUSE_S_MIN, found=True, took=0.02, took_before=0.5) == (
        0.02 / LOOKING_SHARE_MAX
    )
    assert pause_after(PAUSE_S_MIN, took=9.0, took_before=9.0) == PAUSE_S_SLOW
