"""`orderloom invoices`: the issued documents, from PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from domain.sellers import choose
from starter.cli.terminal.named import PerhapsOrder, perhaps_order_named
from starter.cli.terminal.options import Json, Limit, OfSeller
from starter.cli.terminal.output import Output, money, wire
from starter.service.connection import from_records
from starter.service.service import Records
from store.accounting.documents import DocumentRow

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def invoices(
    order: PerhapsOrder = None,
    seller: OfSeller = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List invoices and credit notes: an order's in their sequence, or all, newest first.

    Example: `orderloom invoices web-1001`
    """
    order = perhaps_order_named(order)

    async def work(here: Records) -> Sequence[DocumentRow]:
        choose(await here.sellers.list(), seller)
        if order is not None:
            return await here.accounting.documents_of(order, at_most=limit)
        return await here.accounting.documents(seller=seller, at_most=limit)

    found = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"documents": [wire(one) for one in found]})
    elif not found:
        out.say("no documents")
    else:
        _table(found, out)


def _table(documents: Sequence[DocumentRow], out: Output) -> None:
    out.table(
        ["number", "seller", "kind", "issued on", "order", "for", ">total"],
        [
            (
                one.number,
                one.seller,
                one.kind.replace("_", " "),
                one.issued_on,
                one.order_id,
                one.part_id,
                money(one.total_minor, one.currency),
            )
            for one in documents
        ],
    )
