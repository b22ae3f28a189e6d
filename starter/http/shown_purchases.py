"""Purchase orders as a caller sees them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from domain.money import price_text, to_decimal
from domain.purchasing.purchase_orders import PurchaseStanding
from domain.views.order_snapshot import AmountText
from starter.service.service import Records
from store.purchasing.purchase_reads import PurchaseEvent, PurchaseOrder


class ListedPurchaseLine(BaseModel):
    """Units of one SKU. Outstanding units may still arrive.

    `acknowledged`, `shipped`: the supplier's counts; null: it has told nothing.
    """

    model_config = ConfigDict(frozen=True)

    sku: str
    quantity: int
    acknowledged: int | None
    shipped: int | None
    received: int
    cancelled: int
    outstanding: int
    unit_price: AmountText
    lead_time_days: int
    due_on: date


class ListedPurchaseOrder(BaseModel):
    """A purchase order as it is now. `worth`: of what was ordered, and without tax.

    `state`: partly_received once goods came, and received until it is closed, whatever the supplier
    told of them.
    `order_id`, `line_id`: the line of an order that it was bought for; null: for stock.
    `drop_ship`: the supplier sends it to that order's customer. `due_on`: the first day on which
    outstanding units should arrive. `attention`: why it needs a person, if it does.
    """

    model_config = ConfigDict(frozen=True)

    po_id: str
    order_id: str | None
    line_id: str | None
    drop_ship: bool
    supplier: str
    supplier_name: str
    location: str
    state: PurchaseStanding
    needs_approval: bool
    currency: str
    worth: AmountText
    due_on: date | None
    created_at: datetime
    changed_at: datetime
    refused_at: datetime | None
    attention: str | None
    lines: tuple[ListedPurchaseLine, ...]


class ShownPurchaseOrder(ListedPurchaseOrder):
    """The same with its story, oldest first."""

    events: tuple[PurchaseEvent, ...]


async def shown(here: Records, po_id: str) -> ShownPurchaseOrder:
    """A purchase order with its story. Raises NotFound."""
    order = await here.purchasing.order(po_id)
    events = tuple(await here.purchasing.story(po_id))
    return ShownPurchaseOrder(**dict(listed(order)), events=events)


def listed(order: PurchaseOrder) -> ListedPurchaseOrder:
    """A purchase order of a list."""
    kept = set(ListedPurchaseOrder.model_fields) - {"worth", "due_on", "lines"}
    return ListedPurchaseOrder(
        **order.model_dump(include=kept),
        worth=str(to_decimal(order.worth.minor, order.currency)),
        due_on=order.due_on,
        lines=tuple(
            ListedPurchaseLine(
                **line.model_dump(exclude={"receivable", "shipped", "unit_price"}),
                shipped=line.shipped or None,
                unit_price=price_text(line.unit_price, order.currency),
            )
            for line in order.lines
        ),
    )
