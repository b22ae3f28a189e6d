"""What must hold when a life on a real database is over: what its rows, and the audit, say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from store.database import Pool
from store.days import counting
from store.views import audit
from tests.simulation.checks import answers_faults, repeats_faults
from tests.simulation.driver import Broken
from tests.simulation.on_postgres.order_life import OrderLifeOnPostgres
from tests.support.books import faults_in

_DAYS_BACK: Final = 400
_DAYS: Final = 5
"""So many days are counted again: all of a short life, some of a long one."""


def check(lived: OrderLifeOnPostgres) -> None:
    """Raises Broken with everything that does not hold."""
    found = [
        *_ended(lived),
        *answers_faults(lived.life),
        *repeats_faults(lived),
        *lived.books(_books(lived.world.pool)),
    ]
    if found:
        raise Broken("; ".join(found))


def _ended(lived: OrderLifeOnPostgres) -> Iterator[str]:
    lived.world.look()
    life, state = lived.life, lived.world.state
    if life.failure:
        yield f"the workflow failed: {life.failure}"
        return
    outcome = life.result["outcome"]
    if state.decision != outcome:
        yield f"the workflow ended {outcome}, and the order's row says {state.decision!r}"
    if life.left_open:
        yield f"left open: {life.left_open}"
    if state.attention:
        yield f"still needs attention: {sorted(state.attention)}"
    if state.held:
        yield "is still held"
    if state.returns:
        yield f"nobody waited for {sorted(state.returns)}"


async def _books(pool: Pool) -> list[str]:
    """The audit of the whole database, and the books as tests read them."""
    async with pool.acquire() as conn:
        found = await audit.look(conn)
        days = await counting.wrong(conn, "main", "", back=_DAYS_BACK, at_most=_DAYS)
    wrong = [
        f"audit: {each.rule}: {each.subject}: {each.message}"
        for each in (*found.violations, *found.suspects)
    ]
    wrong += [f"figures: {day}: {kept}, and now {now}" for day, kept, now in days]
    wrong += [f"under way still: {each.payment_key} is {each.state}" for each in found.under_way]
    wrong += [f"unfinished: {order_id}" for order_id in sorted(found.unfinished)]
    return wrong + [f"books: {each}" for each in await faults_in(pool)]
