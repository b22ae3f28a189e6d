"""Purchase orders, as people, the relay and the simulator ask for them. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import NotFound
from domain.money import Money
from domain.purchasing.purchase_orders import (
    ENDED,
    PurchaseDocument,
    PurchaseLine,
    PurchaseStanding,
    PurchaseStart,
    PurchaseState,
    PurchasingPolicy,
)
from store.database import Connection, load_queries

_sql = load_queries(__file__, "purchases")


class LineState(BaseModel):
    """Units of one SKU. Outstanding units may still arrive.

    `acknowledged`, `shipped`: the supplier's counts. None, and 0 of what was shipped: it has told
    nothing. `answered_at`: since when no answer is awaited, because it was told, or goods came.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: str
    name: str | None = None
    quantity: int
    receivable: int
    received: int
    cancelled: int
    acknowledged: int | None
    shipped: int
    outstanding: int
    unit_price: Decimal
    lead_time_days: int
    due_on: date
    answered_at: datetime | None


class PurchaseOrder(BaseModel):
    """A purchase order as it is now.

    `state`: also that goods came of it, whatever the supplier told of them.
    `order_id`, `line_id`: it was bought for this line. `drop_ship`: it goes to the customer.
    `policy`: the rules that were in force when it was made.
    """

    model_config = ConfigDict(frozen=True)

    po_id: str
    number: int
    order_id: str | None
    line_id: str | None
    drop_ship: bool
    supplier: str
    supplier_name: str
    location: str
    currency: str
    state: PurchaseStanding
    needs_approval: bool
    sent_before: bool
    created_at: datetime
    changed_at: datetime
    refused_at: datetime | None
    attention: str | None
    policy: Annotated[PurchasingPolicy, Field(exclude=True)]
    lines: tuple[LineState, ...]

    @property
    def outstanding(self) -> int:
        """Units that may still come."""
        return sum(line.outstanding for line in self.lines)

    @property
    def worth(self) -> Money:
        """The value of the ordered units."""
        return self.document.worth

    @property
    def due_on(self) -> date | None:
        """The first day on which outstanding units should arrive."""
        return min((line.due_on for line in self.lines if line.outstanding), default=None)

    @property
    def document(self) -> PurchaseDocument:
        """The order as the document that the supplier gets."""
        return PurchaseDocument(
            po_id=self.po_id,
            number=self.number,
            supplier=self.supplier,
            supplier_name=self.supplier_name,
            deliver_to=self.location,
            ordered_on=self.created_at.date(),
            currency=self.currency,
            lines=tuple(
                PurchaseLine(
                    sku=line.sku,
                    quantity=line.quantity,
                    unit_price=line.unit_price,
                    due_on=line.due_on,
                )
                for line in self.lines
            ),
        )


class PurchaseEvent(BaseModel):
    """One line of a purchase order's story."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    what: str
    who: str
    why: str
    data: dict[str, Any]


class PurchaseCounts(NamedTuple):
    """Purchase orders that are open, those of them that wait for approval and that are due.

    `suppliers`: how many are known.
    """

    open: int
    proposed: int
    due: int
    suppliers: int


async def get(conn: Connection, po_id: str) -> PurchaseOrder:
    """One purchase order. Raises NotFound."""
    found = await find(conn, po_id=po_id)
    if not found:
        raise NotFound(f"there is no purchase order {po_id}; see `orderloom purchase-orders list`")
    return found[0]


async def find(
    conn: Connection,
    *,
    po_id: str | None = None,
    only_open: bool = False,
    states: Sequence[PurchaseStanding] | None = None,
    sku: str | None = None,
    supplier: str | None = None,
    locations: Sequence[str] | None = None,
    only_late: bool = False,
    due_by: date | None = None,
    before: int | None = None,
    at_most: int = 1000,
) -> list[PurchaseOrder]:
    """Purchase orders, newest first. `before`: only those with a lower number.

    `only_late`: only those of which goods should have come before this day of their location.
    `due_by`: only those of which some should come by this day.
    """
    are_open = states is not None and not set(ENDED).intersection(states)
    rows = _sql.list_orders(
        conn,
        po_id=po_id,
        open=only_open or are_open,
        states=None if states is None else list(states),
        sku=sku,
        supplier=supplier,
        locations=None if locations is None else list(locations),
        only_late=only_late,
        due_by=due_by,
        before=before,
        at_most=at_most,
    )
    return [PurchaseOrder(**row) async for row in rows]


async def counts(
    conn: Connection, *, locations: Sequence[str] | None, due_by: date, at_most: int
) -> PurchaseCounts:
    """How many there are of each, of the first `at_most` open ones. `due_by`: see `find`."""
    row = await _sql.counts(
        conn,
        locations=None if locations is None else list(locations),
        due_by=due_by,
        at_most=at_most,
    )
    return PurchaseCounts(**row)


async def story(conn: Connection, po_id: str) -> Sequence[PurchaseEvent]:
    """The events of a purchase order, oldest first."""
    return [PurchaseEvent(**row) async for row in _sql.list_events(conn, po_id=po_id)]


async def claim_to_start(conn: Connection, batch: int) -> list[PurchaseStart]:
    """Claim purchase orders whose workflow must be started. They come again until `started`."""
    return [
        PurchaseStart(
            po_id=row["po_id"],
            needs_approval=row["needs_approval"],
            sent=row["sent_before"],
            policy=row["policy"],
        )
        async for row in _sql.to_start(conn, batch=batch)
    ]


async def started(conn: Connection, po_ids: Sequence[str]) -> None:
    """Record that Temporal has taken the workflows of these."""
    if po_ids:
        await _sql.started(conn, po_ids=list(po_ids))


async def started_and_open(conn: Connection, *, after: str, at_most: int) -> list[str]:
    """Open purchase orders whose workflow Temporal has taken; the next ones behind that id."""
    rows = _sql.started_and_open(conn, after=after, at_most=at_most)
    return [row["po_id"] async for row in rows]


async def open_states(conn: Connection, po_ids: Sequence[str]) -> dict[str, PurchaseState]:
    """The states of those of these purchase orders that are open."""
    rows = _sql.open_states(conn, po_ids=list(po_ids))
    return {row["po_id"]: row["state"] async for row in rows}


async def start_again(conn: Connection, po_ids: Sequence[str]) -> None:
    """Record that Temporal has lost their workflows: a relay starts them as it does new ones."""
    if po_ids:
        await _sql.start_again(conn, po_ids=list(po_ids))
