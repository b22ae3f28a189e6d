"""Stories of exchanges: what comes back pays for what is sent instead."""

from __future__ import annotations

from domain.orders.exchange_messages import ExchangeOutcome, ExchangeRequest
from domain.orders.return_messages import ReturnGivenUp
from starter.demo.stories.goods import BOWL, MUG, PLATE, line
from starter.demo.stories.stage import WHO, Stage, dollars, expect


async def even(stage: Stage) -> str:
    """The same again, in another colour: nobody pays anything."""
    order_id = await _delivered(stage, "even", line(MUG, 1, "20.00"))
    asked = await _exchange(stage, order_id, reason="another colour")
    await _comes_back(stage, order_id)
    other = asked.exchange_order_id
    await stage.deliver(other, await stage.send(other))
    first, second = await stage.ended(order_id), await stage.ended(other)
    paid = first.captured_minor + second.captured_minor
    expect(paid == 2 * first.captured_minor, f"{other} cost {second.captured_minor}")
    return f"{other}, paid by what came back: {asked.worth.owed} owed"


async def uneven(stage: Stage) -> str:
    """Something dearer instead: the difference is paid, and sent once the goods are back."""
    order_id = await _delivered(stage, "uneven", line(PLATE, 1, "9.00"))
    wants = [{"sku": BOWL, "quantity": 2, "unit_price": "14.00", "tax_rate": "8"}]
    payment = stage.paid.model_dump(mode="json")
    asked = await _exchange(stage, order_id, reason="a gift", wants=wants, payment=payment)
    other = asked.exchange_order_id
    tasks = await stage.service.warehouse.tasks(order_id=other)
    expect(not tasks, f"{other} is sent before anything came back: {tasks}")
    await _comes_back(stage, order_id)
    await stage.deliver(other, await stage.send(other))
    await stage.ended(order_id)
    await stage.ended(other)
    worth = asked.worth
    return f"{worth.comes_back} came back, {worth.total} was sent, {worth.owed} paid more"


async def in_advance(stage: Stage) -> str:
    """The replacement is sent first; the customer keeps both, and pays for it then."""
    order_id = await _delivered(stage, "advance", line(MUG, 1, "20.00"))
    asked = await _exchange(stage, order_id, reason="needed tomorrow", mode="advance")
    other = asked.exchange_order_id
    await stage.deliver(other, await stage.send(other))
    kept = ReturnGivenUp(return_id=asked.return_id, reason="the customer keeps both", by=WHO)
    await stage.service.aftersales.cancel_return(order_id, kept)
    await stage.ended(order_id)
    ended = await stage.ended(other)
    return f"sent first; nothing came back, and {dollars(ended.captured_minor)} is charged"


async def _delivered(stage: Stage, name: str, *lines: dict[str, object]) -> str:
    order_id = await stage.place(f"exchange-{name}", *lines)
    await stage.deliver(order_id, await stage.send(order_id))
    await stage.told(order_id, "charged")
    return order_id


async def _exchange(stage: Stage, order_id: str, **fields: object) -> ExchangeOutcome:
    request = ExchangeRequest.model_validate({"by": WHO, **fields})
    return await stage.service.exchanges.exchange(order_id, request)


async def _comes_back(stage: Stage, order_id: str) -> None:
    await stage.receive(order_id)
    await stage.told(order_id, "return received")
