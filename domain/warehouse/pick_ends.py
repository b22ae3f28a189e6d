"""How parcels leave a pick run: recorded, refused, gone; and how a run is planned. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from domain.warehouse.picking import Picking, PickParcel, Stop
from domain.warehouse.scans import Fact, Turn, less, more, say


def recorded(state: Picking, at: datetime | None) -> tuple[Picking, list[Fact]]:
    """The parcels that get nothing more are picked. What no whole line needs goes back."""
    facts: list[Fact] = []
    parcels: list[PickParcel] = []
    back = state.back
    for parcel in state.parcels:
        if parcel.ended or any(stop.room(parcel.part_id) for stop in state.stops):
            parcels.append(parcel)
            continue
        counted, rest = shared(parcel, state.got(parcel.part_id))
        back = more(back, rest)
        facts.append(Fact(what="pick", part=parcel.part_id, at=at, counted=counted))
        parcels.append(parcel.model_copy(update={"ended": "picked", "counted": counted}))
    gone = {parcel.part_id for parcel in parcels if parcel.ended}
    moves = tuple(move for move in state.moves if not gone & move.units.keys())
    return state.model_copy(update={"parcels": tuple(parcels), "moves": moves, "back": back}), facts


def shared(parcel: PickParcel, got: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Units by SKU → units by line, the first lines first; and what is left over of them."""
    left = dict(got)
    counted: dict[str, int] = {}
    for line in parcel.lines:
        n = min([line.quantity, *(left.get(sku, 0) // each for sku, each in line.parts.items())])
        counted[line.line_id] = n
        left = {sku: units - n * line.parts.get(sku, 0) for sku, units in left.items()}
    return counted, {sku: units for sku, units in left.items() if units}


def refused(state: Picking, fact: Fact, now: Mapping[str, int] | None, why: str) -> Turn[Picking]:
    """A parcel could not be recorded. `now`: its lines as they are by now; None: nobody picks it.

    One that has become smaller is recorded as it is now; any other leaves the run, and its units go
    back to the shelf.
    """
    parcel = state.parcel(fact.part)
    got = state.got(fact.part)
    lines = tuple(
        line.model_copy(update={"quantity": min(line.quantity, (now or {}).get(line.line_id, 0))})
        for line in parcel.lines
    )
    is_smaller = now is not None and lines != parcel.lines and any(x.quantity for x in lines)
    there = shared(parcel, got)[1]
    if not is_smaller:
        back = more(state.back, less(got, there))
        parcel = parcel.model_copy(update={"ended": "gone", "counted": {}})
        state = without(state, parcel).model_copy(update={"back": back})
        return Turn(closed(state), say("gone", "parcel_gone", part=fact.part, why=why))
    parcel = parcel.model_copy(update={"lines": lines})
    counted, rest = shared(parcel, got)
    back = more(state.back, less(rest, there))
    parcel = parcel.model_copy(update={"counted": counted})
    state = without(state, parcel).model_copy(update={"back": back})
    again = fact.model_copy(update={"counted": counted})
    return Turn(closed(state), say("gone", "parcel_smaller", part=fact.part, why=why), [again])


def without(state: Picking, parcel: PickParcel) -> Picking:
    """The run with a parcel as it is now. One that is over gets nothing more at any stop."""
    parcels = tuple(parcel if x.part_id == parcel.part_id else x for x in state.parcels)
    moves = tuple(move for move in state.moves if parcel.part_id not in move.units)
    stops = state.stops
    if parcel.ended in ("refused", "gone"):
        stops = tuple(
            stop.model_copy(
                update={
                    "wanted": {k: n for k, n in stop.wanted.items() if k != parcel.part_id},
                    "got": {k: n for k, n in stop.got.items() if k != parcel.part_id},
                }
            )
            for stop in state.stops
        )
    return state.model_copy(update={"parcels": parcels, "stops": stops, "moves": moves})


def closed(state: Picking) -> Picking:
    """It is over where no parcel is left in it."""
    return state if state.held else state.model_copy(update={"is_over": True})


def planned(
    parcels: tuple[PickParcel, ...], places: Mapping[str, tuple[str, ...]]
) -> tuple[Stop, ...]:
    """The stops of a run, in walking order. `places`: SKU → where it lies, the nearest first.

    The sequence of `places` is the sequence in which the first ones are walked; SKUs of which
    nobody knows the place come last.
    """
    wanted: dict[str, dict[str, int]] = {}
    for parcel in parcels:
        for sku, n in parcel.wanted().items():
            wanted.setdefault(sku, {})[parcel.part_id] = n
    known = [sku for sku in places if sku in wanted]
    rest = sorted(sku for sku in wanted if sku not in places)
    return tuple(
        Stop(
            sku=sku,
            place=places[sku][0] if sku in places else "",
            others=places[sku][1:] if sku in places else (),
            wanted=wanted[sku],
        )
        for sku in (*known, *rest)
    )
