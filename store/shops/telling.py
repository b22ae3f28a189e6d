"""What shops are told: parcels that have left, and stock levels. Both are asked of what is here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.database import Connection, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True)
class ParcelToTell:
    """A parcel that its shop does not know of yet. `token`: ends in the shop's id of the order."""

    order_no: int
    fulfilment_id: str
    tries: int
    token: str
    carrier: str
    tracking_number: str
    units: Mapping[str, int]
    is_last: bool


async def due_parcels(conn: Connection, channel: str, at_most: int) -> list[ParcelToTell]:
    """The oldest first."""
    rows = _sql.due_parcels(conn, channel=channel, at_most=at_most)
    return [ParcelToTell(**{**row, "units": row["units"] or {}}) async for row in rows]


async def parcel_told(conn: Connection, parcel: ParcelToTell, reference: str) -> None:
    """The shop knows of it, under this name."""
    await _sql.parcel_told(conn, **_key(parcel), reference=reference)


async def parcel_later(
    conn: Connection, parcel: ParcelToTell, error: str, pause: timedelta
) -> None:
    """It is told again after the pause."""
    await _sql.parcel_later(conn, **_key(parcel), error=error, pause=pause)


async def parcel_refused(conn: Connection, parcel: ParcelToTell, error: str) -> None:
    """The shop will not: a person is told."""
    await _sql.parcel_refused(conn, **_key(parcel), error=error)


async def due_levels(
    conn: Connection, channel: str, since: datetime | None, at_most: int
) -> Mapping[str, int]:
    """SKU → units that a shop is to be told. `since`: when it was told all, the last time."""
    rows = _sql.due_levels(conn, channel=channel, since=since, at_most=at_most)
    return {row["sku"]: row["units"] async for row in rows}


async def levels_told(
    conn: Connection,
    channel: str,
    holder: str,
    told: Mapping[str, int],
    refused: Mapping[str, str],
) -> None:
    """What the shop took, and what it refused with which reason.

    Nothing where somebody else speaks with it by now: it may be another shop.
    """
    taken = {sku: units for sku, units in told.items() if sku not in refused}
    if taken:
        skus, units = list(taken), list(taken.values())
        await _sql.levels_told(conn, channel=channel, holder=holder, skus=skus, units=units)
    if refused:
        skus, errors = list(refused), list(refused.values())
        await _sql.levels_refused(conn, channel=channel, holder=holder, skus=skus, errors=errors)


async def levels_done(
    conn: Connection, channel: str, holder: str, at: datetime | None, pause: timedelta
) -> None:
    """The next comparison is after the pause. `at`: all that were due then are told."""
    await _sql.levels_done(conn, channel=channel, holder=holder, at=at, pause=pause)


async def tell_again(conn: Connection, channel: str) -> None:
    """Everything that the shop refused."""
    await _sql.tell_again(conn, channel=channel)


async def dismiss(conn: Connection, channel: str, names: Sequence[str] | None, note: str) -> int:
    """A person has seen to what it refused: these, or all. Returns how many that were."""
    wanted = None if names is None else list(names)
    count: int = await _sql.dismiss(conn, channel=channel, names=wanted, note=note)
    return count


async def forget(conn: Connection, kept_for: timedelta, batch: int) -> int:
    """Delete parcels that were done longer ago than that. Returns how many."""
    return len([row async for row in _sql.forget(conn, kept_for=kept_for, batch=batch)])


def _key(parcel: ParcelToTell) -> dict[str, object]:
    return {"order_no": parcel.order_no, "fulfilment_id": parcel.fulfilment_id}
