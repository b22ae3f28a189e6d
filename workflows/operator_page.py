"""The page that operators read at the top of the workflow in the Temporal UI. Nothing personal."""

from __future__ import annotations

from temporalio import workflow

from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from domain.orders.messages import Placement

_COUNTS = (
    "open",
    "backordered",
    "allocated",
    "shipped",
    "delivered",
    "cancelled",
    "lost",
    "returned",
)

_DOING = {
    "planned": "reserved",
    "under_way": "with the warehouse, to be picked, packed and handed over",
    "await_delivery": "on its way to the customer",
    "ended": "ended",
}

_WHERE = {
    "under_way": "how far it has come: `orderloom show`, `orderloom warehouse tasks`",
    "await_delivery": "what the carrier says: `orderloom show`",
}
"""Where to look for more, of what the outside is waited for."""


def page(phase: str, placement: Placement | None, book: OrderBook, steps: Steps) -> str:
    """Markdown: what state the order is in, what needs a person, where each unit stands."""
    total = f" · {book.money(book.terms.total_minor)}" if book.known else ""
    parts = [f"**{book.order_id}** · {phase}{total}"]
    if placement is not None and placement.reason:
        parts.append(f"Reason: {placement.reason}")
    parts += [
        f"⚠ **Needs attention:** `{parked.step}`: {parked.reason}"
        + (f" (answer with {', '.join(parked.allowed)})" if parked.allowed else "")
        for parked in steps.attention.steps.values()
    ]
    if book.known:
        rows = [
            f"| {line.line_id} | {line.sku} | {line.quantity} | {_standing(book, line.line_id)} |"
            for line in book.terms.lines
        ]
        parts.append("\n".join(["| line | SKU | ordered | units |", "|---|---|---|---|", *rows]))
    if book.fulfilments:
        parts.append(
            "\n".join(f"- {_parcel(fulfilment)}" for fulfilment in book.fulfilments.values())
        )
    return "\n\n".join(parts)


def _standing(book: OrderBook, line_id: str) -> str:
    line = book.lines[line_id]
    counts = {name: getattr(line, name) for name in _COUNTS}
    counts["shipped"] -= line.delivered + line.lost  # those still on their way
    return ", ".join(f"{units} {name}" for name, units in counts.items() if units)


def _parcel(fulfilment: Fulfilment) -> str:
    units = sum(fulfilment.units.values())
    doing = fulfilment.outcome or _DOING[fulfilment.stage]
    where = _WHERE.get(fulfilment.stage)
    if where is not None and fulfilment.since is not None and not fulfilment.outcome:
        doing += f", since {fulfilment.since:%Y-%m-%d %H:%M} UTC ({where})"
    return f"`{fulfilment.id}` from {fulfilment.location}, {units} units: {doing}"
