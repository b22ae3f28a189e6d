"""`orderloom edi`: documents with trading partners, in X12."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from domain.edi.partners import Partner, Partners
from domain.edi.wire import INTERCHANGE_BYTES_MAX
from domain.errors import InvalidInput
from domain.words import count_of
from starter.cli.terminal.options import DryRun, Json, Limit, Who, read_json_file, reporter
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records
from starter.service.edi import Shown

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Number = Annotated[
    int, typer.Argument(metavar="NUMBER", min=1, help="As `list` shows it.", show_default=False)
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="An interchange, or several.")]


@app.callback()
def edi() -> None:
    """Orders, confirmations, shipping notices and invoices, in X12 with trading partners.

    A worker takes files from partners' folders, answers, and sends what is due.
    """


@app.command()
def partners(
    partner: Annotated[
        str | None,
        typer.Argument(metavar="[PARTNER]", help="All about this one.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the trading partners, or show all that is agreed with one.

    Example: `orderloom edi partners --json > partners.json`
    """
    out = Output(as_json=as_json)
    if partner is None:
        _show(from_records(lambda here: here.edi.partners()), out)
        return
    name = partner
    content = from_records(lambda here: here.edi.partner(name)).model_dump(
        mode="json", exclude_none=True
    )
    if as_json:
        out.document(content)
    else:
        out.say(json.dumps(content, indent=2, ensure_ascii=False))


@app.command("import-partners")
def import_partners(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON, as `partners --json` prints it.")
    ],
    by: Who = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set all there is to know about the partners in a file; the others stay as they are.

    Example: `orderloom edi import-partners examples/edi-partners.json`
    """
    wanted = read_json_file(Partners, file).partners
    who = reporter(by)
    from_records(lambda here: here.edi.save(wanted, by=who), dry_run=dry_run)
    out = Output(as_json=as_json, dry_run=dry_run)
    names = [one.partner for one in wanted]
    if as_json:
        out.document({"partners": names})
    else:
        out.say(f"{count_of(len(wanted), 'partner')} set: {', '.join(names)}")


@app.command()
def check(file: File, as_json: Json = False) -> None:
    """Say what is wrong with a file, by the rules of X12, and do nothing with it.

    It ends with 2 where something is wrong.

    Example: `orderloom edi check order.edi`
    """
    raw = _read(file)
    said = from_records(lambda here: here.edi.check(raw))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"findings": [one.model_dump(exclude_defaults=True) for one in said]})
    else:
        out.say("\n".join(str(one) for one in said) if said else "nothing is wrong with it")
    if said:
        raise typer.Exit(2)


@app.command()
def receive(file: File, as_json: Json = False) -> None:
    """Hand in a file that came in another way, such as by mail. A worker reads it in a moment.

    Example: `orderloom edi receive order.edi`
    """
    raw = _read(file)
    kept = from_records(lambda here: here.edi.receive(file.name, raw))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"interchanges": kept})
    else:
        out.say(f"kept: interchange {', '.join(str(one) for one in kept)}")


@app.command("list")
def list_interchanges(
    partner: Annotated[
        str | None, typer.Option("--partner", help="Only with this one.", show_default=False)
    ] = None,
    incoming: Annotated[bool, typer.Option("--in", help="Only what came.")] = False,
    outgoing: Annotated[bool, typer.Option("--out", help="Only what goes.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Only what needs a person.")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List interchanges, newest first: what is in them, and whether it was acknowledged.

    Example: `orderloom edi list --partner acme --failed`
    """
    direction = None if incoming == outgoing else "in" if incoming else "out"
    found = from_records(
        lambda here: here.edi.list(
            partner=partner, direction=direction, failed=failed, at_most=limit
        )
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"interchanges": [_as_json(one) for one in found]})
    elif not found:
        out.say("nothing needs a person" if failed else "nothing came and nothing went")
    else:
        out.table(
            ["number", "way", "partner", "control", "at", "documents", "what came of it"],
            [_row(one) for one in found],
        )


