"""What carriers are asked to pay for parcels that they lost or broke, and what came of it.

A lost parcel is due by itself. What a carrier agrees to pay is booked; a claim alone is no asset.
Each function that writes is one transaction under the order's lock, and a repeat changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.accounting import accounts
from domain.errors import Conflict, InvalidInput, NotFound, Refused
from domain.money import Money
from store.accounting import ledger
from store.database import Connection, load_queries
from store.locks import lock_order
from store.orders import events

_sql = load_queries(__file__)

State = Literal["due", "filed", "paid", "refused", "dropped"]
Answer = Literal["paid", "refused"]
TOLD: Final = "carrier claim"
"""So begins what an order's story tells of these."""

TurnedUp = Literal["given_back", "kept"]


class CarrierClaim(BaseModel):
    """A claim for a parcel. due: lost, and not claimed yet; its carrier takes that `file_by`.

    `amount_minor`: what is claimed; `paid_minor`: what the carrier pays. `is_found`: the parcel
    came back; `turned_up`: what became of the carrier's money then.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    order_id: str
    carrier: str | None
    tracking_number: str | None
    state: State
    since: datetime
    file_by: datetime | None
    amount_minor: int | None
    currency: str
    reference: str | None
    filed_by: str | None
    filed_at: datetime | None
    paid_minor: int
    note: str | None
    decided_by: str | None
    decided_at: datetime | None
    is_found: bool
    turned_up: TurnedUp | None


async def listed(
    conn: Connection,
    *,
    order_id: str | None = None,
    state: State | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int = 100,
) -> Sequence[CarrierClaim]:
    """The latest first. `channels`, `sellers`: of orders of one of these alone.

    `after`: behind the one of then with this id.
    """
    at, after_id = after or (None, None)
    rows = _sql.list_claims(
        conn,
        order_id=order_id,
        state=state,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_at=at,
        after_id=after_id,
        at_most=at_most,
    )
    return [CarrierClaim(**row) async for row in rows]


async def currency_of(conn: Connection, fulfilment_id: str) -> str:
    """The currency in which a parcel is claimed: its order's. Raises NotFound."""
    parcel = await _sql.parcel_of(conn, fulfilment_id=fulfilment_id)
    if parcel is None:
        raise NotFound(f"no parcel {fulfilment_id} was handed to a carrier")
    return str(parcel["currency"])


async def file(
    conn: Connection, fulfilment_id: str, amount: Money, *, reference: str = "", who: str
) -> CarrierClaim:
    """due → filed; or a parcel that arrived broken, or not. Raises Refused, NotFound, Conflict."""
    async with conn.transaction():
        await _locked(conn, fulfilment_id)
        parcel = await _sql.parcel_of(conn, fulfilment_id=fulfilment_id)
        if parcel is None or parcel["handed_over_at"] is None:
            raise Refused(
                f"{fulfilment_id} was never handed to a carrier", reason="not_handed_over"
            )
        if amount.currency != parcel["currency"]:
            raise InvalidInput(f"must be in {parcel['currency']}", where="amount")
        if amount.minor <= 0:
            raise InvalidInput("must be more than zero", where="amount")
        found = await _find(conn, fulfilment_id)
        if found is not None and found.state != "due":
            if (found.amount_minor, found.reference) != (amount.minor, reference or None):
                raise Conflict(f"{fulfilment_id} was claimed before, and differently")
            return found
        await _file(conn, fulfilment_id, amount, reference, who)
        data = {"amount_minor": amount.minor, "currency": amount.currency}
        await _tell(conn, fulfilment_id, "filed", who, reference, data)
        return await _there(conn, fulfilment_id)


async def answer(
    conn: Connection,
    fulfilment_id: str,
    outcome: Answer,
    paid: Money | None,
    note: str,
    *,
    who: str,
) -> CarrierClaim:
    """filed → paid or refused, as the carrier says; what it pays is booked.

    `paid`: left out, all that was claimed. Raises Refused, NotFound, Conflict.
    """
    async with conn.transaction():
        await _locked(conn, fulfilment_id)
        found = await _there(conn, fulfilment_id)
        claimed = found.amount_minor or 0
        minor = 0
        if outcome == "paid":
            minor = claimed if paid is None else paid.minor
        if found.state in ("paid", "refused"):
            if (found.state, found.paid_minor) != (outcome, minor):
                raise Conflict(f"the carrier's answer about {fulfilment_id} is on record: another")
            return found
        if found.state != "filed":
            raise Refused(f"{fulfilment_id} is {found.state}: file it first", reason="not_filed")
        if paid is not None and paid.currency != found.currency:
            raise InvalidInput(f"must be in {found.currency}", where="amount")
        if minor > claimed or (outcome == "paid" and minor <= 0):
            most = Money(minor=claimed, currency=found.currency)
            raise Refused(f"a carrier pays from nothing to {most}", reason="more_than_claimed")
        await _sql.answer_claim(
            conn, fulfilment_id=fulfilment_id, outcome=outcome, paid=minor, note=note, who=who
        )
        if minor:
            await _book(conn, found, "carrier_claim", accounts.carrier_pays(minor))
        data = {"amount_minor": minor, "currency": found.currency}
        await _tell(conn, fulfilment_id, outcome, who, note, data)
        return await _there(conn, fulfilment_id)


