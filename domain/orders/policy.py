"""How long things may take, and what to do when they go wrong. Travels with each order.

The workflow reads every duration from here and none from the code, so a shop can differ by channel,
a change of the defaults never alters an order that is under way, and tests set seconds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.orders.sourcing_rules import SourcingRules

Duration = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3650))]


class Policy(BaseModel):
    """Defaults suit a shop that ships parcels within days. Durations are ISO 8601 on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partly_available: Literal["ship_available", "all_or_nothing"] = "ship_available"
    """Some units cannot be reserved: ship the rest and cancel those, or reject the order."""
    sourcing: SourcingRules = SourcingRules()
    """Which locations may serve the order, and what makes one way to do so better than another."""
    backorder: bool = True
    """Units that are not there, of SKUs that may be backordered, are waited for."""
    backorder_within: Duration = timedelta(days=60)
    """So long; what has not come by then is cancelled."""
    replace_missing: bool = True
    """Units not found by the picker or lost by the carrier: reserve others, if there are any;
    else, or if false, cancel them and give the money back."""

    charge: Literal["at_shipment", "at_confirmation", "manual"] = "at_shipment"
    """When the customer is charged: for each parcel as it is handed over, for everything as soon as
    the order is confirmed, or for everything when somebody says so. Nothing is handed over before
    it is charged, or the money for it is set aside."""
    pay_within: Duration = timedelta(days=1)
    """A customer who must confirm the payment, or pay anew, has so long; then the order is
    rejected, or what is not paid is cancelled."""
    renew_before: Duration = timedelta(days=3)
    """An authorization that ends sooner than this, when something is to be sent, is renewed."""
    goodwill_percent_max: Annotated[int, Field(ge=0, le=100)] = 20
    """Goodwill refunds of an order come to at most this share of what was charged for it."""

    give_up_after: Duration = timedelta(minutes=10)
    """A step that keeps failing is tried this long before the order asks for attention."""
    pick_within: Duration = timedelta(days=2)
    pack_within: Duration = timedelta(days=1)
    hand_over_within: Duration = timedelta(days=2)
    scan_within: Duration = timedelta(days=5)
    """A parcel without a carrier scan for this long raises attention: it may be lost."""
    return_window: Duration = timedelta(days=30)
    """After the last delivery, as long as this, a return may be requested."""
    return_within: Duration = timedelta(days=30)
    """A return parcel not received this long after its approval raises attention."""
