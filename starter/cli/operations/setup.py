"""`orderloom setup`: prepare an existing Temporal and PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from runtime.discovery import connect_settings
from runtime.settings import load_settings
from runtime.temporal import connect_temporal
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output
from starter.stack.first_seller import name_seller
from starter.stack.search_attributes import register
from store.migrate import migrate

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def setup(
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Make the sandbox companies as well, to try things."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the database up to date and register the search attributes. Safe to repeat.

    For existing servers; `orderloom up` does this for its own. They are found through
    TEMPORAL_ADDRESS (and the other settings of `temporal`) and DATABASE_URL. Only `--sandbox`
    creates the sandbox companies, which a production database does not have.

    Example: `orderloom setup`
    """
    applied, added = asyncio.run(_setup(sandbox=sandbox))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"migrations": applied, "search_attributes": added})
        return
    out.say(f"database: {', '.join(applied) or 'up to date'}")
    out.say(f"search attributes: {', '.join(added) or 'all there'}")


async def _setup(*, sandbox: bool) -> tuple[list[str], list[str]]:
    place = connect_settings(load_settings().home)
    temporal = await connect_temporal(place)
    applied = await migrate(place.database_url, sandbox=sandbox)
    await name_seller(place.database_url, load_settings().seller)
    return applied, await register(temporal)
