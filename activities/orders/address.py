"""What may be asked about an address before goods go there."""

from __future__ import annotations

from typing import Protocol

from domain.orders.people import Address


class AddressCheck(Protocol):
    """A library or a service that knows addresses. It is asked for orders that a rule names."""

    async def check(self, address: Address) -> str | None:
        """What is wrong with it, in words that name its fields and quote nothing; None: nothing.

        Any error means that it is not known now: it is asked again, for some minutes at most.
        """
        ...
