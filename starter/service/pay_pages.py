"""Pages of payment companies: the customer is sent to one, and comes back with what pays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from domain.errors import NotFound, Refused, Unreachable
from domain.payments.pay_pages import PayPages, WantedPage

T = TypeVar("T")

_ANSWER_SECONDS: Final = 10.0
_SAFE: Final = ("https://", "http://127.0.0.1:", "http://localhost:", "http://[::1]:")


@dataclass
class CompanyPages:
    """The companies that have pages, by the names that orders know them by.

    `pages_url`: where customers reach our own pages, to which they come back. None: nobody could
    come back, so nobody is sent.
    """

    by_name: Mapping[str, PayPages] = field(default_factory=dict)
    pages_url: str | None = None

    def fitting(self, taken: Collection[str] | None, first: str) -> dict[str, str]:
        """Provider → the company's name, of those by which an order can be paid.

        `taken`: by which its channel is paid; None: by any. `first`: who was to pay the order; the
        others count only where that company has no pages.
        """
        if self.pages_url is None:
            return {}
        found = {
            provider: pages.name
            for provider, pages in self.by_name.items()
            if taken is None or provider in taken
        }
        return {first: found[first]} if first in found else found

    async def make(self, provider: str, wanted: WantedPage) -> str:
        """The address of a page. Raises NotFound, Refused and Unreachable."""
        url = await _within(self._pages(provider).make(wanted))
        if not url.startswith(_SAFE):
            raise Refused(f"{provider} gave a page that is not safe", reason="provider_not_taken")
        return url

    async def token(self, provider: str, reference: str, order_id: str) -> str | None:
        """With what an order can be paid after its customer was on a page; None: with nothing.

        Raises NotFound and Unreachable.
        """
        return await _within(self._pages(provider).token(reference, order_id))

    async def aclose(self) -> None:
        """Close the connections of all."""
        for pages in self.by_name.values():
            await pages.close()

    def _pages(self, provider: str) -> PayPages:
        if provider not in self.by_name:
            raise NotFound(f"{provider} has no pages for customers")
        return self.by_name[provider]


async def _within(answer: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await answer
    except TimeoutError:
        raise Unreachable("the payment company does not answer") from None
