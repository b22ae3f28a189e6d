"""Sellers' own templates, and mails that came back: further commands of `orderloom messages`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from domain.errors import InvalidInput
from domain.messages.kinds import KINDS, MessageKind
from domain.sellers import LANGUAGES, Language
from starter.cli.terminal.options import Json, Who, reporter
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records

Kind = Annotated[str, typer.Argument(metavar="KIND", help=", ".join(KINDS), show_default=False)]
Lang = Annotated[str, typer.Option("--language", help=", ".join(LANGUAGES))]
Seller = Annotated[str, typer.Option("--seller", metavar="CODE", help="Whose mails.")]


def bounce(
    mail: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A mail that came back, as .eml.", show_default=False),
    ],
    as_json: Json = False,
) -> None:
    """Take in a mail that came back: what could not be delivered is seen, and followed by no other.

    Example: `orderloom messages bounce returned.eml`
    """
    content = _read(mail)
    found = from_records(lambda here: here.messages.bounce(content))
    out = Output(as_json=as_json)
    if as_json:
        out.document(found.model_dump(mode="json"))
    elif found.final:
        out.say(f"{found.message} came back ({found.status})")
    else:
        out.say(f"{found.message} is late ({found.status}); nothing is changed")


def templates(
    seller: Annotated[
        str | None, typer.Option("--seller", metavar="CODE", help="Only of this seller.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List sellers' own templates. All others are those that come with Orderloom.

    Example: `orderloom messages templates`
    """
    found = from_records(lambda here: here.messages.templates(seller))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"templates": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.say("no seller has a template of its own")
    else:
        out.table(
            ["seller", "kind", "language", ">characters", "set", "by"],
            [
                (x.seller, x.kind, x.language, x.characters, local(x.set_at), x.set_by)
                for x in found
            ],
        )


def template(
    kind: Kind, language: Lang = "en", seller: Seller = "main", as_json: Json = False
) -> None:
    """Print a template as it is used: to be changed, and set.

    Example: `orderloom messages template shipped --language de > shipped.jinja`
    """
    of, in_ = _named(kind, language)
    source = from_records(lambda here: here.messages.template(seller, of, in_))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"seller": seller, "kind": kind, "language": language, "source": source})
    else:
        out.file(source)


def set_template(
    kind: Kind,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The template.", show_default=False)],
    language: Lang = "en",
    seller: Seller = "main",
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Use a seller's own template from now on. One that cannot be filled in is refused here.

    Example: `orderloom messages set-template shipped shipped.jinja --language de`
    """
    of, in_ = _named(kind, language)
    try:
        source = _read(file).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("is no text in UTF-8", where=str(file)) from None
    who = reporter(by)
    from_records(lambda here: here.messages.set_template(seller, of, in_, source, by=who))
    _said(f"{seller} has its own template for {kind} ({language})", seller, kind, language, as_json)


def reset_template(
    kind: Kind, language: Lang = "en", seller: Seller = "main", as_json: Json = False
) -> None:
    """Use the template that comes with Orderloom again.

    Example: `orderloom messages reset-template shipped --language de`
    """
    of, in_ = _named(kind, language)
    from_records(lambda here: here.messages.reset_template(seller, of, in_))
    told = f"{seller} uses Orderloom's template for {kind} ({language})"
    _said(told, seller, kind, language, as_json)


class Command(NamedTuple):
    """A further command of the group."""

    name: str
    run: Callable[..., Any]


COMMANDS: Final = (
    Command("bounce", bounce),
    Command("templates", templates),
    Command("template", template),
    Command("set-template", set_template),
    Command("reset-template", reset_template),
)


def _named(kind: str, language: str) -> tuple[MessageKind, Language]:
    if kind not in KINDS:
        raise InvalidInput(f"is none of {', '.join(KINDS)}", where=kind)
    if language not in LANGUAGES:
        raise InvalidInput(f"is none of {', '.join(LANGUAGES)}", where=f"--language {language}")
    return kind, language


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(file)) from error


def _said(told: str, seller: str, kind: str, language: str, as_json: bool) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document({"seller": seller, "kind": kind, "language": language})
    else:
        out.say(told)
