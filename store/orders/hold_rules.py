"""Rules that hold orders as they are taken in: data, and asked in the transaction of intake.

A rule that this version cannot read holds every order that it might have been about, for a person:
no order is lost by it, and none slips through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import NotFound
from domain.orders.hold_messages import TELLS_CUSTOMER
from domain.orders.hold_rules import Facts, HoldRule, ListEntries, digest_of, digests_of
from domain.orders.holding import WantedHold, unreadable, wanted_holds
from domain.orders.order import Order
from store import clock
from store.database import Connection, load_queries
from store.orders import events
from store.orders.events import Event

_sql = load_queries(__file__)


class Rules(NamedTuple):
    """The rules as they were read, and their revision together; `broken`: those that cannot be."""

    rules: tuple[HoldRule, ...] = ()
    broken: tuple[str, ...] = ()
    revision: str = ""

    @property
    def any(self) -> bool:
        """Whether an order may be held."""
        return bool(self.broken) or any(rule.active for rule in self.rules)


NO_RULES: Final = Rules()

CHECKED_WITHIN: Final = timedelta(minutes=5)
"""An address that nobody could check by then is for a person."""


class ShownRule(BaseModel):
    """A rule as it was set, and by whom; without one, it cannot be read by this version."""

    model_config = ConfigDict(frozen=True)

    rule: str
    set_as: HoldRule | None
    changed_at: datetime
    changed_by: str


class ShownList(BaseModel):
    """How many entries of a kind a list has. What they are is known as hashes alone."""

    model_config = ConfigDict(frozen=True)

    list: str
    kind: str
    entries: int
    changed_at: datetime


async def known(conn: Connection) -> Rules:
    """All rules, for one who remembers them and asks whether they have changed."""
    shown = []
    revision = ""
    async for row in _sql.known(conn):
        shown.append((row["rule"], _read(row["document"])))
        revision = row["revision"]
    return Rules(
        tuple(rule for _, rule in shown if rule is not None),
        tuple(name for name, rule in shown if rule is None),
        revision,
    )


async def find(conn: Connection) -> list[ShownRule]:
    """All rules, by their names."""
    return [
        ShownRule(
            rule=row["rule"],
            set_as=_read(row["document"]),
            changed_at=row["changed_at"],
            changed_by=row["changed_by"],
        )
        async for row in _sql.known(conn)
    ]


async def save(conn: Connection, rules: Sequence[HoldRule], *, who: str) -> None:
    """Set these rules, whether they are there or not; all of them, or none."""
    async with conn.transaction():
        for rule in rules:
            document = rule.model_dump(mode="json", exclude_defaults=True)
            await _sql.save(conn, rule=rule.rule, document=document, who=who)


async def remove(conn: Connection, rule: str) -> None:
    """Orders that come from now on are not held by it. Raises NotFound."""
    if await _sql.remove(conn, rule=rule) is None:
        raise NotFound(f"there is no rule {rule}; `orderloom holds rules` lists what is there")


async def list_add(conn: Connection, name: str, entries: ListEntries, *, who: str) -> int:
    """Put values on a list. Returns how many were not on it."""
    added: int = await _sql.list_add(
        conn, list=name, kind=entries.kind, digests=_digests(entries), who=who
    )
    return added


async def list_remove(conn: Connection, name: str, entries: ListEntries) -> int:
    """Take values off a list. Returns how many were on it."""
    gone: int = await _sql.list_remove(
        conn, list=name, kind=entries.kind, digests=_digests(entries)
    )
    return gone


async def lists(conn: Connection) -> list[ShownList]:
    """What lists there are."""
    return [ShownList(**row) async for row in _sql.lists(conn)]


async def hold_new(conn: Connection, rules: Rules, taken: Sequence[tuple[Order, str]]) -> None:
    """Hold orders that were taken in just now, each with its seller, as the rules say.

    In the transaction of intake.
    """
    facts = await _facts(conn, [order for order, _ in taken])
    now = clock.now()
    held: list[tuple[str, str, WantedHold]] = []
    for order, seller in taken:
        wanted = wanted_holds(rules.rules, order, seller, facts[order.order_id], now)
        wanted += [unreadable(name) for name in rules.broken]
        held += [(order.order_id, f"H{n}", one) for n, one in enumerate(wanted, start=1)]
    if not held:
        return
    await _sql.hold_all(
        conn,
        order_ids=[order_id for order_id, _, _ in held],
        hold_ids=[hold_id for _, hold_id, _ in held],
        rules=[one.rule for _, _, one in held],
        reasons=[one.reason for _, _, one in held],
        notes=[one.note for _, _, one in held],
        owners=[one.owner for _, _, one in held],
        untils=[one.until for _, _, one in held],
        at_ends=[one.at_end for _, _, one in held],
        checks=[now + CHECKED_WITHIN if one.is_to_check else None for _, _, one in held],
    )
    told = [
        Event(
            order_id,
            f"held by rule {one.rule}",
            f"held: {one.reason}",
            f"rule {one.rule}",
            one.note,
            {
                "hold_ids": [hold_id],
                "reason": one.reason,
                "owner": one.owner,
                TELLS_CUSTOMER: not one.is_to_check,
            },
        )
        for order_id, hold_id, one in held
    ]
    await events.tell_all(conn, told)


async def lists_of(conn: Connection, order: Order) -> frozenset[str]:
    """On which lists the order's customer or address is."""
    rows = _sql.listed(conn, digests=sorted(digests_of(order)))
    return frozenset([row["list"] async for row in rows])


async def _facts(conn: Connection, orders: Sequence[Order]) -> Mapping[str, Facts]:
    digests = {order.order_id: digests_of(order) for order in orders}
    every = sorted({digest for each in digests.values() for digest in each})
    listed: dict[bytes, set[str]] = {}
    async for row in _sql.listed(conn, digests=every):
        listed.setdefault(bytes(row["digest"]), set()).add(row["list"])
    return {
        row["order_id"]: Facts(
            earlier=tuple(row["earlier"]),
            lists=frozenset(
                name for digest in digests[row["order_id"]] for name in listed.get(digest, ())
            ),
        )
        async for row in _sql.earlier(conn, order_ids=list(digests))
    }


def _digests(entries: ListEntries) -> list[bytes]:
    return sorted({digest_of(entries.kind, value) for value in entries.values})


def _read(document: object) -> HoldRule | None:
    try:
        return HoldRule.model_validate(document)
    except ValidationError:
        return None
