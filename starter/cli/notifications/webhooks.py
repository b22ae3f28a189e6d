"""`orderloom webhooks`: who is told of what happens to orders, and what became of it.

What payment companies send here is another thing: `orderloom provider-events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from domain.errors import InvalidInput
from domain.notifications.subscriptions import (
    MadeSubscription,
    NewSubscription,
    Subscription,
    SubscriptionChange,
)
from starter.cli.notifications import webhook_deliveries
from starter.cli.notifications.subscription_named import Named
from starter.cli.terminal.options import Json, Who, read_model, reporter
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="TYPE", help="Only events of this type; may be repeated."),
]
Channels = Annotated[
    list[str] | None,
    typer.Option("--channel", metavar="CODE", help="Only orders of this channel; repeatable."),
]
Sellers = Annotated[
    list[str] | None,
    typer.Option("--seller", metavar="CODE", help="Only orders of this seller; repeatable."),
]
Description = Annotated[
    str | None, typer.Option("--description", help="What it is for.", show_default=False)
]


@app.callback()
def webhooks() -> None:
    """Events that Orderloom sends to other systems, each signed, and an order's in sequence.

    What payment companies send to Orderloom is listed by `orderloom provider-events`.
    """


@app.command("list")
def list_subscriptions(as_json: Json = False) -> None:
    """List the subscriptions.

    Example: `orderloom webhooks list`
    """
    found = from_records(lambda here: here.subscriptions.list())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"subscriptions": [_wire(one) for one in found]})
    elif not found:
        out.say("nobody is told of anything; `orderloom webhooks add URL` subscribes")
    else:
        out.table(
            ["subscription", "to", "state", ">retried", ">dead", "only", "failing since"],
            [
                (
                    one.subscription_id,
                    one.url,
                    one.state,
                    one.retried or "",
                    one.dead or "",
                    _only(one),
                    local(one.failing_since),
                )
                for one in found
            ],
        )


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted to.")],
    types: Types = None,
    channels: Channels = None,
    sellers: Sellers = None,
    description: Description = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Subscribe: events that happen from now on are posted there. Prints the secret, this once.

    Example: `orderloom webhooks add https://crm.example/orderloom --channel web`
    """
    wanted = read_model(
        NewSubscription,
        {
            "url": url,
            "types": types or None,
            "channels": channels or None,
            "sellers": sellers or None,
            "description": description,
        },
        where="webhooks add",
    )
    who = reporter(by)
    _tell_secret(from_records(lambda here: here.subscriptions.make(wanted, by=who)), as_json)


@app.command()
def show(subscription: Named, as_json: Json = False) -> None:
    """Show one subscription. Its secrets are not shown again.

    Example: `orderloom webhooks show sub-5ff16a0c2b1d`
    """
    _show(from_records(lambda here: here.subscriptions.get(subscription)), as_json)


@app.command()
def update(
    subscription: Named,
    url: Annotated[str | None, typer.Option("--url", show_default=False)] = None,
    types: Types = None,
    channels: Channels = None,
    sellers: Sellers = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Of all types, channels and sellers.")
    ] = False,
    description: Description = None,
    pause: Annotated[bool, typer.Option("--pause", help="Send nothing for now.")] = False,
    activate: Annotated[
        bool, typer.Option("--activate", help="Send, also after it was disabled.")
    ] = False,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Change what is given. Also without delay: a receiver that was failing is tried at once.

    Example: `orderloom webhooks update sub-5ff16a0c2b1d --activate`
    """
    if pause and activate:
        raise InvalidInput("--pause and --activate exclude each other", where="webhooks update")
    changes: dict[str, Any] = {
        "url": url,
        "types": types or None,
        "channels": channels or None,
        "sellers": sellers or None,
        "description": description,
        "state": "paused" if pause else "active" if activate else None,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    if everything:
        given = {"types": None, "channels": None, "sellers": None, **given}
    change = read_model(SubscriptionChange, given, where="webhooks update")
    who = reporter(by)
    _show(
        from_records(lambda here: here.subscriptions.update(subscription, change, by=who)), as_json
    )


@app.command()
def rotate(
    subscription: Named,
    finish: Annotated[
        bool, typer.Option("--finish", help="Sign with the newest secret alone from now on.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new secret, and print it, this once. The older ones sign, too, until --finish.

    Example: `orderloom webhooks rotate sub-5ff16a0c2b1d`
    """
    if finish:
        _show(
            from_records(lambda here: here.subscriptions.keep_newest_secret(subscription)), as_json
        )
    else:
        _tell_secret(from_records(lambda here: here.subscriptions.rotate(subscription)), as_json)


@app.command()
def remove(subscription: Named, as_json: Json = False) -> None:
    """Forget a subscription, with its attempts and all that waits for it.

    Example: `orderloom webhooks remove sub-5ff16a0c2b1d`
    """
    from_records(lambda here: here.subscriptions.remove(subscription))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"subscription_id": subscription, "removed": True})
    else:
        out.say(f"{subscription} is removed")


for _more in webhook_deliveries.COMMANDS:
    app.command(_more.name)(_more.run)


def _tell_secret(made: MadeSubscription, as_json: bool) -> None:
    out = Output(as_json=as_json)
    secret = made.secret.get_secret_value()
    if as_json:
        out.document({**_wire(made.subscription), "secret": secret})
    else:
        out.say(f"{made.subscription.subscription_id} sends to {made.subscription.url}")
        out.say(f"secret: {secret}")
        out.say("It is not shown again.")


def _show(one: Subscription, as_json: bool) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document(_wire(one))
        return
    out.say(f"{one.subscription_id} sends to {one.url}: {one.state}")
    told: Sequence[tuple[str, object]] = (
        ("why", one.why),
        ("for", one.description),
        ("only", _only(one)),
        ("secrets", one.secrets),
        ("up to position", one.position),
        ("tried again, or held back", one.retried or None),
        ("dead letters", one.dead or None),
        ("nothing taken since", local(one.failing_since)),
        ("nothing sent before", local(one.rests_until)),
        ("made", f"{local(one.made_at)} by {one.made_by}"),
    )
    for name, value in told:
        if value not in (None, ""):
            out.say(f"  {name}: {value}")


def _only(one: Subscription) -> str:
    return ", ".join((*(one.types or ()), *(one.channels or ()), *(one.sellers or ())))


def _wire(one: Subscription) -> dict[str, Any]:
    return one.model_dump(mode="json")
