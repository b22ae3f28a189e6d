"""What waits for a person: one list of all kinds. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple

from store.database import Connection, load_queries
from store.views.reads import Row

_sql = load_queries(__file__)

Kind = Literal[
    "order",
    "payment",
    "refund",
    "charge",
    "claim",
    "carrier_claim",
    "hold",
    "dispute",
    "difference",
    "provider_event",
    "approval",
    "purchase_order",
    "purchase_answer",
    "purchase_document",
    "shop_message",
    "carrier_message",
    "edi",
    "parcel",
    "message",
    "mail_server",
    "subscription",
    "shop",
    "shop_parcel",
    "shop_levels",
]


class AttentionTask(Row):
    """Something that a person has to decide, to do, or to look up.

    `subject`: the order or purchase order that it is about; empty where none is known. `name`: what
    it is called there: a step, a payment's key, a difference's number. `allowed`: the answers that
    a step takes. `due`: by when. `amount_minor`, in `currency`: the money at stake; None: none is.
    `location`: where goods lie or are to come; None: it is of no location. `assigned_to`: whose it
    is, a login. `snoozed_until`: nobody has to look at it before then.
    """

    kind: Kind
    subject: str
    name: str
    reason: str
    allowed: tuple[str, ...]
    since: datetime
    due: datetime | None
    amount_minor: int | None
    currency: str | None
    location: str | None = None
    assigned_to: str | None = None
    snoozed_until: datetime | None = None
    snoozed_note: str | None = None


class Whose(NamedTuple):
    """Tasks of a person, of others than that person, or of nobody. `login`: "" for nobody."""

    how: Literal["to", "others", "nobody"]
    login: str = ""


class For(NamedTuple):
    """Tasks of these kinds, and all that are this person's."""

    kinds: frozenset[Kind]
    login: str


class Place(NamedTuple):
    """Where a task stands in the list. `is_free`: no money is at stake."""

    is_free: bool
    since: datetime
    subject: str
    name: str
    kind: str

    @classmethod
    def of(cls, task: AttentionTask) -> Place:
        """That of a task."""
        return cls(task.amount_minor is None, task.since, task.subject, task.name, task.kind)


async def tasks(
    conn: Connection,
    *,
    seller: str | None = None,
    locations: Collection[str] | None = None,
    whose: Whose | None = None,
    reader: For | None = None,
    snoozed: bool | None = False,
    named: tuple[str, str, str] | None = None,
    after: Place | None = None,
    at_most: int = 100,
) -> list[AttentionTask]:
    """What waits for a person, of one seller or of all: money first, then by age.

    `locations`: without those of other locations. `reader`: what they can do.
    `snoozed`: those alone that nobody has to look at yet; False: the others; None: all. `named`:
    the one of this kind, subject and name. `after`: behind the one with this place.
    """
    is_free, since, subject, name, kind = after or (None,) * 5
    its_kind, its_subject, its_name = named or (None,) * 3
    rows = _sql.tasks(
        conn,
        seller=seller,
        locations=None if locations is None else sorted(locations),
        assigned=whose and whose.how,
        assigned_to=whose and whose.login,
        kinds=reader and sorted(reader.kinds),
        reader=reader and reader.login,
        snoozed=snoozed,
        its_kind=its_kind,
        its_subject=its_subject,
        its_name=its_name,
        after_free=is_free,
        after_since=since,
        after_subject=subject,
        after_name=name,
        after_kind=kind,
        at_most=at_most,
    )
    return [AttentionTask(**row) async for row in rows]
