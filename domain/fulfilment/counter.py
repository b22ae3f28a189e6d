"""The counter, where customers take their goods, and nothing is sent."""

from __future__ import annotations

from typing import Final

COUNTER: Final = "counter"
"""The name of its carrier. The number of what lies there is the fulfilment's id."""
