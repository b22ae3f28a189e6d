"""Customers as files that CRMs import: HubSpot's and Salesforce's CSV, and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from domain.customers.care import CONSENT_KINDS
from domain.customers.ids import customer_id
from domain.jobs.options import ContactsFormat
from domain.money import to_decimal
from starter.service.segments import Member

# HubSpot finds a contact's properties by the names that its screens show:
# https://knowledge.hubspot.com/import-and-export/set-up-your-import-file
_HUBSPOT: Final = (
    *("First name", "Last name", "Email", "Phone number", "Company name", "Street address"),
    *("City", "State/Region", "Postal code", "Country/Region", "Preferred language"),
)
# Salesforce finds a Contact's fields by their names in its API; one that ends in __c is the shop's:
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
# sforce_api_objects_contact.htm
_SALESFORCE: Final = (
    *("FirstName", "LastName", "Email", "Phone", "Company__c", "MailingStreet"),
    *("MailingCity", "MailingState", "MailingPostalCode", "MailingCountry", "Language__c"),
)
_BESIDE: Final[Mapping[ContactsFormat, tuple[str, ...]]] = {
    "hubspot": (
        *("Orderloom customer id", "Orderloom orders", "Orderloom last order"),
        *("Orderloom kept", "Orderloom segments", "Orderloom marketing consent"),
    ),
    "salesforce": (
        *("Orderloom_Customer_Id__c", "Orderloom_Orders__c", "Orderloom_Last_Order__c"),
        *("Orderloom_Kept__c", "Orderloom_Segments__c", "HasOptedOutOfEmail"),
    ),
}
_COLUMNS: Final = {"hubspot": _HUBSPOT, "salesforce": _SALESFORCE}

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_PHONE: Final = re.compile(r"\+[0-9 ()./-]+")


def written(members: Iterable[Member], format_: ContactsFormat, *, is_first: bool) -> str:
    """A part of a file. `is_first`: with the names of the columns, where it has some."""
    if format_ == "jsonl":
        return "".join(f"{json.dumps(_document(x), ensure_ascii=False)}\n" for x in members)
    file = io.StringIO()
    writer = csv.writer(file)
    if is_first:
        writer.writerow((*_COLUMNS[format_], *_BESIDE[format_]))
    shape = _SHAPES[format_]
    writer.writerows(map(_safe, (*_who(one), *shape(one))) for one in members)
    return file.getvalue()


def _who(one: Member) -> list[str]:
    person = one.contact.person
    buyer, address = person.get("customer") or {}, person.get("address") or {}
    first, _, last = str(buyer.get("name") or "").rpartition(" ")
    street = ", ".join(address[x] for x in ("line1", "line2") if address.get(x))
    texts = (
        *(first, last, buyer.get("email"), buyer.get("phone"), buyer.get("company"), street),
        *(address.get(x) for x in ("city", "region", "postal_code", "country")),
        buyer.get("locale"),
    )
    return [text or "" for text in texts]


def _hubspot(one: Member) -> list[str]:
    return [*_facts(one), "true" if one.contact.facts.wishes("marketing") else "false"]


def _salesforce(one: Member) -> list[str]:
    return [*_facts(one), "false" if one.contact.facts.wishes("marketing") else "true"]


def _facts(one: Member) -> list[str]:
    facts = one.contact.facts
    last = facts.last_order_at
    kept = "; ".join(
        f"{to_decimal(worth['kept'], currency):f} {currency}"
        for currency, worth in sorted(facts.worth.items())
    )
    return [
        *(customer_id(one.contact.customer_no), str(facts.orders)),
        *("" if last is None else f"{last:%Y-%m-%d}", kept, ";".join(one.segments)),
    ]


_SHAPES: Final[Mapping[ContactsFormat, Callable[[Member], list[str]]]] = {
    "hubspot": _hubspot,
    "salesforce": _salesforce,
}


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula. A phone number may begin with its plus."""
    line = " ".join(cell.split())
    return f"'{line}" if line.startswith(_FORMULA) and not _PHONE.fullmatch(line) else line


def _document(one: Member) -> dict[str, Any]:
    """All of it, in the words of the API."""
    facts, person = one.contact.facts, one.contact.person
    return {
        "customer_id": customer_id(one.contact.customer_no),
        **{
            name: (person.get("customer") or {}).get(name)
            for name in ("name", "email", "phone", "company", "tax_number", "locale")
        },
        "address": person.get("address"),
        "orders": facts.orders,
        "first_order_at": facts.first_order_at and facts.first_order_at.isoformat(),
        "last_order_at": facts.last_order_at and facts.last_order_at.isoformat(),
        "worth": {
            currency: {name: f"{to_decimal(minor, currency):f}" for name, minor in worth.items()}
            for currency, worth in sorted(facts.worth.items())
        },
        "units_delivered": facts.units_delivered,
        "units_returned": facts.units_returned,
        "channels": list(facts.channels),
        "sellers": list(facts.sellers),
        "countries": list(facts.countries),
        "segments": list(one.segments),
        "consent": {kind: facts.wishes(kind) for kind in CONSENT_KINDS},
    }
