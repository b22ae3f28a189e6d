"""Version 1 of the API: a file of routes for each capability. What is added here stays."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from starter.http.v1 import (
    access,
    accounting,
    aftersales,
    baskets,
    carriers,
    catalogue,
    customers,
    deliveries,
    events,
    labels,
    ledger,
    locations,
    money,
    operations,
    orders,
    payments,
    placing,
    purchase_reports,
    purchasing,
    reconciliation,
    search,
    sellers,
    shops,
    stock,
    stock_levels,
    subscriptions,
    suppliers,
    transfers,
    warehouse,
    webhooks,
)

# The framework tries one after the other: what is asked for most often comes first.
ROUTERS: Final[tuple[APIRouter, ...]] = (
    placing.router,
    webhooks.router,
    orders.router,
    aftersales.router,
    payments.router,
    stock.router,
    stock_levels.router,
    transfers.router,
    baskets.router,
    catalogue.router,
    locations.router,
    suppliers.router,
    purchasing.router,
    purchase_reports.router,
    warehouse.router,
    labels.router,
    carriers.router,
    access.router,
    accounting.router,
    customers.router,
    events.router,
    subscriptions.router,
    deliveries.router,
    ledger.router,
    money.router,
    operations.router,
    reconciliation.router,
    search.router,
    sellers.router,
    shops.router,
)
