"""What tasks say in English beside the steps of orders, by its form.

`store/views/attention.sql` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TASKS: Final[Mapping[str, str]] = {
    "tasks_dispute": (
        r"(?P<name>\S+): (?P<dispute>(?:warning |appeal )?(?:needs response|under "
        "review|closed|prevented|lost|won)), (?P<note>.*)"
    ),
    "tasks_claim": "(?P<claim>missing|wrong|damaged|late): (?P<why>.+)",
    "tasks_not_read": "it was not understood",
    "tasks_parcel": "an unannounced parcel, for which its order was not asked yet",
    "tasks_not_written": "what is due to (?P<name>.+) cannot be written: (?P<why>.+)",
    "tasks_mails": r"(?P<n>[0-9]+) message\(s\) to customers wait: (?P<why>.+)",
    "tasks_no_worker": "no worker sends them",
    "tasks_events": r"events for (?P<name>\S+): (?P<why>.+)",
    "tasks_shop_refuses": "the shop does not do what it is asked: (?P<why>.+)",
    "tasks_shop_away": "the shop has not answered since (?P<at>.+ UTC): (?P<why>.+)",
    "tasks_shop_parcel": r"the shop of (?P<name>\S+) was not told of this parcel: (?P<why>.+)",
    "tasks_shop_levels": (
        r"the shop does not take the stock of (?P<n>[0-9]+) SKU\(s\): (?P<skus>.+)"
    ),
    "tasks_not_sent": "cannot be sent: (?P<why>.+)",
    "tasks_document": "(?P<code>[0-9]{3}) (?P<id>.+) of (?P<name>.+?): (?P<why>.+)",
    "tasks_carrier": r"carrier (?P<name>\S+): (?P<why>.+)",
    "tasks_differs": r"(?P<name>\S+): (?P<move>.+)",
}
"""As WHOLE. Only tasks are looked for here. The first form that fits."""
