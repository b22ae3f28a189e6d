"""What a job asks an order for: each order decides for itself, as if it had been asked alone."""

from __future__ import annotations

from typing import Any

from domain.errors import NotFound
from domain.jobs.jobs import Maker, OpenItem, Told
from domain.orders.hold_messages import HoldRequest, ReleaseRequest
from domain.orders.messages import AttentionAnswer, CancelRequest, ChargeRequest
from starter.service.job_work import Standing
from starter.service.service import Service


async def cancel(here: Service, job: Standing, item: OpenItem) -> Told:
    """Cancel an order. The order knows the request by its id, and answers it once."""
    order_id = item.reference or ""
    await check_order(here, job.maker, order_id)
    outcome = await here.aftersales.cancel(
        order_id,
        CancelRequest(
            reason=job.options["reason"],
            **_named(job, item),
        ),
    )
    return _told(item, outcome.outcome, outcome.message)


async def hold(here: Service, job: Standing, item: OpenItem) -> Told:
    """Hold an order, once for each job and item."""
    order_id = item.reference or ""
    await check_order(here, job.maker, order_id)
    outcome = await here.holds.hold(
        order_id,
        HoldRequest(
            reason=job.options["reason"],
            note=job.options["note"],
            **_named(job, item),
        ),
    )
    return _told(item, outcome.outcome, outcome.message)


async def charge(here: Service, job: Standing, item: OpenItem) -> Told:
    """Charge an order that waits for it, once for each job and item."""
    order_id = item.reference or ""
    await check_order(here, job.maker, order_id)
    outcome = await here.payments.charge(
        order_id,
        ChargeRequest(
            note=job.options["note"],
            **_named(job, item),
        ),
    )
    return _told(item, outcome.outcome, outcome.message)


async def release(here: Service, job: Standing, item: OpenItem) -> Told:
    """End the holds of an order, once for each job and item."""
    order_id = item.reference or ""
    await check_order(here, job.maker, order_id)
    outcome = await here.holds.release(
        order_id,
        ReleaseRequest(
            note=job.options["note"],
            **_named(job, item),
        ),
    )
    return _told(item, outcome.outcome, outcome.message)


async def resolve(here: Service, job: Standing, item: OpenItem) -> Told:
    """Answer a step that waits for a person. It takes one answer, and no second one."""
    order_id = item.reference or ""
    await check_order(here, job.maker, order_id)
    answer = AttentionAnswer(**item.content, by=job.maker.by)
    try:
        await here.resolve(order_id, answer)
    except NotFound:
        if not item.again:
            raise
        # The attempt before has told it, and was stopped before it could say so here.
        return Told(item.number, "done", answer="waits for nobody any more")
    return Told(item.number, "done", answer=answer.action)


def _named(job: Standing, item: OpenItem) -> dict[str, Any]:
    """Whose request it is, and the id by which the order knows it again."""
    return {"request_id": f"{job.job_id}-{item.number}", "by": job.maker.by}


def _told(item: OpenItem, outcome: str, message: str) -> Told:
    """What the order has answered."""
    refused = outcome == "refused"
    return Told(
        item.number,
        "refused" if refused else "done",
        answer=outcome,
        code="refused" if refused else None,
        detail=message or None,
    )


async def check_order(here: Service, maker: Maker, order_id: str) -> None:
    """Raises NotFound for an order that is not there, or that the job's maker does not see."""
    whose = await here.orders.whose(order_id)
    if whose is None or not maker.sees(*whose):
        raise NotFound(f"there is no order {order_id}")
