"""Where an order stands, for a run of its workflow that goes on with it.

The rows may be ahead of what the earlier run knew. What a fact has changed by itself is done; what
it still asks the order to do is found by the effect that is missing: units that were not found, and
that nobody has replaced, are counted as if the order had not heard of that yet. Then the step that
waits for them tells it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from domain.orders.continuation import (
    AnsweredRequest,
    BegunRequest,
    FulfilmentStanding,
    OpenAttention,
    OpenReturn,
    OrderState,
)
from domain.orders.quantities import LineQuantities
from domain.orders.refund_rules import Granted
from store.database import Connection, Record, load_queries
from store.locks import lock_order
from store.orders import events, orders

_sql = load_queries(__file__)

Stage = Literal["planned", "await_delivery", "recalled", "ended"]

ANSWERS_BYTES_MAX: Final = 500_000
"""Of the answers that the next run remembers, the oldest are left out beyond this."""


async def read(conn: Connection, order_id: str) -> OrderState:
    """Where an order stands. Raises NotFound."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        row = await _sql.state_of(conn, order_id=order_id, bytes_max=ANSWERS_BYTES_MAX)
        record = (await orders.on_record(conn, [order_id]))[order_id]
    parts = row["fulfilments"] or []
    lines = {k: LineQuantities.model_validate(n) for k, n in row["lines"].items()}
    for part in parts:
        for line_id, units in _missing(part).items():
            lines[line_id] = lines[line_id].allocate(units)
    # The carrier's report of an order that has ended is gone.
    delivered = [
        x["carrier"]["at"] if x["carrier"] else x["changed_at"]
        for x in parts
        if x["state"] == "delivered"
    ]
    return OrderState(
        terms=record.terms,
        decision=row["decision"],
        lines=lines,
        fulfilments=tuple(_fulfilment(part) for part in parts),
        last_delivery=max(delivered, default=None),
        round=max(row["round"] or 1, 1 + (row["filled"] or 0)),
        waits_since=row["waits_since"],
        authorized=row["authorized"],
        is_undone=row["is_undone"],
        prepaid=row["prepaid"] or "not_begun",
        attempt=_attempt(row["authorizing"]),
        attempts=row["attempts"] or {},
        owed=tuple(Granted.model_validate(each) for each in row["owed"] or []),
        returns=tuple(OpenReturn.model_validate(each) for each in row["returns"] or []),
        holds=row["holds"]["count"],
        is_held=row["holds"]["is_held"],
        attention=_attention(row),
        answered=tuple(AnsweredRequest.model_validate(x) for x in row["answered"] or []),
        begun=begun(order_id, row["begun"] or []),
    )


def begun(order_id: str, done: Sequence[Mapping[str, Any]]) -> dict[str, BegunRequest]:
    """What was done for requests, by their ids: from the effects that name them, and their stories.

    `cancel:<request>:<fulfilment>`, `cancel:<request>:<fulfilment>:<number>` and
    `cancel:<request>:B:<number>` have cancelled units; `cancel:<fulfilment>` was no request.
    `edit:<request>` has changed the order.
    """
    found: dict[str, BegunRequest] = {}
    of_request = re.compile(rf"cancel:(.+):(?:{re.escape(order_id)}:\d+(?::\d+)?|B:\d+)")
    for each in done:
        effect, data = each["effect"], each["data"]
        cancelled = of_request.fullmatch(effect)
        if cancelled is not None:
            request_id = cancelled[1]
            units = dict(found.get(request_id, BegunRequest()).cancelled)
            for part in (*data["units"].values(), data["backordered"]):
                for line_id, count in part.items():
                    units[line_id] = units.get(line_id, 0) + count
            found[request_id] = BegunRequest(cancelled=units)
        elif effect.startswith("approve_return:"):
            found[effect.removeprefix("approve_return:")] = BegunRequest(
                return_id=data["return_id"], units=data["units"], asks=data.get("asks", ())
            )
        elif effect.startswith("edit:"):
            found[effect.removeprefix("edit:")] = BegunRequest(edited=True)
    return found


def _fulfilment(part: Mapping[str, Any]) -> FulfilmentStanding:
    carrier = part["carrier"] or {}
    stage = _stage(part, carrier.get("outcome"))
    waits = {
        "planned": part["planned_since"],
        "await_delivery": part["return_since"] or part["moved_at"] or part["changed_at"],
    }
    units = dict((part["claimed"] if stage in ("planned", "recalled") else part["picked"]) or {})
    for line_id, missing in _missing(part).items():
        units[line_id] = units.get(line_id, 0) + missing
    return FulfilmentStanding(
        fulfilment_id=part["fulfilment_id"],
        location=part["location"],
        handling=part["handling"],
        state=part["state"],
        units=units,
        stage=stage,
        since=waits.get(stage),
        return_id=part["return_id"] or "",
        outcome="recalled" if part["is_recalled"] else carrier.get("outcome", ""),
        due_minor=part["due"] or 0,
        label_unused=part["label_unused"],
        has_lacked=part["has_lacked"],
        awaits_exchange=part["awaits_exchange"],
    )


def _stage(part: Mapping[str, Any], carrier: str | None) -> Stage:
    """What the order still has to do about a fulfilment."""
    state = part["state"]
    stage: Stage = "planned"
    if part["is_recalled"]:
        stage = "recalled" if part["claimed"] or _missing(part) else "ended"
    elif state == "cancelled":  # refused, not found, or fallen back to backorder
        stage = "planned" if _missing(part) else "ended"
    elif state in ("shipped", "delivered", "exception"):
        came_back = part["return_state"] not in (None, "approved")
        is_sent_again = carrier == "lost" or part["is_anew"]
        settled = part["is_replaced"] if is_sent_again else came_back
        stage = "ended" if state == "delivered" or settled else "await_delivery"
    return stage


def _missing(part: Mapping[str, Any]) -> dict[str, int]:
    return part["missing"] or {}


def _attempt(authorizing: Mapping[str, Any]) -> int:
    """The number of the next try to authorize, or of the last one, if its refusal stands."""
    failed: int = authorizing["failed"]
    return failed if authorizing["is_refused"] else failed + 1


def _attention(row: Record) -> tuple[OpenAttention, ...]:
    """What the workflow itself has raised. Others do, too, and see to that by themselves."""
    found = [OpenAttention.model_validate(each) for each in row["attention"] or []]
    raised = row["raised"] or ()
    return tuple(x for x in found if events.attention_effect(x.step, x.since, "raised") in raised)
