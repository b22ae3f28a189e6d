"""The rules by which claims are taken, and which of them need no person."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.fields import Amount, CurrencyOnceUsed

Within = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3650))]


class ClaimRules(BaseModel):
    """The defaults ask a person about every claim but a late delivery."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    within: Within = timedelta(days=30)
    """A claim may be made for this long after the last delivery."""
    alone_up_to: dict[CurrencyOnceUsed, Amount] = {}
    """By currency: units that are worth so much at most are paid back or sent again without a
    person. No entry: a person decides."""
    alone_per_customer: Annotated[int, Field(ge=0)] = 2
    """A customer who has made so many claims within a year before is decided about by a person."""
    investigate_within: Within = timedelta(days=7)
    """Of a parcel that is missing although the carrier has delivered it, the carrier is asked
    first. A person decides about it by then."""
    late_pays_shipping: bool = True
    """A parcel that came after its promised day: the shipping is paid back."""
    late_percent: Annotated[int, Field(ge=0, le=100)] = 0
    """And so much of what was charged for the order."""

    def over(self, usual: ClaimRules) -> ClaimRules:
        """The usual rules, but for what was set in these."""
        return usual.model_copy(update={n: getattr(self, n) for n in self.model_fields_set})
