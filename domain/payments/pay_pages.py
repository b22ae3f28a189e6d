"""Pages on which customers pay: hosted by payment companies, so that no card's number comes here.

An extension brings them beside its payments. `orderloom serve` asks for a page, sends the customer
there, and reads afterwards with which token the order can be paid.
"""

from __future__ import annotations

from typing import Annotated, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from domain.fields import Shape
from domain.money import Money
from domain.sellers import Language

REFERENCE: Final = "{reference}"
"""Stands in an address of ours where the company puts its own name of the page."""

PageReference = Annotated[
    str,
    Field(max_length=200),
    Shape(r"^[A-Za-z0-9_.-]{8,200}$", "a payment company's name of one of its pages"),
]


class WantedPage(BaseModel):
    """What a page shall be for.

    `key`: the same one gets the same page. `says`: a sentence in the customer's language with the
    amount, for pages that show none. `back`: where the customer comes back to after paying, with
    `REFERENCE` in it. `unpaid`: where one who does not pay goes.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    order_id: str
    amount: Money
    language: Language
    says: str
    back: str
    unpaid: str


class PayPages(Protocol):
    """A payment company that has pages for customers."""

    @property
    def name(self) -> str:
        """The company's name, as customers know it."""
        ...

    async def make(self, wanted: WantedPage) -> str:
        """The address of a page. The same key gets the same one.

        Raises Unreachable, and Refused where the company does not make it.
        """
        ...

    async def token(self, reference: PageReference, order_id: str) -> str | None:
        """What the order can be paid with now. None: the customer has not paid on that page.

        Raises NotFound for a page that is not there, or is of another order; Unreachable.
        """
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...
