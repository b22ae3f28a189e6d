"""`orderloom edit`: change a placed order, or see what a change would do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from domain.errors import InvalidInput
from domain.money import to_decimal
from domain.orders.edit_messages import EditOutcome, EditPreview, OrderEdit
from domain.orders.people import Address
from starter.cli.aftersales.request_options import Reason, RequestId
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import (
    Json,
    Who,
    fresh_id,
    read_counts,
    read_json_file,
    read_model,
)
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

Pairs: TypeAlias = list[str] | None


@app.command()
def edit(
    order: OrderName,
    reason: Reason,
    line: Annotated[
        Pairs,
        typer.Option(
            "--line",
            metavar="ID=UNITS",
            help="So many units of a line are wanted; 0 takes it away.",
        ),
    ] = None,
    price: Annotated[
        Pairs, typer.Option("--price", metavar="ID=9.50", help="Another price of a unit of a line.")
    ] = None,
    discount: Annotated[
        Pairs, typer.Option("--discount", metavar="ID=2.00", help="Another discount of a line.")
    ] = None,
    tax: Annotated[
        Pairs,
        typer.Option("--tax", metavar="ID=19", help="Another tax rate of a line, in percent."),
    ] = None,
    order_discount: Annotated[
        str | None,
        typer.Option("--order-discount", metavar="5.00", help="Another discount of the order."),
    ] = None,
    add: Annotated[
        Pairs,
        typer.Option(
            "--add",
            metavar="SKU=UNITS@PRICE[@RATE]",
            help="A new line, with its price of a unit and its tax rate in percent.",
        ),
    ] = None,
    shipping_service: Annotated[
        str | None, typer.Option("--service", help="Another shipping service.")
    ] = None,
    shipping_price: Annotated[
        str | None, typer.Option("--shipping-price", help="Another price of shipping.")
    ] = None,
    shipping_tax: Annotated[
        str | None,
        typer.Option("--shipping-tax", metavar="19", help="Another tax rate of shipping."),
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", metavar="DAY", help="The requested day of delivery.")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="Another note.")] = None,
    address: Annotated[
        Path | None,
        typer.Option("--address", help="A JSON file with the whole new address of delivery."),
    ] = None,
    billing: Annotated[
        Path | None, typer.Option("--billing", help="A JSON file with the whole billing address.")
    ] = None,
    forget: Annotated[
        Pairs,
        typer.Option(
            "--forget", metavar="FIELD", help="Take billing, note or requested_delivery_date away."
        ),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option("--version", min=1, help="Only if the order is still at this version."),
    ] = None,
    total: Annotated[
        str | None,
        typer.Option("--total", metavar="40.00", help="Only if the order then comes to this."),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what would change, and what cannot.")
    ] = False,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Change a placed order: all that is asked for, or nothing.

    More money is authorized first; if the bank says no, the order is as it was.

    Example: `orderloom edit web-1001 --line 1=3 --reason "wants one more" --preview`
    """
    order = order_named(order)
    shipping = {"service": shipping_service, "price": shipping_price, "tax_rate": shipping_tax}
    content: dict[str, Any] = {
        "reason": reason,
        "request_id": request_id or fresh_id("cli"),
        "by": by,
        "version": version,
        "total": total,
        "lines": _lines(line or (), price or (), discount or (), tax or ()),
        "add": [_added(text) for text in add or ()],
        "shipping": shipping if any(shipping.values()) else None,
        "discount": order_discount,
        "requested_delivery_date": date,
        "note": note,
        "address": None if address is None else read_json_file(Address, address),
        "billing": None if billing is None else read_json_file(Address, billing),
        "forget": forget or (),
    }
    asked = read_model(OrderEdit, content, where="edit")
    out = Output(as_json=as_json)
    if preview:
        seen = asyncio.run(_preview(order, asked))
        if as_json:
            out.document(seen.model_dump(mode="json"))
        else:
            _say_preview(seen, out)
        return
    outcome = asyncio.run(_edit(order, asked))
    if as_json:
        out.document({"order_id": order, **outcome.model_dump(mode="json")})
    else:
        _say(order, outcome, out)


async def _preview(order_id: str, asked: OrderEdit) -> EditPreview:
    async with service(temporal_may_be_away=True) as here:
        return await here.edits.preview(order_id, asked)


async def _edit(order_id: str, asked: OrderEdit) -> EditOutcome:
    async with service() as here:
        return await answered(
            here.edits.edit(order_id, asked),
            again=f"ask again with --request-id {asked.request_id}",
        )


def _lines(counts: list[str] | tuple[()], *money: list[str] | tuple[()]) -> list[dict[str, Any]]:
    """What becomes of each line, from all options that name it."""
    lines: dict[str, dict[str, Any]] = {}
    for line_id, units in (read_counts(counts, "--line") or {}).items():
        lines.setdefault(line_id, {})["quantity"] = units
    names = {"unit_price": "--price", "discount": "--discount", "tax_rate": "--tax"}
    for (name, option), values in zip(names.items(), money, strict=True):
        for text in values:
            line_id, equals, amount = text.rpartition("=")
            if not equals or not line_id:
                raise InvalidInput(
                    f"{text!r} is no amount of a line; write ID=AMOUNT, such as 1=9.50",
                    where=option,
                )
            lines.setdefault(line_id, {})[name] = amount
    return [{"line_id": line_id, **changes} for line_id, changes in lines.items()]


def _added(text: str) -> dict[str, Any]:
    what, *amounts = text.split("@")
    sku, equals, units = what.rpartition("=")
    if not equals or not units.isdecimal() or not 1 <= len(amounts) <= 2:
        raise InvalidInput(
            f"{text!r} is no new line; write SKU=UNITS@PRICE or SKU=UNITS@PRICE@RATE, such as "
            "TEA=2@9.50@19",
            where="--add",
        )
    rate = {"tax_rate": amounts[1]} if len(amounts) == 2 else {}
    return {"sku": sku, "quantity": int(units), "unit_price": amounts[0], **rate}


def _say_preview(seen: EditPreview, out: Output) -> None:
    out.say(f"{seen.order_id}, version {seen.version}")
    for change in seen.changes:
        out.say(f"  {change}")
    out.say(f"total: {seen.total_before} → {seen.total}, of it tax: {seen.tax}")
    if seen.to_authorize.minor:
        out.say(f"to be authorized first: {seen.to_authorize}")
    if seen.released.minor:
        out.say(f"less is charged: {seen.released}")
    if seen.to_pay_back.minor:
        out.say(f"to be paid back: {seen.to_pay_back}")
    for units in seen.promised:
        where = "in stock" if units.in_stock else "to come"
        day = f", arrives on {units.arrives_on}" if units.arrives_on else ""
        out.say(f"line {units.line_id}: {units.quantity} {where}{day}")
    for no in seen.obstacles:
        out.say(f"cannot be changed: {no.what}: {no.why}")
    if not seen.obstacles:
        total = to_decimal(seen.total.minor, seen.total.currency)
        out.say(f"apply it with --version {seen.version} --total {total} and without --preview")


def _say(order_id: str, outcome: EditOutcome, out: Output) -> None:
    out.say(f"{order_id}: {outcome.outcome}, version {outcome.version}")
    for change in outcome.changes:
        out.say(f"  {change}")
    if outcome.total != outcome.total_before:
        out.say(f"total: {outcome.total_before} → {outcome.total}")
    if outcome.to_pay_back is not None and outcome.to_pay_back.minor:
        out.say(f"paid back: {outcome.to_pay_back}")
    for units in outcome.backordered:
        out.say(f"  line {units.line_id}: {units.quantity} backordered")
