"""Where nothing is sent: the counter, and codes that are given out."""

from __future__ import annotations

from typing import Final

COUNTER: Final = "counter"
"""The name of its carrier. The number of what lies there is the fulfilment's id."""

CODES: Final = "codes"
"""The same for codes, which nobody carries anywhere."""

SUPPLIER: Final = "supplier"
"""The same for what a supplier sends: its own number is told with its notice."""

WORKSHOP: Final = "workshop"
"""The same for what a workshop works on: it may tell another carrier and number when it is done."""

APPOINTMENT: Final = "appointment"
"""The same for services, which are given at a time that is agreed."""

AT_ONCE: Final = frozenset({COUNTER, CODES, APPOINTMENT})
"""What these hand over is with the customer in that moment."""
