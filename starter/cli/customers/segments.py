"""`orderloom customers segments`, `contacts` and `changes`: what CRMs are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from domain.customers.care import ConsentKind
from domain.customers.ids import customer_id
from domain.customers.membership import Check
from domain.customers.membership import wanted as rules_of
from domain.customers.segments import Segments
from domain.errors import InvalidInput
from domain.jobs.options import ContactsFormat
from domain.words import count_of
from starter.cli.terminal.files import STANDARD_OUTPUT, whole_file
from starter.cli.terminal.options import DryRun, Json, Limit, Who, read_json_file, reporter
from starter.cli.terminal.output import Output, local
from starter.jobs.contacts import written
from starter.service.connection import from_records, records
from starter.service.segments import Member, ShownSegment, Why, why
from starter.service.service import Records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)
told = typer.Typer(rich_markup_mode="markdown", add_completion=False)

SegmentArgument = Annotated[str, typer.Argument(metavar="SEGMENT", show_default=False)]


@app.callback()
def segments() -> None:
    """Segments: rules by what customers bought, how often, when, and what came back."""


@app.command("list")
def list_segments(as_json: Json = False) -> None:
    """List the segments.

    Example: `orderloom customers segments list --json > segments.json`
    """
    found = from_records(lambda here: here.segments.list())
    out = Output(as_json=as_json)
    if as_json:
        sound = [one.set_as for one in found if one.set_as is not None]
        rows = [one.model_dump(mode="json", exclude_defaults=True) for one in sound]
        out.document({"segments": rows})
        return
    rows_ = [
        (
            one.segment,
            "cannot be read" if one.set_as is None else one.set_as.about,
            *(one.changed_by, local(one.changed_at)),
        )
        for one in found
    ]
    out.table(("segment", "about", "set by", "at"), rows_)


@app.command("set")
def set_segments(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, as `list --json` has it.")],
    by: Who = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set the segments of a file, each whole; the others stay as they are.

    Example: `orderloom customers segments set examples/segments.json`
    """
    wanted = read_json_file(Segments, file).segments
    from_records(lambda here: here.segments.save(wanted, who=reporter(by)), dry_run=dry_run)
    out = Output(as_json=as_json, dry_run=dry_run)
    if as_json:
        out.document({"segments": [one.segment for one in wanted]})
    else:
        names = ", ".join(one.segment for one in wanted)
        out.say(f"{count_of(len(wanted), 'segment')} set: {names}")


