-- Promises to customers, and whether they were kept.

-- name: incoming(skus)
-- Supply by location and day; supply without a day is promised to nobody. A pre-order is not sent
-- before its first day of sale, even if it is in stock by then.
with coming as (
    select l.sku, t.to_location as location, l.sent - l.arrived - l.lost as quantity,
           t.expected_on as due_on, t.transfer_id as source
    from transfer_line l join transfer t using (transfer_id)
    where l.sku = any(:skus::text[]) and l.arrived + l.lost < l.sent and t.expected_on is not null
    union all
    -- On the day that the supplier has named, otherwise by its lead time; a proposed order may
    -- never arrive.
    select l.sku, l.location, l.outstanding, l.due_on, l.po_id
    from purchase_order_line l join purchase_order p using (po_id)
    where l.sku = any(:skus::text[]) and l.outstanding > 0 and p.state <> 'proposed'
    union all
    select s.sku, s.location, on_hand - allocated - safety - coalesce((
               select sum(r.quantity) from soft_reservation r
               where (r.sku, r.location) = (s.sku, s.location)
                 and (r.expires_at is null or r.expires_at > transaction_moment())), 0)::bigint,
           available_from, 'stock'
    from stock s join item using (sku) join location l using (location)
    where s.sku = any(:skus::text[]) and available_from > location_day(l.calendar)
)
select sku, location, quantity, greatest(due_on, available_from) as due_on, source
from coming join location using (location) left join item using (sku)
where quantity > 0 and retired_at is null  -- what comes to another one is for a person to send on
order by due_on, source;

-- name: days()
-- The day at each location.
select location, location_day(calendar) as day from location;

-- name: waited_for(skus)
-- Backordered units that have not arrived.
select b.sku, (sum(b.quantity) - coalesce(sum(come.quantity), 0))::bigint as quantity
from backorder b left join lateral (
    select sum(r.quantity) as quantity from soft_reservation r
    where (r.order_no, r.line_id) = (b.order_no, b.line_id)
) come on true
where b.sku = any(:skus::text[]) and b.quantity > 0
group by b.sku;

-- name: promised_backorders()
-- All backorders of SKUs for which some backorder has a promise, in turn. `lacks`: units that have
-- not arrived; `told`: the slip that was told already.
with promised as (
    select distinct sku from backorder where quantity > 0 and promised_on is not null
)
select o.order_id, b.line_id, b.sku, b.promised_leave, b.promised_on, transaction_moment()::date as today,
       (b.quantity - coalesce((select sum(r.quantity) from soft_reservation r
                               where (r.order_no, r.line_id) = (b.order_no, b.line_id)), 0))::bigint
           as lacks,
       array(select e.what from order_event e
             where e.order_no = b.order_no
               and starts_with(e.effect, 'promise:backorder:')
               and e.data ->> 'line_id' = b.line_id) as told
from backorder b join promised using (sku) join customer_order o using (order_no)
where b.quantity > 0
order by b.sku, b.received_at, b.order_no, b.line_id;

-- name: slips(batch)
-- Parcels that did not leave on the promised day, or did not arrive by it, by the location's own date;
-- each once for either. Goods that lie ready to be collected have kept their promise: the customer may come later.
select f.fulfilment_id, slip.what
from fulfilment f join location l using (location)
cross join lateral (select location_day(l.calendar) as today) here
cross join lateral (
    select case when f.promised_on < here.today then 'missed' else 'at risk' end as what
    where f.promised_on < here.today or (f.state <> 'shipped' and f.promised_leave < here.today)
) slip
where f.state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped')
  and f.promised_leave < transaction_moment()::date + 1
  and not (f.handling = 'pick_up' and f.state = 'labelled')
  and not exists (select from effect e
                  where e.order_no = f.order_no
                    and e.effect = 'promise:' || f.fulfilment_id || ':' || slip.what)
order by f.promised_leave, f.fulfilment_id limit :batch;
