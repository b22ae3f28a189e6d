"""What a scan begins where no run waits for it: a command, a parcel or its order, what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from domain.errors import Refused
from domain.warehouse.codes import forms
from starter.service.floor_kinds import KINDS as LEAVING
from starter.web.screens.forms import NotAsked
from starter.web.screens.visits import Elsewhere, Visit, apart

WAVE_OF: Final = "12"
"""So many parcels are in a wave that a command begins: as many as a usual cart has spots."""


class Beginning(NamedTuple):
    """A kind of work, and what it needs besides."""

    kind: str
    said: Mapping[str, str] = {}


COMMANDS: Final[Mapping[str, Beginning]] = {
    "OL:PICK": Beginning("pick"),
    "OL:BATCH": Beginning("pick", {"style": "batch", "parcels": WAVE_OF}),
    "OL:CLUSTER": Beginning("pick", {"style": "cluster", "parcels": WAVE_OF}),
    "OL:PACK": Beginning("pack"),
    "OL:LOAD": Beginning("hand-over"),
    "OL:BACK": Beginning("put-back"),
    "OL:COLLECT": Beginning("collect"),
    "OL:RETURN": Beginning("returns"),
    "OL:COUNT": Beginning("count"),
    "OL:MOVE": Beginning("move"),
}
"""What begins work. Barcodes like those of a run's commands."""


def command(code: str) -> Beginning | None:
    """What a code begins as a command, however a keyboard has written it; None: it is none."""
    return next((COMMANDS[one.upper()] for one in forms(code) if one.upper() in COMMANDS), None)


async def by_command(visit: Visit, location: str, wanted: Beginning, request_id: str = "") -> int:
    """The run that it begins. Raises Refused.

    With what leaves, one goes on with one's own run of that kind that is under way.
    """
    floor, person = visit.here.floor, visit.person
    check(visit, wanted.kind)
    for run in await floor.open_runs(person, location):
        if wanted.kind in LEAVING and (run.login, run.kind) == (person.login, wanted.kind):
            return run.run_no
    said = {**wanted.said, "request_id": request_id}
    return await floor.begin(person, location, wanted.kind, said)


async def by_arrival(visit: Visit, location: str, code: str, request_id: str = "") -> int | None:
    """A run with what comes in or goes to another location; None: the code is nothing of these."""
    found = await visit.here.floor_goods.begins(location, code)
    if found is None:
        return None
    kind, part = found
    check(visit, kind)
    said = {"part": part, "request_id": request_id}
    return await visit.here.floor.begin(visit.person, location, kind, said)


async def by_code(visit: Visit, location: str, code: str, request_id: str = "") -> tuple[int, str]:
    """The run that a scan begins or goes on with, and the parcel that is scanned there; or "".

    Raises Refused or NotAsked where it begins nothing.
    """
    if not code:
        raise NotAsked("why_nothing_to_do")
    wanted = command(code)
    if wanted is not None:
        return await by_command(visit, location, wanted, request_id), ""
    try:
        return await visit.here.floor.find(visit.person, location, code)
    except Refused as no:
        if no.reason != "nothing_to_do":
            raise
        began = await by_arrival(visit, location, code, request_id)
        if began is None:
            raise
        return began, ""


def check(visit: Visit, kind: str) -> None:
    """Raises Elsewhere, where they need more for this kind of work."""
    if lacking := visit.here.floor.lacking(visit.person, kind):
        why = visit.words("may_not", scopes=", ".join(lacking))
        raise Elsewhere(apart(visit.request, 403, why))
