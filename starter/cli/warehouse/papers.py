"""What a warehouse prints: the label of a parcel, a pick list, and the slip that goes into it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from starter.cli.terminal.files import STANDARD_OUTPUT, write_bytes
from starter.cli.terminal.named import FulfilmentName, part_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records
from starter.service.labels import PrintedLabel

ToFile = Annotated[
    str | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="Write it there; `-` is standard output.",
        show_default=False,
    ),
]
PdfFile = Annotated[
    str,
    typer.Option(
        "--out", "-o", metavar="FILE", help="The PDF; `-` is standard output.", show_default=False
    ),
]


def label(
    fulfilment: FulfilmentName,
    out_file: ToFile = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="pdf, zpl, png or the like; left out: by the name of FILE, else the first one.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """The label of a parcel, as its carrier made it: print it, or print it again.

    Without a file, tells what there is. A label that was given back to the carrier is void, and is
    not written.

    Example: `orderloom warehouse label web-1001:1 -o label.pdf`
    """
    fulfilment = part_named(fulfilment)
    found = from_records(lambda here: here.labels.of(fulfilment))
    out = Output(as_json=as_json)
    if out_file is not None:
        write_label(found, out_file, form, out)
    elif as_json:
        out.document({**found.told(), "written": None})
    else:
        _list(found, out)


def write_label(found: PrintedLabel, out_file: str, form: str | None, out: Output) -> None:
    """Write a label to a file, in this format, or in that which the file's name says."""
    file = found.file(form, rather=Path(out_file).suffix.removeprefix(".").lower())
    write_bytes(file.content, out_file)
    if out_file == STANDARD_OUTPUT:
        return
    if out.as_json:
        out.document({**found.told(), "written": file.media_type})
    else:
        out.say(f"label of {found.fulfilment_id} written to {out_file} ({file.media_type})")


def _list(found: PrintedLabel, out: Output) -> None:
    number = f": {found.carrier} {found.tracking_number}" if found.tracking_number else ""
    state = "void" if found.state == "voided" else found.state
    out.say(f"label of {found.fulfilment_id} is {state}{number}")
    if found.files:
        out.table(
            ["format", "media type", ">bytes", "kept", "SHA-256"],
            [
                (file.format, file.media_type, len(file.content), local(file.kept_at), file.digest)
                for file in found.files
            ],
        )
    elif found.state != "voided":
        out.say(found.why_none)


def pick_list(
    out_file: PdfFile,
    fulfilments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FULFILMENT]...",
            help="Only these; left out: all that are to be picked.",
            show_default=False,
        ),
    ] = None,
    location: Annotated[
        str | None, typer.Option("--location", help="Only there.", show_default=False)
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=500, help="So many fulfilments at most.")
    ] = 50,
    as_json: Json = False,
) -> None:
    """Print what is to be picked, the longest-waiting first, with barcodes of parcel and SKU.

    Example: `orderloom warehouse pick-list --location berlin -o picks.pdf`
    """
    named = [part_named(text) for text in fulfilments or ()]
    found = from_records(
        lambda here: here.labels.to_pick(named or None, location=location, at_most=limit)
    )
    write_bytes(_drawn("pick_list", found), out_file)
    if out_file != STANDARD_OUTPUT:
        _written([one.fulfilment_id for one in found], "picks", out_file, as_json=as_json)


def packing_slip(fulfilment: FulfilmentName, out_file: PdfFile, as_json: Json = False) -> None:
    """Print the slip that goes into a parcel: no prices, and the gift message if there is one.

    Example: `orderloom warehouse packing-slip web-1001:1 -o slip.pdf`
    """
    fulfilment = part_named(fulfilment)
    found = from_records(lambda here: here.labels.slip(fulfilment))
    write_bytes(_drawn("slip", found), out_file)
    if out_file != STANDARD_OUTPUT:
        _written([fulfilment], "slip", out_file, as_json=as_json)


def _drawn(paper: str, content: Any) -> bytes:
    """The paper as PDF. What draws it takes long to load, and other commands do without."""
    drawn: bytes = getattr(import_module(f"starter.warehouse.{paper}"), f"{paper}_pdf")(content)
    return drawn


def _written(fulfilments: list[str], what: str, file: str, *, as_json: bool) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document({"fulfilments": fulfilments, "written": file})
    else:
        out.say(f"{what} of {', '.join(fulfilments)} written to {file}")
