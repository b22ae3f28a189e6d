"""Whether a label is bought for a return's parcel, and what it costs the customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.aftersales.return_rules import Asked, AskedLine
from domain.orders.return_messages import FAULT_OF_THE_SELLER


@dataclass(frozen=True)
class WantedLabel:
    """A label that is to be bought. `fee_minor`: what the customer pays for it. `service`: None:
    the one by which the order was sent.
    """

    fee_minor: int
    service: str | None


def wanted_label(asked: Asked) -> WantedLabel | None:
    """The label of a parcel with these lines; None: the customer sends it without one.

    It is free where that is so for one of them, and otherwise costs the highest fee of all.
    """
    lines = [line for line in asked.lines if line.terms.label in ("free", "paid")]
    if not lines:
        return None
    services = (line.terms.label_service for line in lines if line.terms.label_service)
    return WantedLabel(_fee(asked.lines, asked.currency), next(services, None))


def _fee(lines: Iterable[AskedLine], currency: str) -> int:
    fees = [
        _fee_of(line, currency)
        for line in lines
        if line.terms.label in ("free", "paid") or line.reason in FAULT_OF_THE_SELLER
    ]
    return 0 if 0 in fees else max(fees)


def _fee_of(line: AskedLine, currency: str) -> int:
    fee = line.terms.label_fee
    is_free = line.terms.label == "free" or line.reason in FAULT_OF_THE_SELLER
    return 0 if is_free or fee is None else fee.minor(currency) or 0
