"""Claimed goods that are asked back: they were paid back, or others were sent, so nothing is owed.

What comes is in stock again at the cost at which it left; what does not is chased, and then let be.
"""

from __future__ import annotations

from domain import ids
from domain.errors import Refused
from domain.orders.handling import NEVER_BACK
from store.aftersales import return_labels, return_rules, returns
from store.aftersales.claims import Claim
from store.database import Connection
from store.orders import events, orders


async def ask_back(conn: Connection, claim: Claim, *, who: str) -> str:
    """Expect the claimed units. Returns the return's id. The caller holds the order's lock.

    Raises Refused where there are none, or nothing that can be sent back.
    """
    if not claim.units:
        raise Refused("no units are claimed that could come back", reason="nothing_left")
    order_id = claim.order_id
    for line_id, handling in (await orders.handlings(conn, order_id)).items():
        if line_id in claim.units and handling in NEVER_BACK:
            reason, what = NEVER_BACK[handling]
            raise Refused(
                f"line {line_id} {what}: it cannot be sent back; decide without asking for it",
                reason=reason,
                instead=("decide_claim",),
            )
    return_id = ids.return_id(order_id, await returns.next_number(conn, order_id))
    await returns.create(
        conn,
        return_id,
        kind="claimed",
        fulfilment_id=None,
        units=claim.units,
        skus=await orders.skus(conn, order_id),
        reason=f"claim {claim.claim_id}: {claim.kind}",
        reason_codes=dict.fromkeys(
            claim.units, "wrong_item" if claim.kind == "wrong" else "damaged"
        ),
    )
    terms = await return_rules.terms_of(conn, order_id)
    labelled = [terms[line_id] for line_id in claim.units if terms[line_id].label != "none"]
    if labelled:
        await return_labels.want_free(conn, return_id, labelled[0].label_service)
    await events.tell(
        conn,
        order_id,
        f"ask_back:{claim.claim_id}",
        "claimed goods are asked back",
        who=who,
        data={"return_id": return_id, "claim_id": claim.claim_id, "units": claim.units},
    )
    return return_id
