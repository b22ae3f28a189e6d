"""What a message says, by the order as it is now, and whom it goes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from domain.accounting.documents import Issued
from domain.messages.facts import (
    COUNTED,
    NAMES_CANCELLED,
    TOTAL_NOW,
    Facts,
    ToldItem,
    ToldShop,
    units_told,
)
from domain.messages.kinds import MessageKind
from domain.messages.mail import one_line
from domain.messages.texts import number_of
from domain.messages.words import amount_text, country_text, day_text
from domain.sellers import Language, Seller
from store.accounting import sellers
from store.database import Connection, load_queries
from store.messages import templates
from store.orders.page_links import order_link
from store.payments import tallies

_sql = load_queries(__file__)

MOVED: Final = "first day of sale moved"
"""The line of a story that says so."""


@dataclass(frozen=True)
class Told:
    """A message to be rendered. `email`: as it was given, or None. `erased`: the person is.

    `phone`: as the whole world writes it; None where it is not known so.
    """

    facts: Facts
    email: str | None
    phone: str | None
    erased: bool
    reply_to: str | None
    logo: str | None
    """As a `data:` address."""

    source: str | None
    """The seller's own template; None: the one that comes with Orderloom."""

    attached: Issued | None = None
    """The invoice or the credit note that comes with it."""

    lacks_document: bool = False
    """One is to come with it, and is not issued: not yet, or never, as for goods without worth."""


async def told(
    conn: Connection, order_no: int, event_id: int, kind: MessageKind, *, pages_url: str | None
) -> Told | None:
    """What the customer is told of an event; None where there is no such one any more.

    `pages_url`: where customers' pages are; None: no message has a link.
    """
    row = await _sql.facts(conn, order_no=order_no, event_id=event_id)
    if row is None:
        return None
    seller = await sellers.get(conn, row["seller"])
    customer = row["document"]["customer"]
    language = seller.language_for(customer.get("locale") or "en")
    link = await order_link(conn, row["order_id"], pages_url)
    wanted = kind in seller.attach_documents
    document = await _document(conn, order_no, event_id) if wanted else None
    total = await _total(conn, row, kind)
    return Told(
        facts=_facts(row, kind, seller, language, link or "", document, total),
        email=customer.get("email"),
        phone=number_of(customer.get("phone")),
        erased=row["erased"],
        reply_to=seller.looks.support_email,
        logo=seller.looks.logo,
        source=await templates.source_of(conn, row["seller"], kind, language),
        attached=document,
        lacks_document=wanted and document is None,
    )


async def _total(conn: Connection, row: Any, kind: MessageKind) -> int:
    """What the order comes to, in minor units."""
    total: int = row["total_minor"]
    cancelled = {one["line_id"]: one["cancelled"] for one in row["lines"] or ()}
    if kind not in TOTAL_NOW or not any(cancelled.values()):
        return total
    worth = (await tallies.load(conn, row["order_id"])).charges.worth
    kept = (line.first(line.quantity - cancelled[line_id]) for line_id, line in worth.items())
    return total - sum(line.whole.total for line in worth.values()) + sum(one.total for one in kept)


async def _document(conn: Connection, order_no: int, event_id: int) -> Issued | None:
    row = await _sql.document(conn, order_no=order_no, event_id=event_id)
    if row is None:
        return None
    return Issued(number=row["number"], issued_on=row["issued_on"], **row["content"])


