"""Intake: an order is written down before anything else happens to it.

From here on it is safe, whatever becomes of the program that brought it, and of Temporal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from domain.money import Money
from domain.orders.amounts import value_lines
from domain.orders.channels import unknown
from domain.orders.handling import carried
from domain.orders.order import Order
from domain.orders.placed import moment_of
from domain.orders.policy import Policy
from domain.orders.providers import ELSEWHERE
from domain.orders.starts import OrderStart
from domain.orders.voucher_codes import without_codes
from store.database import Connection, Record, load_queries
from store.orders import hold_rules
from store.orders.channels import Known
from store.orders.hold_rules import Rules

_sql = load_queries(__file__)

LEASE: Final = timedelta(seconds=30)
"""A relay that has not started an order by then has died: another one may try."""

AGAIN_AFTER: Final = timedelta(hours=1)
"""An order that Temporal has taken and that has not begun by then is started again."""


@dataclass(frozen=True)
class Received:
    """An order that a channel brings, the policy that it will go by, and who sells.

    `bulk`: one of many, whose work lets that of others pass. `revision`: of the channel by which it
    was judged, which must not have changed; None where nobody has judged it. `as_sent`: what the
    channel sent, which a repeat is compared with, where something was added to it. `keeps_codes`:
    it has digests in place of codes already, as we have made it.
    """

    order: Order
    policy: Policy = field(default_factory=Policy)
    bulk: bool = False
    seller: str = "main"
    revision: UUID | None = None
    as_sent: Order | None = None
    keeps_codes: bool = False


def judged(
    known: Mapping[str, Known],
    usual: Policy,
    order: Order,
    *,
    differing: Policy | None = None,
    bulk: bool = False,
    as_sent: Order | None = None,
) -> Received:
    """The order as its channel takes it. Raises InvalidInput where that one does not.

    `usual`: the policy where neither channel nor order says otherwise. `known`: channels as they
    were read.
    """
    if order.channel not in known:
        raise unknown(order.channel, known)
    channel, revision = known[order.channel]
    channel.check(order)
    paid = order.payment.provider == ELSEWHERE
    policy = channel.policy_of(usual, differing, paid_elsewhere=paid)
    return Received(order, policy, bulk, channel.seller, revision, as_sent)


class ChannelChanged(Exception):
    """A channel is not what it was when its orders were judged, or a rule is not what was known.

    Nothing was written.
    """


async def take_in(
    conn: Connection, received: Sequence[Received], rules: Rules | None = None
) -> list[bool]:
    """Write orders down, in this sequence. False for an id that is on record, with any content.

    `rules`: those by which new ones are held, as they are known; None: by none. An order that comes
    twice in the sequence is on record when it comes again. Raises ChannelChanged.
    """
    first: dict[str, Received] = {}
    for one in received:
        first.setdefault(one.order.order_id, one)
    holding = rules is not None and rules.any
    async with conn.transaction() if holding else nullcontext():
        created = await _write(conn, list(first.values()), rules)
        if rules is not None and holding:
            new = [(x.order, x.seller) for name, x in first.items() if name in created]
            await hold_rules.hold_new(conn, rules, new)
    answers = []
    for one in received:
        answers.append(one.order.order_id in created)
        created.discard(one.order.order_id)
    return answers


def _as_kept(one: Received) -> dict[str, Any]:
    document = one.order.model_dump(mode="json")
    return document if one.keeps_codes else without_codes(document)


async def _write(conn: Connection, received: Sequence[Received], rules: Rules | None) -> set[str]:
    """Returns the ids of the orders that are new."""
    orders = [one.order for one in received]
    lines = [(order, line) for order in orders for line in order.lines]
    worth = {order.order_id: value_lines(order) for order in orders}
    how = {
        one.order.order_id: carried(
            one.order.shipping.service, over_the_counter=one.policy.over_the_counter
        )
        for one in received
    }
    wholes = [worth[order.order_id][line.line_id].whole for order, line in lines]
    rows = _sql.take_in(
        conn,
        order_ids=[order.order_id for order in orders],
        channels=[order.channel for order in orders],
        revisions=[one.revision for one in received],
        sellers=[one.seller for one in received],
        channel_order_ids=[order.channel_order_id for order in orders],
        digests=[(one.as_sent or one.order).digest for one in received],
        policies=[one.policy.model_dump(mode="json") for one in received],
        documents=[_as_kept(one) for one in received],
        customer_ids=[order.customer.id for order in orders],
        currencies=[order.currency for order in orders],
        totals=[order.total_minor for order in orders],
        placed=[moment_of(order.placed_at) for order in orders],
        bulk=[one.bulk for one in received],
        left_out=["; ".join(order.left_out) for order in orders],
        line_orders=[order.order_id for order, _ in lines],
        positions=[n for order in orders for n, _ in enumerate(order.lines, start=1)],
        line_ids=[line.line_id for _, line in lines],
        skus=[line.sku for _, line in lines],
        ordered=[line.quantity for _, line in lines],
        goods=[whole.goods for whole in wholes],
        tax=[whole.tax for whole in wholes],
        shipping=[whole.shipping for whole in wholes],
        shipping_tax=[whole.shipping_tax for whole in wholes],
        includes_tax=[order.prices_include_tax for order, _ in lines],
        carried=[how[order.order_id] for order, _ in lines],
        hold_rules=None if rules is None else rules.revision,
    )
    created = {row["order_id"] async for row in rows}
    if None in created:
        raise ChannelChanged
    return created


async def claim_to_start(conn: Connection, at_most: int) -> list[OrderStart]:
    """Orders that are due to be started, in the sequence of their intake; others leave them."""
    rows = _sql.claim_to_start(conn, at_most=at_most, lease=LEASE)
    return [start_of(row) async for row in rows]


def start_of(row: Record) -> OrderStart:
    """What it takes to start the workflow of the order in a row."""
    return OrderStart(
        order_id=row["order_id"],
        channel=row["channel"],
        channel_order_id=row["channel_order_id"],
        service=row["service"],
        lines=row["lines"],
        total=Money(minor=row["total_minor"], currency=row["currency"]),
        policy=Policy.model_validate(row["policy"]),
        bulk=row["bulk"],
    )


async def started(conn: Connection, order_ids: Sequence[str]) -> None:
    """Temporal has taken these. They are to be started until their first step begins them."""
    if order_ids:
        await _sql.started(conn, order_ids=list(order_ids), again_after=AGAIN_AFTER)


async def leave(conn: Connection, order_ids: Sequence[str]) -> None:
    """Temporal has not taken these: they are due as before, in their sequence."""
    if order_ids:
        await _sql.leave(conn, order_ids=list(order_ids))
