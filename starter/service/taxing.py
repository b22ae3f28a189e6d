"""Asks an extension for the rates of tax that are due on an order."""

from __future__ import annotations

import asyncio
from typing import Final

from domain.errors import OrderloomError, Unreachable
from domain.orders.order import Order
from domain.orders.taxing import TaxRates, with_rates

TAX_SECONDS_MAX: Final = 5.0
"""The extension is given so long to answer."""


async def taxed_by(taxes: TaxRates, order: Order) -> Order:
    """The order with its rates. Raises InvalidInput where they do not fit it, and Unreachable."""
    try:
        async with asyncio.timeout(TAX_SECONDS_MAX):
            rates = await taxes.rates(order)
    except OrderloomError:
        raise
    except Exception as error:  # anybody's code, which may raise anything
        why = str(error) or type(error).__name__
        raise Unreachable(
            f"the rates of tax for {order.order_id} cannot be had now ({why}), and it is not "
            "placed: place it again"
        ) from error
    return with_rates(order, rates)
