"""Parcels that carriers are asked to stop on their way: intent first, then the carrier's answer.

A redirected parcel goes to the order's new address: that is a version of its document.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.accounting import accounts
from domain.errors import NotFound, Refused
from domain.money import Money
from domain.orders.interception_messages import InterceptRequest
from domain.orders.people import Address
from store.accounting import ledger
from store.database import Connection, Record, load_queries
from store.orders import events, new_addresses, versions

_sql = load_queries(__file__)


class Asked(BaseModel):
    """What the carrier is asked. `answer`: what it has said, where that is known."""

    model_config = ConfigDict(frozen=True)

    key: str
    tracking_number: str
    to: Address | None
    answer: Literal["asked", "accepted", "refused", "given_up"] = "asked"
    fee: Money | None = None


async def carrier_of(conn: Connection, fulfilment_id: str) -> str:
    """The name of the carrier that has, or had, the parcel. Raises NotFound."""
    found = await _sql.carrier_of(conn, fulfilment_id=fulfilment_id)
    if found is None:
        raise NotFound(f"no parcel {fulfilment_id} was handed to a carrier")
    return str(found)


async def ask(conn: Connection, request: InterceptRequest, request_id: str) -> Asked:
    """Record that the carrier is asked, once for each request. The caller holds the order's lock.

    Raises Refused where the parcel is not on its way, or the address cannot be.
    """
    row = await _sql.standing(conn, fulfilment_id=request.fulfilment_id, request_id=request_id)
    if row is None:
        raise NotFound(f"no parcel {request.fulfilment_id} was handed to a carrier")
    to = await new_addresses.kept(conn, ids.order_of(request.fulfilment_id), request_id)
    if row["number"] is not None:
        return _asked(request, row, row["number"], to)
    if row["state"] != "shipped":
        raise _not_on_its_way(request.fulfilment_id, row["state"])
    if row["is_asked"]:
        raise Refused(
            f"the carrier is being asked about {request.fulfilment_id}: wait for its answer",
            reason="interception_under_way",
        )
    if request.way == "redirect":
        order_id = ids.order_of(request.fulfilment_id)
        await new_addresses.check(conn, order_id, request_id, ask="intercept_parcel")
    number = row["asked_before"] + 1
    await _sql.ask(
        conn,
        fulfilment_id=request.fulfilment_id,
        number=number,
        request_id=request_id,
        way=request.way,
    )
    return _asked(request, row, number, to)


async def accepted(
    conn: Connection, request: InterceptRequest, request_id: str, asked: Asked, fee: Money | None
) -> None:
    """asked → accepted: the fee is booked, and the order goes to its new address.

    One that was given up meanwhile is charged all the same, but its address is not kept any more.
    The caller holds the order's lock.
    """
    order_id = ids.order_of(request.fulfilment_id)
    number = await _sql.answer(
        conn,
        fulfilment_id=request.fulfilment_id,
        request_id=request_id,
        answer="accepted",
        fee=0 if fee is None else fee.minor,
        currency=None if fee is None else fee.currency,
    )
    if number is None:
        return
    if fee is not None and fee.minor:
        await ledger.post(
            conn,
            effect=asked.key,
            order_id=order_id,
            memo=f"{request.fulfilment_id} is stopped on its way",
            currency=fee.currency,
            postings=accounts.carrier_charges(fee.minor),
        )
    to = await new_addresses.kept(conn, order_id, request_id)
    if to is not None:
        await new_addresses.take(
            conn, order_id, request_id, to, reason=request.reason, who=request.by
        )
    await events.tell(
        conn,
        order_id,
        asked.key,
        f"intercepted: {'goes to another address' if asked.to else 'goes back to the sender'}",
        who=request.by,
        why=request.reason,
        data={
            "fulfilment_id": request.fulfilment_id,
            "way": request.way,
            "fee": None if fee is None else fee.model_dump(),
        },
    )


async def refused(conn: Connection, request: InterceptRequest, request_id: str, why: str) -> None:
    """asked → refused by the carrier, for good. The caller holds the order's lock."""
    order_id = ids.order_of(request.fulfilment_id)
    number = await _sql.answer(
        conn,
        fulfilment_id=request.fulfilment_id,
        request_id=request_id,
        answer="refused",
        fee=0,
        currency=None,
    )
    if number is not None:
        await versions.forget(conn, order_id, request_id)
        await events.tell(
            conn,
            order_id,
            ids.intercept_key(request.fulfilment_id, number),
            "interception refused",
            who=request.by,
            why=why,
            data={"fulfilment_id": request.fulfilment_id, "way": request.way},
        )


async def give_up(conn: Connection, request: InterceptRequest, request_id: str) -> Asked | None:
    """asked → given up: nobody waits for the carrier's answer any more, and another may be asked.

    Changes nothing where the carrier has answered. Returns how it stands now, or None where the
    carrier was never asked. The caller holds the order's lock.
    """
    number = await _sql.give_up(conn, fulfilment_id=request.fulfilment_id, request_id=request_id)
    if number is not None:
        order_id = ids.order_of(request.fulfilment_id)
        await versions.forget(conn, order_id, request_id)
        await events.tell(
            conn,
            order_id,
            f"{ids.intercept_key(request.fulfilment_id, number)}:given-up",
            "interception given up",
            who=request.by,
            why="the carrier did not answer",
            data={"fulfilment_id": request.fulfilment_id, "way": request.way},
        )
    row = await _sql.standing(conn, fulfilment_id=request.fulfilment_id, request_id=request_id)
    if row is None or row["number"] is None:
        return None
    return _asked(request, row, row["number"], None)


def _asked(request: InterceptRequest, row: Record, number: int, to: Address | None) -> Asked:
    fee = None
    if row["currency"] is not None:
        fee = Money(minor=row["fee_minor"], currency=row["currency"])
    return Asked(
        key=ids.intercept_key(request.fulfilment_id, number),
        tracking_number=row["tracking_number"],
        to=to,
        answer=row["answer"] or "asked",
        fee=fee,
    )


def _not_on_its_way(fulfilment_id: str, state: str) -> Refused:
    here = state in ("open", "picking", "picked", "packed", "labelled")
    return Refused(
        f"{fulfilment_id} is {state}: only a parcel that its carrier has can be stopped",
        reason="not_on_its_way",
        instead=("edit_order", "cancel_order") if here else ("return_items", "claim_items"),
    )
