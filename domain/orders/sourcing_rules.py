"""The rules by which an order's locations are chosen."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from domain.fields import Id, wrong

OwnCriterion = Literal["parcels", "cost", "distance", "wait"]

CRITERIA: Final[tuple[OwnCriterion, ...]] = ("parcels", "cost", "distance", "wait")


def _check_name(name: str) -> str:
    near = get_close_matches(name, CRITERIA, 1, cutoff=0.8)
    if near and name not in CRITERIA:
        raise wrong(f"is not known here (did you mean {near[0]}?)")
    return name


Criterion = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,30}$"), AfterValidator(_check_name)]
"""One of the four, or the name of an extension that measures locations."""


class SourcingRules(BaseModel):
    """The rules that say which locations may serve an order, and which are better.

    First as many units as possible; then the criteria in the sequence of `prefer`, with those left
    out of it at the end; then the locations' priorities.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefer: tuple[Criterion, ...] = CRITERIA
    """parcels: the fewest. cost: the cheapest to send. distance: the nearest.

    wait: the earliest to leave, by each location's working days, cut-off and capacity. Another
    name: that of an extension, which measures locations in its own way.
    """
    parcels_max: Annotated[int, Field(ge=1)] | None = None
    """The most parcels for one order; units that do not fit are not served."""
    locations: tuple[Id, ...] | None = None
    """Only these locations; left out: any."""

    def over(self, usual: SourcingRules) -> SourcingRules:
        """The usual rules, but for what was set in these."""
        return usual.model_copy(update={n: getattr(self, n) for n in self.model_fields_set})

    @property
    def without_measures(self) -> SourcingRules:
        """The same rules as they are where no extension measures."""
        prefer = tuple(name for name in self.prefer if name in CRITERIA)
        return self.model_copy(update={"prefer": prefer})

    @field_validator("prefer")
    @classmethod
    def _once_each(cls, prefer: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        if len(set(prefer)) < len(prefer):
            raise wrong("must name each criterion once at most")
        return prefer
