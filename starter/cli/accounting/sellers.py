"""`orderloom sellers`: the legal entities that documents name, each with books of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from domain.looks import Looks
from domain.sellers import Seller, Sellers
from domain.series import Series
from domain.words import count_of
from starter.cli.terminal.options import DryRun, Json, read_json_file
from starter.cli.terminal.output import Output
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="SELLER", show_default=False)]


@app.callback()
def sellers() -> None:
    """Legal entities: name, address, tax numbers, books, time zone and series of documents."""


@app.command("list")
def list_sellers(as_json: Json = False) -> None:
    """List the sellers.

    Example: `orderloom sellers list --json > sellers.json`
    """
    _show(from_records(lambda here: here.sellers.list()), Output(as_json=as_json))


@app.command()
def show(seller: Code, as_json: Json = False) -> None:
    """Show one seller.

    Example: `orderloom sellers show main`
    """
    found = from_records(lambda here: here.sellers.get(seller))
    out = Output(as_json=as_json)
    if as_json:
        _show([found], out)
        return
    out.say(f"{found.seller}: {found.name}{', retired' if found.retired else ''}")
    for name, value in (
        ("address", ", ".join(found.address) or "none"),
        ("tax numbers", ", ".join(found.tax_numbers) or "none"),
        ("books in", found.currency or "any currency"),
        ("time zone", found.time_zone),
        ("documents in", ", ".join(found.languages)),
        ("invoices", _series(found.series.invoice)),
        ("credit notes", _series(found.series.credit_note)),
        ("looks", _looks(found.looks)),
        ("documents with mails", ", ".join(found.attach_documents) or "none"),
    ):
        out.say(f"  {name}: {value}")


@app.command("import")
def import_sellers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, as `list --json` prints it.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set all there is to know about the sellers in a file; the others stay as they are.

    What was issued before keeps the old name and day. `orderloom schema sellers` describes the
    file. The seller that a new database begins with becomes the first of the file.

    Example: `orderloom sellers import examples/sellers.json`
    """
    wanted = read_json_file(Sellers, file).sellers
    from_records(lambda here: here.sellers.save(wanted), dry_run=dry_run)
    out = Output(as_json=as_json, dry_run=dry_run)
    codes = [one.seller for one in wanted]
    if as_json:
        out.document({"sellers": codes})
    else:
        out.say(f"{count_of(len(wanted), 'seller')} set: {', '.join(codes)}")


@app.command()
def retire(seller: Code, as_json: Json = False) -> None:
    """Let a seller take no new orders: no channel may sell for it. What it has goes on.

    Example: `orderloom sellers retire uk`
    """
    from_records(lambda here: here.sellers.retire(seller))
    _tell(seller, as_json, retired=True)


@app.command()
def reopen(seller: Code, as_json: Json = False) -> None:
    """Let a retired seller take new orders again.

    Example: `orderloom sellers reopen uk`
    """
    from_records(lambda here: here.sellers.reopen(seller))
    _tell(seller, as_json, retired=False)


def _tell(seller: str, as_json: bool, *, retired: bool) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document({"seller": seller, "retired": retired})
    else:
        out.say(f"{seller} takes {'no new orders' if retired else 'new orders again'}")


def _looks(one: Looks) -> str:
    told = (one.display_name, one.colour, one.support_email, one.support_phone)
    return ", ".join([*filter(None, told), *(["a logo"] if one.logo else [])]) or "not told"


def _series(one: Series) -> str:
    return one.format if one.first == 1 else f"{one.format}, beginning with {one.first}"


def _show(found: Sequence[Seller], out: Output) -> None:
    if out.as_json:
        document = Sellers.model_construct(sellers=tuple(found))
        out.document(document.model_dump(mode="json", exclude_none=True, warnings=False))
        return
    out.table(
        ["seller", "name", "", "address", "tax numbers", "books in", "time zone"],
        [
            (
                *(one.seller, one.name, "retired" if one.retired else ""),
                *(", ".join(one.address), ", ".join(one.tax_numbers)),
                *(one.currency or "any", one.time_zone),
            )
            for one in found
        ],
    )
