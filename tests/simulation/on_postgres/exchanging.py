"""An order of the simulator that is an exchange order: what comes back for it, and what it pays.

The original order was delivered and charged before the life begins. Its workflow is not lived here:
its return is counted or given up by chance, and its refund is paid as often as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from temporalio import activity

from activities.aftersales.returns import ApproveReturn, DecideReturn
from activities.fulfilment.contracts import Sending
from activities.payments.contracts import Authorize, Charge, Refund
from activities.payments.exchange_ends import ExchangeEnds
from activities.provider_errors import OutcomeUnknown
from domain import ids
from domain.aftersales.conditions import Condition
from domain.aftersales.return_counts import Found
from domain.fulfilment.tracking import CarrierStatus
from domain.money import Money, to_decimal
from domain.orders.amounts import Worth
from domain.orders.edited import tax_of, total_of
from domain.orders.exchange_messages import ExchangeMode, ExchangeWorth
from domain.orders.exchanged import Exchanged
from domain.orders.order import Order, Tender
from domain.orders.policy import Policy
from domain.orders.providers import EXCHANGE
from domain.stock.reservations import ReserveStock
from starter.service.service import Records
from store.aftersales import return_rules
from store.database import Pool
from store.locks import lock_order
from store.orders import intake, orders
from store.payments import exchanges
from store.payments.exchange_quotes import Quote
from tests.simulation.chance import Chance

UNITS: Final = 2
AGAIN: Final = timedelta(minutes=7)
"""A refund that does not go through is tried again after this."""


class Original:
    """The order whose units come back for an exchange order."""

    def __init__(self, order: Order, chance: Chance) -> None:
        """`order`: the exchange order as it would be if it were none."""
        rng = chance.of("exchange")
        self.mode: ExchangeMode = rng.choice(("standard", "advance"))
        self._comes = rng.choice(("all", "all", "one", "used", "given up"))
        self.days = rng.choice((0.01, 0.5, 3, 20, 60)) * rng.uniform(0.5, 1.5)
        each = max(1, round(order.total_minor * rng.choice((0.3, 1, 1, 1.4)) / UNITS))
        self.worth = each * UNITS
        document = order.model_dump(mode="json", by_alias=True, exclude_unset=True)
        price = format(to_decimal(each, order.currency), "f")
        line = {"line_id": "1", "sku": f"OLD-{chance.seed}", "quantity": UNITS, "unit_price": price}
        for name in ("discount", "rounding", "fees", "tenders", "basket", "total"):
            document.pop(name, None)
        document["shipping"] |= {"price": "0", "tax": None, "tax_rate": None}
        document["shipping"]["address"]["postal_code"] = "04524"
        document |= {
            "channel_order_id": f"{chance.seed}-original",
            "lines": [line],
            "payment": {"provider": "sandbox", "token": "tok_ok"},
        }
        self.order = Order.model_validate(document)
        self.return_id = ids.return_id(self.order.order_id, 1)
        self.is_over = False

    def paying(self, order: Order) -> Order:
        """The exchange order: what comes back pays for it, up to its total."""
        amount = to_decimal(min(self.worth, order.total_minor), order.currency)
        tender = Tender(provider=EXCHANGE, token=self.return_id, amount=amount)
        return order.model_copy(update={"tenders": (tender,)})

    async def sold(
        self, pool: Pool, do: Mapping[str, Callable[[Any], Coroutine[Any, Any, Any]]]
    ) -> None:
        """It is delivered and charged, and its return is approved. `do`: activities by name."""
        order_id, part = self.order.order_id, ids.fulfilment_id(self.order.order_id, 1)
        desk = Records(pool)
        await desk.stock.receive(
            *(f"old {order_id}", self.order.lines[0].sku, "main", UNITS),
            new_location=True,
            who="test",
            why="test",
        )
        async with pool.acquire() as conn:
            await intake.take_in(conn, [intake.Received(self.order, Policy())])
        await do["reserve_stock"](ReserveStock(order_id=order_id))
        await do["authorize_payment"](Authorize(order_id=order_id))
        await desk.warehouse.pick(part, who="test")
        await desk.warehouse.pack(part, who="test")
        with suppress(activity._CompleteAsyncError):
            await do["pick_pack_ship"](Sending(fulfilment_id=part))
        await desk.warehouse.hand_over(part, who="test")
        await _delivered(desk, pool, part)
        await do["charge_payment"](Charge(order_id=order_id, part_id=part))
        back = ApproveReturn(
            order_id=order_id, request_id="x", units={"1": UNITS}, reason="other size", who="ida"
        )
        assert (await do["approve_return"](back)).return_id == self.return_id

    async def agreed(self, pool: Pool, order: Order, policy: Policy) -> None:
        """The exchange order is on record."""
        total = total_of(order)

        def money(minor: int) -> Money:
            return Money(minor=minor, currency=order.currency)

        tender = min(self.worth, total.minor)
        worth = ExchangeWorth(
            comes_back=money(self.worth),
            total=total,
            tax=tax_of(order),
            owed=money(total.minor - tender),
            paid_back=money(self.worth - tender),
        )
        async with pool.acquire() as conn, conn.transaction():
            await lock_order(conn, self.order.order_id)
            asked = await return_rules.asked(conn, self.order.order_id, {"1": UNITS}, {}, late=True)
            done = Exchanged(order, money(tender), worth)
            quoted = Quote({"1": UNITS}, done, policy, "main", asked, Worth(goods=self.worth))
            made = await exchanges.agree(conn, self.return_id, quoted, self.mode, waits=False)
        assert made == order.order_id

    async def comes(
        self, pool: Pool, do: Mapping[str, Callable[[Any], Coroutine[Any, Any, Any]]]
    ) -> bool:
        """What comes back, comes, and is paid back. False: that is to be tried again."""
        if self.is_over:
            return True
        if self._comes == "given up":
            ask = DecideReturn(
                order_id=self.order.order_id,
                request_id="up",
                return_id=self.return_id,
                decision="cancel",
                why="keeps it",
                who="ida",
            )
            await do["decide_return"](ask)
        else:
            units = 1 if self._comes == "one" else UNITS
            condition: Condition = "used" if self._comes == "used" else "new"
            found = {"1": [Found(quantity=units, condition=condition)]}
            await Records(pool).warehouse.receive_return(self.return_id, found, who="dock")
            try:
                await do["refund_payment"](Refund(refund_id=self.return_id))
            except OutcomeUnknown:
                return False
        async with pool.acquire() as conn:
            await orders.finish(conn, self.order.order_id, "closed", "", who="test")
        self.is_over = True
        await ExchangeEnds(pool).tell()
        return True


async def _delivered(desk: Records, pool: Pool, part: str) -> None:
    (parcel,) = await pool.fetch(
        "select carrier, tracking_number from shipment where fulfilment_id = $1", part
    )
    status: CarrierStatus = "delivered"
    await desk.carriers.event(
        carrier=parcel["carrier"],
        tracking_number=parcel["tracking_number"],
        event_id="delivered",
        status=status,
    )
