"""`orderloom appointments`: services that are given to customers at a time."""

from __future__ import annotations

from typing import Annotated

import typer

from starter.cli.terminal.named import FulfilmentName, part_named
from starter.cli.terminal.options import Json, Who, read_moment, reporter
from starter.cli.terminal.output import Output, local
from starter.cli.terminal.rendering import units_of
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Note = Annotated[str, typer.Option("--note", help="What else was said.", show_default=False)]


@app.callback()
def appointments() -> None:
    """Services that are given to customers at a time. The same report again changes nothing."""


@app.command("list")
def list_appointments(
    location: Annotated[str | None, typer.Option("--location", help="Only there.")] = None,
    as_json: Json = False,
) -> None:
    """List the services that are still to be given, the soonest first.

    Example: `orderloom appointments list`
    """
    found = from_records(lambda here: here.appointments.to_come(location=location))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"appointments": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.say("no service is to be given")
    else:
        out.table(
            ["fulfilment", "at", "begins", "missed", "units"],
            [
                (
                    *(one.fulfilment_id, one.location),
                    local(one.begins_at) if one.begins_at else "to be agreed",
                    *(one.missed, units_of(one.units)),
                )
                for one in found
            ],
        )


@app.command("set")
def set_appointment(
    fulfilment: FulfilmentName,
    at: Annotated[str, typer.Option("--at", metavar="2026-12-04T10:00", help="When it begins.")],
    note: Note = "",
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Write down when a service is to be given, or that it is moved to another time.

    Example: `orderloom appointments set web-1001:1 --at 2026-12-04T10:00`
    """
    fulfilment = part_named(fulfilment)
    begins_at = read_moment(at, "--at")
    assert begins_at is not None  # a text was given
    from_records(
        lambda here: here.appointments.make(fulfilment, begins_at, who=reporter(by), note=note)
    )
    _say(fulfilment, "agreed", f" for {local(begins_at)}", as_json=as_json)


@app.command()
def done(fulfilment: FulfilmentName, by: Who = "", as_json: Json = False) -> None:
    """Report that the customer has had a service. It is charged and invoiced with that.

    Example: `orderloom appointments done web-1001:1`
    """
    fulfilment = part_named(fulfilment)
    from_records(lambda here: here.appointments.done(fulfilment, who=reporter(by)))
    _say(fulfilment, "done", as_json=as_json)


@app.command()
def missed(
    fulfilment: FulfilmentName, note: Note = "", by: Who = "", as_json: Json = False
) -> None:
    """Report that a service was not given at its time. Another one is to be agreed.

    Example: `orderloom appointments missed web-1001:1 --note 'nobody opened'`
    """
    fulfilment = part_named(fulfilment)
    from_records(lambda here: here.appointments.missed(fulfilment, who=reporter(by), note=note))
    _say(fulfilment, "missed", ": agree on another time", as_json=as_json)


def _say(fulfilment: str, what: str, more: str = "", *, as_json: bool) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document({"part_id": fulfilment, "reported": what})
    else:
        out.say(f"{fulfilment} {what}{more}")
