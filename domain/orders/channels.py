"""Channels: where orders come from, and what is agreed about each.

An order carries what its channel said when it was taken in: a change concerns later orders only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_serializer

from domain.errors import InvalidInput
from domain.fields import Currency, Document, Flag, Id
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.providers import ELSEWHERE, ON_ACCOUNT, ProviderName
from domain.sellers import Code
from domain.words import few

ChannelKind = Literal["web", "pos", "marketplace", "b2b"]

_NOT_ELSEWHERE: Final = (
    f"{{}} takes no orders that were paid elsewhere; name {ELSEWHERE} in its providers, and it does"
)

Some = Annotated[tuple[Id, ...] | None, Field(min_length=1)]


class Channel(Document):
    """One web shop, till, marketplace account or way for business customers.

    Left out or null, `currencies`, `locations` and `providers` are not limited. `policy`: what
    differs from the usual policy.
    """

    channel: Code
    kind: ChannelKind
    seller: Code = "main"
    currencies: Annotated[tuple[Currency, ...] | None, Field(min_length=1)] = None
    locations: Some = None
    """Only these may send its goods."""
    providers: Annotated[tuple[ProviderName, ...] | None, Field(min_length=1)] = None
    """Only these may be paid by: the accounts at payment companies.

    Orders that were paid elsewhere are taken only where `elsewhere` is among them, and orders on
    account where `on_account` is.
    """
    policy: Policy = Policy()
    retired: Flag = False
    """It takes no new orders."""

    @field_serializer("policy")
    def _differing(self, policy: Policy) -> dict[str, Any]:
        return policy.model_dump(mode="json", exclude_unset=True)

    @classmethod
    def stored(cls, row: Mapping[str, Any]) -> Channel:
        """As it was written once, whatever today's list of currencies says."""
        return cls.model_construct(**{**row, "policy": Policy.model_validate(row["policy"])})

    def check(self, order: Order) -> None:
        """Raises InvalidInput, with the field, for an order that this channel does not take."""
        if self.retired:
            raise InvalidInput(
                f"{self.channel} is retired and takes no new orders; "
                f"`orderloom channels reopen {self.channel}` lets it",
                where="channel",
            )
        if self.currencies is not None and order.currency not in self.currencies:
            raise InvalidInput(
                f"{self.channel} sells in {few(self.currencies, 'code')}, and not in "
                f"{order.currency}",
                where="currency",
            )
        paid_by = {"payment.provider": order.payment.provider}
        paid_by |= {f"tenders[{n}].provider": one.provider for n, one in enumerate(order.tenders)}
        for where, provider in paid_by.items():
            if why := self._why_not_by(provider):
                raise InvalidInput(why, where=where)
            if provider == ELSEWHERE:
                self._check_paid_elsewhere(order, where)

    def why_not_by(self, provider: str) -> str:
        """Why no order of it is paid by this; "": orders are."""
        if provider == ELSEWHERE and self.providers is None:
            return _NOT_ELSEWHERE.format(self.channel)
        return self._why_not_by(provider)

    def why_not_later_by(self, provider: str) -> str:
        """Why this pays nothing of an order that was taken in before; "": it does."""
        if provider == ELSEWHERE:
            return (
                f"{ELSEWHERE} pays nothing later: it is for orders that were paid before they came"
            )
        return self._why_not_by(provider)

    def _why_not_by(self, provider: str) -> str:
        if self.providers is None and provider == ON_ACCOUNT:  # As below.
            return (
                f"{self.channel} lets nobody pay on account; name {ON_ACCOUNT} in its providers, "
                "and it does"
            )
        if self.providers is None or provider in self.providers:
            return ""
        return f"{self.channel} is paid by {few(self.providers, 'provider')}, and not by {provider}"

    def _check_paid_elsewhere(self, order: Order, where: str) -> None:
        if self.providers is None:  # Nobody gets goods by merely saying that they are paid.
            raise InvalidInput(_NOT_ELSEWHERE.format(self.channel), where=where)
        if order.tenders:
            raise InvalidInput(
                "what was paid elsewhere was paid as a whole; leave the tenders out", where=where
            )

    def policy_of(
        self, usual: Policy, differing: Policy | None = None, *, paid_elsewhere: bool = False
    ) -> Policy:
        """The policy of an order: the usual one, over that the channel's, over that its own.

        `paid_elsewhere`: its money is there, so it is booked as soon as the order is confirmed.
        """
        usual_here = Policy(over_the_counter=True).over(usual) if self.kind == "pos" else usual
        policy = self.policy.over(usual_here)
        if differing is not None:
            policy = differing.over(policy)
        if paid_elsewhere:
            policy = policy.model_copy(update={"charge": "at_confirmation"})
        if self.locations is None:
            return policy
        may = policy.sourcing.locations
        served = tuple(one for one in self.locations if may is None or one in may)
        sourcing = policy.sourcing.model_copy(update={"locations": served})
        return policy.model_copy(update={"sourcing": sourcing})


class Channels(Document):
    """The file of `orderloom channels import`."""

    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]


def unknown(channel: str, known: Iterable[str]) -> InvalidInput:
    """The error about an order of a channel that is not there."""
    return InvalidInput(
        f"there is no channel {channel}; there is {few(sorted(known), 'channel')}: "
        "`orderloom channels import` makes one",
        where="channel",
    )
