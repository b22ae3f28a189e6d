-- The invariants of docs/architecture.md, checked as whole sets. Each query finds what breaks one
-- of them; all run in one snapshot. Rows that may be under way in a working system are left out by
-- their state. `_minor` columns are in minor units of `currency`. Settled: the order's decision is
-- final.

-- name: counts()^
-- How much there is to check.
select (select count(*) from stock) as stock_rows,
       (select count(*) from customer_order) as orders,
       (select count(*) from payment) as payments,
       (select count(*) from journal_entry) as journal_entries,
       (select count(*) from shipment) as parcels,
       (select count(*) from purchase_order) as purchase_orders,
       (select count(*) from payment where provider not in ('sandbox', 'by_hand', 'store_credit', 'gift_card', 'voucher', 'elsewhere', 'exchange',
                                                          'on_account'))
           as not_compared;

-- name: unfinished()
select order_id from customer_order where decision in ('received', 'confirmed')
union all
select order_id from effect join customer_order using (order_no) where ended_at = 'infinity';

-- name: decisions(order_ids)
select order_id,
       case when decision = 'closed' and is_reopened(order_no) then 'closed with late requests'
            else decision end as decision
from customer_order where order_id = any(:order_ids::text[]);

-- name: owners(subjects)
-- Whose they are: orders, purchase orders and locations.
select order_id as subject, seller from customer_order where order_id = any(:subjects::text[])
union all
select po_id, seller from purchase_order join location using (location) where po_id = any(:subjects::text[])
union all
select location, seller from location where location = any(:subjects::text[]);

-- name: open_purchases()
select po_id from purchase_order where state not in ('closed', 'cancelled');

-- name: purchase_states(po_ids)
select po_id, state from purchase_order where po_id = any(:po_ids::text[]);

-- Stock ------------------------------------------------------------------------------------------

-- name: stock_is_its_movements()
select s.sku, s.location, c.what, c.kept, c.moved
from stock s
left join (
    select sku, location, sum(on_hand_change) as on_hand, sum(allocated_change) as allocated
    from movement group by sku, location
) m using (sku, location)
cross join lateral (values ('on hand', s.on_hand, coalesce(m.on_hand, 0)),
                           ('allocated', s.allocated, coalesce(m.allocated, 0)))
    as c (what, kept, moved)
where c.kept <> c.moved
order by s.sku, s.location, c.what;

-- name: allocated_is_reserved()
select s.sku, s.location, s.allocated, coalesce(r.reserved, 0) as reserved
from stock s
left join (
    select sku, location, sum(quantity * per_unit) as reserved
    from reservation where quantity > 0 group by sku, location
) r using (sku, location)
where s.allocated <> coalesce(r.reserved, 0)
order by s.sku, s.location;

-- name: soft_reserved_is_there()
-- Soft reservations of baskets and backorders, against the units that nobody has allocated.
select s.sku, s.location, r.quantity, s.on_hand - s.allocated as unallocated
from stock s
join (
    select sku, location, sum(quantity) as quantity from soft_reservation
    where expires_at is null or expires_at > transaction_moment() group by sku, location
) r using (sku, location)
where r.quantity > s.on_hand - s.allocated
order by s.sku, s.location;

-- name: soft_reserved_is_waited_for()
select o.order_id, b.line_id, sum(r.quantity) as quantity, b.quantity as waits
from soft_reservation r
join backorder b using (order_no, line_id)
join customer_order o using (order_no)
group by b.order_no, b.line_id, o.order_no
having sum(r.quantity) > b.quantity
order by o.order_id, b.line_id;

-- name: transfer_is_its_movements()
-- What a transfer says left and arrived, against what was booked where.
select t.transfer_id, l.sku, c.what, c.kept, c.moved
from transfer t join transfer_line l using (transfer_id)
cross join lateral (
    select -coalesce(sum(on_hand_change) filter (where location = t.from_location), 0) as sent,
           coalesce(sum(on_hand_change) filter (where location = t.to_location), 0) as arrived
    from movement m
    where m.sku = l.sku and m.kind = 'transferred'
      and starts_with(m.effect, 'transfer:' || t.transfer_id || ':')
) m
cross join lateral (values
    ('sent', l.sent, m.sent), ('arrived', l.arrived, m.arrived),
    ('on their way', case when t.closed_at is null then 0 else l.sent - l.arrived - l.lost end, 0)
) as c (what, kept, moved)
where c.kept <> c.moved
order by t.transfer_id, l.sku, c.what;

-- name: goods_are_their_movements()
-- What parcels and returns hold, against what was booked for them: of a kit, each of its parts.
with made_of as (
    select distinct order_no, line_id, sku, per_unit from reservation
), counted as (
    select 'ship:' || f.fulfilment_id as effect, r.sku, -sum(l.picked * r.per_unit) as units
    from fulfilment f
    join fulfilment_line l using (order_no, fulfilment_id)
    join reservation r using (order_no, fulfilment_id, line_id)
    where f.state in ('shipped', 'delivered', 'exception')
    group by f.fulfilment_id, r.sku
    union all
    select 'return:' || l.return_id, m.sku, sum(
        (l.restocked + l.scrapped + l.refurbished + l.to_supplier) * m.per_unit)
    from return_line l join made_of m using (order_no, line_id)
    group by l.return_id, m.sku
    union all
    select 'scrap:' || l.return_id, m.sku, -sum(l.scrapped * m.per_unit)
    from return_line l join made_of m using (order_no, line_id)
    group by l.return_id, m.sku
    union all
    select 'supplier:' || l.return_id, m.sku, -sum(l.to_supplier * m.per_unit)
    from return_line l join made_of m using (order_no, line_id)
    group by l.return_id, m.sku
), booked as (
    select effect, sku, sum(on_hand_change) as units from movement
    where kind in ('shipped', 'returned', 'to_supplier') or kind = 'written_off' and starts_with(effect, 'scrap:')
    group by effect, sku
)
select split_part(effect, ':', 1) as what, regexp_replace(effect, '^[^:]*:', '') as part_id, sku,
       coalesce(c.units, 0) as units, coalesce(b.units, 0) as moved
from counted c full join booked b using (effect, sku)
where coalesce(c.units, 0) <> coalesce(b.units, 0)
order by effect, sku;

-- name: stock_not_oversold()
select sku, location, on_hand, allocated from stock
where not (0 <= allocated and allocated <= on_hand)
order by sku, location;

-- name: codes_are_stock()
-- Of what is digital, each unit on hand is a code to sell, and each code is a unit.
select s.sku, s.location, s.on_hand, coalesce(c.free, 0) as free
from stock s join item i using (sku)
left join (select sku, location, count(*) filter (where given_at is null) as free
           from licence group by sku, location) c using (sku, location)
where (i.handling = 'digital' or c.sku is not null) and s.on_hand <> coalesce(c.free, 0)
order by s.sku, s.location;

-- name: codes_are_given()
-- What was handed over of digital goods are as many codes.
select f.fulfilment_id, w.units, g.given
from fulfilment f
cross join lateral (
    select coalesce(sum(l.picked * r.per_unit), 0) as units
    from fulfilment_line l join reservation r using (order_no, fulfilment_id, line_id)
    where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id) w
