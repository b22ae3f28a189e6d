"""Labels of returns' parcels: wanted once a return is approved, and given back if nothing comes.

The wish is a row in the transaction of what it follows from. A duty of the relay claims it, asks
the carrier, and records the answer here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.aftersales.return_labels import WantedLabel, wanted_label
from domain.aftersales.return_rules import Asked
from domain.fulfilment.label_files import KeptFile, LabelFile, to_keep
from domain.orders.order import Shipping
from domain.stored import stored
from store.database import Connection, load_queries
from store.locks import lock_order
from store.orders import events

_sql = load_queries(__file__)

UNANSWERED_TRIES: Final = 10
"""After so many tries, some 17 minutes, a person is told that a carrier does not answer."""


class ToDo(BaseModel):
    """A label that is to be bought, or (`unwanted`) given back. `tries`: with this one."""

    model_config = ConfigDict(frozen=True)

    return_id: str
    label_key: str
    label: Literal["requested", "bought"]
    unwanted: bool
    service: str
    location: str
    sold_by: str
    tracking_number: str | None
    tries: int
    may_be_bought: bool
    """An earlier attempt to buy it may be under way still."""
    shipping: Shipping


class ReturnLabel(BaseModel):
    """A label as it stands. `fee_minor`: what it costs the customer."""

    model_config = ConfigDict(frozen=True)

    return_id: str
    label: Literal["requested", "bought", "refused", "voided"]
    sold_by: str | None
    carrier: str | None
    tracking_number: str | None
    refusal: str | None
    fee_minor: int


def step(return_id: str) -> str:
    """The name under which a label that cannot be had needs a person."""
    return f"return_label {return_id}"


async def want(conn: Connection, return_id: str, asked: Asked) -> None:
    """Have a label bought for an approved return, if the rules say so, once.

    Not where the order was sent nowhere. The caller holds the order's lock.
    """
    wanted = wanted_label(asked)
    if wanted is not None:
        await _want(conn, return_id, wanted)


async def want_free(conn: Connection, return_id: str, service: str | None) -> None:
    """The same for one that costs the customer nothing, whatever the rules say."""
    await _want(conn, return_id, WantedLabel(0, service))


async def _want(conn: Connection, return_id: str, wanted: WantedLabel) -> None:
    await _sql.want(
        conn,
        return_id=return_id,
        label_key=ids.label_key(return_id),
        fee_minor=wanted.fee_minor,
        service=wanted.service,
    )


async def give_up(conn: Connection, return_id: str, *, only_if_unbought: bool = False) -> None:
    """The label is not needed: one that was bought, or may have been, is given back."""
    states = ["requested"] if only_if_unbought else ["requested", "bought"]
    await _sql.give_up(conn, return_id=return_id, states=states)
    await no_need(conn, return_id)


async def no_need(conn: Connection, return_id: str) -> None:
    """Nobody has to see to the label any more."""
    await events.resolve_attention(
        conn, ids.order_of(return_id), step(return_id), "no longer needed"
    )


async def find(conn: Connection, return_id: str) -> ReturnLabel | None:
    """The label of a return; None: none was wanted."""
    row = await _sql.label_of(conn, return_id=return_id)
    return None if row is None else ReturnLabel(**row)


async def files(conn: Connection, return_id: str) -> list[KeptFile]:
    """The label's files, as its carrier made them."""
    return [KeptFile(**row) async for row in _sql.files_of(conn, return_id=return_id)]


async def forget_files(conn: Connection, kept: timedelta, batch: int) -> int:
    """Delete files of labels that nobody prints any more. Returns how many."""
    deleted: int = await _sql.forget_files(conn, kept=kept, batch=batch)
    return deleted


async def claim(
    conn: Connection, carriers: Mapping[str, str], lease: timedelta, at_most: int
) -> list[ToDo]:
    """Take what is to be done by now. Nobody else takes it until the lease is over.

    `carriers`: service → the carrier that sells the label; "" stands for every other service. The
    first choice stays.
    """
    rows = _sql.claim(conn, carriers=dict(carriers), lease=lease, at_most=at_most)
    return [ToDo(**{**row, "shipping": stored(Shipping, row["shipping"])}) async for row in rows]


async def bought(
    conn: Connection,
    return_id: str,
    *,
    carrier: str,
    tracking_number: str,
    made: Sequence[LabelFile],
) -> None:
    """requested → bought, with its files. One that is not wanted any more is given back next."""
    order_id = ids.order_of(return_id)
    kept, left_out = to_keep(made)
    async with conn.transaction():
        await lock_order(conn, order_id)
        is_wanted = await _sql.bought(
            conn,
            return_id=return_id,
            carrier=carrier,
            tracking_number=tracking_number,
            media_types=[file.media_type for file in kept],
            contents=[file.content for file in kept],
        )
        if is_wanted:
            await no_need(conn, return_id)
            data = {"return_id": return_id, "carrier": carrier, "tracking_number": tracking_number}
            await events.tell(
                conn,
                order_id,
                step(return_id),
                "return label bought",
                who=ids.WHO,
                why="; ".join(left_out),
                data=data,
                after_end=True,
            )


async def refused(conn: Connection, return_id: str, why: str) -> None:
    """requested → refused by the carrier. The return goes on without it, and a person is asked."""
    order_id = ids.order_of(return_id)
    async with conn.transaction():
        await lock_order(conn, order_id)
        if await _sql.refused(conn, return_id=return_id, refusal=why):
            await no_need(conn, return_id)  # of a carrier that did not answer
            reason = (
                f"{return_id} has no label, because the carrier refuses it: {why}; send the "
                "customer one, or have it sent without, and say done"
            )
            await events.raise_attention(conn, order_id, step(return_id), reason, ["done"])


async def voided(conn: Connection, return_id: str) -> None:
    """It is given back, or was never bought."""
    order_id = ids.order_of(return_id)
    async with conn.transaction():
        await lock_order(conn, order_id)
        number = await _sql.voided(conn, return_id=return_id)
        await no_need(conn, return_id)
        if number is not None:
            await events.tell(
                conn,
                order_id,
                f"void_{step(return_id)}",
                "label voided",
                who=ids.WHO,
                data={"return_id": return_id, "tracking_number": number},
                after_end=True,
            )


async def kept_by_carrier(conn: Connection, return_id: str, why: str) -> None:
    """The carrier does not take it back: a person is asked to see to it there."""
    order_id = ids.order_of(return_id)
    async with conn.transaction():
        await lock_order(conn, order_id)
        if await _sql.kept_by_carrier(conn, return_id=return_id, refusal=why):
            reason = (
                f"the label of {return_id} cannot be given back: {why}; see to it at the carrier"
            )
            await events.raise_attention(conn, order_id, step(return_id), reason, ["done"])


async def unanswered(conn: Connection, todo: ToDo, why: str) -> None:
    """Nobody knows yet: it is tried again after ever longer pauses. In time a person is told."""
    order_id = ids.order_of(todo.return_id)
    async with conn.transaction():
        await lock_order(conn, order_id)
        await _sql.try_again(conn, return_id=todo.return_id, tries=todo.tries)
        if todo.tries == UNANSWERED_TRIES:
            reason = f"no answer about the label of {todo.return_id} yet: {why}"
            await events.raise_attention(conn, order_id, step(todo.return_id), reason, [])
