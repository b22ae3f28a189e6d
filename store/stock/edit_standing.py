"""Where a placed order stands, for a change of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import NotFound
from domain.orders.edit_messages import PersonChange
from domain.orders.edited import LineStanding, Present
from domain.orders.handling import is_outside
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.quantities import LineUnits
from domain.stock.taking_away import Part
from domain.stored import stored
from store.database import Connection, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Standing:
    """An order as an edit finds it. `parts`: its fulfilments that have not left, by their ids."""

    present: Present
    decision: str
    policy: Policy
    skus: Mapping[str, str]
    parts: Mapping[str, Part]
    waiting: LineUnits
    person: PersonChange | None


async def standing(conn: Connection, order_id: str, request_id: str = "") -> Standing:
    """Where an order stands. Raises NotFound. `person`: what is kept for the request."""
    row = await _sql.present(conn, order_id=order_id, request_id=request_id)
    if row is None:
        raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
    lines = {line["line_id"]: line for line in row["lines"]}
    parts = {part_id: Part.model_validate(part) for part_id, part in row["parts"].items()}
    return Standing(
        Present(
            stored(Order, row["document"]),
            row["version"],
            {k: _line(line) for k, line in lines.items()},
            charged=row["charged"],
            charging=row["charging"],
            unpaid=row["unpaid"],
            labelling=any(x.state == "packed" and x.label == "requested" for x in parts.values()),
            bought_to=row["bought_to"],
            at_work=any(x.state == "labelled" and is_outside(x.handling) for x in parts.values()),
            sent=row["sent"],
        ),
        row["decision"],
        Policy.model_validate_json(row["policy"]),
        {k: line["sku"] for k, line in lines.items()},
        parts,
        row["waiting"],
        None if row["wished"] is None else stored(PersonChange, row["wished"]),
    )


def _line(row: Mapping[str, Any]) -> LineStanding:
    return LineStanding(ordered=row["ordered"], cancelled=row["cancelled"], shipped=row["shipped"])
