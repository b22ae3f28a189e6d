"""What an extension is: a name, the model of its settings, and makers of the parts that it brings.

A package of anybody's has one for the entry point group `orderloom.extensions`. Orderloom's own
(`activities/providers/`) are found in the same way. docs/extensions.md
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict
from temporalio.worker import Plugin

from activities.fulfilment.carrier import Carrier
from activities.messages.texts import TextSender
from activities.orders.address import AddressCheck
from activities.payments.event_reader import EventReader
from activities.payments.provider import PaymentProvider
from activities.purchasing.supplier import Supplier
from activities.shops.clients import ShopClients
from domain.orders.taxing import TaxRates
from domain.payments.pay_pages import PayPages
from domain.stock.location_ranking import Measure
from store.database import Pool

S = TypeVar("S", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Tools:
    """What a worker lends to the parts of an extension for as long as it runs."""

    pool: Pool
    """Connections to Orderloom's database."""
    shops: ShopClients | None = None
    """Clients of shops that gave us access."""


Maker: TypeAlias = Callable[[S, Tools], T | None]
"""Makes a part from the extension's settings. None: by these settings there is none.

It runs once, as the worker starts, and calls no company. Where the part has a `close`, the worker
awaits it at its end.
"""


class NoSettings(BaseModel):
    """The settings of an extension that has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


KINDS: Final = (
    "payment",
    "events",
    "carrier",
    "supplier",
    "measure",
    "address",
    "texts",
    "temporal",
)
"""The parts that a worker makes, by their fields."""


@dataclass(frozen=True, kw_only=True)
class Extension(Generic[S]):
    """An extension. Each part that it brings is known by the extension's name.

    `settings` are read from the environment: ORDERLOOM_<NAME>__<FIELD>. `payment`: orders name it
    as their `payment.provider`. `events`: reads what that company tells. `carrier`, `supplier`:
    ORDERLOOM_CARRIER, ORDERLOOM_CARRIERS and ORDERLOOM_SUPPLIER choose them. `measure`: a policy's
    `sourcing.prefer` names it. `address`: ORDERLOOM_ADDRESS_CHECK chooses it. `texts`:
    ORDERLOOM_TEXTS__BY chooses it. `tax`: ORDERLOOM_TAX chooses it; it is asked where orders are
    placed, so that it gets no worker's tools. `pay_pages`: on which customers pay at that company;
    `orderloom serve` asks for them, so that it gets no worker's tools either. `temporal`: workflows
    and activities of its own, on the worker's task queue.
    """

    name: str
    settings: type[S]
    payment: Maker[S, PaymentProvider] | None = None
    events: Maker[S, EventReader] | None = None
    carrier: Maker[S, Carrier] | None = None
    supplier: Maker[S, Supplier] | None = None
    measure: Maker[S, Measure] | None = None
    address: Maker[S, AddressCheck] | None = None
    texts: Maker[S, TextSender] | None = None
    tax: Callable[[S], TaxRates | None] | None = None
    pay_pages: Callable[[S], PayPages | None] | None = None
    temporal: Maker[S, Plugin] | None = None

    @property
    def brings(self) -> tuple[str, ...]:
        """The kinds of its parts."""
        return tuple(
            kind for kind in (*KINDS, "tax", "pay_pages") if getattr(self, kind) is not None
        )

    def make(self, kind: str, settings: S, tools: Tools) -> Any:
        """The part of one of the `KINDS`, or None."""
        maker = getattr(self, kind)
        return None if maker is None else maker(settings, tools)
