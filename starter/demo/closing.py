"""What the end of the day asks: the books, and the lists of payment companies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from domain.sellers import Seller
from starter.demo.summary import Books
from starter.service.service import Service
from store.payments.reconciliation import Day as ComparedDay

_LISTED_WITHIN: Final = timedelta(minutes=5)  # Some companies list a day effect by effect.


async def books_of(service: Service, seller: Seller, opened: date) -> Books:
    """A seller's books and its tax, from the day before: it may be that day still, there."""
    accounting, code = service.accounting, seller.seller
    today = await accounting.today(code)
    return Books(
        seller=seller,
        balance=await accounting.trial_balance(seller=code),
        taxes=await accounting.taxes(code, opened - timedelta(days=1), today),
    )


async def reconciled(service: Service, opened: date) -> list[ComparedDay]:
    """Compare the payment companies' lists with our records, fees included."""
    compared = []
    for day in {opened, datetime.now(UTC).date()}:  # Two days, if midnight came meanwhile.
        await service.reconciliation.compare(day, patience=_LISTED_WITHIN)
        compared += await service.reconciliation.days(day)
    return [one for one in compared if one.listed]
