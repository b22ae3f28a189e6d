"""`orderloom reconcile`: compare payment companies' days with our records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import typer

from domain.errors import InvalidInput, Refused
from domain.fields import Document, Reason
from domain.payments.reconciliation import Ours, Remedy, Theirs
from domain.words import count_of
from starter.cli.terminal.options import Json, Limit, Who, read_model, reporter
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.connection import from_records, service
from store.payments.reconciliation import Day, KeptDifference

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, invoke_without_command=True)

_NEXT: Final = {
    Remedy.RETRY: "its order's step tries again, and the next comparison sees whether it is gone",
    Remedy.VOID: "it is released there, by the next comparison at the latest",
    Remedy.OPERATOR: 'an operator sees to it: orderloom reconcile resolve {} --note "…"',
}

DayOption = Annotated[
    str | None,
    typer.Option("--day", metavar="YYYY-MM-DD", help="The day, in UTC.", show_default=False),
]
ProviderOption = Annotated[
    str | None,
    typer.Option("--provider", help="Only this payment company.", show_default=False),
]


class _Note(Document):
    note: Reason


@app.callback()
def reconcile(
    context: typer.Context,
    day: DayOption = None,
    provider: ProviderOption = None,
    as_json: Json = False,
) -> None:
    """Compare a payment company's list of a day with our records now, and wait for the end.

    Prints each difference and what happens next, and exits with 1 while one is open. Each day is
    also compared by itself on the next day. Safe to repeat: a difference is kept once.

    Example: `orderloom reconcile --day 2026-11-24`
    """
    if context.invoked_subcommand is not None:
        return
    if day is None:
        raise InvalidInput("which day is to be compared? Write 2026-11-24", where="--day")
    wanted = _read_day(day)
    if wanted > (today := datetime.now(UTC).date()):
        raise InvalidInput(f"{wanted} has not begun; today (UTC) is {today}", where="--day")
    found, compared = asyncio.run(_reconcile(wanted, provider))
    out = Output(as_json=as_json)
    still_open = sum(one.resolution == "open" for one in found)
    if as_json:
        out.document(
            {
                "day": wanted.isoformat(),
                "clean": not still_open,
                "providers": [one.model_dump(mode="json") for one in compared],
                "differences": [_document(one) for one in found],
            }
        )
    else:
        for one in compared:
            out.say(_summary(one))
        _say(found, out)
        if not still_open:
            out.say("clean")
    if still_open:
        raise Refused(f"{count_of(still_open, 'difference')} open on {wanted}")


@app.command("list")
def list_differences(
    day: DayOption = None,
    provider: ProviderOption = None,
    closed: Annotated[
        bool, typer.Option("--all", help="Those that are mended or resolved, too.")
    ] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List open differences, the newest day first.

    Example: `orderloom reconcile list`
    """
    wanted = None if day is None else _read_day(day)

    found = from_records(
        lambda here: here.reconciliation.differences(
            day=wanted, provider=provider, only_open=not closed, at_most=limit
        )
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"differences": [_document(one) for one in found]})
    elif not found:
        out.say("no differences" if closed else "no difference is open")
    else:
        _say(found, out)


@app.command()
def resolve(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help="The difference's number.", show_default=False)
    ],
    note: Annotated[str, typer.Option("--note", help="How it was seen to; kept with it.")],
    by_hand: Annotated[
        bool,
        typer.Option(
            "--by-hand",
            help="It is the refund that was reported before with `orderloom resolve … done`.",
        ),
    ] = False,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Close a difference that a person has settled. It stays closed, unless either side changes.

    A refund that was made in the company's own pages is recorded for its order, and is not paid
    back a second time.

    Example: `orderloom reconcile resolve 3 --note "charged by mistake, paid back by the bank"`
    """
    why = read_model(_Note, {"note": note}, where="--note").note
    who = reporter(by)

    done = from_records(
        lambda here: here.reconciliation.resolve(number, note=why, who=who, was_by_hand=by_hand)
    )
    out = Output(as_json=as_json)
    if as_json:
        recorded = {"recorded": done.recorded, "beyond": done.beyond}
        told = {name: None if amount is None else str(amount) for name, amount in recorded.items()}
        out.document({**_document(done), **told})
    else:
        out.say(f"difference {number} ({done.what}, {done.subject}) is resolved")
        if done.recorded is not None:
            out.say(f"{done.recorded} of order {done.order_id} are recorded as paid back elsewhere")
        if done.beyond is not None and done.beyond.minor:
            out.say(f"{done.beyond} of it are more than the customer was charged")


async def _reconcile(day: date, provider: str | None) -> tuple[list[KeptDifference], list[Day]]:
    async with service() as here:
        await here.reconciliation.compare(day, provider=provider)
        compared = await here.reconciliation.days(day, provider)
        found = await here.reconciliation.differences(day=day, provider=provider, only_open=False)
    ran = {one.provider: one.ran_at for one in compared}
    # With those that this comparison has mended.
    return [
        one
        for one in found
        if one.closed_at is None
        or (one.resolution == "mended" and one.closed_at >= ran[one.provider])
    ], compared


def _read_day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise InvalidInput(f"{text!r} is no day; write 2026-11-24", where="--day") from None


def _summary(one: Day) -> str:
    under_way = f", {one.under_way} under way" if one.under_way else ""
    return (
        f"{one.provider} {one.day}: {count_of(one.listed, 'effect')} there, "
        f"{one.matched:,} agree{under_way}"
    )


def _say(found: Sequence[KeptDifference], out: Output) -> None:
    for one in found:
        about = f", order {one.order_id}" if one.order_id else ""
        out.say(f"#{one.difference_id} {one.what}: {one.subject}{about} ({one.provider} {one.day})")
        out.say(f"    ours    {_ours(one.ours)}")
        out.say(f"    theirs  {_theirs(one.theirs)}")
        out.say(f"    why     {one.why}")
        out.say(f"    next    {_next(one)}")


def _ours(side: Ours | None) -> str:
    if side is None:
        return "nothing"
    since = f"since {local(side.requested_at)}" if side.open else f"at {local(side.settled_at)}"
    code = f" ({side.code})" if side.code else ""
    return f"{side.kind} of {money(side.amount_minor, side.currency)} {side.state}{code} {since}"


def _theirs(side: Theirs | None) -> str:
    if side is None:
        return "nothing"
    amount = money(side.amount_minor, side.currency)
    return f"{side.kind} of {amount} as {side.reference} at {local(side.at)}"


def _next(one: KeptDifference) -> str:
    if one.resolution != "open":
        return f"nothing: {one.resolution} by {one.who}, {one.note}"
    told = _NEXT[one.remedy].format(one.difference_id)
    return f"{told} ({one.note})" if one.note else told


def _document(one: KeptDifference) -> Any:
    return {
        **one.model_dump(mode="json", exclude={"what", "ours", "theirs", "recorded", "beyond"}),
        "class": one.what,
        "ours": None if one.ours is None else wire(one.ours),
        "theirs": None
        if one.theirs is None
        else wire(one.theirs.model_dump(mode="json", exclude={"fee_minor", "fee_currency"})),
        "next": _next(one),
    }
