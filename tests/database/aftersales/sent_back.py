"""A delivered order of which units are on their way back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from activities.aftersales.returns import ApproveReturn, DecideReturn
from domain.aftersales.return_rules import Limit, ReturnRule
from domain.fulfilment.tracking import CarrierStatus
from domain.orders.order import Order
from store.aftersales import return_rules
from store.sandbox.companies import set_fault
from store.views import audit, returns
from store.views.returns import ParcelLabel, Return
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping

PAID = ReturnRule(label="paid", label_fee=Limit(amount=Decimal("4.90"), currency="USD"))


async def asked(bench: Bench, rule: ReturnRule = PAID, **fields: Any) -> tuple[Order, str]:
    """A delivered order of which two of three units shall come back."""
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [rule])
    order = an_order(("TEA", 3, "10.00"), **{"shipping": shipping("0")} | fields)
    await bench.stocked("TEA", 9)
    await bench.charged(await bench.at(order, "delivered"))
    return order, await asked_again(bench, order.order_id, 2, name="r1")


async def asked_again(bench: Bench, order_id: str, units: int, name: str = "r2") -> str:
    """Some more of its units shall come back."""
    ask = ApproveReturn(
        order_id=order_id,
        request_id=name,
        units={"1": units},
        reason="no",
        who="test",
    )
    return (await bench.returns.approve_return(ask)).return_id


async def decide(bench: Bench, back: str, decision: str) -> str:
    """Returns the code of the rule that says no; empty: it is decided."""
    ask = DecideReturn.model_validate(
        {
            "order_id": back.split(":", maxsplit=1)[0],
            "request_id": decision,
            "return_id": back,
            "decision": decision,
            "why": "well",
            "who": "ann",
        }
    )
    refusal = (await bench.returns.decide_return(ask)).refusal
    return "" if refusal is None else refusal.reason


async def see_to(bench: Bench, workers: int = 1) -> None:
    """The duty, in several workers at once, with no pause since the last try."""
    now = "update return_label set try_after = moment() where try_after is not null"
    await bench.pool.execute(now)
    await asyncio.gather(*(bench.return_labels.see_to() for _ in range(workers)))


async def shown(bench: Bench, back: str) -> Return:
    async with bench.pool.acquire() as conn:
        return await returns.get(conn, back)


async def label(bench: Bench, back: str) -> ParcelLabel:
    found = (await shown(bench, back)).label
    assert found is not None
    return found


async def scan(
    bench: Bench, back: str, status: CarrierStatus, event: str = "", at: datetime | None = None
) -> str:
    parcel = await label(bench, back)
    return await bench.carriers.event(
        carrier=parcel.carrier or "",
        tracking_number=parcel.tracking_number or "",
        event_id=event or status,
        status=status,
        happened_at=at or datetime.now(UTC),
    )


async def tasks(bench: Bench) -> list[str]:
    rows = await bench.pool.fetch("select step from attention where resolved_at is null")
    return [row["step"] for row in rows]


async def fault(bench: Bench, operation: str, kind: str, remaining: int = 1) -> None:
    async with bench.pool.acquire() as conn:
        await set_fault(conn, "carrier", operation, kind, 1, remaining=remaining)


async def is_clean(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        faults = (await audit.look(conn)).violations
    assert not faults, faults
