"""`orderloom warehouse`: the warehouse's tasks and reports. Works while Temporal is away."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from starter.cli.terminal.named import (
    FulfilmentName,
    OfOrder,
    PutBackName,
    ReturnName,
    part_named,
    perhaps_order_named,
)
from starter.cli.terminal.options import (
    Json,
    Limit,
    Who,
    read_counts,
    read_moment,
    read_reason,
    reporter,
)
from starter.cli.terminal.output import Output, local
from starter.cli.terminal.rendering import units_of
from starter.cli.warehouse import floor, papers, unannounced
from starter.cli.warehouse.return_count import found_goods, returned_units
from starter.service.connection import from_records
from starter.service.service import Records
from store.views.warehouse_tasks import Task, TaskKind

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Counts = Annotated[
    list[str] | None,
    typer.Option(
        "--count",
        metavar="LINE=UNITS",
        help="Units found of a line; may be given several times. Left out: all of everything. "
        "A line that is not named then was not found.",
        show_default=False,
    ),
]


@app.callback()
def warehouse() -> None:
    """The warehouse's tasks, and its reports. A repeated report changes nothing."""


@app.command()
def tasks(
    task: Annotated[TaskKind | None, typer.Option("--task", help="Only of this kind.")] = None,
    order: OfOrder = None,
    location: Annotated[str | None, typer.Option("--location", help="Only there.")] = None,
    limit: Limit = 1000,
    as_json: Json = False,
) -> None:
    """List the tasks to pick, put back, pack, hand over and receive; oldest first.

    Example: `orderloom warehouse tasks --task pick`
    """
    order = perhaps_order_named(order)

    async def work(here: Records) -> list[Task]:
        return list(
            await here.warehouse.tasks(task=task, order_id=order, location=location, at_most=limit)
        )

    found = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"tasks": [item.model_dump(mode="json") for item in found]})
    elif not found:
        out.say("nothing to do")
    else:
        out.table(
            ["task", "part", "at", "units", "carrier", "tracking number", "since"],
            [
                (
                    item.task,
                    item.part_id,
                    item.location,
                    ", ".join(f"{x.quantity} × {x.sku} (line {x.line_id})" for x in item.lines)
                    + ("; open the box" if item.opens_box else ""),
                    item.carrier,
                    item.tracking_number,
                    local(item.since),
                )
                for item in found
            ],
        )


@app.command()
def pick(
    fulfilment: FulfilmentName, count: Counts = None, by: Who = "", as_json: Json = False
) -> None:
    """Report a pick. Units not found are taken off the stock and sourced elsewhere.

    Example: `orderloom warehouse pick web-1001:1 --count 1=2 --count 2=1`
    """
    fulfilment = part_named(fulfilment)
    counted = read_counts(count or (), "--count")
    outcome = from_records(lambda here: here.warehouse.pick(fulfilment, counted, who=reporter(by)))
    _say(fulfilment, "picked", outcome, Output(as_json=as_json))


