"""The list of what waits for a person, each with what to do about it. PostgreSQL alone is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from domain.errors import InvalidInput, NotFound, Refused
from domain.orders.attention import answering, how_it_ends
from store.database import Connection, Pool
from store.staff import care, people
from store.views import attention
from store.views.attention import AttentionTask, For, Kind, Place, Whose

TaskKey: TypeAlias = care.TaskKey
"""What the list calls a task: its kind, its subject and its name."""

SNOOZED_MAX: Final = timedelta(days=366)
NOBODY: Final = "nobody"
"""In place of a login."""

_COUNTED_MAX: Final = 1_000


class WayOn(NamedTuple):
    """What a person does about a task, in words, and the command for it."""

    do: str
    command: str


_WAYS: Final[dict[Kind, WayOn]] = {
    "payment": WayOn(
        "the order asks the company again by itself; if that goes on, look the payment up there",
        "orderloom show {subject}",
    ),
    "refund": WayOn(
        "the order pays it by itself; see whether it has its workflow", "orderloom audit"
    ),
    "charge": WayOn(
        "charge it before its authorization ends, or cancel it", "orderloom charge {subject}"
    ),
    "claim": WayOn(
        "decide it", "orderloom claims decide {name} refund|part_refund|reship|refused --note '…'"
    ),
    "hold": WayOn(
        "look into it, and let it go on, or reject it",
        "orderloom release {subject} --hold {name} --note '…'",
    ),
    "carrier_claim": WayOn(
        "file it before its day, or say that the money went back or is kept",
        "orderloom carrier-claims list --order {subject}",
    ),
    "dispute": WayOn("answer the bank, at the company", "orderloom disputes --open"),
    "difference": WayOn(
        "find out at the company which of the two is right, and say so",
        "orderloom reconcile resolve {name} --note '…'",
    ),
    "provider_event": WayOn(
        "mend what it names; it is read again by itself", "orderloom provider-events --failed"
    ),
    "approval": WayOn("approve it, or cancel it", "orderloom purchase-orders approve {subject}"),
    "shop_message": WayOn(
        "mend what it names, and it is read again by itself; or say that it is dealt with",
        "orderloom shops settle {name} --note '…'",
    ),
    "carrier_message": WayOn(
        "mend what it names, and it is read again by itself; or say that it is dealt with",
        "orderloom carrier settle {name} --note '…'",
    ),
    "edi": WayOn(
        "mend what it names, or agree on it with the partner; then say so",
        "orderloom edi list --failed",
    ),
    "parcel": WayOn(
        "make a return of it, or say what became of it: `orderloom returns settle-parcel`",
        "orderloom returns take-parcel {name} --order ORDER",
    ),
    "message": WayOn(
        "ask the customer for another address and change the order, or tell them another way; then "
        "send it again",
        "orderloom messages send-again {name}",
    ),
    "mail_server": WayOn(
        "see which of its settings fails; what waits is sent by itself", "orderloom messages test"
    ),
    "subscription": WayOn(
        "mend its receiver and have it go on where it stood, or remove it",
        "orderloom webhooks update {name} --activate",
    ),
    "shop": WayOn(
        "mend what it names, there or in our access to it, and have it be asked",
        "orderloom shops check {name}",
    ),
    "shop_parcel": WayOn(
        "enter it in the shop by hand, and say so; or mend what it names, and have it told again",
        "orderloom shops dismiss {channel} {name} --note '…'",
    ),
    "shop_levels": WayOn(
        "give the shop these SKUs, or name them as `skus`, or say that it does not sell them",
        "orderloom shops dismiss {name} --note '…'",
    ),
    "purchase_answer": WayOn(
        "agree to it on its page, or cancel the rest and buy elsewhere",
        "orderloom purchase-orders show {subject}",
    ),
    "purchase_document": WayOn(
        "agree on it with the supplier; then say so on the page of the purchase order",
        "orderloom edi list --failed",
    ),
    "purchase_order": WayOn("see what it waits for", "orderloom purchase-orders show {subject}"),
}


def way_on_of(task: AttentionTask) -> WayOn:
    """What a person does about a task."""
    if task.kind == "order" and task.allowed:
        return WayOn("decide", answering(task.subject, task.name, "|".join(task.allowed)))
    if task.kind == "order":
        how, command = how_it_ends(task.name)
        return WayOn(how, command or f"orderloom show {task.subject}")
    do, command = _WAYS[task.kind]
    channel = task.subject.partition("-")[0]
    return WayOn(do, command.format(subject=task.subject, name=task.name, channel=channel))


class AttentionList:
    """What waits for a person: orders, money, purchases, companies' messages, subscriptions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tasks(
        self,
        *,
        seller: str | None = None,
        locations: Collection[str] | None = None,
        whose: Whose | None = None,
        reader: For | None = None,
        snoozed: bool | None = False,
        after: Place | None = None,
        at_most: int = 100,
    ) -> Sequence[AttentionTask]:
        """Those about money first, the oldest first: of one seller or of all.

        `locations`: without those of other locations. `whose`: who sees to them. `reader`: what
        somebody can do. `snoozed`: those that nobody has to look at yet; None: all.
        `after`: behind the one with this place.
        """
        async with self._pool.acquire() as conn:
            return await attention.tasks(
                conn,
                seller=seller,
                locations=locations,
                whose=whose,
                reader=reader,
                snoozed=snoozed,
                after=after,
                at_most=at_most,
            )

    async def task(self, key: TaskKey) -> AttentionTask:
        """One of them. Raises NotFound for what waits for nobody, or not any more."""
        async with self._pool.acquire() as conn:
            return await _found(conn, key)

    async def counts(self) -> Mapping[tuple[str | None, Kind, str | None], int]:
        """Login, kind and location → how many are theirs to look at now; None: nobody's, of none.

        Of the first 1,000.
        """
        found = await self.tasks(at_most=_COUNTED_MAX)
        return Counter((task.assigned_to, task.kind, task.location) for task in found)

    async def assign(self, key: TaskKey, login: str | None, *, had: str | None, who: str) -> None:
        """Give a task to a person; None: to nobody. `had`: whose it was when the caller looked.

        Raises NotFound, and Refused for who left, or where it is somebody else's meanwhile.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            await _found(conn, key)
            if login is not None and (await people.get(conn, login)).state != "active":
                raise Refused(f"{login} cannot sign in, and would not see it", reason="not_active")
            if not await care.assign(conn, key, login, had=had, who=who):
                raise Refused("somebody else sees to it meanwhile", reason="task_taken")

    async def snooze(self, key: TaskKey, until: datetime, *, note: str, who: str) -> None:
        """Nobody has to look at it until then. It comes back sooner if it says something else.

        Raises NotFound, and InvalidInput for a moment that is over, or more than a year away.
        """
        now = datetime.now(UTC)
        if not now < until < now + SNOOZED_MAX:
            raise InvalidInput("must be in the future, and within a year", where="until")
        async with self._pool.acquire() as conn, conn.transaction():
            task = await _found(conn, key)
            await care.snooze(conn, key, until, reason=task.reason, note=note, who=who)

    async def wake(self, key: TaskKey) -> None:
        """It is to be looked at again."""
        async with self._pool.acquire() as conn:
            await care.wake(conn, key)


def whose_of(login: str | None) -> Whose | None:
    """What a program or a command says of whose tasks are meant: a login, or `nobody`."""
    if login is None:
        return None
    return Whose("nobody") if login == NOBODY else Whose("to", login)


async def _found(conn: Connection, key: TaskKey) -> AttentionTask:
    found = await attention.tasks(conn, snoozed=None, named=key, at_most=1)
    if not found:
        raise waits_for_nobody()
    return found[0]


def waits_for_nobody() -> NotFound:
    """The error where there is no such task, or it is none that somebody sees."""
    return NotFound("this waits for nobody any more", reason="no_task")