cross join lateral (
    select count(*) as given from licence c where c.order_no = f.order_no and c.fulfilment_id = f.fulfilment_id) g
where f.handling = 'digital'
  and g.given <> case when f.state in ('shipped', 'delivered', 'exception') then w.units else 0 end
order by f.order_no, f.fulfilment_id;

-- name: work_is_where_its_goods_are()
-- A workshop that has begun has its goods, and what it has done has left.
select f.fulfilment_id, w.state as work, f.state
from outside_work w join fulfilment f using (order_no, fulfilment_id)
where f.state = 'cancelled' and w.state in ('begun', 'done') or f.state = 'labelled' and w.state = 'done'
order by f.order_no, f.fulfilment_id;

-- Lines ------------------------------------------------------------------------------------------

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

-- Money ------------------------------------------------------------------------------------------

-- name: money_in_order()
select order_id, order_money.currency, charged as charged_minor, authorized as authorized_minor,
       capture_granted as capture_granted_minor, captured as captured_minor,
       refund_granted as refund_granted_minor, refunded as refunded_minor, released as released_minor
from order_money join customer_order using (order_no)
where not (0 <= refunded and refunded <= refund_granted and refund_granted <= charged
           and refunded <= captured and captured <= capture_granted and capture_granted <= charged
           and 0 <= released and capture_granted + released <= authorized)
order by order_id;

-- name: money_is_its_payments()
-- The sums of an order against its charges, payments and refunds; and those of each authorization, charge
-- and refund against the operations that are about it. What was charged by hand needs no authorization:
-- it counts as one.
with paid as (
    select order_no,
           sum(amount_minor) filter (where
               kind = 'authorize' and state = 'succeeded'
               or kind = 'capture' and provider = 'by_hand' and state <> 'failed') as authorized,
           sum(amount_minor) filter (where kind = 'capture' and state <> 'failed')
               as capture_granted,
           sum(amount_minor) filter (where kind = 'capture' and state = 'succeeded') as captured,
           -- What a company has paid back beyond what was charged is of no refund, and in no sum.
           sum(amount_minor) filter (
               where kind = 'refund' and state = 'succeeded'
                 and (part_of is not null or strpos(payment_key, ':elsewhere:') = 0)) as refunded,
           sum(released) as released,
           count(*) filter (where kind = 'void' and state = 'succeeded') as voids
    from payment group by order_no
), due as (
    select order_no, sum(amount_minor) as charged, sum(captured_minor) as captured
    from charge group by order_no
), owed as (
    select order_no, sum(amount_minor) as granted, sum(issued_minor - came_back_minor) as issued
    from refund group by order_no
), about as (
    select order_no, authorization_key,
           sum(amount_minor) filter (where kind = 'capture' and state <> 'failed')
               as capture_granted,
           sum(amount_minor) filter (where kind = 'capture' and state = 'succeeded') as captured,
           sum(amount_minor) filter (where kind = 'refund' and state <> 'failed')
               as refund_granted,
           sum(amount_minor) filter (where kind = 'refund' and state = 'succeeded') as refunded
    from payment where authorization_key is not null group by order_no, authorization_key
), issued as (
    select order_no, part_of as refund_id, sum(amount_minor) as issued
    from payment where kind = 'refund' and state = 'succeeded' group by order_no, part_of
)
select o.order_id, m.currency, c.what, c.kept as kept_minor, coalesce(c.done, 0) as done_minor
from order_money m
join customer_order o using (order_no)
left join paid using (order_no)
left join due using (order_no)
left join owed using (order_no)
cross join lateral (values
    ('charged', m.charged, due.charged),
    ('captured of what is charged', m.captured, due.captured),
    ('authorized', m.authorized, paid.authorized),
    ('asked to be captured', m.capture_granted, paid.capture_granted),
    ('captured', m.captured, paid.captured),
    ('owed back', m.refund_granted, owed.granted),
    ('refunded', m.refunded, paid.refunded),
    ('paid back of what is owed', m.refunded, owed.issued),
    ('released', m.released, paid.released)
) as c (what, kept, done)
where c.kept <> coalesce(c.done, 0)
union all
select a.order_id, a.currency, c.what || ' by ' || a.payment_key, c.kept, coalesce(c.done, 0)
from payment a
left join about on about.order_no = a.order_no and about.authorization_key = a.payment_key
cross join lateral (values
    ('authorized', (select t.amount_minor from payment_authorization t
                    where t.order_no = a.order_no and t.authorization_key = a.payment_key), a.amount_minor),
    ('asked to be captured', a.capture_granted, about.capture_granted),
    ('captured', a.captured, about.captured),
    ('asked to be refunded', a.refund_granted, about.refund_granted),
    ('refunded', a.refunded, about.refunded)
) as c (what, kept, done)
where a.kind = 'authorize' and c.kept is distinct from coalesce(c.done, 0)
union all
select o.order_id, r.currency, 'paid back for ' || r.refund_id, r.issued_minor - r.came_back_minor,
       coalesce(issued.issued, 0)
from refund r join customer_order o using (order_no) left join issued using (order_no, refund_id)
where r.issued_minor - r.came_back_minor <> coalesce(issued.issued, 0)
union all
select o.order_id, m.currency, 'captured for ' || c.charge_id, c.captured_minor,
       coalesce(sum(p.amount_minor), 0)
from charge c
join customer_order o using (order_no)
join order_money m using (order_no)
left join payment p on p.order_no = c.order_no and p.kind = 'capture' and p.state = 'succeeded'
    and p.part_of = c.charge_id
group by o.order_id, c.charge_id, c.captured_minor, m.currency
having c.captured_minor <> coalesce(sum(p.amount_minor), 0)
union all
select o.order_id, m.currency,
       case when m.voided then 'voided, without a void among its payments;'
            else 'not voided, with a void among its payments;' end, 0, 0
from order_money m join customer_order o using (order_no) left join paid using (order_no)
where m.voided <> (coalesce(paid.voids, 0) > 0)
order by order_id, what;

