"""What can be done with an order now, for its page; and of the rest, why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.access.keys import Scope
from domain.views.possible import Asked, OrderFacts, why_not
from starter.web.screens.visits import Visit


class Offer(NamedTuple):
    """What a page of an act asks for, as its update is called, and the scope that it takes.

    `asks`: None where it asks nothing of the order as a whole.
    """

    asks: Asked | None
    scope: Scope


OFFERS: Final[Mapping[str, Offer]] = {
    "cancel": Offer("cancel_order", "aftersales:write"),
    "hold": Offer("hold_order", "orders:write"),
    "release": Offer("release_order", "orders:write"),
    "extend": Offer("extend_hold", "orders:write"),
    "reject": Offer("reject_order", "orders:write"),
    "resolve": Offer(None, "orders:write"),
}
"""Each act by its name, in the sequence in which the order's page offers them."""


@dataclass(frozen=True)
class Offers:
    """Acts by their names, and the sentence that says why another one is not possible."""

    possible: list[str]
    not_possible: list[tuple[str, str]]


def offers(visit: Visit, facts: OrderFacts) -> Offers:
    """Everything that somebody's roles allow."""
    found = Offers([], [])
    for name, (asks, scope) in OFFERS.items():
        if asks is None or not visit.person.allows(scope):
            continue
        no = why_not(asks, facts)
        if no is None:
            found.possible.append(name)
        else:
            found.not_possible.append((name, visit.words(f"why_{no.reason}")))
    return found
