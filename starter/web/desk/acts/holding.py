"""Goods that are kept here until somebody has looked, and let go again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.fulfilment.fulfilments import RECALLABLE
from domain.orders.hold_messages import (
    AtEnd,
    ExtendRequest,
    HoldRequest,
    RejectRequest,
    ReleaseRequest,
    StandingHold,
)
from domain.orders.messages import CancelRequest
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, AllRefused, Asking, Field, Option, Seen, reason
from starter.web.desk.acts.cancelling import seen_of
from starter.web.desk.reasons import told
from starter.web.screens.forms import NotAsked

_REASONS: Final = ("fraud_review", "address", "stock", "other")
_ENDS: Final = ("release", "reject")


def _hold_fields(asking: Asking) -> Sequence[Field]:
    # Nothing is chosen at first: a customer is suspected of fraud by somebody, never by default.
    reasons = [asking.none("choose"), *asking.options("hold_", *_REASONS)]
    return (
        Field("choice", "why", "hold_reason", options=reasons, required=True),
        reason("note"),
        Field("text", "owner", "hold_owner", about="hold_owner_about"),
        *_deadline(asking),
        Field("tick", "tell", "hold_tells", about="hold_tells_about"),
    )


def _deadline(asking: Asking) -> Sequence[Field]:
    ends = asking.options("hold_end_", *_ENDS)
    return (
        Field("moment", "until", "hold_until", about="hold_until_about"),
        Field("choice", "at_end", "hold_at_end", options=ends),
    )


def _which(asking: Asking) -> Field:
    """The holds that people and rules have placed: one of them, or all."""
    words = asking.visit.words
    stand = [Option(one.hold_id, _named(asking, one)) for one in _asked_for(asking)]
    every = [Option("", words("every_hold"))] if len(stand) != 1 else []
    return Field("choice", "hold", "which_hold", options=[*every, *stand])


def _asked_for(asking: Asking) -> list[StandingHold]:
    return [one for one in asking.facts.holds if one.is_asked_for]


def _hold(asking: Asking) -> HoldRequest:
    said = {"reason": asking.field("why"), "note": asking.field("note"), **asking.named()}
    owner = asking.field("owner")
    return HoldRequest.model_validate(
        {
            **said,
            **({"owner": owner} if owner else {}),
            "until": _until(asking),
            "at_end": asking.field("at_end") or "release",
            "tell": bool(asking.field("tell")),
        }
    )


async def _preview_hold(asking: Asking, request: HoldRequest) -> Seen:
    words = asking.visit.words
    rows = [(words("stays_here"), asking.counted(asking.facts.here)), *_parts(asking, "part_waits")]
    rows += [(words("hold_owner"), request.owner), *_ends(asking, request.until, request.at_end)]
    if request.tell:
        rows.append(await asking.customer_told("orderloom.order.held.v1"))
    else:
        rows.append((words("customer"), words("is_not_told")))
    return Seen(rows, stops=_stops(asking, request.until))


def _parts(asking: Asking, key: str) -> list[tuple[str, str]]:
    """What becomes of each parcel that is still here."""
    words = asking.visit.words
    return [
        (each.fulfilment_id, words(key, state=words(f"part_{each.state}")))
        for each in asking.facts.parcels
        if each.state in RECALLABLE
    ]


def _ends(asking: Asking, until: datetime | None, at_end: AtEnd | None) -> list[tuple[str, str]]:
    words = asking.visit.words
    if until is None:
        return [(words("hold_until"), words("until_somebody"))]
    then = words(f"hold_end_{at_end or 'release'}")
    return [(words("hold_until"), words.moment(until)), (words("hold_at_end"), then)]


def _stops(asking: Asking, until: datetime | None) -> list[str]:
    is_over = until is not None and until <= asking.shown.now
    return [asking.visit.words("why_time_is_over")] if is_over else []


def _until(asking: Asking) -> datetime | None:
    """The deadline. Raises NotAsked for what is no moment."""
    return asking.moment("until")


async def _do_hold(here: Service, order_id: str, request: HoldRequest) -> str:
    await here.holds.hold(order_id, request)
    return "held"


def _ending(asking: Asking, hold_id: str | None) -> list[StandingHold]:
    """The holds that a request is about. Raises NotAsked where none of them stands any more."""
    found = [one for one in _asked_for(asking) if hold_id in (None, one.hold_id)]
    if not found:
        raise NotAsked("why_no_such_hold")
    return found


async def _preview_release(asking: Asking, request: ReleaseRequest) -> Seen:
    words = asking.visit.words
    ends = _ending(asking, request.hold)
    rows = [(words("hold_ends"), _named(asking, one)) for one in ends]
    stays = [one for one in asking.facts.holds if one not in ends]
    rows += [(words("hold_stays"), _named(asking, one)) for one in stays]
    if stays:
        return Seen([*rows, (words("customer"), words("is_not_told"))])
    rows += _parts(asking, "part_goes_on")
    if any(one.told for one in ends):
        rows.append(await asking.customer_told("orderloom.order.released.v1"))
    else:
        rows.append((words("customer"), words("is_not_told")))
    return Seen(rows)


def _named(asking: Asking, one: StandingHold) -> str:
    words = asking.visit.words
    return f"{one.hold_id}, {words(f'hold_{one.reason}')}: {told(words, one.note)}"


def _release(asking: Asking) -> ReleaseRequest:
    return ReleaseRequest.model_validate({**asking.named(), **_named_hold(asking)})


def _named_hold(asking: Asking) -> dict[str, str | None]:
    return {"hold": asking.field("hold") or None, "note": asking.field("note")}


async def _do_release(here: Service, order_id: str, request: ReleaseRequest) -> str:
    await here.holds.release(order_id, request)
    return "released"


def _extend(asking: Asking) -> ExtendRequest:
    said = {"until": _until(asking), "at_end": asking.field("at_end") or None}
    return ExtendRequest.model_validate({**asking.named(), **_named_hold(asking), **said})


async def _preview_extend(asking: Asking, request: ExtendRequest) -> Seen:
    words = asking.visit.words
    rows = []
    for one in _ending(asking, request.hold):
        rows.append((words("hold_stays"), _named(asking, one)))
        before = words("until_somebody") if one.until is None else words.moment(one.until)
        (_, after), *then = _ends(asking, request.until, request.at_end or one.at_end)
        rows += [(words("hold_until"), f"{before} → {after}"), *then]
    rows.append((words("customer"), words("is_not_told")))
    return Seen(rows, stops=_stops(asking, request.until))


async def _do_extend(here: Service, order_id: str, request: ExtendRequest) -> str:
    await here.holds.extend(order_id, request)
    return "extended"


def _reject(asking: Asking) -> RejectRequest:
    return RejectRequest.model_validate({**asking.named(), "note": asking.field("note")})


async def _preview_reject(asking: Asking, request: RejectRequest) -> Seen:
    everything = [{"line_id": line, "quantity": n} for line, n in asking.facts.here.items()]
    asked = CancelRequest.model_validate({"reason": request.note, "lines": everything})
    return seen_of(asking, await asking.here.previews.cancel(asking.order_id, asked))


async def _do_reject(here: Service, order_id: str, request: RejectRequest) -> str:
    outcome = await here.holds.reject(order_id, request)
    if outcome.outcome == "refused":
        raise AllRefused(outcome.message, outcome.refused)
    return outcome.outcome


def _release_fields(asking: Asking) -> Sequence[Field]:
    return _which(asking), reason("note")


def _extend_fields(asking: Asking) -> Sequence[Field]:
    return _which(asking), *_deadline(asking), reason("note")


def _reject_fields(_: Asking) -> Sequence[Field]:
    return (reason("note"),)


HOLD = Act("hold", _hold_fields, _hold, _do_hold, _preview_hold)
RELEASE = Act("release", _release_fields, _release, _do_release, _preview_release)
EXTEND = Act("extend", _extend_fields, _extend, _do_extend, _preview_extend)
REJECT = Act("reject", _reject_fields, _reject, _do_reject, _preview_reject)
