-- What must be true of orders and their lines: each query finds what breaks it. See ../audit.sql.

-- name: line_adds_up()
select order_id, line_id, c.what
from order_line l
join customer_order using (order_no)
left join order_line_money m using (order_no, line_id)
cross join lateral (values
    ('ordered is not open + backordered + allocated + shipped + cancelled',
     ordered = open + backordered + allocated + shipped + cancelled
     and least(open, backordered, allocated, shipped, cancelled) >= 0),
    ('more units are picked than allocated', 0 <= picked and picked <= allocated),
    ('more units arrived or are lost than were shipped',
     least(delivered, lost) >= 0 and delivered + lost <= shipped),
    ('more units are sent back than were delivered',
     least(return_requested, returned) >= 0 and return_requested + returned <= delivered),
    ('refunded ≤ charged ≤ ordered does not hold',
     m.line_id is null or 0 <= refunded and refunded <= charged and charged <= ordered),
    ('credited ≤ invoiced ≤ ordered does not hold',
     m.line_id is null or 0 <= credited and credited <= invoiced and invoiced <= ordered),
    ('more units are paid for in advance than are to come',
     m.line_id is null or resent <= prepaid and prepaid <= ordered - shipped - cancelled)
) as c (what, holds)
where not c.holds
order by order_id, line_id;

-- name: total_is_its_lines()
-- The total of an order's present version is the worth of its lines.
select o.order_id, o.currency, o.total_minor,
       sum(goods_minor + tax_minor + shipping_minor + shipping_tax_minor) as lines_minor
from customer_order o join order_line using (order_no)
group by o.order_no
having o.total_minor <> sum(goods_minor + tax_minor + shipping_minor + shipping_tax_minor);

-- name: version_is_its_lines()
-- Of an order that was changed: each line of the document is ordered so, and one that is not in it is cancelled.
select o.order_id, l.line_id, l.ordered, coalesce((d.line ->> 'quantity')::bigint, 0) as told
from (select distinct order_no from order_version) changed
join customer_order o using (order_no)
join order_line l using (order_no)
left join lateral (select line from jsonb_array_elements(o.document -> 'lines') as a (line)
                   where line ->> 'line_id' = l.line_id) d on true
where case when d.line is null then l.cancelled < l.ordered
           else (d.line ->> 'quantity')::bigint <> l.ordered or d.line ->> 'sku' <> l.sku end;

-- name: order_is_in_its_state()
select o.order_id, k.what, k.kept, k.computed
from customer_order o join computed_order_state now using (order_no)
left join order_in_state listed using (order_no)
cross join lateral (values
    ('state', o.state, now.state),
    ('fulfilment status', o.fulfilment_status, now.fulfilment_status),
    ('state in lists', listed.state, nullif(now.state, 'closed'))
) as k (what, kept, computed)
where k.kept is distinct from k.computed
order by o.order_id, k.what;

-- name: line_is_its_parts()
-- What a line counts, against the claims, fulfilments and returns behind it. All of these change in
-- one transaction, so they agree at every moment. Picked goods of a recalled fulfilment count until
-- they are put back; a lost parcel's units count as shipped until others are sent for them.
with claimed as (
    select order_no, line_id, sum(quantity) as reserved
    from (select order_no, line_id, max(quantity) as quantity  -- a kit's parts are claimed together
          from reservation group by order_no, line_id, fulfilment_id) r
    group by order_no, line_id
), sent as (
    select l.order_no, l.line_id,
           sum(l.picked) filter (where f.state in ('picked', 'packed', 'labelled')
               or f.recalled_from in ('picked', 'packed', 'labelled') and put_back.effect is null)
               as picked,
           sum(l.picked) filter (where f.state in ('shipped', 'delivered', 'exception')) as sent,
           sum(l.picked) filter (where f.state = 'delivered') as delivered,
           sum(l.picked) filter (where lost.effect is not null) as lost_at_first,
           sum(coalesce((lost.data -> 'missing' ->> l.line_id)::bigint, 0)) as lost
    from fulfilment f
    join fulfilment_line l using (order_no, fulfilment_id)
    left join order_event put_back
        on f.recalled_from is not null
        and put_back.order_no = f.order_no and put_back.effect = 'put_back:' || f.fulfilment_id
    left join order_event lost
        on f.state = 'exception' and lost.order_no = f.order_no
        and lost.effect = 'reserve_again:' || f.fulfilment_id || ':shipped'
    group by l.order_no, l.line_id
), back as (
    select l.order_no, l.line_id,
           sum(l.quantity) filter (where r.kind = 'customer' and r.state in ('requested', 'approved', 'in_transit'))
               as requested,
           sum(l.restocked + l.scrapped + l.refurbished + l.to_supplier) filter (where r.kind = 'customer') as returned,
           sum(l.quantity) filter (where r.kind = 'undeliverable' and r.state <> 'approved' and not r.anew)
               as undeliverable
    from order_return r join return_line l using (order_no, return_id)
    group by l.order_no, l.line_id
), again as (  -- others went out for them, which count themselves
    select l.order_no, l.line_id, sum(l.quantity) as units
    from claim c join claim_line l using (order_no, claim_id) where c.decision = 'reship'
    group by l.order_no, l.line_id
)
select o.order_id, l.line_id, c.what, c.counted, coalesce(c.behind, 0) as behind
from order_line l
join customer_order o using (order_no)
left join claimed using (order_no, line_id)
left join again using (order_no, line_id)
left join sent using (order_no, line_id)
left join back using (order_no, line_id)
left join backorder waits using (order_no, line_id)
cross join lateral (values
    ('backordered', l.backordered, waits.quantity),
    ('allocated', l.allocated, claimed.reserved),
    ('picked', l.picked, sent.picked),
    ('shipped', l.shipped, sent.sent - (coalesce(sent.lost_at_first, 0) - coalesce(sent.lost, 0))
                           - coalesce(back.undeliverable, 0) - coalesce(again.units, 0)),
    ('delivered', l.delivered, sent.delivered - coalesce(again.units, 0)),
    ('lost', l.lost, sent.lost),
    ('to be returned', l.return_requested, back.requested),
    ('returned', l.returned, back.returned)
) as c (what, counted, behind)
where c.counted <> coalesce(c.behind, 0)
order by o.order_id, l.line_id, c.what;

-- name: settled_line_is_done()
select o.order_id, l.line_id, o.decision, c.what, c.units
from order_line l join customer_order o using (order_no)
cross join lateral (values
    ('open', l.open), ('backordered', l.backordered), ('allocated', l.allocated),
    ('picked', l.picked), ('on their way', l.shipped - l.delivered - l.lost),
    ('to be returned', l.return_requested)
) as c (what, units)
where o.decision in ('rejected', 'cancelled', 'closed') and c.units <> 0 and not is_reopened(o.order_no)
order by o.order_id, l.line_id, c.what;

-- name: settled_fulfilment_is_done()
select o.order_id, f.fulfilment_id, f.state, o.decision
from fulfilment f join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed')
  and f.state not in ('delivered', 'cancelled', 'exception')
order by o.order_id, f.fulfilment_id;
