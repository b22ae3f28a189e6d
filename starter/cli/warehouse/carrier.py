"""`orderloom carrier`: carriers' scans of parcels. Works while Temporal is away."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from domain.errors import InvalidInput
from domain.fulfilment.tracking import CarrierStatus, Heard
from starter.cli.terminal.options import Json, Limit, read_moment
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records, records
from store.views.parcels import ParcelUnderWay
from store.warehouse.carrier_messages import CarrierMessage

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

_SAID: Final = {
    "repeat": "known already",
    "of another": "nothing was changed: this was before the number was in use here. A person is "
    "asked which parcel it is about: `orderloom attention`",
}

Carrier = Annotated[str, typer.Option("--carrier", help="The carrier's name.")]


@app.callback()
def carrier() -> None:
    """Carriers' scans, and the parcels that carriers have."""


@app.command()
def event(
    tracking_number: Annotated[str, typer.Argument(metavar="TRACKING", show_default=False)],
    status: Annotated[CarrierStatus, typer.Argument(show_default=False)],
    carrier_name: Carrier = "sandbox",
    event_id: Annotated[
        str | None,
        typer.Option(
            "--event-id",
            help="The carrier's own id of it. The same event again changes nothing. Left out: the "
            "same status and detail of one moment, or without --at of one day, are one event.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When; left out: now.")
    ] = None,
    detail: Annotated[str, typer.Option("--detail", help="In the carrier's words.")] = "",
    as_json: Json = False,
) -> None:
    """Report a carrier's scan. Late and repeated ones do no harm.

    A scan from before the number was in use here changes nothing, and a person is asked about it.

    Example: `orderloom carrier event SBX000000001 delivered`
    """
    moment = read_moment(at, "--at")

    async def work() -> Heard:
        async with records() as here:
            return await here.carriers.event(
                carrier=carrier_name,
                tracking_number=tracking_number,
                event_id=event_id or _id_of(status, at, detail),
                status=status,
                happened_at=moment,
                detail=detail,
            )

    heard = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"tracking_number": tracking_number, "status": status, "heard": heard})
    else:
        out.say(f"{tracking_number}: {status if heard == 'new' else _SAID[heard]}")


def _id_of(status: CarrierStatus, at: str | None, detail: str) -> str:
    """An id by which a report that is typed once more is known."""
    said = json.dumps([status, at or datetime.now(UTC).date().isoformat(), detail])
    return f"cli-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


@app.command()
def parcels(limit: Limit = 1000, as_json: Json = False) -> None:
    """List the parcels that carriers have, the oldest first.

    Example: `orderloom carrier parcels`
    """

    async def work() -> list[ParcelUnderWay]:
        async with records() as here:
            return list(await here.carriers.under_way(at_most=limit))

    found = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"parcels": [parcel.model_dump(mode="json") for parcel in found]})
    elif not found:
        out.say("no parcel is on its way")
    else:
        out.table(
            ["fulfilment", "carrier", "tracking number", "carrier says", "handed over"],
            [
                (
                    parcel.fulfilment_id,
                    parcel.carrier,
                    parcel.tracking_number,
                    parcel.carrier_status,
                    local(parcel.handed_over_at),
                )
                for parcel in found
            ],
        )


@app.command()
def messages(
    failed: Annotated[bool, typer.Option("--failed", help="Only what needs a person.")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List what carriers have sent by themselves, newest first, and what came of it.

    Example: `orderloom carrier messages --failed`
    """
    found = from_records(lambda here: here.carriers.messages(failed=failed, at_most=limit))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"messages": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.say("no message needs a person" if failed else "nothing was sent")
    else:
        out.table(
            ["message", "carrier", "received", "what came of it"],
            [(one.message_no, one.sender, local(one.received_at), _came_of(one)) for one in found],
        )


@app.command()
def settle(
    message: Annotated[int, typer.Argument(metavar="MESSAGE", help="As `messages` shows it.")],
    note: Annotated[str, typer.Option("--note", help="How it was dealt with.")],
    as_json: Json = False,
) -> None:
    """Say that you have dealt with a carrier's message, and all about the same unknown parcel.

    Example: `orderloom carrier settle 17 --note 'a parcel of our other shop'`
    """
    if not note.strip():
        raise InvalidInput("must say how", where="--note")
    from_records(lambda here: here.carriers.settle_message(message, note.strip()[:500]))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"message_no": message, "settled": True})
    else:
        out.say(f"message {message} is settled")


@app.command()
def keeps(
    carrier: Annotated[str, typer.Argument(metavar="CARRIER", help="As its scans name it.")],
    days: Annotated[int, typer.Argument(metavar="DAYS", min=1, max=365)],
    as_json: Json = False,
) -> None:
    """Set how long a carrier keeps a parcel at a pick-up point; otherwise it is 7 days.

    Two days before its end, the order's story and an event tell it.

    Example: `orderloom carrier keeps sandbox 10`
    """
    if not carrier.strip() or len(carrier) > 100:
        raise InvalidInput("must be the name of a carrier", where="CARRIER")
    from_records(lambda here: here.carrier_claims.set_kept(carrier, days))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"carrier": carrier, "keeps_days": days})
    else:
        out.say(f"{carrier} keeps parcels at pick-up points for {days} days")


def _came_of(one: CarrierMessage) -> str:
    return one.outcome or (f"waits: {one.last_error}" if one.last_error else "waits")
