"""`orderloom api-keys`: the keys with which other programs come in over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domain.access.api_keys import PER_MINUTE, ApiKey, KeyRequest
from domain.access.keys import SCOPES, Scope
from domain.words import few
from starter.cli.terminal.options import (
    Json,
    Limit,
    read_model,
    read_moment,
    read_span,
    reporter,
)
from starter.cli.terminal.output import Output, local
from starter.cli.terminal.pages import page_of
from starter.service.access import NewKey
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="The key's id.", show_default=False)
]
By = Annotated[str, typer.Option("--by", help="Who decides this; kept with the key.")]

_ONCE = "This text is shown once, and kept nowhere: give it to the program now."


@app.callback()
def api_keys() -> None:
    """Keys with which other programs come in: what each may do, and until when."""


@app.command()
def make(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The program that gets it.", show_default=False)
    ],
    scopes: Annotated[
        list[str],
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="What it may do, such as orders:read or orders:write; may be given several times. "
            "all:read and all:write stand for that scope of each capability.",
            show_default=False,
        ),
    ],
    channels: Annotated[
        list[str] | None,
        typer.Option(
            "--channel", metavar="CODE", help="For orders of this channel only; several times."
        ),
    ] = None,
    sellers: Annotated[
        list[str] | None,
        typer.Option(
            "--seller", metavar="CODE", help="For what is this seller's only; several times."
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires",
            metavar="TIME",
            help="It works until then, a date or a time; left out: until it is revoked.",
            show_default=False,
        ),
    ] = None,
    per_minute: Annotated[
        int, typer.Option("--per-minute", help="So many requests it may make in a minute.")
    ] = PER_MINUTE,
    role: Annotated[
        str | None,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="In which role its requests are made, where the policy limits goodwill by roles.",
            show_default=False,
        ),
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Make a key, and show its text: this once, and never again.

    Example: `orderloom api-keys make 'web shop' --scope orders:read --scope orders:write`
    """
    wanted = read_model(
        KeyRequest,
        {
            "name": name,
            "scopes": scopes,
            "channels": channels or None,
            "sellers": sellers or None,
            "per_minute": per_minute,
            "expires_at": read_moment(expires, "--expires"),
            "role": role,
        },
        where="key",
    )
    who = reporter(by)
    _show_new(from_records(lambda here: here.access.make(wanted, who=who)), Output(as_json=as_json))


@app.command("list")
def list_keys(
    revoked: Annotated[bool, typer.Option("--all", help="Revoked ones, too.")] = False,
    limit: Limit = 100,
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            metavar="KEY",
            help="Begin behind this key: the next page.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the keys, the newest first.

    Example: `orderloom api-keys list --all`
    """
    found = from_records(
        lambda here: here.access.list(revoked=revoked, after=after, limit=limit + 1)
    )
    page = page_of(found, limit, lambda key: key.key_id)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"keys": [_wire(key) for key in page.rows], **page.told})
        return
    if not found:
        out.say("there is no key; `orderloom api-keys make` makes one")
        return
    out.table(
        ["key", "name", "state", "may", "only for", "last used", "expires"],
        [
            (
                *(key.key_id, key.name, key.state, few(_short(key), "scope"), _only_for(key)),
                *(local(key.last_used_at) or "never", local(key.expires_at) or "never"),
            )
            for key in page.rows
        ],
    )
    page.tell(out)


@app.command()
def show(key_id: KeyArgument, as_json: Json = False) -> None:
    """Show one key: all but its secret, which nobody can show.

    Example: `orderloom api-keys show 4h7k2m9q8z1b`
    """
    found = from_records(lambda here: here.access.get(key_id))
    out = Output(as_json=as_json)
    if as_json:
        out.document(_wire(found))
    else:
        _show(found, out)


@app.command()
def rotate(
    key_id: KeyArgument,
    old_ends_in: Annotated[
        str,
        typer.Option(
            "--old-ends-in",
            metavar="TIME",
            help="So long the old secret works, such as 24h, 30m or 7d; 0s: no more.",
        ),
    ] = "24h",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Give a key another secret, and show its text once. For a while the old one works, too.

    Example: `orderloom api-keys rotate 4h7k2m9q8z1b --old-ends-in 1h`
    """
    length, who = read_span(old_ends_in, "--old-ends-in"), reporter(by)
    made = from_records(lambda here: here.access.rotate(key_id, who=who, old_ends_in=length))
    _show_new(made, Output(as_json=as_json))


@app.command()
def revoke(key_id: KeyArgument, by: By = "", as_json: Json = False) -> None:
    """End a key at once and for good. It stays on record.

    Example: `orderloom api-keys revoke 4h7k2m9q8z1b`
    """
    who = reporter(by)
    done = from_records(lambda here: here.access.revoke(key_id, who=who))
    out = Output(as_json=as_json)
    if as_json:
        out.document(_wire(done))
    else:
        out.say(f"{done.key_id} ({done.name}) grants nothing any more")


def _show_new(made: NewKey, out: Output) -> None:
    text = made.secret_text.get_secret_value()
    if out.as_json:
        out.document({"key": _wire(made.key), "secret_text": text})
        return
    out.say(text)
    out.say(_ONCE)
    _show(made.key, out)


def _show(key: ApiKey, out: Output) -> None:
    out.say(f"{key.key_id}: {key.name}, {key.state}")
    for name, value in (
        ("may", ", ".join(_short(key))),
        ("only for", _only_for(key)),
        ("requests a minute", f"{key.per_minute:,}"),
        ("made", f"{local(key.made_at)}, by {key.made_by}"),
        ("last used", local(key.last_used_at) or "never"),
        ("expires", local(key.expires_at) or "never"),
        ("secret made", f"{local(key.secret_made_at)}, by {key.secret_made_by}"),
        ("old secrets work until", ", ".join(map(local, key.old_secrets_end_at))),
        ("revoked", f"{local(key.revoked_at)}, by {key.revoked_by}" if key.revoked_at else ""),
    ):
        if value:
            out.say(f"  {name}: {value}")


def _short(key: ApiKey) -> list[str]:
    """Its scopes; that of each capability is told in one word."""
    told: list[str] = []
    rest: set[Scope] = {*key.scopes}
    for action in ("read", "write"):
        of_all = {one for one in SCOPES if one.endswith(f":{action}")}
        if of_all <= rest:
            told.append(f"all:{action}")
            rest -= of_all
    return [*told, *(one for one in key.scopes if one in rest)]


def _only_for(key: ApiKey) -> str:
    parts = (
        ("channel", key.channels),
        ("seller", key.sellers),
    )
    return "; ".join(f"{what} {', '.join(codes)}" for what, codes in parts if codes)


def _wire(key: ApiKey) -> dict[str, Any]:
    told: dict[str, Any] = key.model_dump(mode="json")
    return told
