"""What stands at payment companies for an order, and whether a parcel may be sent with it.

This is asked of the rows, by whoever is about to send it, or to authorize something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain import ids
from domain.errors import NotFound
from domain.orders.proposals import Proposal
from domain.orders.providers import EXCHANGE
from domain.orders.terms import TenderTerms
from domain.payments.cover import (
    ENDED,
    SHARED,
    Need,
    Standing,
    When,
    lacking,
    lasting_room,
    still_needed,
)
from domain.payments.payments import Payment
from store import clock
from store.database import Connection, Record, load_queries
from store.fulfilment import fulfilments
from store.orders import channels, orders
from store.payments import tallies
from store.payments.payments import texts
from store.payments.tallies import Tallies

_sql = load_queries(__file__)

Place = tuple[int, str]
"""A parcel's place in the sequence of all: its order's number, and its fulfilment's id."""

FIRST: Place = (0, "")


@dataclass(frozen=True)
class Paying:
    """An order as its payment goes by: what was decided, who pays, and every operation so far.

    `leaving`: the parcels that wait for their hand-over, or have left. `voided`: something was
    released for good. `tallies`: the money of its lines, and what was charged.
    """

    order_id: str
    decision: str
    currency: str
    voided: bool
    tenders: tuple[TenderTerms, ...]
    operations: tuple[Payment, ...]
    leaving: frozenset[str]
    tallies: Tallies

    def pays_with(self, provider: str, token: str) -> bool:
        """Whether the last of the tenders is this one; without a provider, the token decides."""
        main = self.tenders[-1]
        return token == main.token and provider in ("", main.provider)

    @property
    def authorizations(self) -> list[Payment]:
        """Every authorization that was asked for, oldest first."""
        return [payment for payment in self.operations if payment.kind == "authorize"]

    @property
    def standing(self) -> list[Standing]:
        """The authorizations that were made."""
        return [standing(each) for each in self.authorizations if each.state == "succeeded"]

    def proposing(self, proposal: Proposal | None) -> Paying:
        """The same with the amounts of an edit that is to be applied."""
        if proposal is None:
            return self
        return replace(self, tallies=tallies.proposed(self.tallies, proposal))

    def refused(self, tender: int) -> bool:
        """Whether a means of payment said no. What a company has never seen was not refused."""
        return any(
            each.tender == tender and each.state == "failed" and each.code != "not_found"
            for each in self.authorizations
        )

    def needs(self, first: str = "", *, ahead: bool = False) -> list[Need]:
        """What is still to be charged for each part, `first` before the others.

        `ahead`: the order is charged as a whole, so it is one part.
        """
        prepaid = ids.prepaid_id(self.order_id) if ahead else ""
        asked = tallies.needs(self.tallies, first, prepaid=prepaid)
        charges = [each for each in self.operations if each.kind == "capture"]
        charged: dict[str, int] = {}
        for each in charges:
            if each.state != "failed":
                charged[each.part_of] = charged.get(each.part_of, 0) + each.amount_minor
        return still_needed(
            asked,
            charged=charged,
            leaving=self.leaving,
            ended=any(each.state == "failed" and each.code in ENDED for each in charges),
        )


def standing(payment: Payment) -> Standing:
    """An authorization as the payment plan knows it."""
    return Standing(
        key=payment.payment_key,
        payer=payment.tender,
        part=payment.part_of,
        room=payment.room,
        made=payment.requested_at,
        ends=payment.expires_at,
        charged=payment.capture_granted,
        charging=payment.capture_granted > payment.captured,
    )


async def paying(conn: Connection, order_id: str) -> Paying:
    """Read how an order is paid. Raises NotFound."""
    return paying_from(await _row(conn, order_id))


async def _row(conn: Connection, order_id: str) -> Record:
    row: Record | None = await _sql.paying(conn, order_id=order_id)
    if row is None:
        raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
    return row


def paying_from(row: Record | Mapping[str, Any]) -> Paying:
    """How an order is paid, as the function `paying_of` of the database has found it."""
    order_id = row["order_id"]
    return Paying(
        order_id=order_id,
        decision=row["decision"],
        currency=row["currency"],
        voided=row["voided"],
        tenders=_tenders(row),
        operations=tuple(Payment(**texts(each)) for each in row["operations"]),
        leaving=frozenset(row["leaving"] or ()),
        tallies=tallies.from_row(order_id, row["tallies"]),
    )


def _tenders(row: Record | Mapping[str, Any]) -> tuple[TenderTerms, ...]:
    """Who pays: the order's own, the last one with what the customer has brought in its place.

    An exchange pays less than was agreed where less came back.
    """
    own, pays = orders.tenders(row), row["exchange_pays"]
    if pays is not None:
        own = (*(_at_most(tender, pays) for tender in own[:-1]), own[-1])
    if row["brought"] is None:
        return own
    return (*own[:-1], TenderTerms.model_validate(row["brought"]))


def _at_most(tender: TenderTerms, pays: int) -> TenderTerms:
    return tender.model_copy(update={"most": pays}) if tender.provider == EXCHANGE else tender


