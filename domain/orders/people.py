"""Who buys, and where it goes."""

from __future__ import annotations

from typing import Annotated, Final

from domain.fields import Country, CustomerId, Email, Locale, Name, Phone, PostalCode
from domain.optional_fields import CUT, FREE, LenientDocument

GUEST: Final = "Guest"
"""The name of a customer who bought at a counter, and was not asked for it."""


class Customer(LenientDocument):
    """The buyer. `locale` chooses the language of messages to the customer.

    A guest comes without an id and is a customer of this order only. Who is named only here or only
    in the address is named in both.
    """

    id: CustomerId
    name: Name
    email: Annotated[Email | None, FREE] = None
    phone: Annotated[Phone | None, FREE] = None
    company: Annotated[Name | None, CUT] = None
    tax_number: Annotated[Name | None, CUT] = None
    locale: Annotated[Locale, FREE] = "en"


class Address(LenientDocument):
    """The destination. Only the country is checked; the carrier checks the rest."""

    name: Name
    company: Annotated[Name | None, CUT] = None
    line1: Name
    line2: Annotated[Name | None, CUT] = None
    city: Name
    region: Annotated[Name | None, CUT] = None
    postal_code: Annotated[PostalCode | None, FREE] = None
    country: Country
