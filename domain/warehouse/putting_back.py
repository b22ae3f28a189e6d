"""A run in which units that were taken out of parcels go back to their shelves."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import Command, Fact, Read, State, Turn, less, more, say, unknown


class ToPutBack(BaseModel):
    """Units of one parcel. `opens_box`: it was closed already. `places`: where each SKU lies."""

    model_config = ConfigDict(frozen=True)

    put_back_id: str
    opens_box: bool
    units: dict[str, int]
    got: dict[str, int] = {}
    is_done: bool = False

    @property
    def lacking(self) -> dict[str, int]:
        """SKU → units that are not scanned yet."""
        return {} if self.is_done else less(self.units, self.got)


class PuttingBack(State):
    """Where the run stands. `places`: SKU → where it lies; a SKU without one goes where it fits."""

    tasks: tuple[ToPutBack, ...]
    places: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)

    @property
    def held(self) -> tuple[str, ...]:
        """What nobody else puts back meanwhile."""
        return () if self.is_over else tuple(x.put_back_id for x in self.tasks if not x.is_done)

    @property
    def task(self) -> ToPutBack | None:
        """The one that is next; None: all is done."""
        return next((task for task in self.tasks if not task.is_done), None)

    @property
    def goes_to(self) -> tuple[str, ...]:
        """The places of what is in hand."""
        task = self.task
        skus = task.units if task else ()
        return tuple(dict.fromkeys(place for sku in skus for place in self.places.get(sku, ())))


Back = Turn[PuttingBack]


def decide(state: PuttingBack, read: Read, at: datetime | None = None) -> Back:
    """What a scan does. `at`: when it was scanned."""
    task = state.task
    if state.is_over or task is None:
        return Turn(state, say("refused", "run_over"))
    if read.command is not None:
        return _command(state, task, read.command, at)
    if read.place is not None and read.sku not in task.lacking:
        return _place(state, task, read.place, at)
    return _item(state, task, read)


def _item(state: PuttingBack, task: ToPutBack, read: Read) -> Back:
    if read.sku is None:
        return Turn(state, unknown(read))
    room = task.lacking.get(read.sku, 0)
    if read.sku not in task.units:
        expected = ", ".join(task.units)
        return Turn(state, say("wrong_item", "wrong_item", expected=expected, scanned=read.sku))
    if read.units > room:
        return Turn(state, say("over", "too_many", expected=room, scanned=read.units))
    got = task.model_copy(update={"got": more(task.got, {read.sku: read.units})})
    state = _with(state, got)
    if got.lacking:
        return Turn(state, say("good", "in_the_box", n=sum(got.lacking.values())))
    if state.goes_to:
        return Turn(state, say("good", "to_place", place=", ".join(state.goes_to)))
    return Turn(state, say("good", "to_any_place"))


def _place(state: PuttingBack, task: ToPutBack, place: str, at: datetime | None) -> Back:
    if task.lacking:
        left = sum(task.lacking.values())
        return Turn(state, say("wrong_place", "items_first", n=left, scanned=place, expected=left))
    if state.goes_to and place not in state.goes_to:
        expected = ", ".join(state.goes_to)
        return Turn(state, say("wrong_place", "wrong_place", expected=expected, scanned=place))
    return _done(state, task, at)


def _command(state: PuttingBack, task: ToPutBack, command: Command, at: datetime | None) -> Back:
    match command.name:
        case "DONE" if task.lacking:
            return Turn(state, say("refused", "box_not_full", n=sum(task.lacking.values())))
        case "DONE":
            return _done(state, task, at)
        case "SKIP":
            later = tuple(one for one in state.tasks if one is not task)
            state = state.model_copy(update={"tasks": (*later, task)})
            return Turn(state, say("asked", "skipped"))
        case "UNDO":
            state = _with(state, task.model_copy(update={"got": {}}))
            return Turn(state, say("asked", "count_anew"))
        case "CANCEL":
            over = state.model_copy(update={"is_over": True})
            return Turn(over, say("done", "put_back_later"))
    return Turn(state, say("refused", "not_here", scanned=command.name))


def _done(state: PuttingBack, task: ToPutBack, at: datetime | None) -> Back:
    state = _with(state, task.model_copy(update={"is_done": True}))
    fact = Fact(what="put_back", part=task.put_back_id, at=at)
    if state.task is None:
        state = state.model_copy(update={"is_over": True})
        return Turn(state, say("done", "all_put_back"), [fact])
    return Turn(state, say("good", "is_put_back", part=task.put_back_id), [fact])


def refused(state: PuttingBack, fact: Fact, why: str) -> Back:
    """What was to go back is not recorded as being back."""
    return Turn(state, say("gone", "not_put_back", part=fact.part, why=why))


def _with(state: PuttingBack, changed: ToPutBack) -> PuttingBack:
    tasks = tuple(changed if x.put_back_id == changed.put_back_id else x for x in state.tasks)
    return state.model_copy(update={"tasks": tasks})