-- name: money_is_worth_of_units()
-- What is charged and not owed back, against the worth of the units that are charged and not paid
-- back, and what was invoiced against the worth of the units that went out (first_net, first_tax). To the
-- cent in the end, where nothing was billed that was decided after a refund; what is on record of either can come in another
-- sequence. Until then, and there, the sequence moves at most one minor unit per line, component,
-- and entry of the journal. Refunds for no unit, and of units without their shipping, are known by
-- their amounts alone. What the seller keeps when goods come back is worth of no unit. A lower price that was met
-- before a line was charged is known by the line.
with line as (
    select order_no, coalesce(charged - refunded, 0) as kept, coalesce(invoiced, 0) as invoiced, ordered,
           goods_minor::numeric - coalesce((reduced).goods, 0) as goods,
           tax_minor::numeric - coalesce((reduced).tax, 0) as tax,
           shipping_minor::numeric as shipping, shipping_tax_minor::numeric as shipping_tax,
           includes_tax as incl
    from order_line left join order_line_money using (order_no, line_id)
), worth as (
    select order_no, count(*) as lines,
           sum(first_net(goods, tax, kept, ordered, incl)
               + first_net(shipping, shipping_tax, kept, ordered, incl)) as net,
           sum(first_tax(goods, tax, kept, ordered, incl)
               + first_tax(shipping, shipping_tax, kept, ordered, incl)) as tax,
           sum(first_net(goods, tax, invoiced, ordered, incl)) as goods_out,
           sum(first_net(shipping, shipping_tax, invoiced, ordered, incl)) as shipping_out,
           sum(first_tax(goods, tax, invoiced, ordered, incl)
               + first_tax(shipping, shipping_tax, invoiced, ordered, incl)) as tax_out
    from line group by order_no
), booked as (
    select e.order_no, count(distinct e.entry_id) as entries,
           coalesce(sum(-p.amount_minor) filter (where p.account in ('revenue', 'rounding')), 0)
               as goods,
           coalesce(sum(-p.amount_minor) filter (where p.account = 'shipping_income'), 0)
               as shipping,
           coalesce(sum(-p.amount_minor) filter (where p.account = 'tax_payable'
               and starts_with(e.effect, 'invoice:')), 0) as tax
    from journal_entry e join posting p using (entry_id) group by e.order_no
), given as (
    select order_no,
           sum((kept).goods + (kept).tax + (kept).shipping + (kept).shipping_tax) as kept,
           bool_or(kind in ('units', 'shipping', 'goodwill', 'price_match', 'claim', 'elsewhere')) as by_amount
    from refund group by order_no
)
select o.order_id, m.currency, c.rule, c.what, c.kept as kept_minor, c.worth as worth_minor
from order_money m
join customer_order o using (order_no)
join worth using (order_no)
left join booked using (order_no)
left join given using (order_no)
cross join lateral (values
    ('money', 'charged and not owed back', m.charged - m.refund_granted - coalesce(given.kept, 0),
     worth.net + worth.tax),
    ('ledger', 'booked as revenue', coalesce(booked.goods, 0), goods_out),
    ('ledger', 'booked as tax', coalesce(booked.tax, 0), tax_out),
    ('ledger', 'booked as shipping', coalesce(booked.shipping, 0), shipping_out)
) as c (rule, what, kept, worth)
where not coalesce(given.by_amount, false) and abs(c.kept - c.worth) > case
    when o.decision in ('rejected', 'cancelled', 'closed') and not m.billed_after_refund then 0
    else 4 * lines * (coalesce(booked.entries, 0) + 2) end
order by o.order_id, c.what;

-- name: refund_is_within_what_was_charged()
-- Of each component no more is given back than all units that were charged are worth; or all there are,
-- where the charge was refused after one of several means had paid its part.
with given as (
    select order_no, sum(goods_minor) as goods, sum(tax_minor) as tax,
           sum(shipping_minor) as shipping, sum(shipping_tax_minor) as shipping_tax
    from refund group by order_no
), taken as (
    select order_no, sum(goods_minor) as goods, sum(tax_minor) as tax,
           sum(shipping_minor) as shipping, sum(shipping_tax_minor) as shipping_tax
    from order_line l left join order_line_money m using (order_no, line_id)
    where m.charged > 0 or not exists (
        select from order_line_money other where other.order_no = l.order_no and other.charged > 0)
    group by order_no
)
select order_id, m.currency, c.what, c.given as given_minor, coalesce(c.taken, 0) as taken_minor
from given
join order_money m using (order_no)
join customer_order using (order_no)
left join taken using (order_no)
cross join lateral (values
    ('goods', given.goods, taken.goods), ('tax', given.tax, taken.tax),
    ('shipping', given.shipping, taken.shipping),
    ('tax on shipping', given.shipping_tax, taken.shipping_tax)
) as c (what, given, taken)
where c.given > coalesce(c.taken, 0)
order by order_id, c.what;

-- name: settled_line_is_paid()
-- In the end the customer has paid for what went out and neither came back nor got lost, nor was
-- paid back as it is.
select o.order_id, l.line_id, coalesce(m.charged, 0) as charged, coalesce(m.refunded, 0) as refunded,
       l.shipped, l.returned, l.lost, coalesce(m.conceded, 0) as conceded
from order_line l
join customer_order o using (order_no)
left join order_line_money m using (order_no, line_id)
where o.decision in ('rejected', 'cancelled', 'closed')
  and coalesce(m.charged - m.refunded, 0) <> l.shipped - l.returned - l.lost - coalesce(m.conceded, 0)
order by o.order_id, l.line_id;

-- name: tally_is_its_parts()
-- What a line counts of its money, against the charges, refunds and invoices behind it. All of these change
-- in one transaction, so they agree at every moment.
with charged as (
    select order_no, u.key as line_id, sum(u.value::bigint) as units
    from charge, jsonb_each(units) u group by order_no, u.key
), refunded as (
    select order_no, u.key as line_id, sum(u.value::bigint) as units
    from refund, jsonb_each(units) u group by order_no, u.key
), invoiced as (
    select order_no, l ->> 'line_id' as line_id, sum((l ->> 'quantity')::bigint) as units
    from document, jsonb_array_elements(content -> 'lines') l
    where kind = 'invoice' group by order_no, l ->> 'line_id'
), back as (
    select order_no, line_id, sum(quantity) as units
    from order_return join return_line using (order_no, return_id)
    where paid_early and state = 'in_transit' group by order_no, line_id
)
select o.order_id, l.line_id, c.what, coalesce(c.counted, 0) as counted, coalesce(c.behind, 0) as behind
from order_line l
join customer_order o using (order_no)
left join order_line_money m using (order_no, line_id)
left join charged using (order_no, line_id)
left join refunded using (order_no, line_id)
left join invoiced using (order_no, line_id)
left join back using (order_no, line_id)
cross join lateral (values
    ('charged', m.charged, charged.units), ('refunded', m.refunded, refunded.units),
    ('invoiced', m.invoiced, invoiced.units), ('paid back on their way', m.on_way, back.units)
) as c (what, counted, behind)
where coalesce(c.counted, 0) <> coalesce(c.behind, 0)
order by o.order_id, l.line_id, c.what;

-- name: tallies_add_up()
-- The amounts of an order's lines, against its charges, its refunds and its documents. A refund of a mere
-- amount is of no line, and can leave a later one, or an invoice, less to give. A refund with a charge's id
-- gives back what was paid of a refused charge, which is no more counted for any line.
with line as (
    select order_no,
           sum((charged_worth).goods + (charged_worth).tax
               + (charged_worth).shipping + (charged_worth).shipping_tax) as charged,
           sum((refunded_worth).goods + (refunded_worth).tax
               + (refunded_worth).shipping + (refunded_worth).shipping_tax) as refunded,
           sum((invoiced_worth).goods + (invoiced_worth).tax
               + (invoiced_worth).shipping + (invoiced_worth).shipping_tax
               - (credited_worth).goods - (credited_worth).tax
               - (credited_worth).shipping - (credited_worth).shipping_tax) as invoiced
    from order_line_money group by order_no
), due as (
    select order_no, sum(amount_minor) as charged from charge c
    where not exists (select from refund r
                      where r.order_no = c.order_no and r.refund_id = c.charge_id)
    group by order_no
), given as (
    select order_no, sum(amount_minor + k.kept) as refunded, sum(k.kept) as kept,
           bool_or(kind in ('shipping', 'goodwill', 'claim', 'elsewhere')) as by_amount
    from refund r
    cross join lateral (
        select (r.kept).goods + (r.kept).tax + (r.kept).shipping + (r.kept).shipping_tax as kept) k
    where not exists (select from charge c
                      where c.order_no = r.order_no and c.charge_id = r.refund_id)
    group by order_no
), printed as (
    select order_no, sum(case kind when 'invoice' then amount_minor else -amount_minor end) as invoiced
    from document group by order_no
)
select o.order_id, m.currency, c.what, coalesce(c.kept, 0) as kept_minor, coalesce(c.done, 0) as done_minor
from order_money m
join customer_order o using (order_no)
left join line using (order_no)
left join due using (order_no)
left join given using (order_no)
left join printed using (order_no)
cross join lateral (values
    ('charged', line.charged, due.charged, false),
    ('refunded', line.refunded, given.refunded, given.by_amount),
    ('invoiced', line.invoiced, printed.invoiced - coalesce(given.kept, 0), given.by_amount)
) as c (what, kept, done, inexact)
where not coalesce(c.inexact, false) and coalesce(c.kept, 0) <> coalesce(c.done, 0)
order by o.order_id, c.what;

