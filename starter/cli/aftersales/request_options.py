"""Options that `cancel`, `return` and `refund` share: the units, and the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from domain.errors import InvalidInput
from starter.cli.terminal.options import fresh_id

Lines = Annotated[
    list[str] | None,
    typer.Option(
        "--line",
        metavar="ID[=UNITS]",
        help="This line, or so many units of it; may be given several times. "
        "Left out: the whole order.",
        show_default=False,
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the order's story.")]
RequestId = Annotated[
    str | None,
    typer.Option(
        "--request-id",
        help="Names this request. The same id again is the same request and gets the same answer.",
        show_default=False,
    ),
]

_LINE: Final = re.compile(r"(?P<line>.+?)(=(?P<units>[0-9]{1,9}))?")


def request_content(
    lines: Sequence[str] | None, reason: str, request_id: str | None, by: str
) -> dict[str, Any]:
    """The request as it was typed; a request without an id gets one. Raises InvalidInput."""
    return {
        "lines": [_line(text) for text in lines or ()],
        "reason": reason,
        "request_id": request_id or fresh_id("cli"),
        "by": by,
    }


def _line(text: str) -> dict[str, Any]:
    found = _LINE.fullmatch(text)
    if found is None:
        raise InvalidInput(
            f"{text!r} is no line; write ID or ID=UNITS, such as 1=2", where="--line"
        )
    units = found["units"]
    return {"line_id": found["line"], "quantity": None if units is None else int(units)}