def _facts(
    row: Any,
    kind: MessageKind,
    seller: Seller,
    language: Language,
    link: str,
    attached: Issued | None,
    total_minor: int,
) -> Facts:
    document, data, parcel = row["document"], row["data"], row["parcel"] or {}
    units = units_told(kind, data) or {} if kind in COUNTED else parcel.get("units")
    gone: Mapping[str, int] = {}
    if kind == "confirmed":
        lines = row["lines"] or ()
        gone = {one["line_id"]: one["cancelled"] for one in lines}
        units = {one["line_id"]: one["quantity"] - one["cancelled"] for one in lines}
    elif kind in NAMES_CANCELLED:
        gone = data.get("missing") or {}
    address = document.get("address") or {}
    day = data.get("promised_on") or parcel.get("promised_on") or row["promised_on"]
    is_at_risk = row["what"].startswith("promise at risk")
    amount, currency = data.get("amount_minor"), data.get("currency")
    money = amount is not None and currency is not None
    return Facts(
        language=language,
        shop=shop_of(seller),
        number=row["channel_order_id"],
        name=_name(document["customer"]["name"]),
        placed_on=day_text(
            row["placed_at"].astimezone(ZoneInfo(seller.time_zone)).date(), language
        ),
        total=amount_text(total_minor, row["currency"], language),
        items=_items(row, kind, units, language),
        cancelled=_named(row, gone),
        address=_address(address, language),
        carrier=one_line(parcel.get("carrier") or ""),
        tracking_number=one_line(parcel.get("tracking_number") or ""),
        moved=_moved(kind, data),
        day="" if day is None or is_at_risk else day_text(_day(day), language),
        earlier_day=day_text(_day(day), language) if day is not None and is_at_risk else "",
        amount=amount_text(amount, currency, language) if money else "",
        code=one_line(parcel.get("code") or ""),
        return_id=data.get("return_id") or "",
        decision=data.get("decision") or "",
        invoice=attached.number if attached is not None and attached.kind == "invoice" else "",
        credit_note=(
            attached.number if attached is not None and attached.kind == "credit_note" else ""
        ),
        link=link,
    )


def _items(
    row: Any, kind: MessageKind, units: Mapping[str, int] | None, language: Language
) -> tuple[ToldItem, ...]:
    lines, line_id = row["lines"] or (), row["data"].get("line_id")
    if kind == "delayed" and row["what"] == MOVED:
        # All that wait, each with its day: so one mail tells of several days that moved.
        return tuple(
            ToldItem(
                name=one_line(line["name"]),
                quantity=line["waits"],
                day=day_text(_day(line["comes_on"]), language),
            )
            for line in lines
            if line["waits"] and line["comes_on"]
        )
    if kind == "delayed" and line_id is not None:
        units = {one["line_id"]: one["waits"] for one in lines if one["line_id"] == line_id}
    if units is None:
        units = {one["line_id"]: one["quantity"] for one in lines}
    return _named(row, units)


def _named(row: Any, units: Mapping[str, int]) -> tuple[ToldItem, ...]:
    told = [(line["name"], units.get(line["line_id"])) for line in row["lines"] or ()]
    return tuple(ToldItem(name=one_line(name), quantity=count) for name, count in told if count)


def _moved(kind: MessageKind, data: Mapping[str, Any]) -> Literal["", "sooner", "later"]:
    if kind != "delayed":
        return ""
    day, before = data.get("promised_on"), data.get("promised_before")
    return "sooner" if day is not None and before is not None and day < before else "later"


async def is_told_by_another(conn: Connection, order_no: int, event_id: int) -> bool:
    """Whether a mail that was sent since has told of this event as well."""
    return bool(
        await _sql.is_told_by_another(conn, order_no=order_no, event_id=event_id, moved=MOVED)
    )


def shop_of(seller: Seller) -> ToldShop:
    """A seller as its customers know it."""
    looks = seller.looks
    return ToldShop(
        name=one_line(seller.shown_name) if seller.is_set or looks.display_name else seller.seller,
        support_email=looks.support_email or "",
        support_phone=looks.support_phone or "",
        has_logo=looks.logo is not None,
        **({} if looks.colour is None else {"colour": looks.colour}),
    )


def _name(name: str) -> str:
    """As a greeting has it: no line break; and nothing of who gave no name."""
    return "" if name == "Guest" else one_line(name)


def _address(address: dict[str, Any], language: Language) -> tuple[str, ...]:
    place = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    lines = (
        *(address.get("name"), address.get("company"), address.get("line1"), address.get("line2")),
        *(place, address.get("region"), country_text(address.get("country") or "", language)),
    )
    return tuple(one_line(line) for line in lines if line)


def _day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day
