"""The compared days of payment companies, and their differences until they are mended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.accounting import accounts
from domain.errors import NotFound
from domain.ids import order_of
from domain.payments.comparison import as_wholes, step_is_about
from domain.payments.reconciliation import Comparison, DifferenceClass, Ours, Remedy, Theirs
from store.accounting import ledger
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

WHO = "reconciliation"
LOOK_BACK = timedelta(days=31)
"""Days that were missed, or have an open difference, are compared again for this long."""

Resolution = Literal["open", "mended", "resolved"]


class Day(BaseModel):
    """A company's day at its last comparison.

    `listed`: the number of effects in the company's list.
    """

    model_config = ConfigDict(frozen=True)

    provider: str
    day: date
    ran_at: datetime
    runs: int
    listed: int
    matched: int
    under_way: int
    state: Literal["clean", "open"]


class KeptDifference(BaseModel):
    """A difference between a company's records and ours, with its resolution."""

    model_config = ConfigDict(frozen=True)

    difference_id: int
    provider: str
    day: date
    subject: str
    what: DifferenceClass
    order_id: str
    why: str
    remedy: Remedy
    ours: Ours | None
    theirs: Theirs | None
    resolution: Resolution
    note: str
    who: str
    found_at: datetime
    closed_at: datetime | None


class ParkedStep(BaseModel):
    """A step of an order that will be retried to mend a difference."""

    model_config = ConfigDict(frozen=True)

    difference_id: int
    order_id: str
    step: str


def bounds(day: date) -> tuple[datetime, datetime]:
    """The beginning of a day (UTC), and of the next one."""
    since = datetime.combine(day, time(), UTC)
    return since, since + timedelta(days=1)


async def ours(conn: Connection, provider: str, day: date, keys: list[str]) -> list[Ours]:
    """Our operations at this company with these keys, or done or still open on this day."""
    since, before = bounds(day)
    rows = _sql.ours(conn, provider=provider, keys=keys, since=since, before=before)
    return as_wholes([Ours(**row) async for row in rows])


async def attributed(conn: Connection, provider: str, theirs: Sequence[Theirs]) -> list[Theirs]:
    """The company's effects, each with its order, also where the company does not know that.

    A refund that was made elsewhere and is on record here gets the key of its record.
    """
    refunds = {
        row["reference"]: row
        async for row in _sql.known_refunds(
            conn, provider=provider, refs=[effect.reference for effect in theirs]
        )
    }
    orders = {
        row["reference"]: row["order_id"]
        async for row in _sql.known_authorizations(
            conn, provider=provider, refs=[effect.authorization for effect in theirs]
        )
    }
    found = []
    for effect in theirs:
        changes = {"order_id": effect.order_id or orders.get(effect.authorization, "")}
        if effect.kind == "refund" and (known := refunds.get(effect.reference)) is not None:
            changes = {"key": known["key"], "order_id": known["order_id"]}
        found.append(effect.model_copy(update=changes))
    return found


async def record(conn: Connection, provider: str, comparison: Comparison) -> None:
    """Store the result of a comparison, in the caller's transaction.

    A difference is stored once however often it is found. One that is not found again is closed as
    mended.
    """
    day, found = comparison.day, comparison.differences
    await _sql.save_day(
        conn,
        provider=provider,
        day=day,
        listed=comparison.listed,
        matched=len(comparison.matched),
        under_way=comparison.under_way,
    )
    subjects, classes = [one.subject for one in found], [one.what.value for one in found]
    await _sql.close_gone(
        conn,
        provider=provider,
        day=day,
        subjects=subjects,
        classes=classes,
        note="both sides say the same now",
        who=WHO,
    )
    await _sql.save_differences(
        conn,
        provider=provider,
        day=day,
        subjects=subjects,
        classes=classes,
        order_ids=[one.order_id for one in found],
        whys=[one.why for one in found],
        remedies=[one.remedy.value for one in found],
        ours=[_json(one.ours) for one in found],
        theirs=[_json(one.theirs) for one in found],
    )
    await _sql.settle_day(conn, provider=provider, day=day)


async def fees_to_book(conn: Connection, provider: str, matched: Sequence[Theirs]) -> list[Theirs]:
    """A company's effects with a fee that is not in the journal yet."""
    charged = {_fee(provider, effect): effect for effect in matched if effect.fee_minor}
    orders = list({order_of(effect.key) for effect in charged.values()})
    booked = _sql.booked(conn, effects=list(charged), order_ids=orders)
    missing = charged.keys() - {row["effect"] async for row in booked}
    return [charged[effect] for effect in sorted(missing)]