-- name: settled_money_is_done()
-- Nothing is owed, but for what a bank sent back while a person is asked about it, and for what came late;
-- nothing is held, no outcome is open. What an operator did by hand, outside, is on record as the resolution of the step.
select o.order_id, m.currency, o.decision, 'still owed' as what,
       m.refund_granted - m.refunded as amount_minor
from order_money m
join customer_order o using (order_no)
left join (
    select order_no, sum(r.came_back_minor) as amount_minor
    from refund r
    where exists (
        select from payment p join attention a using (order_no)
        where p.order_no = r.order_no and p.part_of = r.refund_id and p.state = 'failed'
          and a.step = 'refund_failed ' || p.payment_key and a.resolved_at is null)
    group by order_no
) asked using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed')
  and m.refund_granted <> m.refunded + coalesce(asked.amount_minor, 0) and not is_reopened(o.order_no)
union all
select o.order_id, m.currency, o.decision, 'still to be paid by the customer', m.charged - m.captured
from order_money m join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed') and m.charged <> m.captured
union all
select o.order_id, m.currency, o.decision, 'still held on the customer''s card',
       m.authorized - m.captured - m.released
from order_money m join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed')
  and m.authorized <> m.captured + m.released and not exists (
    select from attention a
    where a.order_no = m.order_no and a.step = 'void_payment ' || o.order_id
      and starts_with(a.resolution, 'done:'))
union all
select o.order_id, p.currency, o.decision,
       'of ' || p.payment_key || ' without a known outcome (' || p.state || ')', p.amount_minor
from payment p join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed') and p.state in ('requested', 'unknown')
  and not is_reopened(o.order_no)
order by order_id, what;

-- name: dispute_is_held()
-- What a bank took back, and may keep: no more of the order is refunded, and the books say where it is. In
-- another currency than the order's, a person books it.
select o.order_id, m.currency, m.disputed as held_minor, coalesce(d.disputed, 0) as disputed_minor,
       coalesce(b.booked, 0) as booked_minor
from order_money m
join customer_order o using (order_no)
left join (
    select order_no, sum(amount_minor) filter (where t.currency = its.currency) as disputed,
           bool_or(t.currency <> its.currency) as abroad
    from dispute t join (select order_no, currency from order_money) its using (order_no)
    where state in ('needs_response', 'under_review', 'appeal_needs_response',
                    'appeal_under_review', 'lost')
    group by order_no
) d using (order_no)
left join (
    select e.order_no, sum(p.amount_minor) as booked
    from journal_entry e join posting p using (entry_id)
    where starts_with(e.effect, 'dispute:') and p.account in ('disputes', 'write_offs')
    group by e.order_no
) b using (order_no)
where m.disputed <> coalesce(d.disputed, 0) or m.disputed <> coalesce(b.booked, 0)
   or m.disputed_abroad <> coalesce(d.abroad, false)
order by o.order_id;

-- name: settled_order_is_not_held()
select o.order_id, h.reason, h.note, o.decision
from order_hold h join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed') and h.released_at is null
order by o.order_id, h.hold_id;

-- name: exchange_is_even()
-- What a return has paid to its exchange order is what that has authorized of it, and neither released nor given
-- back; once both have ended, nothing is left on the way between them. But while an amount goes back.
select e.exchange_order_id as order_id, e.return_id, e.currency, coalesce(g.given, 0) as given_minor,
       e.authorized_minor as used_minor
from exchange_standing e
left join lateral (
    select sum(amount_minor) as given from payment p
    where p.order_no = e.order_no and p.part_of = e.return_id and p.kind = 'refund'
      and p.provider = 'exchange' and p.authorization_key is null and p.state = 'succeeded'
) g on true
where e.settled_at is not null and coalesce(g.given, 0) <> e.authorized_minor
  and not exists (select from exchange_payback b
                  where (b.order_no, b.return_id) = (e.order_no, e.return_id) and b.ended_at is null)
  and not exists (select from payment p where p.order_no = e.exchange_no and p.state in ('requested', 'unknown'))
order by order_id;

-- name: payments_under_way()
-- Asked for, and no outcome yet: not wrong, as long as the order is open.
select o.order_id, o.seller, p.payment_key, p.kind, p.state, p.amount_minor, p.currency, p.requested_at
from payment p join customer_order o using (order_no)
where p.state in ('requested', 'unknown') and o.decision in ('received', 'confirmed')
order by p.requested_at, p.payment_key;

-- Ledger -----------------------------------------------------------------------------------------

-- name: entry_balances()
select coalesce(o.order_id, e.effect) as order_id, e.effect,
       coalesce(p.currency, m.currency) as currency,
       coalesce(sum(p.amount_minor), 0) as sum_minor, count(p.account) as postings
from journal_entry e
left join posting p using (entry_id)
left join order_money m using (order_no)
left join customer_order o using (order_no)
group by e.entry_id, p.currency, m.currency, o.order_no
having coalesce(sum(p.amount_minor), 0) <> 0 or count(p.account) = 0
order by o.order_id, e.effect;

-- name: entry_is_a_payment()
-- Every capture and refund that succeeded is booked once, with its amount, and so is a refund that came
-- back; and no other entry moves an order's cash, but for what companies and banks keep of it.
select coalesce(p.order_id, e.order_id) as order_id, coalesce(p.payment_key, e.effect) as payment_key,
       coalesce(p.currency, e.currency) as currency, coalesce(p.amount, 0) as paid_minor,
       coalesce(e.moved, 0) as booked_minor
