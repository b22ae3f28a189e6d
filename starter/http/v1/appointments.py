"""Services that are given to customers at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.fields import Instant, Reason
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.reports import AtLocation, PartId, Report
from store.fulfilment.appointments import Appointment

router = APIRouter(prefix="/v1", tags=["warehouse"], route_class=StrictRoute)

Reads = Annotated[Caller, may("warehouse:read")]
Writes = Annotated[Caller, may("warehouse:write")]


class AppointmentMade(Report):
    """When the service is to be given. `note`: what was agreed beside that."""

    begins_at: Instant
    note: Reason | None = None


class AppointmentMissed(Report):
    """`note`: why it was not given."""

    note: Reason | None = None


class AppointmentDone(Report):
    """Who has given it."""


class AppointmentsToCome(BaseModel):
    """The soonest first; those without a time come last. 1000 at most."""

    model_config = ConfigDict(frozen=True)

    appointments: tuple[Appointment, ...]


@router.get(
    "/appointments",
    operation_id="listAppointments",
    summary="List the services that are still to be given",
)
async def list_appointments(caller: Reads, location: AtLocation = None) -> AppointmentsToCome:
    """For orders of the key's channels and sellers."""
    found = await caller.here.appointments.to_come(
        location=location, channels=caller.channels, sellers=caller.sellers
    )
    return AppointmentsToCome(appointments=tuple(found))


@router.post(
    "/fulfilments/{fulfilment_id}/appointment",
    operation_id="makeAppointment",
    summary="Report when a service is to be given",
    status_code=204,
)
async def make(
    fulfilment_id: PartId,
    content: Annotated[
        AppointmentMade, example({"begins_at": "2099-12-04T10:00:00+01:00", "by": "anna"})
    ],
    caller: Writes,
    once: Keyed,
) -> Response:
    """For the first time, or at another time than before: then it is moved."""
    await caller.check_part(fulfilment_id)
    return await once.in_database(
        lambda here: here.appointments.make(
            *(fulfilment_id, content.begins_at),
            who=caller.who(content.by),
            note=content.note or "",
        )
    )


@router.post(
    "/fulfilments/{fulfilment_id}/appointment/done",
    operation_id="reportServiceDone",
    summary="Report that a service was given",
    status_code=204,
)
async def done(
    fulfilment_id: PartId,
    content: Annotated[AppointmentDone, example({"by": "anna"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """It is charged and invoiced with that."""
    await caller.check_part(fulfilment_id)
    return await once.in_database(
        lambda here: here.appointments.done(fulfilment_id, who=caller.who(content.by))
    )


@router.post(
    "/fulfilments/{fulfilment_id}/appointment/missed",
    operation_id="reportAppointmentMissed",
    summary="Report that a service was not given at its time",
    status_code=204,
)
async def missed(
    fulfilment_id: PartId,
    content: Annotated[AppointmentMissed, example({"note": "nobody opened", "by": "anna"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Another time is to be agreed, or its units are cancelled."""
    await caller.check_part(fulfilment_id)
    return await once.in_database(
        lambda here: here.appointments.missed(
            fulfilment_id, who=caller.who(content.by), note=content.note or ""
        )
    )