async def book_fees(conn: Connection, provider: str, effects: Sequence[Theirs]) -> None:
    """Book a company's fees, each once, for the orders charged; in the caller's transaction."""
    rows = _sql.known(conn, order_ids=[order_of(effect.key) for effect in effects])
    known = {row["order_id"] async for row in rows}
    for effect in sorted(effects, key=lambda one: order_of(one.key)):
        order_id = order_of(effect.key)
        await ledger.post(
            conn,
            effect=_fee(provider, effect),
            memo=f"fee of {provider} for {effect.key}",
            currency=effect.fee_currency,
            postings=accounts.provider_fee(effect.fee_minor),
            order_id=order_id if order_id in known else None,
        )


async def mended(conn: Connection, difference_id: int, note: str) -> None:
    """open → mended, by its rule. Does nothing if it is not open any more."""
    await close(conn, difference_id, "mended", note, WHO)


async def hand_over(conn: Connection, difference_id: int, note: str) -> None:
    """Leave a difference to a person, because its rule cannot mend it; `note` gives the reason."""
    await _sql.hand_over(conn, difference_id=difference_id, note=note)


async def get(conn: Connection, difference_id: int) -> KeptDifference:
    """A difference by its number. Raises NotFound."""
    row = await _sql.difference(conn, difference_id=difference_id)
    if row is None:
        raise NotFound(
            f"there is no difference {difference_id}; `orderloom reconcile list` names them"
        )
    return _kept(row)


async def differences(
    conn: Connection,
    *,
    provider: str | None = None,
    day: date | None = None,
    only_open: bool = True,
    sellers: Collection[str] | None = None,
    after: tuple[date, str, str, str] | None = None,
    at_most: int = 100_000,
) -> list[KeptDifference]:
    """Differences, the newest day first: of these sellers' orders, if they are named.

    `after`: behind the one of this day, company, subject and class.
    """
    after_day, after_provider, after_subject, after_class = after or (None,) * 4
    rows = _sql.differences(
        conn,
        provider=provider,
        day=day,
        only_open=only_open,
        sellers=None if sellers is None else sorted(sellers),
        after_day=after_day,
        after_provider=after_provider,
        after_subject=after_subject,
        after_class=after_class,
        at_most=at_most,
    )
    return [_kept(row) async for row in rows]


async def still_open(conn: Connection, provider: str, day: date) -> int:
    """The number of open differences of a company's day."""
    count: int = await _sql.count_open(conn, provider=provider, day=day)
    return count


async def days(
    conn: Connection,
    day: date | None = None,
    provider: str | None = None,
    *,
    after: tuple[date, str] | None = None,
    at_most: int | None = None,
) -> list[Day]:
    """The state of this day, or of all, the newest first; behind that of a day and a company."""
    after_day, after_provider = after or (None, None)
    rows = _sql.days(
        conn,
        day=day,
        provider=provider,
        after_day=after_day,
        after_provider=after_provider,
        at_most=at_most,
    )
    return [Day(**row) async for row in rows]


async def parked_steps(conn: Connection, provider: str, day: date) -> list[ParkedStep]:
    """The waiting steps of orders that would mend a difference of this day."""
    kept = {one.difference_id: one for one in await differences(conn, provider=provider, day=day)}
    return [
        ParkedStep(difference_id=one.difference_id, order_id=one.order_id, step=row["step"])
        async for row in _sql.parked_steps(conn, provider=provider, day=day)
        if (one := kept.get(row["difference_id"])) is not None
        and one.ours is not None
        and step_is_about(row["step"], one.ours.kind, one.ours.key)
    ]


async def days_due(conn: Connection, provider: str, today: date) -> list[date]:
    """Days before today that must be compared, or compared again; the oldest first."""
    rows = _sql.days_due(conn, provider=provider, today=today, look_back=LOOK_BACK.days)
    return [row["day"] async for row in rows]


async def close(
    conn: Connection, difference_id: int, resolution: Resolution, note: str, who: str
) -> bool:
    """Close a difference. False: it is not open any more."""
    row = await _sql.close_difference(
        conn, difference_id=difference_id, resolution=resolution, note=note, who=who
    )
    if row is None:
        return False
    await _sql.settle_day(conn, provider=row["provider"], day=row["day"])
    return True


def _fee(provider: str, effect: Theirs) -> str:
    return f"fee:{provider}:{effect.reference}"


def _kept(row: Record) -> KeptDifference:
    return KeptDifference(what=row["class"], **{k: v for k, v in row.items() if k != "class"})


def _json(side: BaseModel | None) -> Any:
    return None if side is None else side.model_dump(mode="json")
