-- Promises to customers, and what becomes of them.

-- name: incoming(skus)
-- What is due at a location, and when; what nobody expects on a day is promised to nobody.
select l.sku, t.to_location as location, l.sent - l.arrived - l.lost as quantity,
       t.expected_on as due_on, t.transfer_id as source
from transfer_line l join transfer t using (transfer_id)
where l.sku = any(:skus::text[]) and l.arrived + l.lost < l.sent and t.expected_on is not null
order by t.expected_on, t.transfer_id;

-- name: waited_for(skus)
-- Units that orders wait for and that have not come yet.
select b.sku, (sum(b.quantity) - coalesce(sum(come.quantity), 0))::bigint as quantity
from backorder b left join lateral (
    select sum(r.quantity) as quantity from soft_reservation r
    where (r.order_id, r.line_id) = (b.order_id, b.line_id)
) come on true
where b.sku = any(:skus::text[]) and b.quantity > 0
group by b.sku;

-- name: late_backorders(batch)
-- Units that have not come by the day on which they were to leave, each line once for either.
select b.order_id, b.line_id, b.sku, b.quantity, b.promised_leave, b.promised_on, slip.what
from backorder b
cross join lateral (
    select case when b.promised_on < current_date then 'missed' else 'at risk' end as what
) slip
where b.quantity > 0 and b.promised_leave < current_date
  and not exists (select from order_event e
                  where e.order_id = b.order_id
                    and e.effect = 'promise:backorder:' || b.line_id || ':' || slip.what)
order by b.promised_leave, b.order_id, b.line_id limit :batch;

-- name: slips(batch)
-- Parcels that did not leave on the promised day, or did not arrive by it, by the location's own date;
-- each once for either.
select f.fulfilment_id, slip.what
from fulfilment f join location l using (location)
cross join lateral (
    select (now() at time zone coalesce(l.calendar ->> 'time_zone', 'UTC'))::date as today
) here
cross join lateral (
    select case when f.promised_on < here.today then 'missed' else 'at risk' end as what
    where f.promised_on < here.today or (f.state <> 'shipped' and f.promised_leave < here.today)
) slip
where f.state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped')
  and f.promised_leave < current_date + 1
  and not exists (select from order_event e
                  where e.order_id = f.order_id
                    and e.effect = 'promise:' || f.fulfilment_id || ':' || slip.what)
order by f.promised_leave, f.fulfilment_id limit :batch;
