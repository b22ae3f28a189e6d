"""The pages of customers: who may see which order by which link, and what is on its page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.aftersales.return_rules import ReturnRule
from domain.messages.kinds import MessageState
from domain.orders.amounts import LineWorth
from domain.sellers import Seller
from store.access import page_keys
from store.accounting import documents, sellers
from store.accounting.documents import DocumentRow
from store.aftersales import claims, return_rules
from store.aftersales.claims import Claim
from store.database import Pool
from store.fulfilment import licences, pick_ups
from store.fulfilment.licences import Given
from store.fulfilment.pick_ups import PickUp
from store.messages import rows
from store.messages.rows import MessageRow
from store.orders import answers, page_links
from store.orders.page_links import Behind, NoOrder
from store.views import customer_page, reads
from store.views.customer_page import PageFacts, Replacement
from store.views.reads import OrderDetail

__all__ = ["Behind", "NoOrder", "TrackedOrder", "Tracking"]

_DOCUMENTS_MAX = 100
_CLAIMS_MAX = 100
_MESSAGES_MAX = 30
_SENT: Final[tuple[MessageState, ...]] = ("sent",)
_SHORT_DAYS = 1


class TrackedOrder(BaseModel):
    """An order with all that its customer's page shows."""

    model_config = ConfigDict(frozen=True)

    seller: Seller
    detail: OrderDetail
    facts: PageFacts
    worth: Mapping[str, LineWorth]
    """Line → what all its units are worth."""
    pick_ups: tuple[PickUp, ...]
    codes: tuple[Given, ...]
    claims: tuple[Claim, ...]
    documents: tuple[DocumentRow, ...]
    messages: tuple[MessageRow, ...]
    """That were sent, the newest first."""
    return_rules: tuple[ReturnRule, ...]
    replacements: tuple[Replacement, ...]
    """What customers may have for units of this order, by the policy's groups."""
    exchange_tokens: Mapping[str, str]
    """Return → the token of the page of what the customer gets for it."""

    @property
    def version(self) -> str:
        """Names what is shown: where it is the same, nothing has changed."""
        content = self.model_dump_json(
            exclude={"seller", "replacements", "exchange_tokens"}, warnings=False
        )
        return hashlib.sha256(content.encode()).hexdigest()[:20]


class Tracking:
    """Customers' pages. They need the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def behind(self, token: str) -> Behind | NoOrder:
        """The order that a link leads to, or why it leads to none."""
        async with self._pool.acquire() as conn:
            return await page_links.order_behind(conn, token)

    async def looked_up(self, number: str, said: str) -> str | None:
        """The token of an order's page, by its number and a mail address or a postal code."""
        async with self._pool.acquire() as conn:
            return await page_links.looked_up(conn, number, said)

    async def link(self, order_id: str, pages_url: str | None) -> str | None:
        """The address of an order's page: `store.orders.page_links.order_link`."""
        async with self._pool.acquire() as conn:
            return await page_links.order_link(conn, order_id, pages_url)

    async def short_token(self, order_id: str) -> str | None:
        """The token of a link to all of an order's page that is good for a day: for others who
        learn the link, such as a payment company that leads the customer back.
        """
        async with self._pool.acquire() as conn:
            return await page_links.order_token(conn, order_id, days=_SHORT_DAYS)

    async def rotate_key(self, *, revoke: bool) -> Sequence[int]:
        """Sign new links with a new key: `store.access.page_keys.rotate`."""
        async with self._pool.acquire() as conn:
            return await page_keys.rotate(conn, revoke=revoke)

    async def seller(self, code: str) -> Seller:
        """A seller, for its looks. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await sellers.get(conn, code)

    async def only_seller(self) -> Seller | None:
        """The seller, where there is one alone."""
        async with self._pool.acquire() as conn:
            found = await sellers.find(conn, at_most=2)
        return found[0] if len(found) == 1 else None

    async def has_answered(self, order_id: str, request_id: str) -> bool:
        """Whether the order has met a request with this id."""
        async with self._pool.acquire() as conn:
            return await answers.find(conn, order_id, request_id) is not None

    async def order(self, order_id: str) -> TrackedOrder:
        """All that an order's page shows, as of one moment. Raises NotFound."""
        async with (
            self._pool.acquire() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            detail = await reads.detail(conn, order_id)
            facts = await customer_page.facts(conn, order_id)
            rules = facts.policy.exchanges
            skus = {sku for line in detail.lines for sku in rules.replacements(line.sku)}
            tokens = {
                one.return_id: await page_links.order_token(conn, one.order_id)
                for one in facts.exchanges
            }
            return TrackedOrder.model_construct(
                detail=detail,
                seller=await sellers.get(conn, detail.summary.seller),
                facts=facts,
                worth=await customer_page.worth(conn, order_id),
                pick_ups=tuple(await pick_ups.of_order(conn, order_id)),
                codes=tuple(await licences.of_order(conn, order_id)),
                claims=tuple(await claims.listed(conn, order_id=order_id, at_most=_CLAIMS_MAX)),
                documents=tuple(
                    await documents.of_order(conn, order_id, after=None, at_most=_DOCUMENTS_MAX)
                ),
                messages=tuple(
                    await rows.find(conn, order_id=order_id, states=_SENT, at_most=_MESSAGES_MAX)
                ),
                return_rules=tuple(await return_rules.find(conn)),
                replacements=tuple(await customer_page.replacements(conn, sorted(skus))),
                exchange_tokens={k: token for k, token in tokens.items() if token is not None},
            )
