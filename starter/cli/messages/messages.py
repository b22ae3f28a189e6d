"""`orderloom messages`: what customers are told by mail, and what became of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, cast

import typer

from domain.errors import InvalidInput
from domain.messages.kinds import KINDS, MessageState
from runtime.mail import tried
from runtime.settings import load_settings
from starter.cli.messages import message_templates
from starter.cli.terminal.named import order_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records
from starter.service.messages import ShownMessage
from store.messages.rows import MessageRow

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

_STATES = ("planned", "sending", "sent", "refused", "bounced", "dropped")

Named = Annotated[
    str,
    typer.Argument(metavar="MESSAGE", help="As `list` shows it.", show_default=False),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the HTML there.", show_default=False),
]


@app.callback()
def messages() -> None:
    """What customers are told by mail, in their language. A worker sends it."""


@app.command("list")
def list_messages(
    order: Annotated[
        str | None, typer.Option("--order", metavar="ORDER", help="Only of this order.")
    ] = None,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help=f"{', '.join(_STATES)}; repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50,
    as_json: Json = False,
) -> None:
    """List messages, newest first.

    Example: `orderloom messages list --state refused`
    """
    for state in states or ():
        if state not in _STATES:
            raise InvalidInput(f"is none of {', '.join(_STATES)}", where=f"--state {state}")
    named = None if order is None else order_named(order)
    wanted = cast("list[MessageState] | None", states or None)
    found = from_records(
        lambda here: here.messages.list(order_id=named, states=wanted, at_most=limit)
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"messages": [_wire(one) for one in found]})
    elif not found:
        out.say("there are no messages")
    else:
        out.table(
            ["message", "kind", "state", "by", ">tries", "planned", "sent", "why"],
            [
                (
                    *(
                        one.message,
                        one.kind,
                        one.state,
                        one.by or "",
                        one.tries,
                        local(one.planned_at),
                    ),
                    *(local(one.sent_at), one.why or ""),
                )
                for one in found
            ],
        )


@app.command()
def show(message: Named, html: Html = None, as_json: Json = False) -> None:
    """Show a message: what became of it, and its text as it would be sent now.

    Example: `orderloom messages show web-1001:M57`
    """
    row = from_records(lambda here: here.messages.get(message))
    shown = from_records(lambda here: here.messages.shown(message))
    out = Output(as_json=as_json)
    _written(shown, html)
    if as_json:
        out.document({**_wire(row), **shown.model_dump(mode="json")})
        return
    out.say(f"{row.message}: {row.kind}, {row.state}")
    for name, value in (
        ("by", row.by),
        ("why", row.why),
        ("sent", local(row.sent_at)),
        ("attempts", row.tries),
        ("Message-ID", row.mail_id),
        ("the server answered", row.answer),
    ):
        if value:
            out.say(f"  {name}: {value}")
    out.say()
    _read_out(out, shown)


@app.command()
def preview(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=", ".join(KINDS))],
    order: Annotated[
        str, typer.Option("--order", metavar="ORDER", help="With what is known of this order.")
    ],
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Show what a kind of message would say of an order. Nothing is sent.

    Example: `orderloom messages preview shipped --order web-1001`
    """
    if kind not in KINDS:
        raise InvalidInput(f"is none of {', '.join(KINDS)}", where=kind)
    named = order_named(order)
    shown = from_records(lambda here: here.messages.preview(kind, named))
    out = Output(as_json=as_json)
    _written(shown, html)
    if as_json:
        out.document(shown.model_dump(mode="json"))
    else:
        _read_out(out, shown)


@app.command("send-again")
def send_again(message: Named, as_json: Json = False) -> None:
    """Send a message once more, also one that was refused. It is another mail.

    Example: `orderloom messages send-again web-1001:M57`
    """
    row = from_records(lambda here: here.messages.send_again(message))
    out = Output(as_json=as_json)
    if as_json:
        out.document(_wire(row))
    else:
        out.say(f"{row.message} is sent again as soon as a worker has a mail server")


@app.command("test")
def try_settings(as_json: Json = False) -> None:
    """Look at each setting of the mail server: its name, TLS, login, senders. No mail is sent.

    Example: `orderloom messages test`
    """
    steps = asyncio.run(tried(load_settings().mail))
    out = Output(as_json=as_json)
    faults = [step for step in steps if step.fault]
    if as_json:
        out.document(
            {
                "ok": not faults,
                "steps": [
                    {"what": one.what, "told": one.told, "fault": one.fault} for one in steps
                ],
            }
        )
    else:
        for one in steps:
            out.say(f"{one.what}: {one.fault or 'ok'}{f' ({one.told})' if one.told else ''}")
    if faults:
        raise typer.Exit(1)


for _more in message_templates.COMMANDS:
    app.command(_more.name)(_more.run)


def _written(shown: ShownMessage, html: Path | None) -> None:
    if html is not None:
        try:
            html.write_text(shown.html, encoding="utf-8")
        except OSError as error:
            raise InvalidInput(f"cannot be written: {error.strerror}", where=str(html)) from error


def _read_out(out: Output, shown: ShownMessage) -> None:
    out.say(f"To: {shown.to or '(no address)'}")
    out.say(f"Subject: {shown.subject}")
    if shown.attached:
        out.say(f"Attached: {shown.attached}")
    out.say()
    out.say(shown.text)


def _wire(row: MessageRow) -> dict[str, object]:
    return {"message": row.message, **row.model_dump(mode="json")}
