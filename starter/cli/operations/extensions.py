"""`orderloom extensions`: what is installed beside the engine, and what of it fails."""

from __future__ import annotations

import typer

from domain.errors import Refused
from domain.words import count_of
from runtime.extensions import Installed, installed
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("extensions")
def list_them(as_json: Json = False) -> None:
    """List the extensions: where they come from, what they bring, and why one fails.

    Their settings are read from this shell's environment; a worker reads them from its own. Exits
    with 1 where one fails.

    Example: `orderloom extensions`
    """
    found = installed()
    out = Output(as_json=as_json)
    if as_json:
        out.document({"extensions": [_told(one) for one in found]})
    else:
        out.table(
            ["name", "distribution", "version", "brings", "fails"],
            [
                (one.name, one.distribution, one.version, ", ".join(_brings(one)), one.fault)
                for one in found
            ],
        )
    failing = [one for one in found if one.fault]
    if failing or not found:
        raise Refused(
            f"{count_of(len(failing), 'extension')} cannot be used: a worker does not start until "
            "they are mended, uninstalled, or named in ORDERLOOM_WITHOUT_EXTENSIONS"
            if found
            else "no extension is installed, not even Orderloom's own: install it again"
        )


def _told(one: Installed) -> dict[str, object]:
    return {
        "name": one.name,
        "distribution": one.distribution,
        "version": one.version,
        "brings": list(_brings(one)),
        "fault": one.fault or None,
    }


def _brings(one: Installed) -> tuple[str, ...]:
    return () if one.extension is None else one.extension.brings
