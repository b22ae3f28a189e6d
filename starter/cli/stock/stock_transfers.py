"""`orderloom stock transfer, receive-transfer, transfers`: goods between locations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer

from domain import fields
from domain.fields import Document, Id, Sku
from domain.orders.order import Quantity
from starter.cli.terminal.options import Json, Key, Who, fresh_id, read_model, read_units, reporter
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records
from starter.service.service import Records
from store.stock.transfers import Transfer

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


class _Sending(Document):
    transfer_id: Id
    from_location: Id
    to_location: Id
    units: dict[Sku, Quantity]
    expected_on: date | None
    who: fields.Who
    why: fields.Reason


@app.command()
def transfer(
    from_location: Annotated[str, typer.Argument(metavar="FROM", show_default=False)],
    to_location: Annotated[str, typer.Argument(metavar="TO", show_default=False)],
    units: Annotated[
        list[str], typer.Argument(metavar="SKU=UNITS...", help="What goes.", show_default=False)
    ],
    transfer_id: Annotated[
        str | None,
        typer.Option("--id", help="Names the transfer; the same again is the same transfer."),
    ] = None,
    expected: Annotated[
        str | None, typer.Option("--expected", metavar="DATE", help="When it should arrive.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "transfer",
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Send goods from one location to another. They are on their way until they are received.

    Units that an order, a basket or somebody who waits holds cannot go.

    Example: `orderloom stock transfer main shop TEA-ASSAM-250=12 --expected 2026-12-01`
    """
    wanted = read_model(
        _Sending,
        {
            "transfer_id": transfer_id or fresh_id("T"),
            "from_location": from_location,
            "to_location": to_location,
            "units": read_units(units),
            "expected_on": expected,
            "who": reporter(by),
            "why": reason,
        },
        where="transfer",
    )

    async def work(here: Records) -> Transfer:
        return await here.transfers.send(
            wanted.transfer_id,
            wanted.from_location,
            wanted.to_location,
            wanted.units,
            expected_on=wanted.expected_on,
            who=wanted.who,
            why=wanted.why,
        )

    _show([from_records(work)], Output(as_json=as_json))


@app.command("receive-transfer")
def receive_transfer(
    transfer_id: Annotated[str, typer.Argument(metavar="TRANSFER", show_default=False)],
    count: Annotated[
        list[str] | None,
        typer.Option(
            "--count",
            metavar="SKU=UNITS",
            help="Units that arrived; may be given several times. Left out: all of everything.",
            show_default=False,
        ),
    ] = None,
    rest_is_lost: Annotated[
        bool, typer.Option("--rest-is-lost", help="Write off what did not arrive.")
    ] = False,
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report what arrived of a transfer. Units that are missing may still come, or are lost.

    Example: `orderloom stock receive-transfer T-5ff1 --count TEA-ASSAM-250=11 --rest-is-lost`
    """
    units = None if count is None else read_units(count)

    async def work(here: Records) -> Transfer:
        return await here.transfers.receive(
            transfer_id,
            key or fresh_id("cli"),
            units,
            rest_is_lost=rest_is_lost,
            who=reporter(by),
        )

    _show([from_records(work)], Output(as_json=as_json))


@app.command()
def transfers(
    all_of_them: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    as_json: Json = False,
) -> None:
    """List transfers that are on their way between locations, the oldest first.

    Example: `orderloom stock transfers`
    """

    async def work(here: Records) -> list[Transfer]:
        return list(await here.transfers.list(under_way=not all_of_them))

    out = Output(as_json=as_json)
    found = from_records(work)
    if not found and not as_json:
        out.say("nothing is on its way")
    else:
        _show(found, out)


def _show(found: Sequence[Transfer], out: Output) -> None:
    if out.as_json:
        out.document({"transfers": [one.model_dump(mode="json") for one in found]})
        return
    rows: list[tuple[Any, ...]] = [
        (
            one.transfer_id,
            one.from_location,
            one.to_location,
            line.sku,
            line.sent,
            line.arrived,
            line.lost,
            line.under_way,
            one.expected_on,
            local(one.sent_at),
        )
        for one in found
        for line in one.lines
    ]
    out.table(
        [
            *("transfer", "from", "to", "sku", ">sent", ">arrived", ">lost", ">on its way"),
            *("expected", "sent at"),
        ],
        rows,
    )
