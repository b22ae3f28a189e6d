"""Steps that need a person: the answers that they take, and how the others end."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Final

from domain.orders.continuation import Action

MEANING: Final[Mapping[Action, str]] = {
    "retry": "it is tried again",
    "done": "you did it by hand, and the note says how",
    "cancel": "it is given up, and its units are cancelled",
    "store_credit": "the customer gets the amount as store credit",
    "send_back": "the customer sends the goods back: the warehouse expects them",
    "charge": "the customer keeps the goods and pays for them, as an order of its own",
}
"""What follows from each answer."""

_ENDS: Final = {
    "pick_pack_ship": ("it ends when the warehouse reports it", "orderloom warehouse tasks"),
    "await_delivery": (
        "it ends with the carrier's next scan; if the carrier has lost the parcel",
        "orderloom carrier event TRACKING failure",
    ),
    "receive_return": (
        "it ends when the parcel is counted",
        "orderloom warehouse receive-return {part}",
    ),
    "receive_paid_return": (
        "it ends when the parcel is counted",
        "orderloom warehouse receive-return {part}",
    ),
    "return_label": (
        "the carrier is asked again by itself, and the return goes on without it",
        "orderloom returns show {part}",
    ),
    "workflow": ("it ends when the cause is mended", ""),
}
"""Steps that take no answer: what ends each of them, and the command for that."""


def answering(order_id: str, step: str, answers: str) -> str:
    """The command that answers a step that needs attention."""
    return f"orderloom resolve {order_id} {answers} --step {shlex.quote(step)} --note '…'"


def way_on(order_id: str, step: str, allowed: Iterable[str]) -> str:
    """What a person can do about a step that needs attention, in one line."""
    answers = "|".join(allowed)
    if answers:
        return f"decide: {answering(order_id, step, answers)}"
    how, command = how_it_ends(step)
    return f"nothing is to be decided: {how}{command and f': {command}'}"


def how_it_ends(step: str) -> tuple[str, str]:
    """What ends a step that takes no answer, and the command for that, if there is one."""
    name, _, part = step.partition(" ")
    how, command = _ENDS.get(name, ("it ends by itself", ""))
    return how, command.format(part=part)
