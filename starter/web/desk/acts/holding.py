"""Goods that are kept here until somebody has looked, and let go again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.errors import Refused
from domain.orders.hold_messages import (
    ExtendRequest,
    HoldRequest,
    RejectRequest,
    ReleaseRequest,
    StandingHold,
)
from domain.orders.messages import CancelRequest
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, Asking, Field, Option, Seen, reason
from starter.web.desk.acts.cancelling import seen_of

_REASONS: Final = ("fraud_review", "address", "stock", "other")
_ENDS: Final = ("release", "reject")


def _hold_fields(asking: Asking) -> Sequence[Field]:
    return (
        Field("choice", "why", "hold_reason", options=asking.options("hold_", *_REASONS)),
        reason("note"),
        Field("text", "owner", "hold_owner", about="hold_owner_about"),
        *_deadline(asking),
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
    stand = [Option(one.hold_id, f"{one.hold_id}: {one.note}") for one in _asked_for(asking)]
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
        }
    )


def _until(asking: Asking) -> datetime | None:
    """The deadline. Raises NotAsked for what is no moment."""
    return asking.moment("until")


async def _do_hold(here: Service, order_id: str, request: HoldRequest) -> str:
    await here.holds.hold(order_id, request)
    return "held"


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
        raise Refused(outcome.message)
    return outcome.outcome


def _release_fields(asking: Asking) -> Sequence[Field]:
    return _which(asking), reason("note")


def _extend_fields(asking: Asking) -> Sequence[Field]:
    return _which(asking), *_deadline(asking), reason("note")


def _reject_fields(_: Asking) -> Sequence[Field]:
    return (reason("note"),)


HOLD = Act("hold", _hold_fields, _hold, _do_hold)
RELEASE = Act("release", _release_fields, _release, _do_release)
EXTEND = Act("extend", _extend_fields, _extend, _do_extend)
REJECT = Act("reject", _reject_fields, _reject, _do_reject, _preview_reject)
