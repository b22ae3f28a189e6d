"""The order's life as a tutorial has it: activities one after the other, a signal per event."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from benchmarks.contestants.textbook_activities import OrderActivities
    from benchmarks.contestants.textbook_models import (
        Fact,
        Label,
        LabelWanted,
        Order,
        Payment,
        Scan,
        Start,
        Status,
    )
    from benchmarks.contestants.textbook_payments import PaymentActivities
    from benchmarks.contestants.textbook_shipments import ShipmentActivities

STEP = timedelta(seconds=60)


@workflow.defn(name="TextbookOrder")
class TextbookWorkflow:
    """One order."""

    def __init__(self) -> None:
        self.status = "received"
        self.label: Label | None = None
        self.heard: set[str] = set()
        self.scans: list[str] = []

    @workflow.run
    async def run(self, start: Start) -> str:
        """From the order to the end of the return window."""
        order = start.order
        if not await workflow.execute_activity_method(
            OrderActivities.reserve_stock, order, start_to_close_timeout=STEP
        ):
            self.status = "rejected"
            return self.status
        await workflow.execute_activity_method(
            PaymentActivities.authorize_payment,
            Payment(
                order_id=order.order_id,
                amount=order.total,
                currency=order.currency,
                token=order.payment_token,
            ),
            start_to_close_timeout=STEP,
        )
        self.status = "confirmed"
        await self.ship(order)
        await workflow.execute_activity_method(
            PaymentActivities.capture_payment, order, start_to_close_timeout=STEP
        )
        await self.deliver(order.shipment_id)
        await workflow.sleep(start.return_window)
        await workflow.execute_activity_method(
            OrderActivities.close_order, order.order_id, start_to_close_timeout=STEP
        )
        self.status = "closed"
        return self.status

    async def ship(self, order: Order) -> None:
        """Pick, pack, label, hand over."""
        shipment_id = order.shipment_id
        await self.signalled("picked")
        await workflow.execute_activity_method(
            ShipmentActivities.record_pick, self.fact(shipment_id), start_to_close_timeout=STEP
        )
        await self.signalled("packed")
        await workflow.execute_activity_method(
            ShipmentActivities.record_pack, self.fact(shipment_id), start_to_close_timeout=STEP
        )
        self.label = await workflow.execute_activity_method(
            ShipmentActivities.buy_label,
            LabelWanted(
                shipment_id=shipment_id, service=order.service, country=order.address.country
            ),
            start_to_close_timeout=STEP,
        )
        await self.signalled("handed_over")
        await workflow.execute_activity_method(
            ShipmentActivities.record_hand_over,
            self.fact(shipment_id),
            start_to_close_timeout=STEP,
        )
        self.status = "shipped"

    async def deliver(self, shipment_id: str) -> None:
        """Record each scan until the parcel is delivered."""
        while self.status != "delivered":
            await workflow.wait_condition(lambda: bool(self.scans))
            self.status = self.scans.pop(0)
            await workflow.execute_activity_method(
                ShipmentActivities.record_scan,
                Scan(shipment_id=shipment_id, status=self.status, at=workflow.now()),
                start_to_close_timeout=STEP,
            )

    async def signalled(self, event: str) -> None:
        """Wait for the warehouse's signal."""
        await workflow.wait_condition(lambda: event in self.heard)

    def fact(self, shipment_id: str) -> Fact:
        return Fact(shipment_id=shipment_id, at=workflow.now())

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
    def scanned(self, status: str) -> None:
        self.scans.append(status)

    @workflow.query
    def order_status(self) -> Status:
        return Status(status=self.status, label=self.label)
