"""`orderloom purchase-orders document`: a purchase order as its supplier gets it."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Annotated

import typer

from domain.purchasing.x12 import purchase_order_850
from starter.cli.purchasing.purchase_reporting import PurchaseId
from starter.cli.terminal.files import STANDARD_OUTPUT, write_bytes
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output
from starter.service.connection import records
from starter.service.purchase_reads import PurchasePaper
from store.purchasing.purchase_reads import PurchaseOrder

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("document")
def show_document(
    po_id: PurchaseId,
    x12: Annotated[bool, typer.Option("--x12", help="As ANSI ASC X12 850.")] = False,
    pdf: Annotated[
        str | None,
        typer.Option(
            "--pdf",
            metavar="FILE|-",
            help="Write it there as PDF, in the buyer's first language.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a purchase order as the supplier gets it: as JSON, as X12, or on paper.

    Example: `orderloom purchase-orders document PO-5ff1c0de9a3b --pdf order.pdf`
    """

    async def work() -> tuple[PurchaseOrder, PurchasePaper]:
        async with records() as here:
            return await here.purchasing.order(po_id), await here.purchasing.paper(po_id)

    order, paper = asyncio.run(work())
    out = Output(as_json=as_json)
    if pdf is not None:
        # Drawing takes a library that other commands need not load.
        draw = import_module("runtime.papers.purchase").purchase_pdf
        content = draw(paper.order, paper.buyer, paper.names, to_customer=paper.to_customer)
        write_bytes(content, pdf)
        if pdf != STANDARD_OUTPUT:
            out.say(f"{po_id} written to {pdf}")
        return
    text = purchase_order_850(paper.order, at=order.created_at)
    if not x12:
        out.document(paper.order.model_dump(mode="json"))
    elif as_json:
        out.document({"po_id": po_id, "x12": text})
    else:
        out.say(text.removesuffix("\n"))
