"""What a step has to know of a fulfilment's money before it is sent. Rows say it."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from store.database import Connection


class Cover(Protocol):
    """Whether a fulfilment is paid for, so that it may leave; and the charge when it leaves."""

    @property
    def holds(self) -> bool: ...

    @property
    def to_charge(self) -> int: ...

    @property
    def seen(self) -> str | None:
        """The money that this is true of; None: it stays true."""


class CoverOf(Protocol):
    """Asks the rows for the cover of a fulfilment."""

    async def __call__(
        self,
        conn: Connection,
        order_id: str,
        fulfilment_id: str,
        *,
        ahead: bool,
        lasting: timedelta,
        renew_before: timedelta,
    ) -> Cover: ...
