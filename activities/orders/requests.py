"""Sends requests to orders: cancellations from their shop, and rejections after a deadline."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.service import RPCError

from activities.relay import RPC_TIMEOUT
from domain import ids
from domain.orders.messages import OrderRequest
from domain.orders.request_kinds import BY_REQUEST

logger = logging.getLogger(__name__)


class Requests:
    """Requests to the workflows of orders, with Temporal's client. `within`: each has so long."""

    def __init__(self, client: Client, within: timedelta = RPC_TIMEOUT) -> None:
        self._client = client
        self._within = within

    async def send(self, order_id: str, request: OrderRequest) -> str:
        """Send the order a request, and do not wait for its outcome.

        Returns why it was refused; empty: it was taken, or Temporal did not answer, so call this
        again.
        """
        handle = self._client.get_workflow_handle(ids.workflow_id(order_id))
        try:
            await handle.start_update(
                BY_REQUEST[type(request)].update,
                request,
                id=request.request_id,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                rpc_timeout=self._within,
            )
        except WorkflowUpdateFailedError as error:
            return str(error.cause)
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            # The library says so, too, when it is the worker that stops.
            if isinstance(error.__cause__, asyncio.CancelledError):
                raise error.__cause__ from None
            logger.warning("%s did not take its request in time", order_id)
        except RPCError as error:  # It is not started yet, has just ended, or nobody answers.
            logger.warning("the request to %s is sent later: %s", order_id, error)
        return ""
