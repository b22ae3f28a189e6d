"""The relay's duties for EDI."""

from __future__ import annotations

from typing import Final

from activities.edi.acting import Acting
from activities.edi.changes import Ask, EdiChanges
from activities.edi.exchange import EdiExchange
from activities.edi.inbox import EdiInbox
from activities.edi.orders import EdiOrders
from activities.edi.purchases import ANSWERS
from activities.edi.telling import EdiTelling
from activities.relay import Duty
from domain.orders.policy import Policy
from store.database import Pool
from store.edi import interchanges

_SWEEP_S: Final = 1.0


def edi_duties(pool: Pool, exchange: EdiExchange, usual: Policy, ask: Ask) -> list[Duty]:
    """Read what came, act on it, tell what is due, and carry it. `usual`: the orders' policy.

    `ask`: speaks to the workflows of orders.
    """
    changes = EdiChanges(pool, ask)
    acts = {"850": EdiOrders(usual).place, "860": changes.change, **ANSWERS}
    acting = Acting(pool, acts, changes.ask)
    return [
        Duty(EdiInbox(pool, acting).work_through, _SWEEP_S, interchanges.CHANNEL),
        Duty(EdiTelling(pool).tell, _SWEEP_S),
        Duty(exchange.carry, _SWEEP_S, beside=True),
    ]
