"""What became of a claim, as the commands about claims print it."""

from __future__ import annotations

from domain.orders.claim_messages import ClaimOutcome
from starter.cli.terminal.output import Output


def print_claim(order_id: str, outcome: ClaimOutcome, *, as_json: bool) -> None:
    """Print it in sentences, or as a document with amounts as decimal strings."""
    out = Output(as_json=as_json)
    if as_json:
        document = outcome.model_dump(mode="json")
        document["amount"] = None if outcome.amount is None else str(outcome.amount)
        out.document({"order_id": order_id, **document})
        return
    decided = (outcome.decision or "open").replace("_", " ")
    out.say(f"{outcome.claim_id}: {decided}; {outcome.message}")
    if outcome.amount is not None:
        out.say(f"  {outcome.amount} {outcome.owed or 'paid back'}")
    if outcome.return_id is not None:
        out.say(f"  asked back: write {outcome.return_id} on the parcel")
    for units in outcome.lines:
        out.say(f"  line {units.line_id}: {units.quantity}")