async def bring(conn: Connection, order_id: str, provider: str, token: str) -> None:
    """The customer pays with this from now on. The caller holds the order's lock.

    Raises NotFound for a provider that the order's channel does not take.
    """
    channel = await channels.get(conn, await _sql.channel_of(conn, order_id=order_id))
    if why_not := channel.why_not_later_by(provider):
        raise NotFound(why_not)
    await _sql.bring(conn, order_id=order_id, provider=provider, token=token)


class Cover(NamedTuple):
    """Whether nothing is missing for a fulfilment to be sent, and what is charged as it leaves.

    `seen`: the money that this is true of; None: it stays true.
    """

    holds: bool
    to_charge: int
    seen: str | None = None


async def cover_of(
    conn: Connection,
    order_id: str,
    fulfilment_id: str,
    *,
    ahead: bool,
    lasting: timedelta,
    renew_before: timedelta,
) -> Cover:
    """Whether the money of a fulfilment holds until it leaves, which may take until `lasting`.

    `ahead`: the order is charged as a whole before that, but for what was added later. Without the
    order's lock the money may change meanwhile: then `seen` is another one.
    """
    if ahead:
        paid = await _sql.charged_ahead(conn, order_id=order_id)
        if not (paid["is_charged"] and paid["has_more"]):
            return Cover(paid["is_charged"], 0)
    row = await _row(conn, order_id)
    found = paying_from(row)
    needs = found.needs(fulfilment_id)
    to_charge = _to_charge(found, needs, fulfilment_id)
    now = clock.now()
    when = When(now=now, until=now + lasting, spare=renew_before)
    short = lacking(needs, len(found.tenders), found.standing, when, {fulfilment_id})
    return Cover(not short, to_charge, row["seen"])


def holds(found: Paying, *, ahead: bool, spare: timedelta) -> bool:
    """Whether all that is still to be charged for an order could be charged now."""
    now = clock.now()
    needs = found.needs(ahead=ahead)
    when = When(now=now, until=now, spare=spare)
    parts = {need.part for need in needs}
    return not lacking(needs, len(found.tenders), found.standing, when, parts)


def beyond_need(found: Paying, *, ahead: bool, spare: timedelta) -> list[Payment]:
    """Authorizations without which all that is still to be charged could be, the newest first."""
    now = clock.now()
    needs = found.needs(ahead=ahead)
    when = When(now=now, until=now, spare=spare)
    parts = {need.part for need in needs}
    standing, beyond = found.standing, []
    for payment in reversed(found.authorizations):
        others = [each for each in standing if each.key != payment.payment_key]
        charging = payment.capture_granted > payment.captured
        if not payment.room or charging:
            continue
        if not lacking(needs, len(found.tenders), others, when, parts):
            standing = others
            beyond.append(payment)
    return beyond


def _to_charge(found: Paying, needs: Sequence[Need], fulfilment_id: str) -> int:
    """What is charged when a fulfilment leaves: for itself, or for all that is left."""
    own = sum(need.amount for need in needs if need.part == fulfilment_id)
    return sum(need.amount for need in needs) if own and found.tallies.whole else own


def to_charge_for(found: Paying, fulfilment_ids: Iterable[str]) -> dict[str, int]:
    """What is charged when each of these leaves next, in minor units."""
    return {part: _to_charge(found, found.needs(part), part) for part in fulfilment_ids}


def still_to_charge(found: Paying, fulfilment_id: str, to_charge: int) -> int:
    """What of the amount that was to be charged for a fulfilment is not charged with another."""
    return min(to_charge, _to_charge(found, found.needs(fulfilment_id), fulfilment_id))


def can_be_charged(found: Paying, fulfilment_id: str, to_charge: int, at: datetime) -> bool:
    """Whether so much could be charged for a fulfilment at that moment."""
    return to_charge <= sum(
        each.usable
        for each in found.standing
        if each.part in (SHARED, fulfilment_id) and (each.ends is None or each.ends > at)
    )


async def tell_ending(
    conn: Connection, batch: int, after: Place = FIRST
) -> tuple[list[str], Place | None]:
    """Tell orders of parcels that wait for their hand-over and cannot be charged for long.

    Looks at `batch` parcels, those after a place in the sequence. Returns the told fulfilments, and
    from where to look on, or None at the end. Call it in a transaction.
    """
    rows = _sql.perhaps_ending(conn, after_no=after[0], after_id=after[1], batch=batch)
    seen = [row async for row in rows]
    ending = [row for row in seen if await _is_ending(conn, row)]
    told: list[str] = []
    if ending:
        told = await fulfilments.tell_unpaid(
            conn,
            [row["order_no"] for row in ending],
            [row["fulfilment_id"] for row in ending],
        )
    if len(seen) < batch:
        return told, None
    return told, (seen[-1]["order_no"], seen[-1]["fulfilment_id"])


async def _is_ending(conn: Connection, row: Record) -> bool:
    """Whether too little is left without the authorizations that end soon."""
    found = await paying(conn, row["order_id"])
    lasting = lasting_room(found.standing, row["fulfilment_id"], clock.now(), row["renew_before"])
    return lasting < int(row["to_charge_minor"])
