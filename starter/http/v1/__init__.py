"""Version 1 of the API: a file of routes for each capability. What is added here stays."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from starter.http.v1 import (
    access,
    accounting,
    aftersales,
    ledger,
    money,
    orders,
    payments,
    placing,
    reconciliation,
    sellers,
    webhooks,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    placing.router,
    orders.router,
    aftersales.router,
    payments.router,
    access.router,
    accounting.router,
    ledger.router,
    money.router,
    reconciliation.router,
    sellers.router,
    webhooks.router,
)
