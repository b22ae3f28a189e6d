"""The books of a shop, read with SQL of their own: what must hold once every order has ended."""

from __future__ import annotations

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
        select order_id || ' is ' || decision from orders
        where decision in ('received', 'confirmed')
    """,
    "every unit is cancelled, delivered or lost": """
        select order_id || ' line ' || line_id from order_line
        where ordered <> cancelled + delivered + lost
           or (allocated, picked, return_requested) <> (0, 0, 0)
    """,
    "what is paid for is what the customer has": """
        select order_id || ' line ' || line_id from order_line
        where charged - refunded <> delivered - returned
    """,
    "the sums of money are what the units are worth": """
        select order_id || ': ' || captured || ' and ' || refunded
        from order_money join (
            select order_id,
                   sum(goods_minor * charged / ordered + tax_minor * charged / ordered
                       + shipping_minor * charged / ordered
                       + shipping_tax_minor * charged / ordered) as charged,
                   sum(goods_minor * refunded / ordered + tax_minor * refunded / ordered
                       + shipping_minor * refunded / ordered
                       + shipping_tax_minor * refunded / ordered) as paid_back
            from order_line group by order_id) worth using (order_id)
        where (captured, refunded) <> (worth.charged, worth.paid_back)
    """,
    "no money is left to settle": """
        select order_id from order_money
        where capture_granted <> captured or refund_granted <> refunded
           or (authorized > captured and not voided)
        union all select payment_key from payment where state in ('requested', 'unknown')
    """,
    "the payment company has what we have": """
        select order_id from order_money left join (
            select order_id, sum(authorized_minor) as authorized, sum(captured_minor) as captured,
                   sum(refunded_minor) as refunded
            from sandbox.payment group by order_id) theirs using (order_id)
        where (order_money.authorized, order_money.captured, order_money.refunded)
              <> (coalesce(theirs.authorized, 0), coalesce(theirs.captured, 0),
                  coalesce(theirs.refunded, 0))
        union all
        select order_id || ' holds money' from sandbox.payment
        where authorized_minor > captured_minor and not voided
    """,
    "the journal says what was paid": """
        select order_id from order_money left join (
            select e.order_id, sum(p.amount_minor) as cash
            from posting p join journal_entry e using (entry_id)
            where p.account = 'cash_in_transit' group by e.order_id) journal using (order_id)
        where captured - refunded <> coalesce(journal.cash, 0)
    """,
    "one label for each parcel that left, and none for another": """
        select f.fulfilment_id || ' has ' || count(l.id) || ' labels' as finding
        from fulfilment f
        left join parcel p using (fulfilment_id)
        left join sandbox.label l on l.fulfilment_id = f.fulfilment_id and not l.voided
        group by f.fulfilment_id, p.handed_over_at
        having count(l.id) <> case when p.handed_over_at is null then 0 else 1 end
    """,
    "nobody is asked to do anything": """
        select order_id || ': ' || step from attention where resolved_at is null
        union all select fulfilment_id || ' is ' || state from fulfilment
        where state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped')
        union all select return_id || ' is ' || state from order_return where state = 'approved'
    """,
}


async def faults_in(pool: Pool) -> list[str]:
    """Every rule that the books of this database break, with what breaks it."""
    async with pool.acquire() as conn:
        return [
            f"{rule}: {row[0]}" for rule, query in RULES.items() for row in await conn.fetch(query)
        ]
