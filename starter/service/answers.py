"""What people decide about steps that need attention: each goes to where it is waited for."""

from __future__ import annotations

from domain.errors import IllegalTransition
from domain.orders.messages import AttentionAnswer
from starter.service.carriers import LATE_SCAN, Carriers
from starter.service.found_parcels import FoundParcels
from starter.service.orders import Orders
from starter.service.payments import (
    DISPUTE_TO_BOOK,
    GOODWILL_ASKED,
    PAID_ELSEWHERE,
    REFUND_CAME_BACK,
    Payments,
)
from starter.service.returns import OF_A_RETURN, Returns
from workflows.engine.attention import NO_ANSWER


class Answers:
    """Takes the answers of people. Each call may be repeated."""

    def __init__(
        self,
        orders: Orders,
        carriers: Carriers,
        found_parcels: FoundParcels,
        payments: Payments,
        returns: Returns,
    ) -> None:
        self._orders = orders
        self._found_parcels = found_parcels
        # What no step of the order waits for is settled where it stands.
        self._ways = {
            LATE_SCAN: carriers.settle_late_scan,
            OF_A_RETURN: returns.settle,
            DISPUTE_TO_BOOK: payments.settle_dispute,
            PAID_ELSEWHERE: payments.settle_paid_elsewhere,
            GOODWILL_ASKED: payments.refuse_goodwill,
            REFUND_CAME_BACK: payments.settle_bounced,
        }

    async def resolve(
        self, order_id: str, answer: AttentionAnswer, *, request_id: str | None = None
    ) -> None:
        """Tell what a person has decided about a step that needs attention.

        `request_id`: under which a run of the order takes it once. Raises NotFound, Refused, and
        IllegalTransition where the step does not take this answer.
        """
        rows = (await self._orders.get(order_id)).attention
        if any(row.step == answer.step and not row.allowed for row in rows):
            raise IllegalTransition(f"{answer.step!r} takes no {answer.action}: {NO_ANSWER}")
        if answer.step.startswith(LATE_SCAN) and any(
            row.step == answer.step and answer.action in row.allowed for row in rows
        ):
            return await self._found_parcels.settle(order_id, answer)
        for begins, settle in self._ways.items():
            if answer.step.startswith(begins):
                if answer.action != "done":
                    raise IllegalTransition(
                        f"{answer.step!r} takes no {answer.action}: it takes done"
                    )
                return await settle(order_id, answer.step, answer.note, who=answer.by)
        return await self._orders.resolve_attention(order_id, answer, request_id=request_id)
