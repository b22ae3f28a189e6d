"""Makes the client of a shop from its row."""

from __future__ import annotations

from activities.shops.client import ShopClient
from activities.shops.shopify_client import Shopify
from activities.shops.shopify_graphql import Graphql
from activities.shops.web import Web
from activities.shops.woocommerce_client import WooCommerce
from store.shops.contacts import Contact


class ShopClients:
    """Clients of shops, over one pool of connections."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def of(self, contact: Contact) -> ShopClient:
        """The client of a shop. The credentials come with `contact`; this class keeps none."""
        notify = contact.options.notify
        if contact.kind == "shopify":
            (token,) = contact.credentials
            return Shopify(Graphql(self._web, contact.address, token), notify=notify)
        key, secret = contact.credentials
        return WooCommerce(self._web, contact.address, key, secret, notify=notify)

    async def close(self) -> None:
        """Close all connections."""
        await self._web.close()
