"""Stories of kinds of goods: each comes to its customer in a way of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.orders.messages import LineRequest, RefundRequest
from domain.orders.order import Order
from domain.purchasing.purchase_orders import Acknowledged
from domain.stock.items import Item
from starter.demo import company
from starter.demo.stories.goods import APP, LAMP, MUG, NOVEL, TABLE, line
from starter.demo.stories.stage import WHO, Stage, dollars, expect


async def at_the_counter(stage: Stage) -> str:
    """Paid and handed over in one command, at the till; another one without a network."""
    sales = stage.service.counter_sales
    sold = await sales.sell(_till_sale("T-S1"), company.SHOP, who="till 1")
    expect(sold.outcome == "sold", f"{sold}")
    sale = _till_sale("T-S2")
    later, again = [
        await sales.sell(sale, company.SHOP, is_gone=True, who="till 1") for _ in range(2)
    ]
    expect(later.outcome == again.outcome == "sold", f"{later}, {again}")
    return f"{sold.order_id} sold; {later.order_id}, sold without a network, told twice, taken once"


def _till_sale(number: str) -> Order:
    return Order.model_validate(
        {
            "channel": company.TILL,
            "channel_order_id": number,
            "placed_at": datetime.now(UTC),
            "currency": "EUR",
            "prices_include_tax": True,
            "lines": [
                {"sku": "COOKBOOK", "quantity": 1, "unit_price": "24.00", "tax_rate": "7"},
            ],
            "payment": {"provider": "sandbox", "token": "tok_ok"},
        }
    )


async def digital(stage: Stage) -> str:
    """Codes are given out as soon as they are paid; a refund revokes one."""
    order_id = await stage.place("digital", line(APP, 2, "7.00"), line(MUG, 1, "20.00"))
    await stage.told(order_id, "delivered")  # while the mug is not even picked
    await stage.deliver(order_id, await stage.send(order_id))
    await stage.told(order_id, "charged")
    one = (LineRequest(line_id="1", quantity=1),)
    refund = RefundRequest(lines=one, reason="one is enough", by=WHO)
    await stage.service.aftersales.refund(order_id, refund)
    await stage.told(order_id, "codes revoked")
    bought = (await stage.service.codes.of_order(order_id)).bought
    revoked = sum(code.revoked_at is not None for code in bought)
    expect((len(bought), revoked) == (2, 1), f"{order_id}: {bought}")
    await stage.ended(order_id)
    return "2 codes were given out at once, beside a parcel; 1 is revoked, and paid back"


async def collected(stage: Stage) -> str:
    """The customer collects the goods with a code."""
    order_id = await stage.place("pick-up", line(MUG, 1, "20.00"), shipping={"service": "collect"})
    part_id = await stage.pick(order_id)
    await stage.pack(part_id)
    await stage.told(order_id, "ready to be collected")
    (ready,) = (await stage.service.codes.of_order(order_id)).to_collect
    await stage.service.warehouse.collect(part_id, ready.code, who="counter")
    await stage.ended(order_id)
    return f"{part_id} lay ready, and was collected with its code"


async def pre_ordered(stage: Stage) -> str:
    """A novel waits for its first day, which comes earlier, and is charged then."""
    order_id = await stage.place("pre-order", line(NOVEL, 1, "22.00"))
    await stage.told(order_id, "confirmed")
    before = await stage.summary(order_id)
    tasks = await stage.service.warehouse.tasks(order_id=order_id)
    expect(not tasks and not before.captured_minor, f"{order_id} did not wait: {tasks}")
    today = datetime.now(UTC).date()
    out = Item(sku=NOVEL, name="A novel", available_from=today)
    await stage.service.catalogue.set_items([out])
    await stage.deliver(order_id, await stage.send(order_id))
    ended = await stage.ended(order_id)
    return f"nothing before its first day; then sent, and {dollars(ended.captured_minor)} charged"


async def drop_shipped(stage: Stage) -> str:
    """The lamp's maker sends it; its notice is the hand-over."""
    order_id = await stage.place("drop-ship", line(LAMP, 1, "79.00"))
    po = await stage.bought(order_id, LAMP)
    expect(po.drop_ship, f"{po.po_id} does not go to the customer")
    buying, day = stage.service.purchasing, datetime.now(UTC).date()
    said = {LAMP: Acknowledged(quantity=1, due_on=day)}
    await buying.acknowledge(po.po_id, "855", said, who=po.supplier)
    await buying.ship(po.po_id, "856", parcel=("dhl", "JD0012"), who=po.supplier)
    row = await stage.told(order_id, "shipped")
    await stage.deliver(order_id, str(row.data["fulfilment_id"]))
    await stage.ended(order_id)
    return f"{po.po_id}: {po.supplier} sent it to the customer"


async def made_to_order(stage: Stage) -> str:
    """The table is made for its order, comes to us, and is sent."""
    order_id = await stage.place("made", line(TABLE, 1, "690.00"))
    po = await stage.bought(order_id, TABLE)
    await stage.service.purchasing.receive(po.po_id, "dock", who="dock")
    await stage.deliver(order_id, await stage.send(order_id))
    await stage.ended(order_id)
    return f"{po.po_id}: {po.supplier} made it; it came here, and was sent"
