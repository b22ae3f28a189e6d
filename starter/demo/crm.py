"""What customer service and the CRM do at the end of the demo's day: segments, notes, files."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Table

from domain.customers.care import ConsentWord, NewNote
from domain.customers.ids import customer_id
from domain.customers.segments import Segments as SegmentsFile
from domain.jobs.options import ContactsFormat
from domain.words import count_of
from starter.cli.terminal.output import make_table
from starter.jobs.contacts import written
from starter.service.segments import Member
from starter.service.service import Records

FOLDER: Final = "contacts"
SEGMENTS: Final = Path(__file__).parents[2] / "examples" / "segments.json"

_WHO: Final = "nancy"
_WISH: Final = "marketing"
_CHANGES_MAX: Final = 100_000
_FILES: Final[Mapping[ContactsFormat, str]] = {
    "jsonl": "customers.jsonl",
    "hubspot": "hubspot.csv",
    "salesforce": "salesforce.csv",
}


@dataclass(frozen=True)
class Crm:
    """Customers of the day. `segments`: how many are in each. `wrong`: what did not come out."""

    customers: int
    segments: Sequence[tuple[str, int]]
    told: Sequence[tuple[str, str]]
    wrong: Sequence[str]

    @property
    def table(self) -> Table:
        """What was done, and what is in each segment."""
        rows: list[list[object]] = [["known", count_of(self.customers, "customer")]]
        rows += [[f"segment {name}", count_of(n, "customer")] for name, n in self.segments]
        rows += [list(row) for row in self.told]
        rows += [["WENT WRONG", fault] for fault in self.wrong]
        return make_table(["customers", "what became of it"], rows)


async def cared_for(here: Records, home: Path) -> Crm:
    """Look at the customers of the day as customer service does, and write them for a CRM."""
    content = json.loads(SEGMENTS.read_text(encoding="utf-8"))
    wanted = SegmentsFile.model_validate(content).segments
    await here.segments.save(wanted, who=_WHO)
    everybody = await _everybody(here)
    wrong: list[str] = []
    told = [
        await _noted(here, everybody, wrong),
        await _merged(here, everybody, wrong),
        await _written(here, home, wrong),
        await _followed(here, everybody, wrong),
    ]
    counts = Counter(name for one in everybody for name in one.segments)
    return Crm(
        customers=len(everybody),
        segments=[(one.segment, counts[one.segment]) for one in wanted],
        told=told,
        wrong=wrong,
    )


async def _everybody(here: Records) -> list[Member]:
    found = await here.segments.block()
    members = list(found.members)
    while found.reached is not None:
        found = await here.segments.block(after=found.reached)
        members += found.members
    return members


async def _noted(here: Records, everybody: Sequence[Member], wrong: list[str]) -> tuple[str, str]:
    """Who has ordered most often asks for something, and wishes to hear of offers."""
    often = max(everybody, key=lambda one: one.contact.facts.orders)
    named = customer_id(often.contact.customer_no)
    order = (await here.customer_pages.page(named, rows=1)).orders[0].order_id
    note = NewNote(note="Deliveries before noon, please", contact="call", order_id=order)
    await here.customer_care.note(named, note, who=_WHO)
    word = ConsentWord(kind=_WISH, given=True, how="by phone")
    await here.customer_care.say(named, word, who=_WHO)
    page = await here.customer_pages.page(named)
    wishes = {one.kind for one in page.consent if one.given}
    if page.notes[0].note != note.note or _WISH not in wishes:
        wrong.append(f"{named}: the note or the wish is not on the page")
    text = f"{count_of(sum(one.orders for one in page.sums), 'order')}, a note, a wish for offers"
    return f"the page of {named}", text


async def _merged(here: Records, everybody: Sequence[Member], wrong: list[str]) -> tuple[str, str]:
    """Two are taken for one, and are two after all: each has again what it had."""
    one, other = (customer_id(each.contact.customer_no) for each in everybody[:2])
    before = [await _orders(here, each) for each in (one, other)]
    await here.customer_care.merge(other, one, who=_WHO, why="the same telephone")
    together = await _orders(here, one)
    if together != before[0] | before[1] or await _orders(here, other) != together:
        wrong.append(f"{one} and {other}: merged, they do not have the orders of both")
    await here.customer_care.unmerge(other, who=_WHO, why="mother and daughter")
    if [await _orders(here, each) for each in (one, other)] != before:
        wrong.append(f"{one} and {other}: after the merge was undone they have other orders")
    text = f"{count_of(len(together), 'order')} on one page, and again on two"
    return f"{other} merged into {one}, and that undone", text


async def _orders(here: Records, customer: str) -> set[str]:
    found = await here.customer_pages.orders(customer, at_most=10_000)
    return {one.order_id for one in found}


async def _written(here: Records, home: Path, wrong: list[str]) -> tuple[str, str]:
    """A file in each shape, of those who wish to hear of offers; and all of them as JSON Lines."""
    everybody, willing = await _everybody(here), (await here.segments.block(consent=_WISH)).members
    folder = home / FOLDER
    for shape, name in _FILES.items():
        whom = everybody if shape == "jsonl" else willing
        text = written(whom, shape, is_first=True)
        await asyncio.to_thread(_write, folder, name, text)
        lines = len(text.splitlines()) - (shape != "jsonl")
        if lines != len(whom):
            wrong.append(f"{name} has {lines} customers, and not {len(whom)}")
    return f"files for a CRM, in {folder}", f"{len(everybody)} customers, {len(willing)} for offers"


def _write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


async def _followed(
    here: Records, everybody: Sequence[Member], wrong: list[str]
) -> tuple[str, str]:
    """What a CRM hears of the day: each customer came once."""
    changes = (await here.customer_changes.since(None, at_most=_CHANGES_MAX)).changes
    came = Counter(one.customer_no for one in changes if one.what == "created")
    gone = {one.customer_no for one in changes if one.what == "erased"}
    here_now = {one.contact.customer_no for one in everybody}
    if set(came) - gone != here_now or set(came.values()) - {1}:
        wrong.append("the feed of changes does not tell each customer once")
    kinds = Counter(one.what for one in changes)
    told = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in sorted(kinds.items()))
    return "changes that a CRM is told", told
