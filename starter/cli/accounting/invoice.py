"""`orderloom invoice`: one invoice or credit note, as it was issued."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.accounting.documents import Issued
from domain.errors import InvalidInput
from runtime.papers.pdf import render
from starter.cli.terminal.options import Json, OneSeller
from starter.cli.terminal.output import Output, money, wire
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def invoice(
    number: Annotated[
        str,
        typer.Argument(
            metavar="NUMBER", help="Such as INV-2026-000001 or CRN-2026-000001.", show_default=False
        ),
    ],
    pdf: Annotated[
        Path | None,
        typer.Option(
            "--pdf",
            metavar="FILE",
            help="Write it there as PDF, in the customer's language.",
            show_default=False,
        ),
    ] = None,
    seller: OneSeller = None,
    as_json: Json = False,
) -> None:
    """One invoice or credit note, as it was issued. A reprint is the same.

    Example: `orderloom invoice INV-2026-000001 --pdf invoice.pdf`
    """
    document = from_records(lambda here: here.accounting.document(number, seller))
    out = Output(as_json=as_json)
    if pdf is not None:
        _write(document, pdf)
    if as_json:
        out.document(wire(document))
    elif pdf is not None:
        out.say(f"{document.number} written to {pdf}")
    else:
        _page(document, out)


def _write(document: Issued, file: Path) -> None:
    try:
        file.write_bytes(render(document))
    except OSError as error:
        raise InvalidInput(f"cannot be written ({error.strerror})", where=str(file)) from None


def _page(document: Issued, out: Output) -> None:
    def shown(minor: int) -> str:
        return money(minor, document.currency)

    kind = document.kind.replace("_", " ")
    out.say(f"{document.number}: {kind} of {document.issued_on} for {document.part_id}")
    out.say(f"  {document.seller.name} to {document.buyer.name}")
    for one in document.invoices:
        out.say(f"  about {one.number} of {one.issued_on}")
    if document.reason:
        out.say(f"  reason: {document.reason}")
    rows = [
        (
            (line.sku, f"{line.quantity}", f"{line.unit_price} {document.currency}"),
            (shown(line.discount_minor) if line.discount_minor else ""),
            (line.net_minor, line.tax_minor),
        )
        for line in document.lines
    ]
    rows += [
        ((name, "", ""), "", (net, tax))
        for name, net, tax in (
            ("restocking", -document.restocking_minor, -document.restocking_tax_minor),
            ("allowance", document.allowance_minor, document.allowance_tax_minor),
            ("shipping", document.shipping_minor, document.shipping_tax_minor),
            *((fee.name, fee.net_minor, fee.tax_minor) for fee in document.fees),
            ("all", document.net_minor, document.tax_minor),
        )
        if net or tax
    ]
    if document.prices_include_tax:
        out.say("  unit prices and discounts include tax")
    out.table(
        ["what", ">units", ">unit price", ">discount", ">net", ">tax", ">total"],
        [
            (*what, discount, shown(net), shown(tax), shown(net + tax))
            for what, discount, (net, tax) in rows
        ],
    )
    if any(row.rate is not None or row.category for row in document.taxes):
        out.table(
            ["tax", "category", ">net", ">tax", ">total"],
            [
                (
                    *("not stated" if row.rate is None else f"{row.rate} %", row.category),
                    *(shown(row.net_minor), shown(row.tax_minor), shown(row.total_minor)),
                )
                for row in document.taxes
            ],
        )
    if document.rounding_minor:
        out.say(f"rounding: {shown(document.rounding_minor)}")
        out.say(f"total: {shown(document.total_minor)}")
