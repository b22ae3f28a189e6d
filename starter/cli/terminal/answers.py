"""What an order answered to a request, as a command prints it."""

from __future__ import annotations

from collections.abc import Iterable

from domain.errors import Refused
from domain.orders.messages import PayOutcome
from domain.orders.return_messages import ReturnOutcome
from starter.cli.terminal.output import Output


def print_answer(
    order_id: str, answer: PayOutcome | ReturnOutcome, lines: Iterable[str], *, as_json: bool
) -> None:
    """Print the lines, or the answer as a document. Raises `Refused` if the order refused."""
    out = Output(as_json=as_json)
    refused = answer.outcome == "refused"
    if as_json:
        out.document({"order_id": order_id, **answer.model_dump(mode="json")})
    elif not refused:
        for line in lines:
            out.say(line)
    if refused:
        raise Refused(f"{order_id}: {answer.message}")
