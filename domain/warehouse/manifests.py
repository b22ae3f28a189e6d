"""A run in which parcels of one carrier are scanned onto a manifest, and handed over together."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import Command, Fact, Read, State, Turn, say, unknown

PARCELS_MAX: Final = 2000
"""Of one manifest."""


class ToLoad(BaseModel):
    """A parcel that was scanned. `why_not`: the key of a sentence; "": it can be handed over."""

    model_config = ConfigDict(frozen=True)

    part_id: str
    carrier: str = ""
    tracking_number: str = ""
    why_not: str = ""


class Loaded(BaseModel):
    """A parcel on a manifest."""

    model_config = ConfigDict(frozen=True)

    part_id: str
    tracking_number: str


class Manifest(State):
    """Where a manifest stands. `carrier`: "" before the first parcel.

    `refused`: parcel → why it was not handed over when the manifest was closed.
    """

    carrier: str = ""
    parcels: tuple[Loaded, ...] = ()
    refused: dict[str, str] = Field(default_factory=dict)
    is_closed: bool = False
    is_asking: bool = False
    """Whether to give up was asked for once."""

    @property
    def held(self) -> tuple[str, ...]:
        """Its parcels, until they are handed over."""
        return () if self.is_closed or self.is_over else tuple(x.part_id for x in self.parcels)


Loading = Turn[Manifest]


def decide(state: Manifest, read: Read, at: datetime | None = None) -> Loading:
    """What a scan does. `at`: when it was scanned."""
    if state.is_over:
        return Turn(state, say("refused", "run_over"))
    was_asking = state.is_asking
    state = state.model_copy(update={"is_asking": False})
    if read.command is not None:
        return _command(state, read.command, at, was_asking=was_asking)
    if isinstance(read.found, ToLoad):
        return _parcel(state, read.found)
    return Turn(state, unknown(read))


def _parcel(state: Manifest, parcel: ToLoad) -> Loading:
    if any(one.part_id == parcel.part_id for one in state.parcels):
        return Turn(state, say("over", "on_it_already", part=parcel.part_id))
    if parcel.why_not:
        return Turn(state, say("refused", parcel.why_not, part=parcel.part_id))
    if state.carrier and parcel.carrier != state.carrier:
        answer = say("wrong_item", "other_carrier", expected=state.carrier, scanned=parcel.carrier)
        return Turn(state, answer)
    if len(state.parcels) >= PARCELS_MAX:
        return Turn(state, say("refused", "manifest_full", n=PARCELS_MAX))
    one = Loaded(part_id=parcel.part_id, tracking_number=parcel.tracking_number)
    parcels = (*state.parcels, one)
    state = state.model_copy(update={"carrier": parcel.carrier, "parcels": parcels})
    return Turn(state, say("good", "loaded", n=len(parcels), part=parcel.part_id))


def _command(  # noqa: PLR0911 - a case for each command
    state: Manifest, command: Command, at: datetime | None, *, was_asking: bool
) -> Loading:
    match command.name:
        case "UNDO" if state.parcels:
            gone = state.parcels[-1]
            left = state.parcels[:-1]
            update = {"parcels": left, "carrier": state.carrier if left else ""}
            answer = say("asked", "taken_off", part=gone.part_id)
            return Turn(state.model_copy(update=update), answer)
        case "UNDO":
            return Turn(state, say("refused", "nothing_to_undo"))
        case "CANCEL" if was_asking or not state.parcels:
            over = state.model_copy(update={"is_over": True})
            return Turn(over, say("done", "manifest_given_up"))
        case "CANCEL":
            asking = state.model_copy(update={"is_asking": True})
            return Turn(asking, say("asked", "manifest_sure", n=len(state.parcels)))
        case "DONE" if not state.parcels:
            return Turn(state, say("refused", "manifest_empty"))
        case "DONE":
            return _closed(state, at)
    return Turn(state, say("refused", "not_here", scanned=command.name))


def _closed(state: Manifest, at: datetime | None) -> Loading:
    """Its parcels are handed over, one by one, and then it is written."""
    facts = [Fact(what="hand_over", part=one.part_id, at=at) for one in state.parcels]
    facts.append(Fact(what="manifest", part=state.carrier, at=at))
    state = state.model_copy(update={"is_closed": True, "is_over": True})
    return Turn(state, say("done", "manifest_closed", n=len(state.parcels)), facts)


def refused(state: Manifest, fact: Fact, why: str) -> Loading:
    """A parcel may not leave: it stays here, and is not on the manifest."""
    parcels = tuple(one for one in state.parcels if one.part_id != fact.part)
    refused = {**state.refused, fact.part: why}
    state = state.model_copy(update={"parcels": parcels, "refused": refused})
    return Turn(state, say("gone", "not_handed_over", part=fact.part, why=why))
