"""Who sells: the legal entity that documents name, and whose days the books go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Protocol, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from domain.calendars import TimeZone
from domain.errors import InvalidInput, NotFound
from domain.fields import Country, Currency, Document, Flag, Name, PostalCode, Shape, inconsistent
from domain.looks import Looks
from domain.series import Series, SeriesByKind, may_meet
from domain.words import few

Language = Literal["en", "ko", "de"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
"""In which documents can be printed."""

AttachesTo = Literal["shipped", "delivered", "refund"]
"""Kinds of mails that can bring a PDF: the parcel's invoice, or the refund's credit note."""

NO_SELLER: Final = "(no seller is set: `orderloom sellers import`)"

Code = Annotated[
    str,
    StringConstraints(max_length=16),
    Shape(
        r"^[a-z][a-z0-9]{1,15}$",
        "2 to 16 small letters and digits, with a letter first",
    ),
]
"""A short name of ours, such as `main` or `uk`."""


class Postal(Protocol):
    """What an address consists of."""

    @property
    def line1(self) -> str | None: ...
    @property
    def line2(self) -> str | None: ...
    @property
    def postal_code(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...


def address_lines(of: Postal) -> tuple[str, ...]:
    """An address, line by line, as printed."""
    place = " ".join(part for part in (of.postal_code, of.city) if part)
    lines = (of.line1, of.line2, ", ".join(part for part in (place, of.region) if part), of.country)
    return tuple(line for line in lines if line)


_LISTS: Final = ("tax_numbers", "languages", "attach_documents")


class Seller(Document):
    """A legal entity, as printed. `time_zone`: documents and the books are dated in it.

    `currency`: that of its books. `languages`: of its documents, the first for a customer who reads
    none of them.
    """

    seller: Code = "main"
    name: Name = NO_SELLER
    line1: Name | None = None
    line2: Name | None = None
    city: Name | None = None
    region: Name | None = None
    postal_code: PostalCode | None = None
    country: Country | None = None
    tax_numbers: tuple[Name, ...] = ()
    currency: Currency | None = None
    time_zone: TimeZone = "UTC"
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = LANGUAGES
    series: SeriesByKind = SeriesByKind()
    looks: Looks = Looks()
    """What customers see of it, in mails and on their page."""
    attach_documents: tuple[AttachesTo, ...] = ()
    """The mails that bring the invoice or the credit note with them."""
    retired: Flag = False
    """It takes no new orders: no channel sells for it."""

    @model_validator(mode="after")
    def _kinds_apart(self) -> Self:
        invoice, credit_note = self.series.invoice, self.series.credit_note
        if may_meet(invoice.name, credit_note.name):
            raise inconsistent(
                "series.credit_note.format",
                f"could give the same number as the invoices' {invoice.format}; change a letter",
            )
        return self

    @classmethod
    def stored(cls, row: Mapping[str, Any]) -> Seller:
        """As it was written once, whatever today's lists of countries and time zones say."""
        found = {name: value for name, value in row.items() if value is not None}
        found |= {name: tuple(found[name]) for name in _LISTS}
        if "series" in found:
            kinds = {kind: Series.model_construct(**one) for kind, one in found["series"].items()}
            found["series"] = SeriesByKind.model_construct(None, **kinds)
        if "looks" in found:
            found["looks"] = Looks.model_construct(**found["looks"])
        return cls.model_construct(**found)

    @property
    def shown_name(self) -> str:
        """As customers know it: a shop has often another name than its company."""
        return self.looks.display_name or self.name

    @property
    def address(self) -> tuple[str, ...]:
        """Line by line, as printed."""
        return address_lines(self)

    @property
    def is_set(self) -> bool:
        """Somebody has told who it is."""
        return self.name != NO_SELLER

    def language_for(self, locale: str) -> Language:
        """The language of a document for a customer with this locale."""
        wanted = locale.split("-", maxsplit=1)[0]
        return next((one for one in self.languages if one == wanted), self.languages[0])


class Sellers(Document):
    """The file of `orderloom sellers import`."""

    sellers: Annotated[tuple[Seller, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        codes = [one.seller for one in self.sellers]
        for number, code in enumerate(codes):
            if code in codes[:number]:
                raise inconsistent(f"sellers[{number}].seller", f"{code} is there twice")
        return self


def choose(known: Sequence[Seller], code: str | None) -> list[Seller]:
    """The seller that somebody names, or all. Raises NotFound."""
    found = [one for one in known if code in (None, one.seller)]
    if not found:
        raise NotFound(f"there is no seller {code}; there is {_codes(known)}")
    return found


def choose_one(known: Sequence[Seller], code: str | None) -> Seller:
    """The seller that somebody names, or the only one. Raises NotFound, and InvalidInput."""
    found = choose(known, code)
    if len(found) > 1:
        raise InvalidInput(
            f"there are several sellers, {_codes(known)}: say which", where="--seller"
        )
    return found[0]


def _codes(known: Sequence[Seller]) -> str:
    return few([one.seller for one in known], "seller")
