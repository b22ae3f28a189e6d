"""The parts of the money's place, and whose money somebody sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from starlette.responses import Response

from domain.errors import InvalidInput, NotFound
from domain.sellers import Seller
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.screens.rooms import MONEY_PARTS
from starter.web.screens.sections import show_in
from starter.web.screens.visits import Visit
from store.customers.people import Called


class Whose(TypedDict):
    """Limits of a list; None: none."""

    channels: list[str] | None
    sellers: list[str] | None


def show(visit: Visit, name: str, **values: Any) -> Response:
    """A page about money, such as documents."""
    return show_in(visit, MONEY_PARTS, f"money/{name}", **{**IN_TEMPLATES, **values})


def whose(visit: Visit) -> Whose:
    """What of a list of orders' money is their business."""
    grant = visit.person.grant
    return {
        "channels": None if grant.channels is None else sorted(grant.channels),
        "sellers": None if grant.sellers is None else sorted(grant.sellers),
    }


def own_sellers(visit: Visit) -> list[str] | None:
    """The sellers whose rows they see; None: all of them."""
    return whose(visit)["sellers"]


async def sellers_of(visit: Visit) -> Sequence[Seller]:
    """The sellers whose books are their business."""
    mine = visit.person.grant.sellers
    known = await visit.here.sellers.list()
    return [one for one in known if mine is None or one.seller in mine]


def chosen_of(known: Sequence[Seller], code: str) -> Seller | None:
    """The seller that an address names, if it is one of theirs; None: it names none."""
    if not code:
        return None
    found = next((one for one in known if one.seller == code), None)
    if found is None:
        raise NotFound(f"there is no seller {code}", reason="no_seller")
    return found


def one_of(known: Sequence[Seller], code: str) -> Seller:
    """The seller that an address names, or the first one. Raises NotFound."""
    found = chosen_of(known, code) or next(iter(known), None)
    if found is None:
        raise NotFound("there is no seller", reason="no_seller")
    return found


def names_of(known: Sequence[Seller]) -> list[tuple[str, str]]:
    """The choices of a field: code and name."""
    return [(one.seller, f"{one.name} ({one.seller})") for one in known]


async def customers_called(visit: Visit, text: str) -> Sequence[Called]:
    """What channels call the customer whom a text names. Raises Refused where it names several."""
    return await visit.here.credit.holders(text, sellers=own_sellers(visit))


async def check_known(visit: Visit, text: str) -> None:
    """Raises InvalidInput for a customer whom nobody knows: money would be kept for nobody."""
    if await customers_called(visit, text):
        return
    if not await visit.here.credit.accounts(text, sellers=own_sellers(visit), at_most=1):
        told = f"there is no customer {text!r}"
        raise InvalidInput(told, where="customer", reason="no_customer")