@app.command()
def show(
    number: Number,
    raw: Annotated[bool, typer.Option("--raw", help="Only the bytes, as they came or go.")] = False,
    as_json: Json = False,
) -> None:
    """Show an interchange: its documents, segment by segment.

    Example: `orderloom edi show 17`
    """
    found = from_records(lambda here: here.edi.show(number))
    out = Output(as_json=as_json)
    text = (found.raw or b"").decode("utf-8", "replace")
    if as_json:
        out.document({**_as_json(found), "raw": text})
        return
    if raw:
        out.say(text)
        return
    one = found.interchange
    way = "from" if one.direction == "in" else "to"
    out.say(f"interchange {number} {way} {one.partner or 'nobody known'}, {local(one.at)}")
    out.say(_came_of(found))
    for document in found.documents:
        about = document.order_id or document.po_id or document.reference
        out.say(f"document {document.document_no}: {document.code} {about}, {document.state}")
        for line in (document.note, document.task):
            if line:
                out.say(f"  {line}")
    out.say(text or "its bytes are not kept any more")


@app.command("send-again")
def send_again(number: Number, as_json: Json = False) -> None:
    """Send an interchange once more: the same bytes, with the same number.

    Example: `orderloom edi send-again 17`
    """
    from_records(lambda here: here.edi.send_again(number))
    _tell(as_json, number, "is sent again")


@app.command("read-again")
def read_again(number: Number, as_json: Json = False) -> None:
    """Read an interchange again that could not be read, once its partner is known.

    Example: `orderloom edi read-again 17`
    """
    from_records(lambda here: here.edi.read_again(number))
    _tell(as_json, number, "is read again")


@app.command()
def settle(
    number: Number,
    note: Annotated[str, typer.Option("--note", help="How it was dealt with.")],
    document: Annotated[
        bool, typer.Option("--document", help="The number is a document's, as `show` says it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say that you have dealt with an interchange, or with one of its documents.

    Example: `orderloom edi settle 17 --note 'they send it again'`
    """
    if not note.strip():
        raise InvalidInput("must say how", where="--note")
    from_records(lambda here: here.edi.settle(number, note.strip()[:500], document=document))
    _tell(as_json, number, "is settled")


def _tell(as_json: bool, number: int, what: str) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document({"number": number, "done": what})
    else:
        out.say(f"{number} {what}")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(INTERCHANGE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(file)) from error


def _as_json(one: Shown) -> dict[str, object]:
    inside = [document.model_dump(mode="json") for document in one.documents]
    return {**one.interchange.model_dump(mode="json"), "documents": inside}


def _row(one: Shown) -> tuple[object, ...]:
    found = one.interchange
    inside = ", ".join(f"{doc.code} {doc.reference} {doc.state}" for doc in one.documents)
    return (
        *(found.interchange_no, found.direction, found.partner or "", found.control or ""),
        *(local(found.at), inside, _came_of(one)),
    )


def _came_of(one: Shown) -> str:
    tasks = [document.task for document in one.documents if document.task]
    if tasks:
        return f"needs a person: {'; '.join(tasks)}"
    found = one.interchange
    if found.outcome is not None:
        return found.outcome
    return f"needs a person: {found.error}" if found.error else "waits"


def _show(found: Sequence[Partner], out: Output) -> None:
    if out.as_json:
        dumped = [one.model_dump(mode="json", exclude_none=True) for one in found]
        out.document({"partners": dumped})
    elif not found:
        out.say("there are no trading partners; `orderloom edi import-partners` makes them")
    else:
        out.table(
            ["partner", "name", "trades as", "version", "its id", "our id", "way"],
            [
                (
                    *(one.partner, one.name, one.channel or one.supplier, one.version),
                    *(one.theirs.id, one.ours.id),
                    "retired" if one.retired else _way(one),
                )
                for one in found
            ],
        )


def _way(one: Partner) -> str:
    if one.folders is not None:
        return one.folders.incoming
    return one.url or "by hand"