@app.command()
def show(
    segment: SegmentArgument,
    customer: Annotated[
        str | None,
        typer.Option("--customer", metavar="CUSTOMER", help="Why this one is in it, or is not."),
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show a segment: what it asks for, who belongs to it, and why.

    Example: `orderloom customers segments show regulars`
    """

    async def asked(here: Records) -> tuple[ShownSegment, Sequence[tuple[str, Why]], bool]:
        shown = await here.segments.get(segment)
        if customer is not None:
            ours = await here.customer_pages.id_of(customer.strip())
            return (
                shown,
                [(ours, x) for x in await here.segments.why(ours) if x.segment == segment],
                False,
            )
        found = await here.segments.members(segment, at_most=limit + 1)
        told = [(customer_id(x.contact.customer_no), _why(x, shown)) for x in found[:limit]]
        return shown, told, len(found) > limit

    shown, told, more = from_records(asked)
    out = Output(as_json=as_json)
    if as_json:
        out.document(_shown(shown, told, more=more))
        return
    out.say(f"{shown.segment}: {(shown.set_as and shown.set_as.about) or 'a segment'}")
    out.say(f"  set by {shown.changed_by}, {local(shown.changed_at)}")
    for rule in rules_of(shown.set_as) if shown.set_as else ():
        out.say(f"  {rule}")
    for ours, one in told:
        looked_at = "; ".join(_check(x) for x in one.checks)
        out.say(f"{ours} {'is in it' if one.belongs else 'is not in it'}: {looked_at}")
    if not told:
        out.say("nobody belongs to it")
    if more:
        out.say(f"… and more: --limit shows more than {limit}")


@app.command()
def members(segment: SegmentArgument, limit: Limit = 20, as_json: Json = False) -> None:
    """List who belongs to a segment.

    Example: `orderloom customers segments members regulars`
    """
    found = from_records(lambda here: here.segments.members(segment, at_most=limit + 1))
    out, shown = Output(as_json=as_json), found[:limit]
    if as_json:
        rows = [
            {"customer_id": customer_id(one.contact.customer_no), "segments": list(one.segments)}
            for one in shown
        ]
        out.document({"members": rows, "more": len(found) > limit})
        return
    out.table(
        ("customer", "name", ">orders", "last order"),
        [
            (
                customer_id(one.contact.customer_no),
                (one.contact.person.get("customer") or {}).get("name"),
                *(one.contact.facts.orders, local(one.contact.facts.last_order_at)),
            )
            for one in shown
        ],
    )
    if len(found) > limit:
        out.say(f"… and more: --limit shows more than {limit}")


@app.command()
def delete(segment: SegmentArgument, as_json: Json = False) -> None:
    """Forget a segment. Customers stay as they are.

    Example: `orderloom customers segments delete regulars`
    """
    from_records(lambda here: here.segments.remove(segment))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"segment": segment, "removed": True})
    else:
        out.say(f"{segment} is no segment any more")


@told.command()
def contacts(
    format_: Annotated[
        str, typer.Option("--format", help="hubspot and salesforce: CSV; jsonl: JSON Lines.")
    ] = "jsonl",
    segment: Annotated[
        str | None, typer.Option("--segment", help="Who belongs to it.", show_default=False)
    ] = None,
    consent: Annotated[
        str | None,
        typer.Option("--consent", metavar="KIND", help="Who wishes such messages: marketing …"),
    ] = None,
    out: Annotated[
        str,
        typer.Option("--out", metavar="FILE", help="Write to this file; `-`: standard output."),
    ] = STANDARD_OUTPUT,
) -> None:
    """Write customers into a file that a CRM imports. Only you can read the file.

    Example: `orderloom customers contacts --format hubspot --consent marketing --out contacts.csv`
    """
    wanted = _one_of(format_, get_args(ContactsFormat), "--format")
    kind = consent and _one_of(consent, get_args(ConsentKind), "--consent")

    async def parts() -> AsyncIterator[str]:
        async with records() as here:
            after, is_first = 0, True
            while True:
                found = await here.segments.block(
                    segment=segment, consent=kind or None, after=after
                )
                yield written(found.members, wanted, is_first=is_first)
                if found.reached is None:
                    return
                after, is_first = found.reached, False

    asyncio.run(_write(parts(), out))


@told.command()
def changes(
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="CURSOR", help="The cursor of the answer before, or `now`."
        ),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List what happened to customers, for a system that keeps in step.

    Example: `orderloom customers changes --since now`
    """
    found = from_records(lambda here: here.customer_changes.since(since, at_most=limit))
    output = Output(as_json=as_json)
    if as_json:
        rows = [
            {
                "customer_id": customer_id(one.customer_no),
                "what": one.what,
                "into": None if one.into_no is None else customer_id(one.into_no),
                "segment": one.segment,
                "at": one.at.isoformat(),
            }
            for one in found.changes
        ]
        output.document({"changes": rows, "more": found.more, "cursor": found.cursor})
        return
    for one in found.changes:
        more = one.segment or (customer_id(one.into_no) if one.into_no else "")
        told = f"{customer_id(one.customer_no)} {one.what.replace('_', ' ')} {more}"
        output.say(f"{local(one.at)}: {told.rstrip()}")
    output.say(f"go on with --since {found.cursor}")


async def _write(parts: AsyncIterator[str], to_file: str) -> None:
    if to_file == STANDARD_OUTPUT:
        output = Output(as_json=False)
        async for part in parts:
            if part:
                output.file(part)
        return
    with whole_file(to_file, 0o600) as file:
        async for part in parts:
            file.write(part.encode())


def _why(one: Member, shown: ShownSegment) -> Why:
    if shown.set_as is None:
        return Why(shown.segment, belongs=True, checks=())
    return why(one.contact, shown.set_as)


def _check(one: Check) -> str:
    fits = "" if one.holds else f", not {one.wanted}"
    return f"{one.rule.replace('_', ' ')} {one.found}{fits}"


def _shown(shown: ShownSegment, told: Sequence[tuple[str, Why]], *, more: bool) -> dict[str, Any]:
    set_as = shown.set_as
    return {
        "segment": shown.segment,
        "set_as": set_as and set_as.model_dump(mode="json", exclude_defaults=True),
        "changed_by": shown.changed_by,
        "changed_at": shown.changed_at.isoformat(),
        "customers": [
            {
                "customer_id": ours,
                "belongs": one.belongs,
                "checks": [x.model_dump(mode="json") for x in one.checks],
            }
            for ours, one in told
        ],
        "more": more,
    }


def _one_of(text: str, known: tuple[str, ...], where: str) -> Any:
    if text not in known:
        raise InvalidInput(f"{text!r} is none of {', '.join(known)}", where=where)
    return text
