"""Units that are not to be sent."""

from __future__ import annotations

from collections.abc import Sequence

from domain.orders.messages import CancelRequest
from domain.stock.cancelling import CancelPreview, SmallerPart
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, AllRefused, Asking, Field, Seen, reason
from starter.web.desk.acts.money_told import paid_back
from starter.web.screens.forms import NotAsked


def _fields(asking: Asking) -> Sequence[Field]:
    return (Field("units", label="left_here", most=asking.facts.here), reason())


def _read(asking: Asking) -> CancelRequest:
    lines = asking.lines()
    if not lines:
        raise NotAsked("no_units")
    return CancelRequest.model_validate(
        {**asking.named(), "reason": asking.field("reason"), "lines": lines}
    )


async def _preview(asking: Asking, request: CancelRequest) -> Seen:
    return seen_of(asking, await asking.here.previews.cancel(asking.order_id, request))


def seen_of(asking: Asking, found: CancelPreview) -> Seen:
    """What a cancellation would do, as it is read."""
    words = asking.visit.words
    rows = [(words("not_sent"), asking.units(found.cancelled))] if found.cancelled else []
    rows += [(words("stays"), asking.stays(each)) for each in found.refused]
    rows += [(part.fulfilment_id, _part(asking, part)) for part in found.parts]
    rows += paid_back(asking, found.paid_back, found.ways)
    if found.not_charged.minor:
        rows.append((words("not_charged"), asking.money(found.not_charged)))
    return Seen(
        rows, _notes(asking, found), [] if found.cancelled else [words("nothing_cancelled")]
    )


def _notes(asking: Asking, found: CancelPreview) -> list[str]:
    if not found.asked_first:
        return []
    return [asking.visit.words("asked_first", units=asking.units(found.asked_first))]


def _part(asking: Asking, part: SmallerPart) -> str:
    words = asking.visit.words
    state = words(f"part_{part.state}")
    return words(f"part_{part.how}", units=asking.units(part.units), state=state)


async def _do(here: Service, order_id: str, request: CancelRequest) -> str:
    outcome = await here.aftersales.cancel(order_id, request)
    if outcome.outcome == "refused":
        raise AllRefused(outcome.message, outcome.refused)
    return "cancelled" if outcome.outcome == "cancelled" else "partly_cancelled"


CANCEL = Act("cancel", _fields, _read, _do, _preview)
