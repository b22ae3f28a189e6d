"""Time limits, and the choices for when something goes wrong. Each order carries its own.

The workflow reads every duration from here and none from the code. So a shop can differ by channel,
a change of the defaults never alters an order that is under way, and tests use seconds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.orders.claim_rules import ClaimRules
from domain.orders.exchange_rules import ExchangeRules
from domain.orders.goodwill import GoodwillRoles
from domain.orders.sourcing_rules import SourcingRules

RefundTenders = Literal["last_first", "by_ratio"]

Duration = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3650))]


class Policy(BaseModel):
    """Defaults suit a shop that ships parcels within days. Durations are ISO 8601 on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partly_available: Literal["ship_available", "all_or_nothing"] = "ship_available"
    """Some units cannot be reserved: ship the rest and cancel those, or reject the order."""
    sourcing: SourcingRules = SourcingRules()
    """Which locations may serve the order, and how to choose between them."""
    backorder: bool = True
    """Units that are not in stock are backordered, if their SKU may be."""
    backorder_within: Duration = timedelta(days=60)
    """Backordered units that have not arrived by then are cancelled."""
    replace_missing: bool = True
    """Units not found by the picker or lost by the carrier: reserve others. If there are none, or
    if this is false, cancel them and pay them back."""

    charge: Literal["at_shipment", "at_confirmation", "manual"] = "at_shipment"
    """When the customer is charged: for each parcel at its hand-over, for everything at the
    confirmation, or for everything when somebody asks for it. Nothing is handed over before it is
    authorized or charged.
    """
    pay_within: Duration = timedelta(days=1)
    """The time that a customer has to confirm the payment, or to pay with a new token. After it
    the order is rejected, or its unpaid units are cancelled."""
    renew_before: Duration = timedelta(hours=12)
    """How long before its end an authorization is renewed for a parcel that waits for its hand-over
    longer than it lasts; earlier than in the last quarter of its life it never is."""
    goodwill_percent_max: Annotated[int, Field(ge=0, le=100)] = 20
    """The limit of an order's goodwill refunds, as a share of the amount charged for it."""
    goodwill_roles: GoodwillRoles = {}
    """Who may give goodwill, and how much: by role. With none, anybody may, within that limit."""
    price_match_within: Duration = timedelta(days=14)
    """A lower price that the customer finds elsewhere is met for this long after the order."""
    price_match_percent_max: Annotated[int, Field(ge=0, le=100)] = 30
    """A lower price is met down to so much below that of the order. 0: none is."""
    refund_tenders: RefundTenders = "last_first"
    """Of an order that was paid in several ways, what a part refund goes back to: what was charged
    last, or each in the ratio of what it paid."""

    keeps_label: bool = False
    """A parcel that is opened because units are taken out keeps its label, where carriers take one
    that is lighter than they were told. If this is false, its label is given back and bought anew.
    """

    over_the_counter: bool = False
    """What is not sent is handed over as soon as it is paid: the customer stands at the till. Of a
    channel of the kind `pos`, true is the usual."""
    give_up_after: Duration = timedelta(minutes=10)
    """A step that keeps failing is retried for this long before the order needs attention."""
    pick_within: Duration = timedelta(days=2)
    pack_within: Duration = timedelta(days=1)
    hand_over_within: Duration = timedelta(days=2)
    collect_within: Duration = timedelta(days=7)
    """Goods that lie ready for their customer so long are given up: they go back to stock, and are
    paid back."""
    appointment_firm: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=90))] = (
        timedelta(0)
    )
    """A service is not cancelled any more so long before its appointment. 0: until it begins."""
    work_within: Duration = timedelta(days=14)
    """How long a workshop may take for its work on a fulfilment."""
    scan_within: Duration = timedelta(days=5)
    """A parcel without a carrier scan for this long needs attention: it may be lost."""
    return_window: Duration = timedelta(days=30)
    """A return may be requested for this long after the last delivery."""
    return_within: Duration = timedelta(days=30)
    """A return parcel not received this long after its approval is overdue: the customer is told.
    """
    chase_every: Duration = timedelta(days=7)
    """So long after that the customer is told again, or the return is closed."""
    chases_max: Annotated[int, Field(ge=0, le=20)] = 2
    """So often the customer is told. After that the return is closed: its units stay sold."""
    claims: ClaimRules = ClaimRules()
    """How claims are taken, and which of them need no person."""
    exchanges: ExchangeRules = ExchangeRules()
    """Which customers may have the replacement before what they exchange is back."""

    @property
    def return_ends_within(self) -> timedelta:
        """A return of which nothing has come is closed this long after its approval."""
        return self.return_within + self.chases_max * self.chase_every

    def over(self, usual: Policy) -> Policy:
        """The usual policy, but for what was set in this one."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "sourcing" in given:
            given["sourcing"] = self.sourcing.over(usual.sourcing)
        if "claims" in given:
            given["claims"] = self.claims.over(usual.claims)
        if "exchanges" in given:
            given["exchanges"] = self.exchanges.over(usual.exchanges)
        return usual.model_copy(update=given)
