"""`orderloom locations`: warehouses and shops, with the cost and time of a parcel from each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from domain.calendars import WEEKDAYS, Calendar
from domain.stock.locations import Lane, Location, Locations
from domain.words import count_of
from starter.cli.terminal.options import DryRun, Json, Who, read_json_file, read_model, reporter
from starter.cli.terminal.output import Output
from starter.service.connection import from_records, records
from store.stock.location_changes import Left

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def locations() -> None:
    """Warehouses and shops: calendars, cut-off times, limits a day, and lanes with prices."""


@app.command("list")
def list_locations(
    location: Annotated[str | None, typer.Option("--location", help="Only this one.")] = None,
    as_json: Json = False,
) -> None:
    """List locations with their settings.

    Example: `orderloom locations list --json > locations.json`
    """

    async def work() -> tuple[list[Location], set[str]]:
        async with records() as here:
            return list(await here.locations.list(location)), await here.locations.retired()

    found, retired = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document(Locations(locations=tuple(found)).model_dump(mode="json"))
    elif not found:
        out.say("no locations; `orderloom stock import` and `orderloom locations import` make some")
    else:
        out.table(
            [
                "location",
                "",
                "goods of",
                ">priority",
                "works",
                "cut-off",
                ">handling days",
                ">a day",
                "lanes",
            ],
            [
                (
                    one.location,
                    "retired" if one.location in retired else "",
                    one.seller,
                    one.priority,
                    _works(one.calendar),
                    one.calendar.cut_off,
                    one.calendar.handling_days,
                    one.parcels_a_day,
                    ", ".join(map(_lane, one.lanes)),
                )
                for one in found
            ],
        )


@app.command()
def add(
    location: Annotated[str, typer.Argument(metavar="LOCATION", show_default=False)],
    seller: Annotated[
        str | None,
        typer.Option(
            "--seller",
            metavar="CODE",
            help="Whose goods lie there; may be left out where there is one seller alone.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Create a location, so that stock can be there. It ships everywhere until it has lanes.

    An existing location stays as it is.

    Example: `orderloom locations add outlet`
    """
    name = read_model(Location, {"location": location}, where="locations").location
    from_records(lambda here: here.locations.add(name, seller))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"location": name})
    else:
        out.say(f"{name} can have stock; `orderloom locations import` tells more of it")


@app.command()
def rename(
    location: Annotated[str, typer.Argument(metavar="LOCATION", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", show_default=False)],
    merge: Annotated[
        bool, typer.Option("--merge", help="NEW is there already: put the stock of both together.")
    ] = False,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Give a location another name; its stock, levels and lanes go with it.

    The old name is retired: the journal and open parcels keep it, and allocated units stay there
    until they are sent. If this stops halfway, repeat it with --merge: it moves the rest.

    Example: `orderloom locations rename mian main --merge`
    """
    who = reporter(by)
    wanted = read_model(Location, {"location": new}, where="locations").location
    moved, left = from_records(
        lambda here: here.locations.rename(location, wanted, merge=merge, who=who)
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"location": wanted, "moved": moved, "left": left.model_dump()})
    else:
        out.say(f"{location} is {wanted} from now on; {count_of(moved, 'unit')} moved")
        _tell_left(location, left, out)


@app.command()
def retire(
    location: Annotated[str, typer.Argument(metavar="LOCATION", show_default=False)],
    as_json: Json = False,
) -> None:
    """Stop a location from sending and receiving anything new; its stock is still listed.

    Open parcels there are still sent, or refused with `orderloom warehouse refuse`. Goods on their
    way there may arrive. `orderloom stock transfer` moves the stock elsewhere.

    Example: `orderloom locations retire outlet`
    """
    left = from_records(lambda here: here.locations.retire(location))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"location": location, "retired": True, "left": left.model_dump()})
    else:
        out.say(f"{location} is retired")
        _tell_left(location, left, out)


@app.command()
def reopen(
    location: Annotated[str, typer.Argument(metavar="LOCATION", show_default=False)],
    as_json: Json = False,
) -> None:
    """Let a retired location send and receive again. Set its levels again afterwards.

    Example: `orderloom locations reopen outlet`
    """
    from_records(lambda here: here.locations.reopen(location))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"location": location, "retired": False})
    else:
        out.say(f"{location} is open")


@app.command()
def remove(
    location: Annotated[str, typer.Argument(metavar="LOCATION", show_default=False)],
    as_json: Json = False,
) -> None:
    """Remove a location that never held, sent or expected anything. Others can be retired.

    Example: `orderloom locations remove outlet`
    """
    from_records(lambda here: here.locations.remove(location))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"removed": location})
    else:
        out.say(f"{location} is removed")


def _tell_left(location: str, left: Left, out: Output) -> None:
    for number, what in (
        (left.units, "units on hand"),
        (left.to_send, "parcels to send"),
        (left.awaited, "transfers and purchase orders on their way there"),
    ):
        if number:
            out.say(f"still at {location}: {what}: {number:,}")


@app.command("import")
def import_locations(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, as `list --json` prints it.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Replace the settings of the locations in a file; other locations stay as they are.

    `orderloom schema locations` describes the file. If anything in it is wrong, nothing is set.

    Example: `orderloom locations import examples/locations.json`
    """
    wanted = read_json_file(Locations, file).locations
    from_records(lambda here: here.locations.save(wanted), dry_run=dry_run)
    out = Output(as_json=as_json, dry_run=dry_run)
    if as_json:
        out.document({"locations": [one.location for one in wanted]})
    else:
        out.say(f"{count_of(len(wanted), 'location')} set")


def _works(calendar: Calendar) -> str:
    days = "every day" if calendar.working_days == WEEKDAYS else " ".join(calendar.working_days)
    rests = f", not on holidays of {calendar.holidays}" if calendar.holidays else ""
    return f"{days}{rests} ({calendar.time_zone})"


def _lane(lane: Lane) -> str:
    to = f"{lane.country}{f' {lane.postal_prefix}' if lane.postal_prefix else ''}"
    service = "" if lane.service == "*" else f" {lane.service}"
    days = count_of(lane.transit_days, "day")
    return f"{to}{service}: {lane.cost} {lane.currency}, {lane.distance_km} km, {days}"
