"""The ids of orders and their parts. All of an order's ids begin with its own.

By that the rows of a part are found: `order_no_of` in store/schema/routines/kernel.sql.

order `web-1001` · its workflow `order:web-1001` · fulfilment `web-1001:2` · return `web-1001:R1` ·
its first wait for stock `web-1001:B1`

purchase order `PO-5ff1…` · its workflow `purchase-order:PO-5ff1…`
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

WHO = "orderloom"
"""The actor in the story when the engine acted by itself."""


WORKFLOW_PREFIX = "order:"
PURCHASE_PREFIX = "purchase-order:"


ENCODED_MAX: Final = 120
"""An encoded number is no longer: a workflow's id, and a payment company's keys, have limits."""
_KEPT: Final = 90
"""Of a longer one, so much is kept as it is."""

_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]")


def order_id(channel: str, number: str) -> str:
    """The id of an order, by its number as the channel writes it.

    Letters without accents, digits, '.', '_' and '-' stay. Every other sign is written as the bytes
    that it has in UTF-8, each as '~' and two digits: `#1001` of `web` is `web-~231001`. So two
    numbers never have one id. A number that gets too long by that ends in a hash of all of it.
    """
    encoded = _OTHER.sub(lambda sign: "".join(f"~{b:02x}" for b in sign[0].encode()), number)
    if len(encoded) > ENCODED_MAX:
        # No other number has "~~" in it.
        encoded = f"{encoded[:_KEPT]}~~{hashlib.sha256(number.encode()).hexdigest()[:24]}"
    return f"{channel}-{encoded}"


def workflow_id(order_id: str) -> str:
    return f"{WORKFLOW_PREFIX}{order_id}"


def fulfilment_id(order_id: str, number: int) -> str:
    return f"{order_id}:{number}"


def refund_id(order_id: str, number: int) -> str:
    """The order's n-th refund without a return: `web-1001:G1`."""
    return f"{order_id}:G{number}"


def elsewhere_id(order_id: str, number: int) -> str:
    """The order's n-th refund that was made without Orderloom: `web-1001:E1`."""
    return f"{order_id}:E{number}"


def prepaid_id(order_id: str) -> str:
    """The single charge for a whole order: `web-1001:prepaid`."""
    return f"{order_id}:prepaid"


def return_id(order_id: str, number: int) -> str:
    return f"{order_id}:R{number}"


def claim_id(order_id: str, number: int) -> str:
    """The order's n-th claim: `web-1001:C1`. What is paid back for it has the same id."""
    return f"{order_id}:C{number}"


def message_ref(order_id: str, event_id: int) -> str:
    """The message that tells of an event of the order: `web-1001:M57`."""
    return f"{order_id}:M{event_id}"


def backorder_id(order_id: str, round: int) -> str:
    """The order's n-th wait for backordered units."""
    return f"{order_id}:B{round}"


def order_of(part_id: str) -> str:
    """The order that a part belongs to, or a payment. Order ids hold no colon."""
    return part_id.split(":", 1)[0]


def label_key(fulfilment_id: str) -> str:
    """The key under which a fulfilment's label is bought: `web-1001:1:label`."""
    return f"{fulfilment_id}:label"


def void_key(label_key: str) -> str:
    """The key under which a label is given back: `web-1001:1:void_label`."""
    return label_key.replace(":label", ":void_label")


def intercept_key(fulfilment_id: str, number: int) -> str:
    """The key of the n-th try to stop a parcel: `web-1001:1:intercept:1`."""
    return f"{fulfilment_id}:intercept:{number}"


def wait_id(step: str, part_id: str) -> str:
    """The activity id of a step that waits for the outside: `await_delivery:web-1001:1`."""
    return f"{step}:{part_id}"


def sending_id(fulfilment_id: str) -> str:
    """The activity id of the wait for warehouse and carrier: `pick_pack_ship:web-1001:1`."""
    return wait_id("pick_pack_ship", fulfilment_id)


def work_id(fulfilment_id: str, attempt: int) -> str:
    """The workflow that sees to the n-th try of a workshop: `work:web-1001:1:1`."""
    return f"work:{fulfilment_id}:{attempt}"


def workshop_id(handling: str, fulfilment_id: str, attempt: int) -> str:
    """The workflow of the workshop itself: `x:engraving:web-1001:1:1`."""
    return f"{handling}:{fulfilment_id}:{attempt}"


def purchase_order_id(unique: str) -> str:
    """An id that suppliers' systems accept: short and unique."""
    return f"PO-{unique[:12]}"


def purchase_workflow_id(po_id: str) -> str:
    return f"{PURCHASE_PREFIX}{po_id}"


def event_delivery_id(subscription_id: str) -> str:
    """The workflow that delivers events to a subscription."""
    return f"event-delivery:{subscription_id}"


def replenishment_id(task_queue: str) -> str:
    """The id of the review of stock levels: of its schedule and its runs. One per shop."""
    return f"replenishment:{task_queue}"


def reconciliation_id(task_queue: str) -> str:
    """The id of the schedule that compares payment companies' days. One per shop."""
    return f"reconciliation:{task_queue}"


def job_workflow_id(job_id: str) -> str:
    """The workflow that works through a job."""
    return f"job:{job_id}"


def jobs_queue(task_queue: str) -> str:
    """Where those wait for work on jobs who may use the doors; workflows run on `task_queue`."""
    return f"{task_queue}-jobs"
