"""The order's life as a tutorial has it: activities one after the other, a signal per event."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ConfigDict

    from activities.orders.order_records import CloseOrder, OrderRecords
    from activities.payments.authorizations import Authorizations
    from activities.payments.contracts import Authorize, Capture, TenderAsk
    from activities.payments.payments import Payments
    from activities.stock.inventory import Inventory
    from benchmarks.contestants.textbook_activities import (
        Fact,
        Label,
        LabelWanted,
        Scan,
        Warehouse,
    )
    from domain.fulfilment.fulfilments import Planned
    from domain.fulfilment.tracking import CarrierStatus
    from domain.money import Money
    from domain.orders.amounts import value_lines, worth_of
    from domain.orders.order import Order
    from domain.stock.reservations import ReserveStock

STEP = timedelta(seconds=60)


class TextbookInput(BaseModel):
    """What the workflow is started with."""

    model_config = ConfigDict(frozen=True)

    order: Order
    return_window: timedelta


class Status(BaseModel):
    """The answer to the status query."""

    model_config = ConfigDict(frozen=True)

    status: str
    label: Label | None


# Named like Orderloom's, so that the same audit looks after both.
@workflow.defn(name="Order")
class TextbookWorkflow:
    """One order."""

    def __init__(self) -> None:
        self.status = "received"
        self.label: Label | None = None
        self.heard: set[str] = set()
        self.scans: list[CarrierStatus] = []

    @workflow.run
    async def run(self, start: TextbookInput) -> str:
        """From the order to the end of the return window."""
        parcel = await self.place(start.order)
        await self.ship(start.order, parcel)
        await workflow.sleep(start.return_window)
        await workflow.execute_activity_method(
            OrderRecords.close_order,
            CloseOrder(order_id=start.order.order_id, decision="closed", reason="window over"),
            start_to_close_timeout=STEP,
        )
        self.status = "closed"
        return self.status

    async def place(self, order: Order) -> Planned:
        """Reserve the stock and authorize the payment."""
        reserved = await workflow.execute_activity_method(
            Inventory.reserve_stock,
            ReserveStock(
                order=order,
                run_id=workflow.info().run_id,
                partly_available="all_or_nothing",
            ),
            start_to_close_timeout=STEP,
        )
        await workflow.execute_activity_method(
            Authorizations.authorize_payment,
            Authorize(
                order_id=order.order_id,
                amount=Money(minor=order.total_minor, currency=order.currency),
                tenders=(
                    TenderAsk(
                        number=1,
                        provider=order.payment.provider,
                        token=order.payment.token,
                        parts={"": order.total_minor},
                    ),
                ),
            ),
            start_to_close_timeout=STEP,
        )
        self.status = "confirmed"
        return reserved.fulfilments[0]

    async def ship(self, order: Order, parcel: Planned) -> None:
        """Pick, pack, label, hand over, charge, deliver."""
        warehouse, parcel_id = Warehouse, parcel.fulfilment_id
        await self.signalled("picked")
        await workflow.execute_activity_method(
            warehouse.record_pick, self.fact(parcel_id), start_to_close_timeout=STEP
        )
        await self.signalled("packed")
        await workflow.execute_activity_method(
            warehouse.record_pack, self.fact(parcel_id), start_to_close_timeout=STEP
        )
        self.label = await workflow.execute_activity_method(
            warehouse.buy_label,
            LabelWanted(
                fulfilment_id=parcel_id,
                service=order.shipping.service,
                country=order.shipping.address.country,
                postal_code=order.shipping.address.postal_code,
            ),
            start_to_close_timeout=STEP,
        )
        await self.signalled("handed_over")
        await workflow.execute_activity_method(
            warehouse.record_hand_over, self.fact(parcel_id), start_to_close_timeout=STEP
        )
        self.status = "shipped"
        await workflow.execute_activity_method(
            Payments.capture_payment,
            Capture(
                order_id=order.order_id,
                fulfilment_id=parcel_id,
                worth=worth_of(value_lines(order), parcel.units),
                currency=order.currency,
                units=parcel.units,
            ),
            start_to_close_timeout=STEP,
        )
        while self.status != "delivered":
            await workflow.wait_condition(lambda: bool(self.scans))
            self.status = self.scans.pop(0)
            await workflow.execute_activity_method(
                warehouse.record_scan,
                Scan(label=self.label, status=self.status, at=workflow.now()),
                start_to_close_timeout=STEP,
            )

    async def signalled(self, event: str) -> None:
        """Wait for the warehouse's signal."""
        await workflow.wait_condition(lambda: event in self.heard)

    def fact(self, parcel_id: str) -> Fact:
        return Fact(fulfilment_id=parcel_id, at=workflow.now())

    @workflow.signal
    def picked(self) -> None:
        self.heard.add("picked")

    @workflow.signal
    def packed(self) -> None:
        self.heard.add("packed")

    @workflow.signal
    def handed_over(self) -> None:
        self.heard.add("handed_over")

    @workflow.signal
    def scanned(self, status: CarrierStatus) -> None:
        self.scans.append(status)

    @workflow.query
    def order_status(self) -> Status:
        return Status(status=self.status, label=self.label)
