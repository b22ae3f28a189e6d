"""`orderloom audit`: check every invariant."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.errors import Refused
from domain.sellers import choose
from domain.words import count_of
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output
from starter.service.audit import AuditReport
from starter.service.connection import REPORT_SECONDS_MAX, service

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("audit")
def check(
    seller: Annotated[
        str | None,
        typer.Option(
            "--seller",
            metavar="CODE",
            help="Tell only what concerns this seller, or nobody in particular.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that stock, lines, money, ledger, providers and workflows agree. Changes nothing.

    Prints each violation with its order or SKU and exits with 1; clean books exit with 0.

    Example: `orderloom audit`
    """
    report = asyncio.run(_audit(seller))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"clean": report.clean, **report.model_dump(mode="json")})
    else:
        for line in report.lines():
            out.say(line)
    if not report.clean:
        raise Refused(
            f"the books are wrong in {count_of(len(report.violations), 'place')}: "
            "see the story of each order named above with `orderloom events`"
        )


async def _audit(seller: str | None) -> AuditReport:
    async with service(statement_seconds_max=REPORT_SECONDS_MAX) as here:
        choose(await here.sellers.list(), seller)
        report = await here.audit()
        return report if seller is None else report.of(seller)
