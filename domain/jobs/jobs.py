"""Long work: a file that is taken in, one that is written, or many things that are asked for.

waiting → running → done, cancelled or failed. An item of it: waiting → done, refused or skipped.
Nothing of a job is done twice: whatever dies, another attempt goes on from its rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict

from domain.access.keys import OF_ORDERS_DOCUMENTS, Grant, Scope
from domain.errors import Refused

Kind = Literal[
    "import_orders",
    "import_stock",
    "import_items",
    "import_kits",
    "import_supplier_terms",
    "export_orders",
    "export_stock",
    "export_customers",
    "export_ledger",
    "cancel_orders",
    "hold_orders",
    "release_orders",
    "charge_orders",
    "resolve_steps",
    "print_pick_list",
    "print_packing_slips",
    "print_labels",
    "print_documents",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

NEEDS: Final[Mapping[Kind, frozenset[Scope]]] = {
    "import_orders": frozenset({"orders:write"}),
    "import_stock": frozenset({"stock:write"}),
    "import_items": frozenset({"catalogue:write"}),
    "import_kits": frozenset({"catalogue:write"}),
    "import_supplier_terms": frozenset({"purchasing:write"}),
    "export_orders": frozenset({"orders:read"}),
    "export_stock": frozenset({"stock:read"}),
    "export_customers": frozenset({"customers:read"}),
    "export_ledger": frozenset({"accounting:read"}),
    # By a filter these tell which orders there are.
    "cancel_orders": frozenset({"aftersales:write", "orders:read"}),
    "hold_orders": frozenset({"orders:write", "orders:read"}),
    "release_orders": frozenset({"orders:write", "orders:read"}),
    "charge_orders": frozenset({"payments:write", "orders:read"}),
    "resolve_steps": frozenset({"orders:write"}),
    "print_pick_list": frozenset({"warehouse:read", "orders:read"}),
    "print_packing_slips": frozenset({"warehouse:read", "orders:read"}),
    "print_labels": frozenset({"warehouse:read", "orders:read"}),
    "print_documents": frozenset(OF_ORDERS_DOCUMENTS),
}
"""The scopes of what a job does: whoever makes, reads or cancels it has them."""

State = Literal["waiting", "running", "done", "cancelled", "failed"]
ENDED: Final[frozenset[State]] = frozenset({"done", "cancelled", "failed"})
Outcome = Literal["done", "refused", "skipped"]

OF_STAFF: Final = "staff:"
"""So begins the `key_id` of a maker who is a person; the login follows."""

ID_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
ID_LENGTH: Final = 20


class MakerMayNot(Refused):
    """Who made a job comes in no more, or may not do this any more: the rest of it is not done."""

    kind = "maker_may_not"


class ItemFault(BaseModel):
    """What is wrong, and where. `line`: in the file that was sent; `field`: of that record."""

    model_config = ConfigDict(frozen=True)

    line: int | None = None
    field: str = ""
    detail: str


class ResultFile(BaseModel):
    """The file that a job has written."""

    model_config = ConfigDict(frozen=True)

    name: str
    media_type: str
    bytes: int


class Job(BaseModel):
    """A job, and how far it is. `total`: its items; null until they are counted.

    `cancel_asked`: what has begun is finished, and then it is cancelled. `failure`: why it failed;
    `failure_code`: the same as problems name it.
    """

    model_config = ConfigDict(frozen=True)

    job_id: str
    kind: Kind
    options: dict[str, Any]
    state: State
    cancel_asked: bool
    total: int | None
    done: int
    refused: int
    skipped: int
    channels: tuple[str, ...] | None
    sellers: tuple[str, ...] | None
    locations: tuple[str, ...] | None
    made_at: datetime
    made_by: str
    begun_at: datetime | None
    ended_at: datetime | None
    failure: ItemFault | None
    failure_code: str | None
    result: ResultFile | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in ENDED


class JobItem(BaseModel):
    """One thing of a job, and what became of it.

    `reference`: an order's id, a SKU and the like. `answer`: what was answered, in a word.
    `code`: why it was refused, as problems name it; `detail`: the same in words; `faults`: where.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    line: int | None
    reference: str | None
    outcome: Literal["waiting", "done", "refused", "skipped"]
    answer: str | None
    code: str | None
    detail: str | None
    faults: tuple[ItemFault, ...]


