"""What refusals say in English beside the code of their rule, with its numbers, by its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_AMOUNT: Final = "[0-9.]+ [A-Z]{3}"
_LINE: Final = r"line (?P<line>\S+): (?P<n>[0-9,]+)"
_CAN: Final = "(?P<most>[0-9,]+)"

REFUSALS: Final[Mapping[str, str]] = {
    "no_return": rf"{_LINE} cannot be returned; {_CAN}(?: of .+)? can",
    "no_units_back": rf"{_LINE} cannot be paid back; {_CAN} can: .+",
    "no_claim": rf"{_LINE} cannot be claimed; {_CAN} can: .+",
    "no_amount_back": (
        rf"(?P<amount>{_AMOUNT}) is more than the (?P<other_amount>{_AMOUNT}) that can be paid back"
    ),
    "no_shipping_back": "no shipping and no fee is charged that could be paid back",
    "no_late_return": (
        r"line (?P<line>\S+): the return window ended on (?P<at>.+); "
        "customer service can take it .+"
    ),
}
"""As WHOLE. Only beside what was refused are these looked for."""
