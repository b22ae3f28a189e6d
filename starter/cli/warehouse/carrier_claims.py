"""`orderloom carrier-claims`: what carriers owe for parcels that they lost or broke."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from domain.errors import InvalidInput
from domain.fields import Amount, Document, Name
from domain.money import Money, to_minor
from starter.cli.terminal.named import FulfilmentName, OfOrder, part_named, perhaps_order_named
from starter.cli.terminal.options import Json, Limit, Who, read_model, read_reason
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.connection import from_records
from starter.service.service import Records
from store.aftersales.carrier_claims import Answer, CarrierClaim, State, TurnedUp

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Note = Annotated[str, typer.Option("--note", help="Why, or what the carrier says.")]


class _Sum(Document):
    amount: Amount


class _Reference(Document):
    reference: Name


@app.callback()
def carrier_claims() -> None:
    """Claims to carriers, one for each parcel. A parcel that a carrier lost is due by itself."""


@app.command("list")
def list_claims(
    order: OfOrder = None,
    state: Annotated[State | None, typer.Option("--state", help="Only in this state.")] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List them, the latest first, with the last day to file each that is due.

    Example: `orderloom carrier-claims list --state due`
    """
    order = perhaps_order_named(order)
    found = from_records(
        lambda here: here.carrier_claims.list(order_id=order, state=state, at_most=limit)
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"carrier_claims": [wire(row, row.currency) for row in found]})
    elif not found:
        out.say("no carrier is asked for anything")
    else:
        out.table(
            ["parcel", "carrier", "number", "state", "file by", ">claimed", ">paid", "turned up"],
            [
                (
                    row.fulfilment_id,
                    row.carrier or "",
                    row.tracking_number or "",
                    row.state,
                    local(row.file_by) if row.state == "due" else "",
                    "" if row.amount_minor is None else money(row.amount_minor, row.currency),
                    money(row.paid_minor, row.currency) if row.paid_minor else "",
                    (row.turned_up or "").replace("_", " ") or ("yes" if row.is_found else ""),
                )
                for row in found
            ],
        )


@app.command()
def file(
    fulfilment: FulfilmentName,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 25.00.")],
    reference: Annotated[
        str, typer.Option("--reference", help="The carrier's own number of the claim.")
    ] = "",
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Say that a claim was sent to the carrier, in the order's currency. Nothing is booked yet.

    Example: `orderloom carrier-claims file web-1001:1 25.00 --reference CL-77`
    """
    if reference:
        reference = read_model(_Reference, {"reference": reference}, where="--reference").reference

    async def work(here: Records, part: str) -> CarrierClaim:
        asked = await _money(here, part, amount)
        return await here.carrier_claims.file(part, asked, reference=reference, who=by)

    _done(fulfilment, work, as_json=as_json)


@app.command()
def outcome(
    fulfilment: FulfilmentName,
    answer: Annotated[Answer, typer.Argument(metavar="paid|refused")],
    note: Note,
    amount: Annotated[
        str | None, typer.Option("--amount", help="What it pays; left out: all that was claimed.")
    ] = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Say what the carrier has answered. What it pays is booked.

    Example: `orderloom carrier-claims outcome web-1001:1 paid --amount 20.00 --note 'letter'`
    """
    why = read_reason(note)

    async def work(here: Records, part: str) -> CarrierClaim:
        paid = None if amount is None else await _money(here, part, amount)
        return await here.carrier_claims.answer(part, answer, paid=paid, note=why, who=by)

    _done(fulfilment, work, as_json=as_json)


@app.command()
def drop(
    fulfilment: FulfilmentName, note: Note, by: Who = "customer service", as_json: Json = False
) -> None:
    """Do not ask the carrier, or not any more.

    Example: `orderloom carrier-claims drop web-1001:1 --note 'too little'`
    """
    why = read_reason(note)
    _done(
        fulfilment,
        lambda here, part: here.carrier_claims.drop(part, why, who=by),
        as_json=as_json,
    )


@app.command("turned-up")
def turned_up(
    fulfilment: FulfilmentName,
    became: Annotated[TurnedUp, typer.Argument(metavar="given_back|kept")],
    note: Note,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """The parcel is there after all: say what became of the carrier's money.

    Example: `orderloom carrier-claims turned-up web-1001:1 given_back --note 'credited to it'`
    """
    why = read_reason(note)
    _done(
        fulfilment,
        lambda here, part: here.carrier_claims.turned_up(part, became, why, who=by),
        as_json=as_json,
    )


@app.command()
def terms(
    carrier: Annotated[str, typer.Argument(metavar="CARRIER", help="As its scans name it.")],
    days: Annotated[int, typer.Argument(metavar="DAYS", min=1, max=3650)],
    as_json: Json = False,
) -> None:
    """Set for how many days after the hand-over a carrier takes claims; otherwise it is 30.

    Example: `orderloom carrier-claims terms sandbox 60`
    """
    if not carrier.strip() or len(carrier) > 100:
        raise InvalidInput("must be the name of a carrier", where="CARRIER")
    from_records(lambda here: here.carrier_claims.set_term(carrier, days))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"carrier": carrier, "file_within_days": days})
    else:
        out.say(f"{carrier} takes claims for {days} days after the hand-over")


async def _money(here: Records, part: str, text: str) -> Money:
    currency = await here.carrier_claims.currency_of(part)
    amount = read_model(_Sum, {"amount": text}, where="amount").amount
    try:
        return Money(minor=to_minor(amount, currency), currency=currency)
    except InvalidInput as error:
        raise InvalidInput(str(error), where="amount") from None


def _done(
    fulfilment: str,
    work: Callable[[Records, str], Awaitable[CarrierClaim]],
    *,
    as_json: bool,
) -> None:
    part = part_named(fulfilment)

    async def run(here: Records) -> CarrierClaim:
        return await work(here, part)

    row = from_records(run)
    out = Output(as_json=as_json)
    if as_json:
        out.document(wire(row, row.currency))
    else:
        paid = f", {money(row.paid_minor, row.currency)}" if row.paid_minor else ""
        after = f", {row.turned_up.replace('_', ' ')}" if row.turned_up else ""
        out.say(f"{row.fulfilment_id}: {row.state}{paid}{after}")
