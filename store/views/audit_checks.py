"""Makes all checks of `audited`, and tells what they find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from domain.money import Money
from store.database import Connection, Record, load_queries
from store.views.audited import (
    accounting,
    companies,
    customers,
    messages,
    orders,
    payments,
    purchasing,
    stock,
)
from store.views.audited.check import Check, Violation

_sql = load_queries(__file__, "audit")

_OWNED: Final = ("order_id", "po_id", "location")

_ALL: Final = (
    *(stock.CHECKS, orders.CHECKS, payments.CHECKS, accounting.CHECKS, companies.CHECKS),
    *(purchasing.CHECKS, customers.CHECKS, messages.CHECKS),
)


async def faults(conn: Connection) -> tuple[tuple[Violation, ...], tuple[Violation, ...]]:
    """The certain faults, and those that may be calls still under way."""
    rows = [
        (check, row)
        for checks in _ALL
        for check in checks.of
        async for row in getattr(checks.queries, check.query)(conn)
    ]
    named = {row[name] for _, row in rows for name in _OWNED if name in row}
    sellers = await owners(conn, named - {None})
    found: dict[bool, list[Violation]] = {False: [], True: []}
    for check, row in rows:
        found[check.passing].append(_violation(check, row, sellers))
    return tuple(found[False]), tuple(found[True])


async def owners(conn: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """Order, purchase order or location → whose it is."""
    wanted = sorted(set(subjects))
    if not wanted:
        return {}
    return {row["subject"]: row["seller"] async for row in _sql.owners(conn, subjects=wanted)}


def _violation(check: Check, row: Record, sellers: Mapping[str, str]) -> Violation:
    whose = [row["seller"]] if "seller" in row else []
    whose += [sellers[row[name]] for name in _OWNED if name in row and row[name] in sellers]
    values = {name: _shown(name, value, row) for name, value in row.items()}
    return Violation(
        rule=check.rule or row["rule"],
        subject=check.subject.format(**values),
        message=check.message.format(**values),
        seller=next(iter(whose), None),
    )


def _shown(name: str, value: Any, row: Record) -> str:
    if value is None:
        return "none"
    if name.endswith("_minor"):
        return str(Money(minor=int(value), currency=row["currency"]))
    return str(value)
