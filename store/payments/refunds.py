"""Refunds: the amount that a customer is owed, the reason, and the amount issued so far."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from domain.errors import Conflict, Refused
from domain.money import Money
from domain.orders.amounts import NOTHING, Worth
from domain.orders.goodwill import Goodwill, GoodwillLimit
from domain.orders.messages import RefundKind, RefundRequest, RefundTo
from domain.orders.policy import Policy, RefundTenders
from domain.orders.price_match import Listed
from domain.orders.quantities import LineUnits
from store.database import CheckViolation, Connection, load_queries

_sql = load_queries(__file__)

_ROLES: Final = TypeAdapter(dict[str, GoodwillLimit])


class Refund(BaseModel):
    """A refund: granted in full at once, and issued in one or more payments.

    `units`: line id → units paid back. `credited_minor`: the part of it that was invoiced.
    `pay_to`: where it goes. `came_back_minor`: the issued amount that the customer's bank returned,
    until it is paid another way.
    """

    model_config = ConfigDict(frozen=True)

    refund_id: str
    order_id: str
    kind: RefundKind
    units: dict[str, int]
    goods_minor: int
    tax_minor: int
    shipping_minor: int
    shipping_tax_minor: int
    amount_minor: int
    credited_minor: int
    issued_minor: int
    came_back_minor: int
    currency: str
    reason: str
    who: str
    pay_to: RefundTo
    granted_at: datetime

    @property
    def unissued(self) -> int:
        """The amount that was never issued, in minor units."""
        return self.amount_minor - self.issued_minor

    @property
    def owed(self) -> Money:
        """The amount that is not issued yet, or came back."""
        return Money(minor=self.unissued + self.came_back_minor, currency=self.currency)


class ToPay(Refund):
    """A refund that is to be paid. `uncharged_minor`: what of its order is due, not charged yet.

    `refund_tenders`: the order's policy for orders that were paid in several ways. `is_exchange`:
    it is of a return whose exchange order has not heard of it.
    """

    uncharged_minor: int
    refund_tenders: RefundTenders
    is_exchange: bool


async def grant(
    conn: Connection,
    *,
    refund_id: str,
    order_id: str,
    kind: RefundKind,
    units: LineUnits,
    worth: Worth,
    credited: Worth,
    kept: Worth = NOTHING,
    currency: str,
    reason: str,
    who: str,
    pay_to: RefundTo = "original",
    role: str | None = None,
) -> bool:
    """Owe the refund to the customer, once. False when it was granted before.

    `kept`: what the seller keeps of what the units are worth.

    The caller holds the order's lock. Raises Refused when it is more than was charged, and Conflict
    when it was granted with another amount.
    """
    amount = Money(minor=worth.total, currency=currency)
    if min(worth.goods, worth.tax, worth.shipping, worth.shipping_tax) < 0:
        raise Refused(f"refund of {amount}: an amount must not be negative")
    try:
        granted = await _sql.grant_refund(
            conn,
            refund_id=refund_id,
            order_id=order_id,
            kind=kind,
            units=dict(units),
            goods=worth.goods,
            tax=worth.tax,
            shipping=worth.shipping,
            shipping_tax=worth.shipping_tax,
            credited=credited.total,
            kept=kept.model_dump(),
            currency=currency,
            reason=reason,
            who=who,
            pay_to=pay_to,
            role=role,
        )
    except CheckViolation:
        raise Refused(
            f"paying back {amount} would exceed what order {order_id} was charged",
            reason="more_than_charged",
        ) from None
    if granted is None:
        await _of_the_same(conn, refund_id, amount)
        return False
    return True


async def _of_the_same(conn: Connection, refund_id: str, amount: Money) -> None:
    """Raises Conflict if the refund was granted for another amount."""
    row = await _sql.refund_of(conn, refund_id=refund_id)
    found = Money(minor=row["amount_minor"], currency=row["currency"])
    if found != amount:
        raise Conflict(f"refund {refund_id} is of {found} already")


async def goodwill(
    conn: Connection, order_id: str, rules: Goodwill, request: RefundRequest
) -> Goodwill:
    """The rules with the order's roles, and what the one who asks has given today in the role.

    It counts alone until the transaction ends, where a day has a limit. The caller holds the
    order's lock.
    """
    roles = _ROLES.validate_python(await _sql.goodwill_roles(conn, order_id=order_id) or {})
    given, limit = 0, roles.get(request.role or "")
    if limit is not None and limit.per_day:
        await _sql.count_alone(conn, role=request.role, who=request.by)
        given = await _sql.given_today(conn, order_id=order_id, role=request.role, who=request.by)
    return replace(rules, roles=roles, given_today=given)


async def listed(conn: Connection, order_id: str, line_id: str) -> Listed:
    """A line as it was sold, with what the order's policy says of lower prices."""
    row = await _sql.listed(conn, order_id=order_id, line_id=line_id)
    policy = Policy.model_validate(row["policy"])
    return Listed(
        unit_price=Decimal(row["unit_price"] or 0),
        placed_at=row["placed_at"],
        within=policy.price_match_within,
        percent_max=policy.price_match_percent_max,
    )


async def count(conn: Connection, order_id: str, kinds: Sequence[RefundKind]) -> int:
    """How many refunds of these kinds were granted for an order."""
    found: int = await _sql.count_refunds(conn, order_id=order_id, kinds=list(kinds))
    return found


async def issued(conn: Connection, refund_id: str, amount: int) -> bool:
    """Count an amount as given back. Returns whether the refund is now issued in full."""
    row = await _sql.issue_refund(conn, refund_id=refund_id, amount=amount)
    return bool(row["issued_minor"] == row["amount_minor"])


async def came_back(conn: Connection, refund_id: str, change: int) -> None:
    """Count an issued amount as returned by the bank. Negative: it was paid another way."""
    await _sql.refund_came_back(conn, refund_id=refund_id, change=change)


async def find(conn: Connection, refund_id: str) -> ToPay | None:
    """A refund by its id, or None."""
    row = await _sql.refund_of(conn, refund_id=refund_id)
    return None if row is None else ToPay(**row)


async def owed(
    conn: Connection,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int | None = None,
) -> list[Refund]:
    """Refunds that are not issued in full, oldest first.

    `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that was granted
    then and has this id.
    """
    at, refund_id = after or (None, None)
    rows = _sql.owed_refunds(
        conn,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_at=at,
        after_id=refund_id,
        at_most=at_most,
    )
    return [Refund(**row) async for row in rows]
