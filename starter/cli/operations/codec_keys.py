"""`orderloom codec-keys`: the file of keys that encrypt what enters Temporal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.key_ring import add_key, load_ring, use_key
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file of keys.")]


@app.callback()
def _group() -> None:
    """The file of keys that encrypt what enters Temporal; no key is ever shown."""


@app.command()
def add(
    file: File,
    key_id: Annotated[
        str | None,
        typer.Option("--id", help="Its id; left out: today's date and six letters."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and add it to the file, which is made if need be.

    The first key of a file encrypts. Another one only decrypts, until `codec-keys use` names it:
    give the file to every worker and program before that.

    Example: `orderloom codec-keys add codec.keys`
    """
    key = add_key(file, key_id)
    encrypts = load_ring(file).current.id == key.id
    out = Output(as_json=as_json)
    if as_json:
        out.document({"key": key.id, "encrypts": encrypts})
        return
    out.say(f"{key.id}  {'encrypts' if encrypts else 'decrypts only'}")


@app.command("list")
def list_them(file: File, as_json: Json = False) -> None:
    """List the ids of a file's keys; the first of them encrypts.

    Example: `orderloom codec-keys list codec.keys`
    """
    ring = load_ring(file)
    out = Output(as_json=as_json)
    if as_json:
        keys = [{"key": key.id, "encrypts": key is ring.current} for key in ring.keys]
        out.document({"keys": keys})
        return
    for key in ring.keys:
        out.say(f"{key.id}  {'encrypts' if key is ring.current else 'decrypts only'}")


@app.command()
def use(
    file: File,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key that is to encrypt.")],
    as_json: Json = False,
) -> None:
    """Have a key of the file encrypt from now on; programs read the file when they start.

    Example: `orderloom codec-keys use codec.keys 2026-11-29-3fa2c1`
    """
    use_key(file, key_id)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"key": key_id, "encrypts": True})
        return
    out.say(f"{key_id}  encrypts")
