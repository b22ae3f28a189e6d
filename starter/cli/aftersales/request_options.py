"""Options that `cancel`, `return` and `refund` share: the units, and the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from domain.errors import InvalidInput
from domain.money import Money
from domain.payments.ways_back import WaysBack
from starter.cli.terminal.options import fresh_id
from starter.cli.terminal.output import Output

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

Preview = Annotated[
    bool, typer.Option("--preview", help="Only show what would happen, and what is paid back.")
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


def say_ways(amount: Money, ways: WaysBack, out: Output) -> None:
    """How much would be paid back, and by which means."""
    if not amount.minor:
        out.say("nothing would be paid back")
        return
    out.say(f"would be paid back: {amount}")
    for way in ways.ways:
        out.say(f"  by {way.provider}: {way.amount}")
    if ways.left.minor:
        out.say(f"  later, or by hand: {ways.left}")


def _line(text: str) -> dict[str, Any]:
    found = _LINE.fullmatch(text)
    if found is None:
        raise InvalidInput(
            f"{text!r} is no line; write ID or ID=UNITS, such as 1=2", where="--line"
        )
    units = found["units"]
    return {"line_id": found["line"], "quantity": None if units is None else int(units)}
