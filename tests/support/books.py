"""The books of a shop, read with SQL of their own: what must hold once every order has ended."""

from __future__ import annotations

from domain.notifications.event_types import is_known
from store.database import Pool

# Each query finds what is wrong, one line of text per finding.
RULES = {
    "stock is the sum of its movements": """
        select s.sku || ' at ' || s.location
        from stock s
        left join (select sku, location, sum(on_hand_change) as on_hand,
                          sum(allocated_change) as allocated
                   from movement group by sku, location) m using (sku, location)
        where (s.on_hand, s.allocated)
              is distinct from (coalesce(m.on_hand, 0), coalesce(m.allocated, 0))
    """,
    "nothing stays allocated": """
        select sku || ' at ' || location from stock where allocated <> 0
        union all select fulfilment_id || ' still claims stock' from reservation where quantity <> 0
    """,
    "every order came to an end": """
        select order_id || ' is ' || decision from customer_order
        where decision in ('received', 'confirmed')
    """,
    "every unit is cancelled, delivered or lost": """
        select order_id || ' line ' || line_id from order_line join customer_order using (order_no)
        where ordered <> cancelled + delivered + lost
           or (allocated, picked, return_requested) <> (0, 0, 0)
    """,
    "what is paid for is what the customer has": """
        select order_id || ' line ' || line_id
        from order_line
        join customer_order using (order_no)
        left join order_line_money using (order_no, line_id)
        where coalesce(charged - refunded, 0) <> delivered - returned - coalesce(conceded, 0)
    """,
    "what was taken and kept is what the units are worth": """
        select order_no || ': ' || charged - refund_granted
        from order_money join (
            select order_no,
                   sum(case when includes_tax
                       then (goods_minor + tax_minor) * kept / ordered
                            + (shipping_minor + shipping_tax_minor) * kept / ordered
                       else goods_minor * kept / ordered + tax_minor * kept / ordered
                            + shipping_minor * kept / ordered
                            + shipping_tax_minor * kept / ordered end) as kept, count(*) as lines
            from (select order_no, includes_tax, ordered, coalesce(charged - refunded, 0) as kept,
                         shipping_minor, shipping_tax_minor,
                         goods_minor - coalesce((reduced).goods, 0) as goods_minor,
                         tax_minor - coalesce((reduced).tax, 0) as tax_minor
                  from order_line left join order_line_money using (order_no, line_id)) line
            group by order_no) worth using (order_no)
        left join (select order_no, sum((kept).goods + (kept).tax + (kept).shipping
                                        + (kept).shipping_tax) as fees
                   from refund group by order_no) fee using (order_no)
        where charged - refund_granted - coalesce(fees, 0) <> worth.kept
          -- Refunds for no unit, and without shipping, are known by their amounts alone.
          and not exists (select from refund r where r.order_no = order_money.order_no
                          and r.kind in ('units', 'shipping', 'goodwill', 'price_match', 'claim'))
          -- What was charged after something was paid back, and held by the order's limit.
          and not (worth.kept - (charged - refund_granted) between 0 and 4 * worth.lines
              and billed_after_refund)
    """,
    "no more is paid back than was charged": """
        select order_no::text from order_money where refund_granted > charged or refunded > captured
        union all select refund_id from refund where issued_minor > amount_minor
    """,
    "no money is left to settle": """
        select order_no::text from order_money
        where charged <> captured or capture_granted <> captured or refund_granted <> refunded
           or authorized <> captured + released
        union all select payment_key from payment where state in ('requested', 'unknown')
        union all select refund_id from refund where issued_minor - came_back_minor < amount_minor
    """,
    "the payment company has what we have": """
        select order_id from order_money
        join (select order_no, order_id from customer_order) its using (order_no)
        left join (
            select order_id, sum(amount_minor) filter (where kind = 'authorize') as authorized,
                   sum(amount_minor) filter (where kind = 'capture') as captured,
                   sum(amount_minor) filter (where kind = 'refund') as refunded
            from payment where provider = 'sandbox' and state = 'succeeded'
            group by order_id) ours using (order_id)
        left join (
            select order_id, sum(authorized_minor) as authorized, sum(captured_minor) as captured,
                   sum(refunded_minor) as refunded
            from sandbox.payment
            -- Given up here as never made; made there after all, and released.
            where not exists (
                select from sandbox.payment_call c join payment p on p.payment_key = c.key
                where c.payment_reference = sandbox.payment.reference and c.kind = 'authorize'
                  and c.code is null and p.state = 'failed')
            group by order_id) theirs using (order_id)
        where (coalesce(ours.authorized, 0), coalesce(ours.captured, 0),
               coalesce(ours.refunded, 0))
              <> (coalesce(theirs.authorized, 0), coalesce(theirs.captured, 0),
                  coalesce(theirs.refunded, 0))
        union all
        select order_id || ' holds money' from sandbox.payment
        where authorized_minor > captured_minor + released_minor
          and (expires_at is null or expires_at > moment())
    """,
    "the journal says what was paid": """
        select order_no from order_money left join (
            select e.order_no,
                   sum(p.amount_minor) filter (where p.account in (
                       'cash_in_transit', 'store_credit_liability', 'gift_card_liability',
                       'voucher_liability', 'exchange_clearing',
                       'trade_receivables')) as paid,
                   sum(p.amount_minor) filter (where p.account = 'refunds_payable') as payable
            from posting p join journal_entry e using (entry_id)
            where not starts_with(e.effect, 'dispute:') and not starts_with(e.effect, 'fee:')
            group by e.order_no) journal using (order_no)
        where captured - refunded <> coalesce(journal.paid, 0)
           or refunded - refund_granted <> coalesce(journal.payable, 0)
    """,
    "nothing is left on the way from a return to its exchange order": """
        select currency || ': ' || sum(amount_minor) from posting
        where account = 'exchange_clearing' group by currency having sum(amount_minor) <> 0
    """,
    "nothing is claimed, and nothing left to be sent, when all is over": """
        select e.order_no || ': ' || p.account
        from posting p join journal_entry e using (entry_id)
        where p.account in ('receivables', 'deferred_revenue', 'refunds_payable')
        group by e.order_no, p.account having sum(p.amount_minor) <> 0
    """,
    "no order is held when all is over": """
        select order_no || ': ' || note from order_hold where released_at is null
    """,
    "one label for each parcel that left, and none for another": """
        select f.fulfilment_id || ' has ' || count(l.id) || ' labels' as finding
        from fulfilment f
        left join shipment p using (order_no, fulfilment_id)
        left join sandbox.label l on l.fulfilment_id = f.fulfilment_id and not l.voided
        group by f.fulfilment_id, p.handed_over_at, p.sold_by
        having count(l.id) <> case when p.handed_over_at is null then 0
                                   when p.sold_by in ('counter', 'codes', 'supplier', 'workshop',
                                                      'appointment') then 0
                                   else 1 end
    """,
    "nobody is asked to do anything": """
        select order_no || ': ' || step from attention where resolved_at is null
        union all select fulfilment_id || ' is ' || state from fulfilment
        where state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped')
        union all select return_id || ' is ' || state from order_return
        where state in ('requested', 'approved')
    """,
}


async def faults_in(pool: Pool) -> list[str]:
    """Every rule that the books of this database break, with what breaks it.

    And every line of a story of which nobody has said whether others are told of it.
    """
    async with pool.acquire() as conn:
        words = await conn.fetch("select distinct event_word(effect, what) from order_event")
        return [
            f"{rule}: {row[0]}" for rule, query in RULES.items() for row in await conn.fetch(query)
        ] + [f"no event, and not none: {row[0]}" for row in words if not is_known(row[0])]
