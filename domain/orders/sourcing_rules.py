"""The rules by which an order's locations are chosen."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from domain.fields import Id, wrong

Criterion = Literal["parcels", "cost", "distance", "wait"]


CRITERIA: Final[tuple[Criterion, ...]] = ("parcels", "cost", "distance", "wait")


class SourcingRules(BaseModel):
    """The rules that say which locations may serve an order, and which are better.

    First as many units as possible; then the criteria in the sequence of `prefer`, with those left
    out of it at the end; then the locations' priorities.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefer: tuple[Criterion, ...] = CRITERIA
    """parcels: the fewest. cost: the cheapest to send. distance: the nearest.

    wait: the earliest to leave, by each location's working days, cut-off and capacity.
    """
    parcels_max: Annotated[int, Field(ge=1)] | None = None
    """The most parcels for one order; units that do not fit are not served."""
    locations: tuple[Id, ...] | None = None
    """Only these locations; left out: any."""

    def over(self, usual: SourcingRules) -> SourcingRules:
        """The usual rules, but for what was set in these."""
        return usual.model_copy(update={n: getattr(self, n) for n in self.model_fields_set})

    @field_validator("prefer")
    @classmethod
    def _once_each(cls, prefer: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        if len(set(prefer)) < len(prefer):
            raise wrong("must name each criterion once at most")
        return prefer
