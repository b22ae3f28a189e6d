"""Asks orders for what their customers want changed, and says what became of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.relay import RPC_TIMEOUT
from domain import ids
from domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound, Refused
from domain.orders.messages import OrderRequest
from domain.orders.request_kinds import BY_REQUEST

_REFUSALS: Final = {
    one.kind for one in (Refused, IllegalTransition, InvalidInput, Conflict, NotFound)
}


class OrderAsking:
    """Requests to orders whose outcome is awaited. `within`: each has so long."""

    def __init__(self, client: Client, within: timedelta = RPC_TIMEOUT) -> None:
        self._client = client
        self._within = within

    async def ask(self, order_id: str, request: OrderRequest) -> str | None:
        """Why the order refuses it; "" where it has met it; None: ask again.

        The order answers a request once, by its id.
        """
        handle = self._client.get_workflow_handle(ids.workflow_id(order_id))
        try:
            await handle.execute_update(
                BY_REQUEST[type(request)].update,
                request,
                id=request.request_id,
                rpc_timeout=self._within,
            )
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            refused = isinstance(cause, ApplicationError) and cause.type in _REFUSALS
            return str(cause.message) if refused and isinstance(cause, ApplicationError) else None
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            # The library says so, too, when it is the worker that stops.
            if isinstance(error.__cause__, asyncio.CancelledError):
                raise error.__cause__ from None
            return None
        except RPCError as error:
            ended = error.status == RPCStatusCode.NOT_FOUND
            return "it is not under way" if ended else None
        return ""
