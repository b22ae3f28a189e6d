"""The textbook's own idea of an order, and what its activities are given."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel


class Item(BaseModel):
    """A line of an order."""

    line_no: int
    sku: str
    quantity: int
    unit_price: Decimal


class Address(BaseModel):
    """Where the parcel goes."""

    name: str
    line1: str
    city: str
    postal_code: str
    country: str


class Order(BaseModel):
    """What the customer ordered."""

    order_id: str
    customer_id: str
    customer_name: str
    currency: str
    items: list[Item]
    address: Address
    service: str = "standard"
    shipping_price: Decimal
    payment_token: str

    @property
    def total(self) -> Decimal:
        """What the customer pays."""
        return sum((one.quantity * one.unit_price for one in self.items), self.shipping_price)

    @property
    def shipment_id(self) -> str:
        """The one parcel that it goes out in."""
        return f"{self.order_id}:1"

    @classmethod
    def of(cls, document: dict[str, Any]) -> Order:
        """The order that a channel's document holds."""
        return cls(
            order_id=f"{document['channel']}-{document['channel_order_id']}",
            customer_id=document["customer"]["id"],
            customer_name=document["customer"]["name"],
            currency=document["currency"],
            items=[
                Item(
                    line_no=number,
                    sku=line["sku"],
                    quantity=line["quantity"],
                    unit_price=line["unit_price"],
                )
                for number, line in enumerate(document["lines"], 1)
            ],
            address=Address(**document["shipping"]["address"]),
            shipping_price=document["shipping"]["price"],
            payment_token=document["payment"]["token"],
        )


class Start(BaseModel):
    """What the workflow is started with."""

    order: Order
    return_window: timedelta


class Payment(BaseModel):
    """What is to be paid for an order."""

    order_id: str
    amount: Decimal
    currency: str
    token: str


class LabelWanted(BaseModel):
    """A label for a parcel."""

    shipment_id: str
    service: str
    country: str


class Label(BaseModel):
    """What is on the parcel."""

    carrier: str
    tracking_number: str


class Fact(BaseModel):
    """Something was done with a parcel."""

    shipment_id: str
    at: datetime


class Scan(BaseModel):
    """The carrier has seen the parcel."""

    shipment_id: str
    status: str
    at: datetime


class Status(BaseModel):
    """The answer to the status query."""

    status: str
    label: Label | None