async def drop(conn: Connection, fulfilment_id: str, note: str, *, who: str) -> CarrierClaim:
    """due or filed → dropped: nobody asks the carrier, or not any more."""
    async with conn.transaction():
        await _locked(conn, fulfilment_id)
        found = await _there(conn, fulfilment_id)
        if found.state == "dropped":
            return found
        if found.state == "due":
            await _file(conn, fulfilment_id, Money(minor=0, currency=found.currency), "", who)
        elif found.state != "filed":
            raise Refused(f"{fulfilment_id} is {found.state} already", reason="claim_decided")
        await _sql.answer_claim(
            conn, fulfilment_id=fulfilment_id, outcome="dropped", paid=0, note=note, who=who
        )
        await _tell(conn, fulfilment_id, "dropped", who, note, {})
        return await _there(conn, fulfilment_id)


async def turned_up(
    conn: Connection, fulfilment_id: str, became: TurnedUp, note: str, *, who: str
) -> CarrierClaim:
    """The parcel is there after all: the carrier gets back what it paid, or lets us keep it."""
    async with conn.transaction():
        await _locked(conn, fulfilment_id)
        found = await _there(conn, fulfilment_id)
        if found.turned_up is not None and found.turned_up != became:
            raise Conflict(f"what the carrier paid for {fulfilment_id} was dealt with before")
        if found.state != "paid":
            raise Refused(f"the carrier has paid nothing for {fulfilment_id}", reason="not_paid")
        if found.turned_up is None:
            await _sql.turn_up(conn, fulfilment_id=fulfilment_id, became=became)
            if became == "given_back":
                back = accounts.carrier_paid_back(found.paid_minor)
                await _book(conn, found, "carrier_claim_back", back)
            await _tell(conn, fulfilment_id, became.replace("_", " "), who, note, {})
        return await _there(conn, fulfilment_id)


async def set_term(conn: Connection, carrier: str, days: int) -> None:
    """How many days after the hand-over this carrier takes claims."""
    await _sql.set_term(conn, carrier=carrier, days=days)


async def set_kept(conn: Connection, carrier: str, days: int) -> None:
    """How many days this carrier keeps a parcel at a pick-up point."""
    await _sql.set_kept(conn, carrier=carrier, days=days)


async def _locked(conn: Connection, fulfilment_id: str) -> None:
    await lock_order(conn, ids.order_of(fulfilment_id))


async def _find(conn: Connection, fulfilment_id: str) -> CarrierClaim | None:
    row = await _sql.standing_of(conn, fulfilment_id=fulfilment_id)
    return None if row is None else CarrierClaim(**row)


async def _there(conn: Connection, fulfilment_id: str) -> CarrierClaim:
    found = await _find(conn, fulfilment_id)
    if found is None:
        raise NotFound(
            f"nothing is claimed for {fulfilment_id}; see `orderloom carrier-claims list`"
        )
    return found


async def _file(
    conn: Connection, fulfilment_id: str, amount: Money, reference: str, who: str
) -> None:
    await _sql.file_claim(
        conn,
        fulfilment_id=fulfilment_id,
        amount=amount.minor,
        currency=amount.currency,
        reference=reference or None,
        who=who,
    )


async def _book(
    conn: Connection, claim: CarrierClaim, effect: str, postings: accounts.Postings
) -> None:
    await ledger.post(
        conn,
        effect=f"{effect}:{claim.fulfilment_id}",
        order_id=claim.order_id,
        memo=f"carrier {claim.carrier}: {claim.fulfilment_id}",
        currency=claim.currency,
        postings=postings,
    )


async def _tell(
    conn: Connection,
    fulfilment_id: str,
    what: str,
    who: str,
    why: str,
    data: dict[str, object],
) -> None:
    await events.tell(
        conn,
        ids.order_of(fulfilment_id),
        f"carrier_claim:{fulfilment_id}:{what}",
        f"{TOLD}: {what}",
        who=who,
        why=why,
        data={"fulfilment_id": fulfilment_id, **data},
        after_end=True,
    )
