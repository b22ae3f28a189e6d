"""What a workshop is given, and what it answers: docs/handlings.md tells it for any language.

A workshop is a program of somebody else's. It has a workflow by name, on a task queue of its own.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator

from domain.fields import Printable
from domain.plain_text import lines as lines_of

PROGRESS: Final = "progress"
"""The signal by which a workshop tells how far it has come; see `Note`."""

CANNOT_STOP: Final = "cannot_stop"
"""The signal that answers `cancel` where it is too late; see `Note`."""

CANCEL: Final = "cancel"
"""The signal that asks a workshop to stop, and to undo what it can."""

PROGRESS_MAX: Final = 100
"""What a workshop tells beyond this is left out of the order's story."""

NOTE_MAX: Final = 500


def _readable_part(value: Any) -> str:
    # A note is for people. Work that is done is not undone because its note is odd.
    return str(lines_of(value))[:NOTE_MAX] if isinstance(value, str) else ""


def _none_if_empty(value: Any) -> Any:
    # Some languages write an empty text where nothing is.
    return None if isinstance(value, str) and not value.strip() else value


_Text = Annotated[str, BeforeValidator(_readable_part)]
_Parcel = Annotated[Printable | None, BeforeValidator(_none_if_empty)]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Workshop(BaseModel):
    """A workflow by its type, and the task queue of the worker that has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflow: _Name
    task_queue: _Name


class WorkLine(BaseModel):
    """Units of one line."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int


class WorkAsked(BaseModel):
    """What a workshop's workflow is given. Nothing in it is personal.

    `ship_to`: where the API tells the address, and what else the order's document says.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    fulfilment_id: str
    attempt: int
    location: str
    lines: tuple[WorkLine, ...]
    ship_to: str


class WorkAnswer(BaseModel):
    """What a workshop's workflow answers in the end. What else it says is left out.

    `done`: the goods have left, in the parcel of that `carrier` with that number; without one the
    customer has them. `failed`: a person decides. `stopped`: as was asked, and `note` says what was
    undone; the goods are back on the shelf.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal["done", "failed", "stopped"]
    note: _Text = ""
    carrier: _Parcel = None
    tracking_number: _Parcel = None

    @model_validator(mode="after")
    def _parcel_is_whole(self) -> Self:
        if (self.carrier is None) != (self.tracking_number is None):
            raise ValueError("carrier and tracking_number come together")
        return self


class Note(BaseModel):
    """What a signal of a workshop says."""

    model_config = ConfigDict(frozen=True)

    note: _Text = ""
