"""`orderloom replenish`: review the stock levels now."""

from __future__ import annotations

import asyncio

import typer

from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def replenish(as_json: Json = False) -> None:
    """Review all stock levels now, and buy the SKUs that are low. A repeat orders nothing twice.

    It also happens by itself at intervals, and at once for a crossed level.

    Example: `orderloom replenish`
    """

    async def work() -> list[str]:
        async with service() as here:
            again = "looking again orders nothing twice"
            return await answered(here.purchasing.replenish(), again=again)

    ordered = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"ordered": ordered})
    elif not ordered:
        out.say("nothing is to be bought")
    else:
        out.say(f"ordered: {', '.join(ordered)}")
