"""A run of scans: its page, and the scans. The server says after each what comes next.

A page sends `seq`, `scan_id`, `code` and `at`. Whoever asks for JSON gets what became of it,
and the next screen as a piece of HTML; a browser without script is led to the page.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from domain.errors import Refused
from domain.warehouse.packing import Packing
from domain.warehouse.scans import CODE_MAX, Answer, Scan, State, say
from starter.service.floor_scans import Shown, Taken
from starter.service.labels import PrintedLabel
from starter.web.floor.home import HOME, Works
from starter.web.guards import HEADERS
from starter.web.packing import packed
from starter.web.screens.forms import whole
from starter.web.screens.visits import Number, ScreenRoute, Visit

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_ID_MAX: Final = 64
_LATE_MAX: Final = timedelta(days=7)
_CONFLICT: Final = 409
_AGAIN_MS: Final = 150
_LABEL_AGAIN_MS: Final = 1500
"""After so long a page asks again whether its facts are recorded, or its label is there."""


@router.get("/app/floor/runs/{run_no}")
async def run(visit: Works, run_no: Number) -> Response:
    """Where a run stands, or the same as JSON."""
    shown = await visit.here.floor.show(visit.person, run_no)
    return await (_told(visit, shown) if _wants_json(visit) else _page(visit, shown))


@router.post("/app/floor/runs/{run_no}/take")
async def take(visit: Works, run_no: Number) -> Response:
    """Take a run over from whoever has it."""
    await visit.here.floor.take_over(visit.person, run_no)
    return visit.lead(f"{HOME}/runs/{run_no}")


@router.post("/app/floor/runs/{run_no}")
async def scan(visit: Works, run_no: Number) -> Response:
    """Take a scan. The address is the page's own, so that links in what is answered fit there."""
    sent = _scan(visit)
    if sent is None:
        shown = await visit.here.floor.show(visit.person, run_no)
        taken = Taken(shown, say("unknown", "no_code"), "passed")
    else:
        taken = await visit.here.floor.scan(visit.person, run_no, sent)
    if _wants_json(visit):
        return await _told(visit, taken.shown, taken)
    if taken.how in ("taken", "repeated"):
        return visit.lead(f"{HOME}/runs/{run_no}")
    return await _page(visit, taken.shown, taken.answer, status=_CONFLICT)


def _scan(visit: Visit) -> Scan | None:
    """None where nothing was scanned. The last code counts: that of a button, behind the field."""
    code = next((one for one in reversed(visit.sent.get("code", [])) if one), "")
    code = f"{visit.field('prefix')}{code}" if code else ""
    scan_id = visit.field("scan_id")[:_ID_MAX]
    seq = whole(visit.field("seq"))
    if not code or not scan_id or not seq:
        return None
    return Scan(seq=seq, scan_id=scan_id, code=code[:CODE_MAX], at=_moment(visit.field("at")))


def _moment(text: str) -> datetime | None:
    """When a browser says that something was scanned; None: it cannot have been then."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    now = datetime.now(UTC)
    return at if at.tzinfo is not None and now - _LATE_MAX < at <= now else None


def _wants_json(visit: Visit) -> bool:
    return "application/json" in visit.request.headers.get("accept", "")


async def _values(visit: Visit, shown: Shown, answer: Answer | None) -> dict[str, Any]:
    label = await _label(visit, shown.state)
    return {
        "label": label,
        "again_ms": _again_ms(shown, label),
        "run": shown.run,
        "state": shown.state,
        "shown": shown,
        "answer": answer if answer is not None else shown.run.answer,
        "sentence": lambda said: sentence(visit, said),
        "next_seq": shown.run.last_seq + 1,
        "scan_id": uuid.uuid4().hex,
        "request_id": uuid.uuid4().hex,
    }


def _again_ms(shown: Shown, label: PrintedLabel | None) -> int:
    """0: nothing is to come by itself."""
    if shown.is_under_way:
        return _AGAIN_MS
    state = shown.state
    is_asked = isinstance(state, Packing) and not state.part and bool(state.last)
    comes = is_asked and (label is None or label.state == "requested")
    return _LABEL_AGAIN_MS if comes and shown.run.ended_at is None else 0


async def _label(visit: Visit, state: State) -> PrintedLabel | None:
    """The label of the parcel that was packed last; None: it is not asked for yet."""
    if not isinstance(state, Packing) or state.part or not state.last:
        return None
    try:
        return await visit.here.labels.of(state.last)
    except Refused:
        return None


def sentence(visit: Visit, answer: Answer) -> str:
    """What an answer says, in their language."""
    words, key = visit.words, f"said_{answer.said}"
    values = {
        name: words.number(value) if isinstance(value, int) else value
        for name, value in answer.values.items()
    }
    n = answer.values.get("n")
    if isinstance(n, int) and words.has_forms(key):
        return words.many(key, n, **{name: value for name, value in values.items() if name != "n"})
    return words(key, **values)


async def _page(
    visit: Visit, shown: Shown, answer: Answer | None = None, status: int = 200
) -> Response:
    return visit.show("floor/run", status=status, **await _values(visit, shown, answer))


async def _told(visit: Visit, shown: Shown, taken: Taken | None = None) -> Response:
    values = await _values(visit, shown, None if taken is None else taken.answer)
    answer: Answer | None = values["answer"]
    content = {
        "how": "shown" if taken is None else taken.how,
        "seq": shown.run.last_seq,
        "missing": [] if taken is None else list(taken.missing),
        "outcome": answer.outcome if answer else "",
        "said": answer.said if answer else "",
        "good": answer is None or answer.is_good,
        "over": shown.run.ended_at is not None,
        "under_way": shown.is_under_way,
        "again_ms": values["again_ms"],
        "banner": visit.piece("floor/banner", **values),
        "screen": visit.piece("floor/screen", **values),
    }
    return packed(visit.request, JSONResponse(content, headers=HEADERS))
