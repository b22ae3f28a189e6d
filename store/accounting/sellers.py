"""Who sells. A document keeps what was said of the seller when it was issued."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import Conflict, InvalidInput, NotFound, Refused
from domain.sellers import Seller
from domain.series import may_meet
from domain.words import few
from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def find(
    conn: Connection, *, after: str | None = None, at_most: int | None = None
) -> list[Seller]:
    """All sellers, by their codes; or so many of them at most, behind the one with a code."""
    rows = _sql.list_sellers(conn, after=after, at_most=at_most)
    return [Seller.stored(row) async for row in rows]


async def get(conn: Connection, seller: str) -> Seller:
    """One seller. Raises NotFound."""
    row = await _sql.get_seller(conn, seller=seller)
    if row is None:
        raise _unknown(seller)
    return Seller.stored(row)


async def lock(conn: Connection, seller: str) -> Seller:
    """A seller that nobody else changes until the transaction ends. Raises NotFound."""
    await _sql.lock(conn)
    return await get(conn, seller)


async def save(conn: Connection, sellers: Sequence[Seller], *, only_new: bool = False) -> None:
    """Set all there is to know about these sellers: all of them, or none where one is wrong.

    A seller of whom nobody has said who it is, and who has sold nothing, becomes the first of them.
    Raises InvalidInput for a series whose numbers could be those of an earlier one, and Refused for
    the end of a seller for whom a channel sells. `only_new`: raises Conflict where one is there.
    """
    async with conn.transaction():
        await _sql.lock(conn)
        there = {one.seller for one in await find(conn)} if only_new else set[str]()
        if any(one.seller in there for one in sellers):
            raise Conflict("there is a seller of this code already", reason="code_taken")
        if not await _sql.is_told(conn):
            await _sql.stop_intake(conn)
            await _sql.give_place(conn, codes=[one.seller for one in sellers])
        for number, one in enumerate(sellers):
            await _check_series(conn, one, f"sellers[{number}].series")
            if one.retired:
                await _check_unused(conn, one.seller)
        rows = [one.model_dump(mode="json") for one in sellers]
        for row, one in zip(rows, sellers, strict=True):
            row["name"] = one.name if one.is_set else None
        await _sql.save(conn, sellers=rows)


async def begin(conn: Connection, seller: Seller) -> bool:
    """Of a new database: set its seller, if this is one. False where one is known already."""
    if seller == Seller() or await _sql.is_told(conn):
        return False
    await save(conn, [seller])
    return True


async def retire(conn: Connection, seller: str) -> None:
    """Let it take no new orders. Raises NotFound, and Refused while a channel sells for it."""
    async with conn.transaction():
        await _sql.lock(conn)
        await _check_unused(conn, seller)
        await _set_retired(conn, seller, retired=True)


async def reopen(conn: Connection, seller: str) -> None:
    """Let it take new orders again. Raises NotFound."""
    await _set_retired(conn, seller, retired=False)


async def _set_retired(conn: Connection, seller: str, *, retired: bool) -> None:
    if await _sql.set_retired(conn, seller=seller, retired=retired) is None:
        raise _unknown(seller)


def _unknown(seller: str) -> NotFound:
    return NotFound(f"there is no seller {seller}; `orderloom sellers list` shows them")


async def _check_unused(conn: Connection, seller: str) -> None:
    channels = [row["channel"] async for row in _sql.channels_of(conn, seller=seller)]
    if channels:
        raise Refused(
            f"{seller} still sells by {few(channels, 'channel')}: `orderloom channels retire` ends "
            "a channel, `orderloom channels import` gives it another seller",
            reason="still_sells",
        )


async def _check_series(conn: Connection, seller: Seller, where: str) -> None:
    """Two documents of a seller never have the same number, however its series change."""
    begun = [row async for row in _sql.begun_series(conn, seller=seller.seller)]
    for kind, one in (
        ("invoice", seller.series.invoice),
        ("credit_note", seller.series.credit_note),
    ):
        for row in begun:
            is_same = (row["kind"], row["series"]) == (kind, one.name)
            if not is_same and may_meet(one.name, row["series"]):
                raise InvalidInput(
                    f"{one.format} could give a number that the series {row['series']} has given; "
                    "change a letter",
                    where=f"{where}.{kind}.format",
                )
