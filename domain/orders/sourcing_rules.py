"""What a location must offer to serve an order, and which of several is better."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from domain.fields import Id, wrong

Criterion = Literal["parcels", "cost", "distance", "wait"]


CRITERIA: Final[tuple[Criterion, ...]] = ("parcels", "cost", "distance", "wait")


class SourcingRules(BaseModel):
    """What makes one way to serve an order better than another.

    First as many units as possible; then the criteria in the sequence of `prefer`, those left out
    of it after the others; then the locations' priorities.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefer: tuple[Criterion, ...] = CRITERIA
    """parcels: the fewest. cost: of sending them, the least. distance: the nearest. wait: the
    earliest to leave, counting each location's working days, cut-off and capacity."""
    parcels_max: Annotated[int, Field(ge=1)] | None = None
    """The most parcels that an order is sent in; units that do not fit are not served."""
    locations: tuple[Id, ...] | None = None
    """From these locations only; left out: from any."""

    @field_validator("prefer")
    @classmethod
    def _once_each(cls, prefer: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        if len(set(prefer)) < len(prefer):
            raise wrong("must name each criterion once at most")
        return prefer