@dataclass(frozen=True)
class Maker:
    """Who makes a job, and whose things they see. None: all of them.

    `key_id`: the key that they came with, or `staff:` and the login of somebody at a screen. None:
    a command has made it, which needs no key. `locations`: a key is for all of them.
    """

    by: str
    key_id: str | None = None
    channels: tuple[str, ...] | None = None
    sellers: tuple[str, ...] | None = None
    locations: tuple[str, ...] | None = None

    def sees(self, channel: str, seller: str) -> bool:
        """Whether something of this channel and this seller is their business."""
        return covers(self.channels, (channel,)) and covers(self.sellers, (seller,))

    def works_at(self, location: str) -> bool:
        """Whether the location is their business."""
        return covers(self.locations, (location,))

    def sees_all_of(self, job: Job) -> bool:
        """Whether they see all that somebody's job does: no job is shown to who sees less."""
        return (
            covers(self.channels, job.channels)
            and covers(self.sellers, job.sellers)
            and covers(self.locations, job.locations)
        )

    def within(self, now: Grant, locations: Collection[str] | None) -> Maker:
        """The same, who sees no more than by what they may now, and at these locations."""
        return replace(
            self,
            channels=_both(self.channels, now.channels),
            sellers=_both(self.sellers, now.sellers),
            locations=_both(self.locations, locations),
        )


@dataclass(frozen=True)
class NewItem:
    """An item as it is found. `content`: what is to be done; None where it cannot be read."""

    content: Any
    reference: str | None = None
    line: int | None = None
    faults: tuple[ItemFault, ...] = ()

    @property
    def detail(self) -> str | None:
        """What is wrong with it, in words."""
        told = [f"{one.field}: {one.detail}" if one.field else one.detail for one in self.faults]
        return "; ".join(told[:3]) or None


@dataclass(frozen=True)
class OpenItem:
    """An item that is to be done. `again`: another attempt has begun it, and may have done it."""

    number: int
    line: int | None
    reference: str | None
    content: Any
    again: bool


@dataclass(frozen=True)
class Told:
    """What became of an item."""

    number: int
    outcome: Outcome
    reference: str | None = None
    answer: str | None = None
    code: str | None = None
    detail: str | None = None
    faults: tuple[ItemFault, ...] = ()


@dataclass(frozen=True)
class FilePart:
    """A part of a file that a job writes, and the place behind it.

    `rows`: how many things are in it. `first`, `last`: when its orders were taken in, from and to.
    `is_last`: the file is whole with it.
    """

    content: bytes
    rows: int
    reached: Any
    is_last: bool
    first: datetime | None = None
    last: datetime | None = None


class WorkOnJob(BaseModel):
    """A turn of work on one job."""

    model_config = ConfigDict(frozen=True)

    job_id: str


class WorkedOnJob(BaseModel):
    """What came of a turn. `more`: the job has not ended."""

    model_config = ConfigDict(frozen=True)

    more: bool


def covers(mine: tuple[str, ...] | None, theirs: tuple[str, ...] | None) -> bool:
    """Whether somebody who sees `mine` sees all of `theirs`. None: all there are."""
    return mine is None or (theirs is not None and set(theirs) <= set(mine))


def _both(mine: tuple[str, ...] | None, theirs: Collection[str] | None) -> tuple[str, ...] | None:
    if mine is None or theirs is None:
        return mine if theirs is None else tuple(sorted(theirs))
    return tuple(one for one in mine if one in theirs)
