"""Goods that lie ready for their customer, who takes them with a code."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import IllegalTransition, Refused
from domain.orders.fulfilment_state import FulfilmentState
from store.database import Connection, load_queries
from store.faults import refusals

_sql = load_queries(__file__)

_NO: Final = {
    "wrong": Refused(
        "this is not the code of these goods: look at the order's number, and ask the customer for "
        "the code that came with it",
        reason="wrong_code",
    ),
    "too_many": Refused(
        "five wrong codes in a row: none is looked at for a quarter of an hour",
        reason="too_many_tries",
    ),
    "given_up": IllegalTransition(
        "these goods are not kept any more: they were not collected in time, or cancelled, and go "
        "back to stock",
        reason="given_up",
    ),
    "not_ready": IllegalTransition(
        "these goods do not lie ready for anybody to collect", reason="not_ready"
    ),
}


class PickUp(BaseModel):
    """Goods that lie ready, or were collected. `code`: what the customer says or shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fulfilment_id: str
    location: str
    state: FulfilmentState
    code: str
    ready_at: datetime
    collected_at: datetime | None


async def try_code(conn: Connection, fulfilment_id: str, code: str) -> None:
    """Raises Refused where it is not the code for these goods, or they are not to be had.

    Wrong ones are counted, so this is no part of a transaction that the refusal undoes.
    """
    with refusals():
        answer = await _sql.code_tried(conn, fulfilment_id=fulfilment_id, code=code)
    if answer != "right":
        raise _NO[answer]


async def of_order(conn: Connection, order_id: str) -> list[PickUp]:
    """What lies ready of an order, or was collected. Not what was given up."""
    return [PickUp(**row) async for row in _sql.of_order(conn, order_id=order_id)]
