"""`orderloom shops`: shops elsewhere that send their orders here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import InvalidInput, Unreachable
from domain.shops.connections import NewShop, Shop
from domain.words import count_of
from starter.cli.terminal.options import Json, Limit, Who, read_json_file, reporter
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records
from starter.service.service import Records
from store.shops.messages import ShopMessage

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Channel = Annotated[str, typer.Argument(metavar="CHANNEL", show_default=False)]


@app.callback()
def shops() -> None:
    """Shopify, WooCommerce, and whatever else sends signed JSON: one shop for each channel.

    Its address for the shop is `/v1/webhooks/shops/CHANNEL` of `orderloom serve`.
    """


@app.command("list")
def list_shops(as_json: Json = False) -> None:
    """List the shops that are connected.

    Example: `orderloom shops list`
    """
    _show(list(from_records(lambda here: here.shops.list())), Output(as_json=as_json))


@app.command()
def show(channel: Channel, as_json: Json = False) -> None:
    """Show the shop of a channel. Its secrets are not shown again.

    Example: `orderloom shops show web`
    """
    _show([from_records(lambda here: here.shops.get(channel))], Output(as_json=as_json))


@app.command()
def connect(
    channel: Channel,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON: kind, secrets, options. - is standard input."),
    ],
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Connect a channel with its shop, or set all there is to know about that.

    With `access` in the file, the shop is asked for changes, and told of parcels and stock. The
    file keeps secrets out of the shell's history: `{"kind": "shopify", "secrets": ["…"]}`.

    Example: `orderloom shops connect web shop.json`
    """
    wanted = read_json_file(NewShop, file)
    who = reporter(by)
    made = from_records(lambda here: here.shops.connect(channel, wanted, by=who))
    out = Output(as_json=as_json)
    if as_json:
        out.document(made.model_dump(mode="json"))
    else:
        out.say(f"{channel} is connected; its webhooks go to /v1/webhooks/shops/{channel}")


@app.command()
def disconnect(channel: Channel, as_json: Json = False) -> None:
    """Take no more messages of a shop. Those that were kept stay.

    Example: `orderloom shops disconnect web`
    """
    from_records(lambda here: here.shops.disconnect(channel))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"channel": channel, "connected": False})
    else:
        out.say(f"{channel} is connected with no shop any more")


@app.command()
def check(
    channel: Channel,
    again: Annotated[
        bool, typer.Option("--again", help="Tell it once more what it has refused, too.")
    ] = False,
    wait: Annotated[
        int, typer.Option("--wait", min=0, max=600, help="Wait so many seconds for its answer.")
    ] = 30,
    as_json: Json = False,
) -> None:
    """Ask the shop at once: whether it answers, what our access may do, and what changed.

    A worker asks it; this command waits for the answer. It ends with 3 where there is none.

    Example: `orderloom shops check web`
    """
    shop = from_records(lambda here: _checked(here, channel, again=again, wait_s=wait))
    contact = shop.contact
    assert contact is not None  # It would not have been found.
    out = Output(as_json=as_json)
    if as_json:
        out.document(shop.model_dump(mode="json"))
    elif contact.not_answering_since is None:
        out.say(f"{channel}: {contact.address} answers; {', '.join(contact.rights)}")
    if contact.not_answering_since is not None:
        raise Unreachable(f"{contact.address}: {contact.error}")


async def _checked(here: Records, channel: str, *, again: bool, wait_s: int) -> Shop:
    await here.shops.check(channel, again=again)
    for _ in range(wait_s * 2):
        shop = await here.shops.get(channel)
        contact = shop.contact
        if contact is None:
            break
        if contact.check_wanted_at is None:
            return shop
        await asyncio.sleep(0.5)
    raise Unreachable(f"no worker has asked the shop of {channel} within {wait_s} s")


@app.command()
def dismiss(
    channel: Channel,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Fulfilments and SKUs. Left out: all it refused."),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="How they were seen to.")] = "",
    as_json: Json = False,
) -> None:
    """Say that you have seen to what the shop refused: parcels, and SKUs whose stock it takes not.

    Example: `orderloom shops dismiss web web-1001:1 --note 'entered by hand'`
    """
    if not note.strip():
        raise InvalidInput("must say how", where="--note")
    wanted = names or None
    count = from_records(lambda here: here.shops.dismiss(channel, wanted, note.strip()[:500]))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"channel": channel, "dismissed": count})
    else:
        out.say(f"{count_of(count, 'task')} of {channel} seen to")


@app.command()
def messages(
    channel: Annotated[
        str | None,
        typer.Argument(metavar="[CHANNEL]", help="Left out: of all.", show_default=False),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what needs a person.")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List what shops have sent, newest first, and what came of it.

    Example: `orderloom shops messages web --failed`
    """
    found = from_records(lambda here: here.shops.messages(channel, failed=failed, at_most=limit))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"messages": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.say("no message needs a person" if failed else "nothing was sent")
    else:
        out.table(
            ["message", "channel", "topic", "received", "order", "what came of it"],
            [
                (
                    one.message_no,
                    one.channel,
                    one.topic,
                    local(one.received_at),
                    one.order_id or "",
                    _came_of(one),
                )
                for one in found
            ],
        )


@app.command()
def settle(
    channel: Channel,
    message: Annotated[int, typer.Argument(metavar="MESSAGE", help="As `messages` shows it.")],
    note: Annotated[str, typer.Option("--note", help="How it was dealt with.")],
    as_json: Json = False,
) -> None:
    """Say that you have dealt with a message: it is not read again.

    Example: `orderloom shops settle web 17 --note 'added by hand'`
    """
    if not note.strip():
        raise InvalidInput("must say how", where="--note")
    from_records(lambda here: here.shops.settle(channel, message, note.strip()[:500]))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"channel": channel, "message_no": message, "settled": True})
    else:
        out.say(f"message {message} of {channel} is settled")


def _came_of(one: ShopMessage) -> str:
    if one.outcome is not None:
        return one.outcome
    return f"needs a person: {one.last_error}" if one.last_error else "waits"


def _contact(one: Shop) -> tuple[object, ...]:
    if one.contact is None:
        return ("", "no access", "", "")
    since = one.contact.not_answering_since
    answers = "yes" if since is None else f"not since {local(since)}: {one.contact.error}"
    if one.contact.asked_at is None:
        answers = "not asked yet"
    told = (one.contact.to_tell or "", one.contact.refused or "")
    return (local(one.contact.asked_at), answers, *told)


def _show(found: list[Shop], out: Output) -> None:
    if out.as_json:
        out.document({"shops": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.say("no shop is connected; `orderloom shops connect CHANNEL FILE` connects one")
    else:
        out.table(
            [
                *("channel", "kind", "orders are paid by", ">secrets", ">waiting", "last message"),
                *("last asked", "answers", ">to tell", ">refused"),
            ],
            [
                (
                    one.channel,
                    one.kind,
                    one.options.paid_by,
                    one.secrets,
                    one.waiting or "",
                    local(one.last_message_at),
                    *_contact(one),
                )
                for one in found
            ],
        )
