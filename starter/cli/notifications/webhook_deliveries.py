"""Commands of `orderloom webhooks` about what was sent, and what is to be sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, NamedTuple

import typer

from domain.errors import Refused
from domain.notifications.subscriptions import Attempt, OpenDelivery
from domain.words import count_of
from starter.cli.notifications.subscription_named import Named
from starter.cli.terminal.options import Json, Limit, read_moment
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records
from starter.service.service import Records

TEST_PATIENCE_S: Final = 30.0
"""A worker looks each second, and an attempt takes 15 seconds at most."""


def send_test(subscription: Named, as_json: Json = False) -> None:
    """Have a worker send a test, and tell what came of it. Exit code 1: it was not taken.

    Example: `orderloom webhooks test sub-5ff16a0c2b1d`
    """

    async def send(here: Records) -> tuple[str, Attempt | None]:
        message_id = await here.subscriptions.test(subscription)
        for _ in range(round(TEST_PATIENCE_S / 0.25)):
            found = await here.subscriptions.deliveries(subscription, message_id=message_id)
            if found:
                return message_id, found[0]
            await asyncio.sleep(0.25)
        return message_id, None

    message_id, attempt = from_records(send)
    if attempt is None:
        raise Refused(
            f"{message_id} was not sent within {TEST_PATIENCE_S:.0f} s: is a worker running? "
            f"`orderloom webhooks deliveries {subscription}` shows it when it is"
        )
    out = Output(as_json=as_json)
    if as_json:
        out.document(attempt.model_dump(mode="json"))
    elif attempt.delivered:
        out.say(f"{message_id} was taken: {attempt.status} in {attempt.took_ms} ms")
    if not attempt.delivered:
        raise Refused(f"{message_id} was not taken: {attempt.error}")


def deliveries(subscription: Named, limit: Limit = 100, as_json: Json = False) -> None:
    """List the attempts to deliver, newest first, and what is to be sent again.

    Example: `orderloom webhooks deliveries sub-5ff16a0c2b1d`
    """

    async def read(here: Records) -> tuple[Sequence[Attempt], Sequence[OpenDelivery]]:
        return (
            await here.subscriptions.deliveries(subscription, at_most=limit),
            await here.subscriptions.retried(subscription, at_most=limit),
        )

    attempts, retried = from_records(read)
    out = Output(as_json=as_json)
    if as_json:
        out.document(
            {
                "attempts": [one.model_dump(mode="json") for one in attempts],
                "retried": [one.model_dump(mode="json") for one in retried],
            }
        )
        return
    if not attempts:
        out.say("nothing was sent")
    else:
        out.table(
            ["at", "message", "type", "about", "", ">ms", "why not"],
            [
                (
                    local(one.at),
                    one.message_id,
                    one.type,
                    one.order_id or one.customer_id,
                    one.status or "",
                    one.took_ms,
                    one.error,
                )
                for one in attempts
            ],
        )
    if retried:
        out.say()
        _open_table(out, retried)


def dead(
    subscription: Annotated[
        str | None,
        typer.Argument(metavar="[SUBSCRIPTION]", help="Left out: of all.", show_default=False),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List the dead letters: events that were not taken at any attempt.

    Example: `orderloom webhooks dead`
    """
    found = from_records(lambda here: here.subscriptions.dead(subscription, at_most=limit))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"dead": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.say("no dead letters")
    else:
        _open_table(out, found)


def resend(
    subscription: Named,
    positions: Annotated[
        list[int] | None,
        typer.Option("--position", help="Only this dead letter; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Send dead letters again: those that are named, or all of the subscription.

    Example: `orderloom webhooks resend sub-5ff16a0c2b1d --position 1041`
    """
    count = from_records(lambda here: here.subscriptions.resend(subscription, positions or None))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"subscription_id": subscription, "resent": count})
    else:
        out.say(f"{count_of(count, 'dead letter')} will be sent again")


def replay(
    subscription: Named,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From this time on.")
    ] = None,
    position: Annotated[
        int | None, typer.Option("--position", min=0, help="From this position on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send everything again from a time or a position on, under the same ids.

    Example: `orderloom webhooks replay sub-5ff16a0c2b1d --since 2026-11-22`
    """
    moment = read_moment(since, "--since")
    done = from_records(
        lambda here: here.subscriptions.replay(subscription, since=moment, position=position)
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document(done.model_dump(mode="json"))
    else:
        out.say(
            f"{subscription} is sent everything again from position {done.from_position} on, "
            f"out of {count_of(done.events, 'event')}"
        )


def _open_table(out: Output, found: Sequence[OpenDelivery]) -> None:
    out.table(
        [">position", "to", "type", "about", "happened", "", ">tries", "next", "why not"],
        [
            (
                one.position,
                one.subscription_id,
                one.type,
                one.order_id or one.customer_id,
                local(one.at),
                one.state,
                one.tries or "",
                local(one.next_at),
                one.last_error,
            )
            for one in found
        ],
    )


class Command(NamedTuple):
    """A command and its name."""

    name: str
    run: Callable[..., Any]


COMMANDS: Final = (
    Command("test", send_test),
    Command("deliveries", deliveries),
    Command("dead", dead),
    Command("resend", resend),
    Command("replay", replay),
)
