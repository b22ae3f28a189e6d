"""The companies that a worker reaches: what its extensions have made, by kind and name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel
from temporalio.worker import Plugin

from activities.extension import KINDS, Extension, Tools
from activities.fulfilment.carrier import Carrier
from activities.messages.texts import Texts, TextSender
from activities.orders.address import AddressCheck
from activities.payments.event_reader import EventReader
from activities.payments.provider import PaymentProvider
from activities.purchasing.supplier import Supplier
from domain.errors import InvalidInput
from domain.messages.kinds import MessageKind
from domain.stock.location_ranking import Measure
from runtime.extensions import Installed, failed, usable


@runtime_checkable
class Closing(Protocol):
    """A part that keeps something open, such as connections."""

    async def close(self) -> None:
        """Close it. Called once, when the worker ends."""
        ...


@dataclass
class Companies:
    """The parts by their extension's name."""

    payment: dict[str, PaymentProvider] = field(default_factory=dict)
    events: dict[str, EventReader] = field(default_factory=dict)
    carrier: dict[str, Carrier] = field(default_factory=dict)
    supplier: dict[str, Supplier] = field(default_factory=dict)
    measure: dict[str, Measure] = field(default_factory=dict)
    address: dict[str, AddressCheck] = field(default_factory=dict)
    texts: dict[str, TextSender] = field(default_factory=dict)
    temporal: dict[str, Plugin] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Sequence[Installed], without: Sequence[str], tools: Tools) -> Companies:
        """What these extensions bring.

        Raises InvalidInput for one that cannot be used and is not among `without`.
        """
        companies = cls()
        for one in usable(found, without):
            try:
                if not isinstance(one.extension, Extension) or one.settings is None:
                    raise InvalidInput("it is not an Extension of activities.extension")
                companies.add(one.extension, one.settings, one.accounts, tools)
            except Exception as error:  # noqa: BLE001 - anybody's code may raise anything
                usable([failed(one, error)], without)
        return companies

    def add(
        self,
        extension: Extension[Any],
        settings: BaseModel,
        accounts: Mapping[str, BaseModel],
        tools: Tools,
    ) -> None:
        """Make an extension's parts: all of them, or none where one raises.

        Each further account at its payment company is one of its own, such as `stripe:uk`.
        """
        made = [(kind, extension.name, extension.make(kind, settings, tools)) for kind in KINDS]
        made += [
            ("payment", f"{extension.name}:{code}", extension.make("payment", one, tools))
            for code, one in accounts.items()
        ]
        for kind, name, part in made:
            if part is not None:
                self._of(kind)[name] = part

    def supplier_chosen(self, name: str) -> Supplier:
        """The way to suppliers of that name. Raises InvalidInput if no extension brings it."""
        if name not in self.supplier:
            raise InvalidInput(
                f"no extension brings suppliers as {name!r}; there is "
                f"{', '.join(sorted(self.supplier)) or 'none'}",
                where="ORDERLOOM_SUPPLIER",
            )
        return self.supplier[name]

    def texts_chosen(self, name: str | None, kinds: Collection[MessageKind]) -> Texts | None:
        """By what texts are sent; None: all are mails. Raises InvalidInput as `supplier_chosen`."""
        if name is None:
            return None
        if name not in self.texts:
            raise InvalidInput(
                f"no extension sends texts as {name!r}; there is "
                f"{', '.join(sorted(self.texts)) or 'none'}",
                where="ORDERLOOM_TEXTS__BY",
            )
        return Texts(name, self.texts[name], kinds)

    async def close(self) -> None:
        """Close the parts that have a `close`: a worker does so at its end."""
        for kind in KINDS:
            for part in self._of(kind).values():
                if isinstance(part, Closing):
                    await part.close()

    def _of(self, kind: str) -> dict[str, Any]:
        parts: dict[str, Any] = getattr(self, kind)
        return parts