from (
    select order_id, payment_key, currency,
           case kind when 'refund' then -amount_minor else amount_minor end as amount
    from payment
    where kind in ('capture', 'refund') and amount_minor > 0
      and (state = 'succeeded' or code = 'came_back')
    union all
    select order_id, payment_key || ':came_back', currency, amount_minor
    from payment where code = 'came_back'
) p
full join (
    select o.order_id, e.effect, coalesce(p.currency, min(m.currency)) as currency,
           sum(p.amount_minor) filter (where p.account in (
               'cash_in_transit', 'store_credit_liability', 'gift_card_liability', 'voucher_liability',
               'exchange_clearing', 'trade_receivables', 'write_offs')) as moved,  -- what a bank has paid back was written off before
           count(*) filter (where p.account = 'cash_in_transit') as cash,
           count(*) filter (where p.account in ('provider_fees', 'disputes')) as kept
    from journal_entry e
    left join posting p using (entry_id)
    left join order_money m using (order_no)
    join customer_order o using (order_no)
    where not starts_with(e.effect, 'dispute:')
    group by e.entry_id, p.currency, o.order_no
) e on (e.effect, e.order_id, e.currency) = (p.payment_key, p.order_id, p.currency)
where coalesce(p.amount, 0) <> coalesce(e.moved, 0)
  and (p.payment_key is not null or e.cash > 0 and e.kept = 0)
order by order_id, payment_key;

-- name: entry_is_before_its_closing()
select coalesce(o.order_id, e.effect) as order_id, e.effect, e.booked_on, c.through
from journal_entry e left join customer_order o using (order_no)
cross join lateral (
    select min(through) as through from closing
    where seller = e.seller and through >= e.booked_on and closed_at < e.at
) c
where c.through is not null
order by order_id, e.effect;

-- name: inventory_is_stock()
-- Units that a seller owns: on its shelves, and under way from there.
select sku, seller, coalesce(h.quantity, 0) as quantity, coalesce(o.units, 0) as owned
from holding h
full join (
    select sku, seller, sum(units) as units from (
        select sku, location, on_hand as units from stock
        union all
        select l.sku, t.from_location, l.sent - l.arrived - l.lost
        from transfer_line l join transfer t using (transfer_id)
    ) there join location using (location)
    group by sku, seller
) o using (sku, seller)
where coalesce(h.quantity, 0) <> coalesce(o.units, 0)
order by sku, seller;

-- name: inventory_value_is_booked()
-- What a seller's units of a SKU have cost, and their share of what it has booked as inventory. No units have
-- cost nothing.
select sku, seller, currency, c.what, coalesce(v.value_minor, 0) as kept_minor, c.said as said_minor
from inventory_value v
full join (
    select g.sku, e.seller, g.currency, sum(g.value_minor) as value_minor
    from inventory_posting g join journal_entry e using (entry_id)
    group by g.sku, e.seller, g.currency
) p using (sku, seller, currency)
left join holding h using (sku, seller)
cross join lateral (values
    ('its movements', coalesce(p.value_minor, 0)),
    ('there are none of it', case when h.quantity > 0 then coalesce(v.value_minor, 0) else 0 end)
) as c (what, said)
where coalesce(v.value_minor, 0) <> c.said
order by sku, seller, currency, c.what;

-- name: inventory_account_is_its_goods()
select coalesce(o.order_id, e.effect) as order_id, e.effect, currency,
       coalesce(p.amount_minor, 0) as booked_minor, coalesce(g.value_minor, 0) as goods_minor
from (select * from posting where account = 'inventory') p
full join (
    select entry_id, currency, sum(value_minor) as value_minor from inventory_posting
    group by entry_id, currency
) g using (entry_id, currency)
join journal_entry e using (entry_id)
left join (select order_no, order_id from customer_order) o using (order_no)
where coalesce(p.amount_minor, 0) <> coalesce(g.value_minor, 0)
order by order_id, e.effect, currency;

-- name: accounts_are_what_is_owed()
-- What is claimed from the customer is what is due for what left, and not paid; what is left to be paid back
-- is what was granted and not issued. In the end nothing is left to be sent.
with booked as (
    select e.order_no,
           sum(p.amount_minor) filter (where p.account = 'receivables') as receivables,
           sum(p.amount_minor) filter (where p.account = 'deferred_revenue') as deferred,
           sum(p.amount_minor) filter (where p.account = 'refunds_payable') as payable
    from journal_entry e join posting p using (entry_id) group by e.order_no
), owed as (
    select order_no, sum(amount_minor - issued_minor + came_back_minor) as owed
    from refund group by order_no
), due as (
    select order_no, sum(amount_minor - captured_minor) as due
    from charge where not ahead group by order_no
)
select o.order_id, m.currency, o.decision, c.account, coalesce(c.booked, 0) as booked_minor,
       c.due as due_minor
from customer_order o
join order_money m using (order_no)
left join booked using (order_no)
left join owed using (order_no)
left join due using (order_no)
cross join lateral (values
    ('receivables', booked.receivables, coalesce(due.due, 0), true),
    ('deferred_revenue', booked.deferred, 0, o.decision in ('rejected', 'cancelled', 'closed')),
    ('refunds_payable', booked.payable, -coalesce(owed.owed, 0), true)
) as c (account, booked, due, by_now)
where c.by_now and coalesce(c.booked, 0) <> c.due
order by o.order_id, c.account;

-- name: carrier_claim_is_booked()
-- What carriers pay for parcels, less what they got back, against what is booked as owed by them.
select o.order_id, coalesce(c.currency, b.currency) as currency, coalesce(c.owed, 0) as owed_minor, coalesce(b.booked, 0) as booked_minor
from (
    select order_no, currency::text as currency,
           sum(paid_minor) filter (where turned_up is distinct from 'given_back') as owed
    from carrier_claim group by order_no, currency
) c
full join (
    select e.order_no, p.currency::text as currency, sum(p.amount_minor) as booked
    from journal_entry e join posting p using (entry_id)
    where p.account = 'carrier_claims' group by e.order_no, p.currency
) b on (b.order_no, b.currency) = (c.order_no, c.currency)
join customer_order o on o.order_no = coalesce(c.order_no, b.order_no)
where coalesce(c.owed, 0) <> coalesce(b.booked, 0)
order by o.order_id;

-- name: carrier_fee_is_booked()
-- What carriers charge for parcels that they stop on their way, against what is booked as owed to them.
select o.order_id, coalesce(c.currency, b.currency) as currency, coalesce(c.owed, 0) as owed_minor, coalesce(b.booked, 0) as booked_minor
from (
    select order_no, currency::text as currency, sum(fee_minor) as owed
    from interception where fee_minor > 0 group by order_no, currency
) c
full join (
    select e.order_no, p.currency::text as currency, -sum(p.amount_minor) as booked
    from journal_entry e join posting p using (entry_id)
    where p.account = 'carrier_payables' group by e.order_no, p.currency
) b on (b.order_no, b.currency) = (c.order_no, c.currency)
join customer_order o on o.order_no = coalesce(c.order_no, b.order_no)
where coalesce(c.owed, 0) <> coalesce(b.booked, 0)
order by o.order_id;

-- What the sandbox companies have ----------------------------------------------------------------

-- name: provider_has_our_payments()
-- Recorded as done: done there, once (its key is unique), to the cent. A void releases there what is
-- not captured there, also what a capture was asked for that failed. A refund that was made there without
-- us has no key of ours. What a person has settled in reconciliation stays settled.
select p.order_id, p.payment_key, p.kind, p.currency, p.amount_minor,
       c.kind as provider_kind, c.currency as provider_currency,
       coalesce(c.amount_minor, 0) as provider_minor
