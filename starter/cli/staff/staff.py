"""`orderloom staff`: people who work with the screens."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domain.staff.people import StaffChange, StaffRequest
from starter.cli.staff.options import (
    By,
    LoginArgument,
    Mail,
    OnlyChannels,
    OnlyLocations,
    OnlySellers,
    Roles,
    Speaks,
    Zone,
)
from starter.cli.staff.shown import only_for, show_new, show_one, wire
from starter.cli.terminal.options import Json, Limit, read_model, reporter
from starter.cli.terminal.output import Output, local
from starter.cli.terminal.pages import page_of
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def staff() -> None:
    """People who work with the screens: who may sign in, and what each of them may."""


@app.command()
def add(
    login: LoginArgument,
    name: Annotated[str, typer.Option("--name", help="As stories tell it.", show_default=False)],
    roles: Roles = None,
    email: Mail = None,
    channels: OnlyChannels = None,
    sellers: OnlySellers = None,
    locations: OnlyLocations = None,
    language: Speaks = None,
    time_zone: Zone = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Let a person in, and show their first password: this once, and never again.

    Example: `orderloom staff add anna --name 'Anna Kim' --role agent`
    """
    told = _told(name, roles, email, channels, sellers, locations, language, time_zone)
    wanted = read_model(StaffRequest, {"login": login, **told}, where="staff")
    who = reporter(by)
    show_new(from_records(lambda here: here.staff.make(wanted, who=who)), Output(as_json=as_json))


@app.command("list")
def list_staff(
    disabled: Annotated[bool, typer.Option("--all", help="Disabled ones, too.")] = False,
    limit: Limit = 100,
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            metavar="LOGIN",
            help="Begin behind this one: the next page.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List people by their logins.

    Example: `orderloom staff list --all`
    """
    found = from_records(
        lambda here: here.staff.list(disabled=disabled, after=after, limit=limit + 1)
    )
    page = page_of(found, limit, lambda one: one.login)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"staff": [wire(one) for one in page.rows], **page.told})
        return
    if not found:
        out.say("nobody may sign in; `orderloom staff add` lets somebody in")
        return
    out.table(
        ["login", "name", "state", "roles", "only for", "last seen"],
        [
            (
                *(one.login, one.name, one.state, ", ".join(one.roles), only_for(one)),
                local(one.last_seen_at) or "never",
            )
            for one in page.rows
        ],
    )
    page.tell(out)


@app.command()
def show(login: LoginArgument, as_json: Json = False) -> None:
    """Show one person: all but the password.

    Example: `orderloom staff show anna`
    """
    found = from_records(lambda here: here.staff.get(login))
    show_one(found, Output(as_json=as_json))


@app.command()
def change(
    login: LoginArgument,
    name: Annotated[str | None, typer.Option("--name", show_default=False)] = None,
    roles: Roles = None,
    email: Mail = None,
    channels: OnlyChannels = None,
    sellers: OnlySellers = None,
    locations: OnlyLocations = None,
    language: Speaks = None,
    time_zone: Zone = None,
    everywhere: Annotated[
        bool,
        typer.Option("--everywhere", help="For all channels, sellers and locations from now on."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Change something of a person. It counts from their next click on.

    Nothing, as in `--email ''`, takes away the mail address, the language or the time zone.

    Example: `orderloom staff change anna --role agent --role lead`
    """
    told = _told(name, roles, email, channels, sellers, locations, language, time_zone)
    cleared = {"email": email, "language": language, "time_zone": time_zone}
    told |= {field: None for field, said in cleared.items() if said == ""}
    if everywhere:
        told = {**dict.fromkeys(("channels", "sellers", "locations")), **told}
    wanted = read_model(StaffChange, told, where="staff")
    show_one(from_records(lambda here: here.staff.change(login, wanted)), Output(as_json=as_json))


@app.command()
def disable(login: LoginArgument, by: By = "", as_json: Json = False) -> None:
    """Let a person in no more. Their sessions end at once; they stay on record.

    Example: `orderloom staff disable anna`
    """
    who = reporter(by)
    show_one(from_records(lambda here: here.staff.disable(login, who=who)), Output(as_json=as_json))


@app.command()
def enable(login: LoginArgument, as_json: Json = False) -> None:
    """Let a person in again, with the password that they had.

    Example: `orderloom staff enable anna`
    """
    show_one(from_records(lambda here: here.staff.enable(login)), Output(as_json=as_json))


@app.command("reset-password")
def reset_password(login: LoginArgument, by: By = "", as_json: Json = False) -> None:
    """Give a person a new first password. Their sessions end.

    Example: `orderloom staff reset-password anna`
    """
    who = reporter(by)
    made = from_records(lambda here: here.staff.reset_password(login, who=who))
    show_new(made, Output(as_json=as_json))


@app.command("sessions")
def list_sessions(
    login: Annotated[
        str | None,
        typer.Argument(metavar="LOGIN", help="Of this person only.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """List where people are signed in, the one used last first.

    Example: `orderloom staff sessions anna`
    """
    found = from_records(lambda here: here.staff.sessions(login))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"sessions": [one.model_dump(mode="json") for one in found]})
        return
    if not found:
        out.say("nobody is signed in")
        return
    out.table(
        ["session", "login", "by", "since", "last seen", "ends", "address", "browser"],
        [
            (
                *(str(one.session_no), one.login, one.means, local(one.began_at)),
                *(local(one.seen_at), local(one.ends_at), one.address, one.agent),
            )
            for one in found
        ],
    )


@app.command("end-session")
def end_session(
    session_no: Annotated[
        int, typer.Argument(metavar="SESSION", help="Its number.", min=1, max=2**63 - 1)
    ],
    by: By = "",
    as_json: Json = False,
) -> None:
    """Sign somebody out who is signed in.

    Example: `orderloom staff end-session 7`
    """
    who = reporter(by)
    login = from_records(lambda here: here.staff.end_session(session_no, who=who))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"session_no": session_no, "login": login})
    else:
        out.say(f"session {session_no} of {login} has ended")


def _told(
    name: str | None,
    roles: list[str] | None,
    email: str | None,
    channels: list[str] | None,
    sellers: list[str] | None,
    locations: list[str] | None,
    language: str | None,
    time_zone: str | None,
) -> dict[str, Any]:
    """What was said, by the names of the fields."""
    said = {
        "name": name,
        "roles": roles,
        "email": email,
        "channels": channels,
        "sellers": sellers,
        "locations": locations,
        "language": language,
        "time_zone": time_zone,
    }
    return {field: value for field, value in said.items() if value}
