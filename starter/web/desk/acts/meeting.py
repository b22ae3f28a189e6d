"""Services that are given to a customer at a time that is agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.errors import NotFound
from domain.orders.handling import SERVICE
from starter.service.service import Records, Service
from starter.web.desk.acts.acting import Act, Asking, Field, Option, Seen
from starter.web.screens.forms import NotAsked
from starter.web.screens.once import once
from starter.web.screens.visits import Visit

_REPORTS: Final = ("set", "done", "missed")


@dataclass(frozen=True)
class _Report:
    """What is reported of one appointment, by this form. `begins_at`: of one that is agreed."""

    part: str
    what: str
    begins_at: datetime | None
    note: str
    form: Visit


def _fields(asking: Asking) -> Sequence[Field]:
    parts = [
        Option(row.fulfilment_id, f"{row.fulfilment_id}: {asking.counted(row.units)}")
        for row in asking.detail.fulfilments
        if row.handling == SERVICE and row.state not in ("delivered", "cancelled")
    ]
    return (
        Field("choice", "part", "which_service", options=parts),
        Field("choice", "what", "what", options=asking.options("appointment_", *_REPORTS)),
        Field("moment", "begins_at", "begins_at", about="begins_at_about"),
        Field("text", "note", "in_words"),
    )


def _read(asking: Asking) -> _Report:
    what, begins_at = asking.field("what"), asking.moment("begins_at")
    if what not in _REPORTS or (what == "set" and begins_at is None):
        raise NotAsked("no_moment")
    parts = {row.fulfilment_id for row in asking.detail.fulfilments}
    if asking.field("part") not in parts:
        raise NotFound("the order has no such fulfilment", reason="no_such_line")
    return _Report(asking.field("part"), what, begins_at, asking.field("note"), asking.visit)


async def _preview(asking: Asking, report: _Report) -> Seen:
    words, charges = asking.visit.words, asking.facts.claim.charges
    units = next(row.units for row in asking.detail.fulfilments if row.fulfilment_id == report.part)
    rows = [(words("which_service"), f"{report.part}: {asking.counted(units)}")]
    rows.append((words("what"), words(f"appointment_{report.what}")))
    if report.what == "set" and report.begins_at is not None:
        rows.append((words("begins_at"), words.moment(report.begins_at)))
    if report.what == "done":
        due = charges.to_charge(charges.unpaid(units))
        amount = words.money(due, asking.detail.summary.currency)
        rows.append((words("is_charged_now"), amount))
    else:
        rows.append((words("is_charged_now"), words("nothing_paid_back")))
    return Seen([*rows, (words("customer"), words("is_not_told"))])


async def _do(here: Service, order_id: str, report: _Report) -> str:
    del here, order_id  # the fulfilment says it
    who = {"who": report.form.person.who}

    async def write(records: Records) -> str:
        if report.what == "done":
            await records.appointments.done(report.part, **who)
        elif report.what == "missed":
            await records.appointments.missed(report.part, note=report.note, **who)
        else:
            assert report.begins_at is not None  # as it was read
            await records.appointments.make(report.part, report.begins_at, note=report.note, **who)
        return f"appointment_{report.what}"

    return await once(report.form, write)


APPOINTMENT = Act("appointment", _fields, _read, _do, _preview, is_kept_here=True)
