"""The states of an order's fulfilments, which orders and fulfilments both speak of."""

from __future__ import annotations

from typing import Literal

FulfilmentState = Literal[
    "open",  # Reserved; not released to the warehouse.
    "picking",
    "picked",
    "packed",
    "labelled",  # Waits for the hand-over.
    "shipped",
    "delivered",
    "cancelled",  # Recalled, or no unit of it was found.
    "exception",  # Lost, or on its way back to the sender.
]