from payment p
left join payment a on a.order_no = p.order_no and a.payment_key = p.authorization_key
left join sandbox.payment_call c on c.key = p.payment_key and c.code is null
where p.state = 'succeeded' and p.provider = 'sandbox' and p.amount_minor > 0
  and strpos(p.payment_key, ':elsewhere:') = 0
  and ((c.order_id, c.kind, c.currency, c.reference)
           is distinct from (p.order_id, p.kind, p.currency, p.reference)
       or c.payment_reference is distinct from coalesce(a.reference, p.reference)
       or c.amount_minor <> p.amount_minor
          and (p.kind <> 'void' or c.amount_minor <> a.amount_minor - a.captured))
  and not exists (
      select from reconciliation_difference d
      where d.provider = p.provider and d.resolution = 'resolved' and d.ours ->> 'key' = p.payment_key)
union all
select p.order_id, min(p.payment_key), p.kind, p.currency, sum(p.amount_minor)::bigint, c.kind, c.currency,
       coalesce(c.amount_minor, 0)
from payment p
join payment a on a.order_no = p.order_no and a.payment_key = p.authorization_key
left join sandbox.payment_call c on c.reference = p.reference and c.code is null
where p.state = 'succeeded' and p.provider = 'sandbox' and strpos(p.payment_key, ':elsewhere:') > 0
group by p.order_id, p.reference, p.kind, p.currency, a.reference, c.kind, c.currency, c.payment_reference,
         c.amount_minor
having (c.kind, c.currency, c.payment_reference, c.amount_minor)
       is distinct from (p.kind, p.currency, a.reference, sum(p.amount_minor)::bigint)
order by order_id, payment_key;

-- name: provider_has_no_others()
-- Done there: recorded here, or with its outcome still open, or settled by a person in reconciliation. An
-- authorization that was given up as never made and turned out to have been made is voided, with nothing
-- about it here but the failure.
select c.order_id, coalesce(c.key, c.reference) as payment_key, c.kind, c.currency, c.amount_minor,
       coalesce(p.state, 'not recorded') as state, (c.called_at at time zone 'UTC')::date as day
from sandbox.payment_call c
left join payment p on p.payment_key = c.key
where c.code is null
  and coalesce(p.state, '') not in ('succeeded', 'requested', 'unknown')
  and not exists (
    select from payment e
    where e.provider = 'sandbox' and e.reference = c.reference and e.kind = 'refund'
      and e.state = 'succeeded')
  and not exists (
    select from reconciliation_difference d
    where d.provider = 'sandbox' and d.resolution = 'resolved'
      and d.theirs ->> 'reference' = c.reference)
  and not exists (
    select from sandbox.payment s
    join sandbox.payment_call made on made.payment_reference = s.reference
    join payment a on a.payment_key = made.key and a.kind = 'authorize' and a.state = 'failed'
    where s.reference = c.payment_reference and s.voided and c.kind in ('authorize', 'void'))
order by c.order_id, c.id;

-- name: label_is_at_carrier()
-- What carries a parcel is one label, bought and not given back.
select order_of(f.fulfilment_id) as order_id, f.fulfilment_id, f.state, p.tracking_number,
       count(s.id) as sold, count(s.id) filter (where s.voided) as voided
from fulfilment f
join shipment p using (order_no, fulfilment_id)
left join sandbox.label s on s.fulfilment_id = f.fulfilment_id
    and (s.carrier, s.tracking_number) = (p.carrier, p.tracking_number)
where f.state in ('labelled', 'shipped', 'delivered', 'exception') and p.carrier = 'sandbox'
group by f.order_no, f.fulfilment_id, p.tracking_number
having not (count(s.id) = 1 and count(s.id) filter (where s.voided) = 0)
order by order_id, f.fulfilment_id;

-- name: no_label_too_many()
-- Of parcels that left, and of those that come back.
select min(order_of(s.fulfilment_id)) as order_id, s.fulfilment_id, count(*) as labels,
       string_agg(s.tracking_number, ', ' order by s.id) as tracking_numbers
from sandbox.label s
left join fulfilment f using (fulfilment_id)
left join return_label r on r.return_id = s.fulfilment_id and r.label in ('requested', 'bought')
where not s.voided
  -- That of an opened parcel is about to be given back.
  and not exists (select from unused_label u
                  where u.fulfilment_id = s.fulfilment_id and u.tracking_number = s.tracking_number
                    and u.voided_at is null)
group by s.fulfilment_id
having count(*) > 1 or count(f.fulfilment_id) + count(r.return_id) = 0
order by s.fulfilment_id;

-- name: recalled_label_is_voided()
-- A label of what was not sent after all, or of a parcel that was opened and got another one, was given back by
-- the time that its order is settled.
select o.order_id, f.fulfilment_id, o.decision, s.tracking_number
from fulfilment f
join customer_order o using (order_no)
join sandbox.label s on s.fulfilment_id = f.fulfilment_id and not s.voided
where (f.state = 'cancelled' or exists (
    select from unused_label u
    where u.order_no = f.order_no and u.fulfilment_id = f.fulfilment_id and u.tracking_number = s.tracking_number)
) and o.decision in ('rejected', 'cancelled', 'closed') and not exists (
    select from attention a
    where a.order_no = f.order_no and a.step = 'void_label ' || f.fulfilment_id
      and starts_with(a.resolution, 'done:'))
order by o.order_id, f.fulfilment_id;

-- name: label_is_of_the_present_way()
-- A parcel that waits for its hand-over has a label of the service by which its order goes now.
select o.order_id, f.fulfilment_id, s.service, o.document #>> '{shipping,service}' as wanted
from fulfilment f
join shipment s using (order_no, fulfilment_id)
join customer_order o using (order_no)
where f.state = 'labelled' and s.service <> o.document #>> '{shipping,service}'
order by o.order_id, f.fulfilment_id;

-- Documents --------------------------------------------------------------------------------------

-- name: numbers_have_no_holes()
-- Numbers are unique, so there are as many as from the first to the last.
select seller, kind, replace(series, '{year}', year::text) as series,
       coalesce(c.last_number - c.first_number + 1, 0) as given, coalesce(c.last_number, 0) as last_number,
       coalesce(d.documents, 0) as documents, coalesce(d.last, 0) as last
from document_counter c
full join (
    select seller, kind, series, year, count(*) as documents, max(running) as last
    from document group by seller, kind, series, year
) d using (seller, kind, series, year)
where (c.last_number - c.first_number + 1, c.last_number) is distinct from (d.documents, d.last)
order by seller, kind, series, year;

