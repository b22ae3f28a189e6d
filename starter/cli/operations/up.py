"""`orderloom up`: PostgreSQL, Temporal and workers, in the foreground."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Annotated, Any

import typer

from domain.errors import InvalidInput
from runtime.discovery import StackInfo
from runtime.settings import load_settings
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, complain
from starter.service.staff import NewStaff

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def up(
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Worker processes.")] = 1,
    http: Annotated[bool, typer.Option("--http/--no-http", help="Answer HTTP, too.")] = True,
    as_json: Json = False,
) -> None:
    """Run the whole stack until Ctrl-C or SIGTERM: PostgreSQL, Temporal with its UI, workers, HTTP.

    Its state stays in the folder that ORDERLOOM_HOME names (.orderloom), where commands in other
    shells find it. With --json, a line for each thing that happens.

    Example: `ORDERLOOM_HOME=~/orders orderloom up --workers 2`
    """
    out = Output(as_json=as_json)

    def ready(info: StackInfo, admin: NewStaff | None) -> None:
        login = None if admin is None else admin.staff.login
        password = None if admin is None else admin.password.get_secret_value()
        if as_json:
            out.record({"event": "ready", **info.model_dump(mode="json")})
            if admin is not None:
                out.record({"event": "first_admin", "login": login, "password": password})
            return
        out.say("Orderloom is up")
        out.say(f"  Temporal     {info.temporal_address}, namespace {info.temporal_namespace}")
        out.say(f"  Temporal UI  {info.temporal_ui_url}")
        out.say(f"  PostgreSQL   {info.database_url}")
        if info.http_url is not None:
            out.say(f"  HTTP API     {info.http_url}, described on {info.http_url}/docs")
            out.say(f"  screens      {info.http_url}/app")
        if admin is not None:
            out.say(f"  sign in as   {login}, password {password} (shown this once)")
        out.say(f"  logs         {info.logs}")
        out.say("Ctrl-C stops it; its orders are kept.")

    def report(text: str) -> None:
        if as_json:
            out.record({"event": "report", "message": text})
        else:
            complain(f"orderloom: {text}")

    supervisor = _supervisor()
    asyncio.run(
        supervisor.run_stack(
            load_settings().home, ready=ready, report=report, workers=workers, http=http
        )
    )


def _supervisor() -> Any:
    """The module that runs the servers, which a production worker does not need."""
    try:
        return import_module("starter.stack.supervisor")
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"{error.name} is not installed: pip install 'orderloom[embedded]'"
        ) from error
