"""`orderloom provider-events`: messages of payment companies, from PostgreSQL."""

from __future__ import annotations

from typing import Annotated

import typer

from starter.cli.terminal.options import Json, Limit
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("provider-events")
def list_events(
    failed: Annotated[
        bool, typer.Option("--failed", help="Only what could not be worked through yet.")
    ] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List the messages that payment companies sent by themselves, newest first.

    A message that could not be processed is tried again at least once an hour.

    Example: `orderloom provider-events --failed`
    """
    found = from_records(lambda here: here.payments.provider_events(failed=failed, at_most=limit))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"provider_events": [row.model_dump(mode="json") for row in found]})
    elif not found:
        out.say("everything was worked through" if failed else "nothing was told")
    else:
        out.table(
            ["event", "type", "received", ">tries", "worked through", "waits because"],
            [
                (
                    f"{row.provider} {row.event_id}",
                    row.type,
                    local(row.received_at),
                    row.tries or "",
                    local(row.processed_at),
                    row.last_error,
                )
                for row in found
            ],
        )