-- name: document_adds_up()
-- Lines, allowance, fee for restocking, rounding, shipping and fees are the amounts of the document's own row, and so are the rows
-- by rate together. Fees are part of the row's shipping.
select d.number, d.seller, d.currency, a.what, a.kept as kept_minor, a.printed as printed_minor
from document d
cross join lateral (
    select coalesce(sum((l ->> 'net_minor')::numeric), 0) as net,
           coalesce(sum((l ->> 'tax_minor')::numeric), 0) as tax,
           coalesce(sum((l ->> 'total_minor')::numeric), 0) as total
    from jsonb_array_elements(d.content -> 'lines') l
) l
cross join lateral (
    select coalesce(sum(net_minor), 0) as net, coalesce(sum(tax_minor), 0) as tax,
           coalesce(sum(total_minor), 0) as total
    from jsonb_to_recordset(d.content -> 'fees')
        as f (net_minor numeric, tax_minor numeric, total_minor numeric)
) f
cross join lateral (
    select coalesce(sum(net_minor), 0) as net, coalesce(sum(tax_minor), 0) as tax,
           (d.content ->> 'rounding_minor')::numeric as rounding
    from jsonb_to_recordset(d.content -> 'taxes') as t (net_minor numeric, tax_minor numeric)
) t
cross join lateral (
    values ('goods', d.goods_minor,
            l.net + (d.content ->> 'allowance_minor')::numeric
            - coalesce((d.content ->> 'restocking_minor')::numeric, 0) + t.rounding),
           ('net by rate', d.goods_minor + d.shipping_minor, t.net + t.rounding),
           ('tax by rate', d.tax_minor + d.shipping_tax_minor, t.tax),
           ('tax', d.tax_minor, l.tax + (d.content ->> 'allowance_tax_minor')::numeric
                                - coalesce((d.content ->> 'restocking_tax_minor')::numeric, 0)),
           ('shipping', d.shipping_minor, (d.content ->> 'shipping_minor')::numeric + f.net),
           ('tax on shipping', d.shipping_tax_minor,
            (d.content ->> 'shipping_tax_minor')::numeric + f.tax),
           ('a total', d.amount_minor, (d.content ->> 'total_minor')::numeric),
           ('lines with tax', l.net + l.tax, l.total),
           ('fees with tax', f.net + f.tax, f.total)
) as a (what, kept, printed)
where a.kept is distinct from a.printed
order by d.number, a.what;

-- name: document_is_dated_in_order()
select d.number, d.seller, d.issued_on, b.issued_on as before
from document d
join document b on (b.seller, b.kind, b.series, b.year, b.running)
                   = (d.seller, d.kind, d.series, d.year, d.previous)
where d.issued_on < b.issued_on
order by d.number;

-- name: order_is_of_one_seller()
-- An order's documents and entries are its seller's, but what is booked of goods, which is their owner's.
select o.order_id, o.seller, w.what, w.seller as whose
from customer_order o
join (
    select order_no, seller, number as what from document
    union all
    select order_no, seller, effect from journal_entry e
    where order_no is not null and not exists (select from inventory_posting g where g.entry_id = e.entry_id)
) w using (order_no)
where w.seller <> o.seller
order by o.order_id, w.what;

-- name: sellers_agree()
-- What one seller claims from another, that one owes.
select seller, counterpart, currency, sum(owed) as owed_minor
from (
    select least(e.seller, e.counterpart) as seller, greatest(e.seller, e.counterpart) as counterpart,
           p.currency, p.amount_minor as owed
    from journal_entry e join posting p using (entry_id)
    where p.account = 'intercompany' and e.counterpart is not null
    union all
    select e.seller, null, p.currency, 0  -- its other side is not known
    from journal_entry e join posting p using (entry_id)
    where p.account = 'intercompany' and e.counterpart is null
) between_two
group by seller, counterpart, currency
having sum(owed) <> 0 or counterpart is null
order by seller, counterpart, currency;

-- name: document_is_of_its_entrys_month()
-- So that the documents of a month add up to what is booked in it.
select d.number, d.seller, d.issued_on, e.booked_on
from document d
join journal_entry e on e.order_no = d.order_no
    and e.effect = case d.kind when 'invoice' then 'invoice:' else 'granted:' end || d.part_id
where date_trunc('month', d.issued_on) <> date_trunc('month', e.booked_on)
order by d.number;

-- name: tax_of_a_month_is_booked()
-- A seller's documents of a month, less its credit notes, are the revenue and the tax that it has booked in it.
with printed as (
    select seller, date_trunc('month', issued_on)::date as month, currency,
           sum(case kind when 'invoice' then 1 else -1 end * (t.net + (content ->> 'rounding_minor')::numeric))
               as net,
           sum(case kind when 'invoice' then 1 else -1 end * t.tax) as tax
    from document d
    cross join lateral (
        select coalesce(sum(net_minor), 0) as net, coalesce(sum(tax_minor), 0) as tax
        from jsonb_to_recordset(d.content -> 'taxes') as t (net_minor numeric, tax_minor numeric)
    ) t
    group by 1, 2, 3
), booked as (
    select e.seller, date_trunc('month', e.booked_on)::date as month, p.currency,
           coalesce(-sum(p.amount_minor) filter (where p.account <> 'tax_payable'), 0) as net,
           coalesce(-sum(p.amount_minor) filter (where p.account = 'tax_payable'), 0) as tax
    from journal_entry e join posting p using (entry_id)
    where (starts_with(e.effect, 'invoice:') or starts_with(e.effect, 'granted:'))
      and p.account in ('revenue', 'shipping_income', 'rounding', 'refunds', 'tax_payable')
    group by 1, 2, 3
)
select seller, to_char(month, 'YYYY-MM') as month, currency, a.what, coalesce(a.printed, 0) as printed_minor,
       coalesce(a.booked, 0) as booked_minor
from printed full join booked using (seller, month, currency)
cross join lateral (values
    ('tax', printed.tax, booked.tax), ('net', printed.net, booked.net)
) as a (what, printed, booked)
where coalesce(a.printed, 0) <> coalesce(a.booked, 0)
order by seller, month, currency, a.what;

-- Store credit -----------------------------------------------------------------------------------

-- name: credit_is_its_operations()
-- What accounts and authorizations say, against every operation that took effect.
with by_account as (
    select account_id, sum(balance_change) as balance, sum(authorized_change) as held
    from credit_operation group by account_id
), by_authorization as (
    select authorization_id, sum(amount_minor) filter (where kind = 'authorize') as amount,
           sum(amount_minor) filter (where kind = 'capture') as captured,
           sum(amount_minor) filter (where kind = 'refund') as refunded,
           sum(amount_minor) filter (where kind = 'void') as released,
           bool_or(kind = 'void') as voided
    from credit_operation where code is null group by authorization_id
)
select case a.kind when 'store_credit' then 'credit of ' || a.customer_id else a.account_id end as part,
       a.currency, c.what, c.kept as kept_minor,
       coalesce(c.done, 0) as done_minor
from credit_account a
left join by_account using (account_id)
cross join lateral (values
    ('on the account', a.balance_minor, by_account.balance),
    ('authorized', a.authorized_minor, by_account.held)
) as c (what, kept, done)
where c.kept <> coalesce(c.done, 0)
union all
select h.authorization_id || ' for ' || h.order_id, a.currency, c.what, c.kept, coalesce(c.done, 0)
from credit_authorization h
join credit_account a using (account_id)
left join by_authorization using (authorization_id)
cross join lateral (values
    ('authorized', h.amount_minor, by_authorization.amount),
    ('captured', h.captured_minor, by_authorization.captured),
    ('refunded', h.refunded_minor, by_authorization.refunded),
    ('released', h.released_minor, by_authorization.released)
) as c (what, kept, done)
where c.kept <> coalesce(c.done, 0)
order by part, what;

-- name: credit_is_booked()
-- What changed balances, against what is booked on the liability under the operation's key: so the
-- liability is the sum of all balances. An order's operation is booked with its outcome.
select coalesce(o.key, e.effect) as key, coalesce(o.currency, e.currency) as currency,
       coalesce(o.account, e.account) as account,
       coalesce(o.balance_change, 0) as given_minor, coalesce(e.booked, 0) as booked_minor