@app.command()
def refuse(
    fulfilment: FulfilmentName,
    reason: Annotated[str, typer.Option("--reason", help="Why it is not sent from there.")],
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Refuse to send a fulfilment that is to be picked. Its units are sourced from elsewhere.

    The stock stays where it is, free for other orders. Units that no other location has are
    backordered or cancelled.

    Example: `orderloom warehouse refuse web-1001:1 --reason "no room at the dock today"`
    """
    fulfilment = part_named(fulfilment)
    why = read_reason(reason)
    outcome = from_records(lambda here: here.warehouse.refuse(fulfilment, why, who=reporter(by)))
    _say(fulfilment, "refused", outcome, Output(as_json=as_json))


@app.command()
def pack(
    fulfilment: FulfilmentName,
    box: floor.Box = None,
    grams: floor.Grams = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report that a parcel is closed; then its label is bought.

    Example: `orderloom warehouse pack web-1001:1 --box M --grams 1250`
    """
    fulfilment = part_named(fulfilment)
    from_records(
        lambda here: here.warehouse.pack(fulfilment, who=reporter(by), box=box, grams=grams)
    )
    _say(fulfilment, "packed", {}, Output(as_json=as_json))


@app.command()
def handover(
    fulfilment: FulfilmentName,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When; left out: now.")
    ] = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report that the carrier has the parcel. From now on its units can only be returned.

    Example: `orderloom warehouse handover web-1001:1`
    """
    fulfilment = part_named(fulfilment)
    moment = read_moment(at, "--at")
    from_records(lambda here: here.warehouse.hand_over(fulfilment, at=moment, who=reporter(by)))
    _say(fulfilment, "handed over", {}, Output(as_json=as_json))


@app.command()
def collect(
    fulfilment: FulfilmentName,
    code: Annotated[
        str, typer.Option("--code", metavar="CODE", help="What the customer says or shows.")
    ],
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report that the customer, who had the right code, has taken goods that lay ready.

    After five wrong codes in a row none is looked at for a quarter of an hour.

    Example: `orderloom warehouse collect web-1001:1 --code 7KQ4MXN`
    """
    fulfilment = part_named(fulfilment)
    from_records(lambda here: here.warehouse.collect(fulfilment, code, who=reporter(by)))
    _say(fulfilment, "collected", {}, Output(as_json=as_json))


@app.command("put-back")
def put_back(put_back: PutBackName, by: Who = "", as_json: Json = False) -> None:
    """Report that units which were cancelled after their pick are back on the shelf.

    Until then, what is left of their parcel is not packed.

    Example: `orderloom warehouse put-back web-1001:1:P1`
    """
    put_back = part_named(put_back)
    from_records(lambda here: here.warehouse.put_back(put_back, who=reporter(by)))
    _say(put_back, "put back", {}, Output(as_json=as_json))


@app.command("receive-return")
def receive_return(
    return_id: ReturnName,
    count: Annotated[
        list[str] | None,
        typer.Option(
            "--count",
            metavar="LINE=UNITS",
            help="Units of a line that came back; may be given several times. Left out: all of "
            "everything. A line that is not named then did not come.",
            show_default=False,
        ),
    ] = None,
    scrap: Annotated[
        list[str] | None,
        typer.Option(
            "--scrap",
            metavar="LINE=UNITS",
            help="So many of the counted units cannot be sold again; they are written off.",
            show_default=False,
        ),
    ] = None,
    found: Annotated[
        list[str] | None,
        typer.Option(
            "--found",
            metavar="LINE=UNITS:CONDITION[:PHOTO]",
            help="Units of a line in a condition (new, opened, used, damaged), and a photo's id: "
            "the rules say what becomes of them. Instead of --count and --scrap.",
            show_default=False,
        ),
    ] = None,
    lacks: Annotated[
        list[str] | None,
        typer.Option(
            "--lacks",
            metavar="LINE=SKU=UNITS",
            help="Parts that each kit of a line, as --found, came without.",
            show_default=False,
        ),
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--extra",
            metavar="SKU=UNITS:CONDITION[:PHOTO]",
            help="What was in the parcel besides; a person decides about it.",
            show_default=False,
        ),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option(
            "--location",
            help="Where they are put; left out: where they came from.",
            show_default=False,
        ),
    ] = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report the count of a return parcel. Returned units are paid back; missing ones stay sold.

    A parcel that nobody announced: `orderloom warehouse receive-unannounced`.

    Example: `orderloom warehouse receive-return web-1001:R1 --count 1=2 --scrap 1=1`
    """
    return_id = part_named(return_id)
    counted = returned_units(count or (), scrap or (), found or (), lacks or ())
    goods = found_goods(extra or (), "--extra")
    outcome = from_records(
        lambda here: here.warehouse.receive_return(
            return_id, counted, extra=goods, location=location, who=reporter(by)
        )
    )
    _say(return_id, "received", outcome, Output(as_json=as_json))


app.command("receive-unannounced")(unannounced.receive_unannounced)
app.command()(papers.label)
app.command("pick-list")(papers.pick_list)
app.command("packing-slip")(papers.packing_slip)


def _say(part_id: str, what: str, outcome: dict[str, Any], out: Output) -> None:
    if out.as_json:
        out.document({"part_id": part_id, "reported": what, **outcome})
        return
    missing = outcome.get("missing")
    out.say(f"{part_id} {what}{f'; missing: {units_of(missing)}' if missing else ''}")


app.command("import-places")(floor.import_places)
app.command("import-barcodes")(floor.import_barcodes)
app.command()(floor.sheet)
app.command()(floor.manifest)
