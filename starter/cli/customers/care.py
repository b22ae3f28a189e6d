"""`orderloom customers note`, `consent`, `merge` and so on: what people write down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from domain.customers.care import ConsentWord, NewNote
from domain.customers.ids import customer_id
from starter.cli.terminal.options import Json, Limit, Who, read_model, read_reason, reporter
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records
from starter.service.customer_care import Consent, KeptNote
from starter.service.service import Records

T = TypeVar("T")

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

OursArgument = Annotated[
    str,
    typer.Argument(
        metavar="CUSTOMER",
        help="Our id (C41), the channel's id, or a mail address.",
        show_default=False,
    ),
]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]


@app.command()
def note(
    customer: OursArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to write down.")],
    contact: Annotated[
        str, typer.Option("--contact", help="call, mail, chat, letter, visit or other.")
    ] = "other",
    order: Annotated[
        str | None, typer.Option("--order", help="The order that it is about.", show_default=False)
    ] = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Write a note about a customer: what was said, by whom, when, about what.

    Example: `orderloom customers note C1 'asks for a later delivery' --contact call`
    """
    new = read_model(NewNote, {"note": text, "contact": contact, "order_id": order}, where="note")
    who = reporter(by)
    kept = _asked(customer, lambda here, ours: here.customer_care.note(ours, new, who=who))
    out = Output(as_json=as_json)
    if as_json:
        out.document(kept.model_dump(mode="json"))
        return
    out.say(told(kept))


@app.command()
def notes(customer: OursArgument, limit: Limit = 20, as_json: Json = False) -> None:
    """List the notes about a customer, the latest first.

    Example: `orderloom customers notes C1`
    """
    found = _asked(customer, lambda here, ours: here.customer_care.notes(ours, at_most=limit + 1))
    out, shown = Output(as_json=as_json), found[:limit]
    if as_json:
        rows = [one.model_dump(mode="json") for one in shown]
        out.document({"notes": rows, "more": len(found) > limit})
        return
    for one in shown:
        out.say(told(one))
    if not shown:
        out.say("no notes")


@app.command()
def consent(
    customer: OursArgument,
    give: Annotated[
        str | None,
        typer.Option("--give", metavar="KIND", help="The customer wishes these messages."),
    ] = None,
    refuse: Annotated[
        str | None,
        typer.Option("--refuse", metavar="KIND", help="The customer does not wish these."),
    ] = None,
    how: Annotated[
        str, typer.Option("--how", help="Where they said so.")
    ] = "told customer service",
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Show what a customer wishes to be told, or keep what they say about it.

    Kinds: marketing, reviews, delivery_updates, texts (to the phone, in the place of some mails).
    What an order needs is told always.

    Example: `orderloom customers consent C1 --refuse marketing --how 'by phone'`
    """
    words = [
        read_model(ConsentWord, {"kind": kind, "given": given, "how": how}, where="consent")
        for kind, given in ((give, True), (refuse, False))
        if kind is not None
    ]
    who = reporter(by)

    async def asked(here: Records, ours: str) -> Sequence[Consent]:
        for word in words:
            await here.customer_care.say(ours, word, who=who)
        return await here.customer_care.consent(ours)

    tell_consent(_asked(customer, asked), Output(as_json=as_json))


@app.command()
def merge(
    customer: OursArgument,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The customer who remains.")],
    reason: Why,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Say that a customer is the same person as another one. Both ids name that one from then on.

    Example: `orderloom customers merge C4 C1 --reason 'the same mail address'`
    """
    who, why = reporter(by), read_reason(reason)

    async def asked(here: Records, ours: str) -> None:
        other = await here.customer_pages.id_of(into.strip(), as_it_was=True)
        await here.customer_care.merge(ours, other, who=who, why=why)

    _merged(customer, asked, Output(as_json=as_json))


@app.command()
def unmerge(customer: OursArgument, reason: Why, by: Who = "", as_json: Json = False) -> None:
    """Undo a merge: they are two again, each with its orders, notes and consent.

    Example: `orderloom customers unmerge C4 --reason 'father and son'`
    """
    who, why = reporter(by), read_reason(reason)

    async def asked(here: Records, ours: str) -> None:
        await here.customer_care.unmerge(ours, who=who, why=why)

    _merged(customer, asked, Output(as_json=as_json))


@app.command()
def merges(customer: OursArgument, as_json: Json = False) -> None:
    """List who was merged into a customer, and into whom it was: by whom, when and why.

    Example: `orderloom customers merges C1`
    """

    async def asked(_here: Records, _ours: str) -> None:
        """Nothing is changed."""

    _merged(customer, asked, Output(as_json=as_json))


def told(one: KeptNote) -> str:
    """A note on one line."""
    about = "" if one.order_id is None else f", about {one.order_id}"
    return f"{local(one.at)}, {one.who}, {one.contact}{about}: {one.note}"


def tell_consent(found: Sequence[Consent], out: Output) -> None:
    """What a customer wishes, kind by kind, with all that they have said."""
    if out.as_json:
        rows: list[dict[str, Any]] = [
            {
                "kind": one.kind,
                "given": one.given,
                "said": [word.model_dump(mode="json") for word in one.said],
            }
            for one in found
        ]
        out.document({"consent": rows})
        return
    for one in found:
        out.say(wish(one))


def wish(one: Consent) -> str:
    """A wish on one line."""
    kind = one.kind.replace("_", " ")
    if not one.said:
        return f"{kind}: {'yes' if one.given else 'no'}, by default"
    word = one.said[0]
    given = "yes" if one.given else "no"
    return f"{kind}: {given}, since {local(word.at)}, {word.how} (written down by {word.who})"


def _asked(customer: str, work: Callable[[Records, str], Awaitable[T]]) -> T:
    async def asked(here: Records) -> T:
        return await work(here, await here.customer_pages.id_of(customer.strip()))

    return from_records(asked)


def _merged(customer: str, work: Callable[[Records, str], Awaitable[None]], out: Output) -> None:
    async def asked(here: Records) -> Any:
        ours = await here.customer_pages.id_of(customer.strip(), as_it_was=True)
        await work(here, ours)
        return await here.customer_care.merges(ours)

    found = from_records(asked)
    if out.as_json:
        rows = [
            {
                "customer_id": customer_id(one.customer_no),
                "into": customer_id(one.into_no),
                **one.model_dump(mode="json", exclude={"customer_no", "into_no"}),
            }
            for one in found
        ]
        out.document({"merges": rows})
        return
    for one in found:
        ids = f"{customer_id(one.customer_no)} into {customer_id(one.into_no)}"
        out.say(f"{ids}: {local(one.merged_at)}, {one.who}: {one.why}")
        if one.undone_at is not None:
            out.say(f"  undone {local(one.undone_at)}, {one.undone_by}: {one.undone_why}")
    if not found:
        out.say("no merges")