from (
    select c.key, c.currency, a.seller, a.kind || '_liability' as account, c.balance_change
    from credit_operation c
    join credit_account a using (account_id)
    left join payment p on p.payment_key = c.key
    where c.balance_change <> 0 and (c.order_id is null or p.state = 'succeeded')
) o
full join (
    select j.effect, p.currency, j.seller, p.account, -p.amount_minor as booked
    from journal_entry j join posting p using (entry_id)
    where p.account in ('store_credit_liability', 'gift_card_liability', 'voucher_liability')
) e on (e.effect, e.currency, e.seller, e.account) = (o.key, o.currency, o.seller, o.account)
where coalesce(o.balance_change, 0) <> coalesce(e.booked, 0)
order by key;

-- name: credit_has_our_payments()
-- Recorded as done: done there, to the cent. Done there for an order: recorded, or without an outcome
-- yet. An authorization that was given up as never made, and was made, is voided.
select coalesce(p.order_id, o.order_id) as order_id, coalesce(p.payment_key, o.key) as payment_key,
       coalesce(p.currency, o.currency) as currency,
       coalesce(p.kind || ' ' || p.state, 'nothing') as here, coalesce(p.amount_minor, 0) as kept_minor,
       coalesce(o.kind, 'nothing') as there, coalesce(o.amount_minor, 0) as done_minor
from (
    select * from credit_operation where code is null and order_id is not null
) o
full join (select * from payment where provider in ('store_credit', 'gift_card', 'voucher')) p
    on p.payment_key = o.key
where case
    when p.state = 'succeeded' then p.amount_minor > 0 and (
        o.order_id, o.currency, o.amount_minor, case o.kind when 'issue' then 'refund' else o.kind end)
        is distinct from (p.order_id, p.currency, p.amount_minor, p.kind)
    when o.key is null or p.state in ('requested', 'unknown') then false
    else not exists (
        select from credit_authorization h join payment a on a.order_id = h.order_id
        where h.authorization_id = o.authorization_id and h.voided and o.kind in ('authorize', 'void')
          and a.kind = 'authorize' and a.state = 'failed')
end
order by order_id, payment_key;

-- Purchases --------------------------------------------------------------------------------------

-- name: purchase_line_adds_up()
select po_id, sku, received, cancelled, quantity, receivable
from purchase_order_line
where not (0 <= received and received <= receivable and 0 <= cancelled and cancelled <= quantity)
order by po_id, sku;

-- name: purchase_is_its_movements()
-- Every unit that was received is in the journal, for the location that it was bought for.
select l.po_id, l.sku, l.received, coalesce(m.units, 0) as moved
from purchase_order_line l
left join lateral (
    select sum(on_hand_change) as units from movement m
    where m.sku = l.sku and m.location = l.location and m.kind = 'received'
      and starts_with(m.effect, 'receive:' || l.po_id || ':')
) m on true
where l.received <> coalesce(m.units, 0)
order by l.po_id, l.sku;

-- name: need_is_ordered_once()
-- What is bought for orders is a need of each of them.
select sku, location, count(*) as orders
from purchase_order_line where answered_at is null and not for_order
group by sku, location having count(*) > 1
order by sku, location;

-- name: settled_purchase_is_done()
select po_id, p.state, sum(outstanding) as units
from purchase_order p join purchase_order_line l using (po_id)
where p.state in ('closed', 'cancelled') and outstanding > 0
group by po_id, p.state
order by po_id;

-- Customers --------------------------------------------------------------------------------------

-- name: order_has_its_customer()
-- The one whom its person says; of an order whose person is erased, nobody.
select o.order_id, case when p.order_no is null then 'its person is nowhere'
                        else 'no customer has the key of its person' end as what
from customer_order o left join order_person p using (order_no)
     left join customer c on c.key = customer_key(p.customer_id, p.person)
where p.order_no is null
   or p.erased_at is null and c.customer_no is null and p.customer_id <> 'erased-' || p.order_no
order by o.order_id;

-- name: customer_has_an_order()
-- Who has none is erased with the last of them.
select 'C' || c.customer_no as customer
from customer c left join (
    select distinct customer_key(customer_id, person) as key from order_person where erased_at is null
) known using (key)
where c.erased_at is null and known.key is null
order by c.customer_no;

-- name: merge_is_on_record()
-- Whom a customer is merged into is what its merge says that is not undone.
select 'C' || coalesce(c.customer_no, m.customer_no) as customer, 'C' || c.into_no as kept, 'C' || m.into_no as said
from (select customer_no, into_no from customer where into_no is not null) c
full join (select customer_no, into_no from customer_merge where undone_at is null) m using (customer_no)
where c.into_no is distinct from m.into_no
order by 1;

-- name: merged_into_one_who_stands_alone()
-- An id leads to its person in one step, and to somebody who is known.
select 'C' || c.customer_no as customer, 'C' || o.customer_no as other,
       case when o.erased_at is not null then 'erased' else 'merged into C' || o.into_no end as what
from customer c join customer o on o.customer_no = c.into_no
where o.into_no is not null or o.erased_at is not null
order by c.customer_no;

-- name: erased_customer_is_forgotten()
-- Nothing that somebody wrote about one who is erased is left, nor what they wished or belonged to.
select 'C' || c.customer_no as customer, left_over.what, count(*) as rows
from customer c join (
    select customer_no, 'notes' as what from customer_note
    union all
    select customer_no, 'wishes' from customer_consent
    union all
    select customer_no, 'segments' from customer_segment_member
    union all
    select customer_no, 'reasons of merges' from customer_merge where why <> '[erased]'
    union all
    select into_no, 'reasons of merges' from customer_merge where why <> '[erased]'
) left_over using (customer_no)
where c.erased_at is not null
group by c.customer_no, left_over.what
order by c.customer_no, left_over.what;

-- name: erased_person_has_no_answers()
-- A mail server's answer may repeat to whom it was.
select order_id, count(*) as answers
from message join order_person p using (order_no) join customer_order using (order_no)
where p.erased_at is not null and answer is not null
group by order_id
order by order_id;

-- name: event_has_its_message()
-- Since what is told is as it was at the last reading. An order's message may have been dropped; then it says why.
select o.order_id, e.event_id, e.type
from message_reading r
join event_out e on e.position > r.told_from and e.position <= r.cursor
join customer_order o using (order_no)
join order_event l on l.order_no = e.order_no and l.event_id = e.event_id
where r.told -> 'types' -> (r.told -> 'channels' ->> o.channel) ? e.type and not r.told -> 'untold' ? l.what
  and not exists (select from message m where m.order_no = e.order_no and m.event_id = e.event_id)
order by e.position;

-- name: mail_has_an_id_of_its_own()
select min(o.order_id) as order_id, m.mail_id, count(*) as messages
from message m join customer_order o using (order_no)
where m.mail_id is not null
group by m.mail_id having count(*) > 1
order by m.mail_id;

-- name: sent_message_says_as_what()
select o.order_id, m.event_id
from message m join customer_order o using (order_no)
where m.state = 'sent' and (m.by is null or m.by = 'mail' and m.mail_id is null)
order by o.order_id, m.event_id;
