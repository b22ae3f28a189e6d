"""Sellers, channels, locations, keys, subscriptions, templates and rules."""

from starter.web.setup import (
    channel_pages,
    deliveries,
    extensions,
    hold_rules,
    keys,
    locations,
    overview,
    people,
    policies,
    sellers,
    shops,
    subscriptions,
    templates,
)

ROUTERS = (
    overview.router,
    people.router,
    sellers.router,
    channel_pages.router,
    shops.router,
    locations.router,
    keys.router,
    subscriptions.router,
    deliveries.router,
    templates.router,
    hold_rules.router,
    policies.router,
    extensions.router,
)
