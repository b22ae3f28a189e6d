"""How long a caller waits for a decision: `Prefer: wait=n` (RFC 7240, 4.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Header

USUAL: Final = timedelta(seconds=10)
MOST: Final = timedelta(seconds=20)
"""Less than the time in which each request must be answered."""

_WAIT: Final = re.compile(r"(?:^|[,;\s])wait=(\d{1,9})(?:$|[,;\s])")


@dataclass(frozen=True)
class Preference:
    """`long`: how long to wait. `said`: whether the caller has said so."""

    long: timedelta = USUAL
    said: bool = False

    def applied(self) -> dict[str, str]:
        """The header that tells which preference was met."""
        return {"Preference-Applied": f"wait={self.long.seconds}"} if self.said else {}


async def preferred(
    prefer: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description="wait=n: answer 202 where the decision takes longer than n seconds. "
            f"Left out: {USUAL.seconds}; at most {MOST.seconds}.",
            examples=["wait=5"],
            max_length=200,
        ),
    ] = None,
) -> Preference:
    """What the header says; what cannot be read is left aside, as its standard wants it."""
    found = _WAIT.search(prefer or "")
    if found is None:
        return Preference()
    return Preference(min(timedelta(seconds=int(found[1])), MOST), said=True)


Waits: TypeAlias = Annotated[Preference, Depends(preferred)]
