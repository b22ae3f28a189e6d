"""`orderloom channels`: where orders come from, and what is agreed about each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from domain.orders.channels import Channel, Channels
from domain.words import count_of
from starter.cli.terminal.options import DryRun, Json, read_json_file
from starter.cli.terminal.output import Output
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CHANNEL", show_default=False)]


@app.callback()
def channels() -> None:
    """Web shops, tills, marketplace accounts and ways for business customers.

    A change concerns the orders that come from then on.
    """


@app.command("list")
def list_channels(as_json: Json = False) -> None:
    """List the channels.

    Example: `orderloom channels list --json > channels.json`
    """
    _show(from_records(lambda here: here.channels.list()), Output(as_json=as_json))


@app.command()
def show(channel: Code, as_json: Json = False) -> None:
    """Show one channel.

    Example: `orderloom channels show web`
    """
    found = from_records(lambda here: here.channels.get(channel))
    _show([found], Output(as_json=as_json))


@app.command("import")
def import_channels(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, as `list --json` prints it.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set all there is to know about the channels in a file; the others stay as they are.

    `orderloom schema channels` describes the file. `policy` holds what differs from the usual
    policy, such as {"charge": "at_confirmation"}.

    Example: `orderloom channels import examples/channels.json`
    """
    wanted = read_json_file(Channels, file).channels
    from_records(lambda here: here.channels.save(wanted), dry_run=dry_run)
    out = Output(as_json=as_json, dry_run=dry_run)
    if as_json:
        out.document({"channels": [one.channel for one in wanted]})
    else:
        codes = ", ".join(one.channel for one in wanted)
        out.say(f"{count_of(len(wanted), 'channel')} set: {codes}")


@app.command()
def retire(channel: Code, as_json: Json = False) -> None:
    """Let a channel take no new orders. Those that it has go on.

    Example: `orderloom channels retire b2b`
    """
    from_records(lambda here: here.channels.retire(channel))
    _tell(channel, as_json, retired=True)


@app.command()
def reopen(channel: Code, as_json: Json = False) -> None:
    """Let a retired channel take new orders again.

    Example: `orderloom channels reopen b2b`
    """
    from_records(lambda here: here.channels.reopen(channel))
    _tell(channel, as_json, retired=False)


def _tell(channel: str, as_json: bool, *, retired: bool) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document({"channel": channel, "retired": retired})
    else:
        out.say(f"{channel} takes {'no new orders' if retired else 'new orders again'}")


def _show(found: Sequence[Channel], out: Output) -> None:
    if out.as_json:
        document = Channels.model_construct(channels=tuple(found))
        out.document(document.model_dump(mode="json", exclude_none=True, warnings=False))
        return
    out.table(
        ["channel", "kind", "", "seller", "sells in", "sends from", "paid by", "policy"],
        [
            (
                one.channel,
                one.kind,
                "retired" if one.retired else "",
                one.seller,
                _only(one.currencies),
                _only(one.locations),
                _only(one.providers),
                ", ".join(sorted(one.policy.model_fields_set)) or "the usual",
            )
            for one in found
        ],
    )


def _only(some: Sequence[str] | None) -> str:
    return "any" if some is None else ", ".join(some)
