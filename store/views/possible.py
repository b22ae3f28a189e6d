"""What rows say about which requests an order takes now. Reads only, and nothing is locked."""

from __future__ import annotations

from domain.aftersales import claims as rules
from domain.errors import NotFound
from domain.orders.goodwill import most_first
from domain.orders.policy import Policy
from domain.views.possible import OrderFacts, ParcelFacts
from store import clock
from store.aftersales import claims, return_rules
from store.database import Connection, load_queries
from store.orders import holds
from store.payments import payments, tallies

_sql = load_queries(__file__)


async def facts(conn: Connection, order_id: str) -> OrderFacts:
    """All of it, of one order. Raises NotFound."""
    row = await _sql.facts(conn, order_id=order_id)
    if row is None:
        raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
    policy = Policy.model_validate(row["policy"])
    found = await tallies.load(conn, order_id)
    standing = await claims.of_this_order(conn, order_id)
    ends, now = await return_rules.windows_of(conn, order_id), clock.now()
    late = {
        **dict.fromkeys(("return_items", "exchange_items"), ends.returns),
        "claim_items": ends.claims,
    }
    return OrderFacts(
        decision=row["decision"],
        claim=rules.Facts(found.charges, found.currency, **dict(standing)),
        handlings=row["handlings"],
        parcels=tuple(ParcelFacts(**each) for each in row["parcels"]),
        holds=tuple(await holds.standing(conn, order_id)),
        returns=tuple(row["returns"]),
        goodwill_asked=tuple(row["goodwill_asked"]),
        goodwill_roles=most_first(policy.goodwill_roles, found.currency),
        open_claims=row["open_claims"],
        provider=row["provider"] or "",
        charges_by_hand=policy.charge == "manual" and found.charges.left_to_charge > 0,
        awaits_payment=row["awaits_payment"],
        is_disputed=bool(await payments.why_no_refund(conn, order_id)),
        is_erased=row["is_erased"],
        has_vouchers=row["has_vouchers"],
        late={asked: end for asked, end in late.items() if end is not None and end < now},
        match_is_over=now > row["placed_at"] + policy.price_match_within,
    )
