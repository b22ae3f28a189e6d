"""How money that goes back is told: how much, and by which means."""

from __future__ import annotations

from domain.money import Money
from domain.payments.ways_back import WaysBack
from starter.web.desk.acts.acting import Asking


def paid_back(asking: Asking, amount: Money, ways: WaysBack) -> list[tuple[str, str]]:
    """One row for the amount, and one for each way. None: nothing is paid back."""
    words = asking.visit.words
    if not amount.minor:
        return [(words("pays_back"), words("nothing_paid_back"))]
    rows = [(words("pays_back"), asking.money(amount))]
    for way in ways.ways:
        name = way_name(asking, way.provider)
        rows.append((words("way_back", way=name), asking.money(way.amount)))
    if ways.left.minor:
        rows.append((words("way_none"), asking.money(ways.left)))
    return rows


def way_name(asking: Asking, provider: str) -> str:
    """What a means of payment is called: a company by its own name."""
    words, key = asking.visit.words, f"way_{provider}"
    return words(key) if words.has(key) else provider
