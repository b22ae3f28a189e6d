"""How long data is kept that is not needed for ever. Duties of the relay delete it then."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple


class Kept(NamedTuple):
    """How long each kind of data is kept."""

    effects: timedelta = timedelta(days=30)
    """After an order's end: no attempt of one of its steps is under way any more by then."""
    provider_events: timedelta = timedelta(days=90)
    """After a company's event was processed."""
    label_files: timedelta = timedelta(days=30)
    """After the parcel has left."""
    request_keys: timedelta = timedelta(days=7)
    """After the request: nobody repeats it any more by then."""
    persons: timedelta | None = None
    """After an order's end; None: until somebody asks to erase them."""
    documents_years: int = 10
    """Whole, though their person was erased, after the year of their issue."""
    events: timedelta = timedelta(days=30)
    """In the sequence for other systems, and each attempt to deliver them."""
    jobs: timedelta = timedelta(days=30)
    """After a job's end, with the result of each item and the file that the job wrote."""
    staff_sessions: timedelta = timedelta(days=90)
    """After its end: where somebody was signed in, from which address."""
    scan_runs: timedelta = timedelta(days=30)
    """After the end of a piece of work with a scanner, or the last scan of one that never ended."""


AS_SHIPPED: Final = Kept()
