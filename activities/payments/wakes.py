"""Tells an order's workflow to look again at a step that waits for a person."""

from __future__ import annotations

import logging

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.relay import RPC_TIMEOUT
from domain import ids
from domain.orders.messages import AttentionAnswer
from domain.payments.provider_events import Wake

logger = logging.getLogger(__name__)


class Wakes:
    """A payment company says what became of a call: the step that made it is tried again."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def send(self, wake: Wake) -> bool:
        """Make the step retry. False: Temporal did not take it, so call this again."""
        handle = self._client.get_workflow_handle(ids.workflow_id(wake.order_id))
        answer = AttentionAnswer(step=wake.step, action="retry", note=wake.why, by="webhook")
        try:
            await handle.signal("resolve_attention", answer, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # an order that has ended waits for nothing
                logger.warning("%s of %s is woken later: %s", wake.step, wake.order_id, error)
                return False
        return True
