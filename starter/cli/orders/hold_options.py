"""What `hold`, `release`, `extend` and `reject` share: options, and how holds are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import typer

from domain.orders.hold_messages import HoldOutcome, RejectOutcome, StandingHold
from starter.cli.terminal.output import Output

Note = Annotated[
    str, typer.Option("--note", help="Why; kept in the order's story.", show_default=False)
]
Which = Annotated[
    str | None,
    typer.Option(
        "--hold",
        metavar="H1",
        help="This one alone. Left out: all that people and rules have placed.",
        show_default=False,
    ),
]
AtEnd = Literal["release", "reject"]


def show_answer(
    order_id: str, answer: HoldOutcome | RejectOutcome, out: Output, *, as_json: bool
) -> None:
    """The answer as a document; or in words, with the holds that stand."""
    if as_json:
        out.document({"order_id": order_id, **answer.model_dump(mode="json")})
        return
    out.say(f"{order_id}: {answer.outcome.replace('_', ' ')}")
    show(answer.holds, out)


def show(holds: Iterable[StandingHold], out: Output) -> None:
    """A line for each hold that stands."""
    for one in holds:
        until = "" if one.until is None else f", until {one.until:%Y-%m-%d %H:%M %Z}: {one.at_end}"
        out.say(
            f"  {one.hold_id} {one.reason.replace('_', ' ')}, {one.owner} sees to it{until}: "
            f"{one.note}"
        )
