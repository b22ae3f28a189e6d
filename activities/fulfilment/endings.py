"""What ends the wait for a fulfilment, by what its rows say."""

from __future__ import annotations

from activities.fulfilment.contracts import Sent
from store.fulfilment.fulfilments import Standing


def has_ended(found: Standing) -> Sent | None:
    """What the order has to hear of a fulfilment before it can wait for it; None: nothing.

    This is what the rows say: units that nobody has replaced are missing still, and a report that
    the order has heard already is not told again.
    """
    if found.recalled_from is not None:
        return Sent(outcome="recalled")
    match found.state:
        case "shipped" | "delivered" | "exception":
            due = (found.outcome or {}).get("due_minor", 0)  # as it was reported when it left
            return Sent(outcome="shipped", units=found.units, due_minor=due)
        case "cancelled":
            return Sent.model_validate(
                found.outcome or {"outcome": "short", "missing": found.missing}
            )
    if found.work_failed is not None:
        return Sent(outcome="failed", why=found.work_failed)
    return Sent(outcome="short", missing=found.missing) if found.missing else None
