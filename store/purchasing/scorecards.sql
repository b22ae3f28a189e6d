-- What became of what suppliers were asked for.

-- name: lines(suppliers, locations, since, at_most)
-- The latest lines that were ordered of each of them since then, by the index of its purchase orders: so many of each
-- that nobody's many hide another's few. A day is that of the location that waits for the goods. A line arrives with
-- its receipts; what goes straight to a customer, when its supplier sends it.
select b.supplier_id as supplier, b.po_id, b.sku, (b.created_at at time zone b.zone)::date as ordered_on,
       sent.day as sent_on, coalesce(answer.due_on, sent.day + b.lead_time_days, b.due_on) as promised_on,
       came.arrived_on, b.quantity, b.received, b.cancelled, b.outstanding, b.refused_at is not null as refused,
       exists (select from purchase_order_event e where e.po_id = b.po_id and e.effect = 'cancel') as ended_by_us,
       b.unit_price, b.currency, b.lead_time_days, b.location, b.calendar
from unnest(:suppliers::text[]) as asked (supplier)
cross join lateral (
    select p.po_id, p.supplier_id, p.currency, p.created_at, p.refused_at, p.drop_ship, place.location, place.calendar,
           coalesce(place.calendar ->> 'time_zone', 'UTC') as zone, l.sku, l.quantity, l.received, l.cancelled,
           l.outstanding, l.unit_price, l.lead_time_days, l.due_on
    from purchase_order p join location place using (location) join purchase_order_line l using (po_id)
    where p.supplier_id = asked.supplier and p.created_at >= :since::date
      and (:locations::text[] is null or p.location = any(:locations))
      and p.state <> 'proposed'
      and (p.state <> 'cancelled' or p.sent_before
           or exists (select from purchase_order_event e where e.po_id = p.po_id and e.effect = 'send'))
    order by p.created_at desc, p.po_id, l.sku limit :at_most::int) b
left join lateral (
    select (e.at at time zone b.zone)::date as day from purchase_order_event e
    where e.po_id = b.po_id and e.effect = 'send') sent on true
left join lateral (
    select (e.data -> b.sku ->> 'due_on')::date as due_on from purchase_order_event e
    where e.po_id = b.po_id and starts_with(e.effect, 'acknowledge:') and e.data ? b.sku
    order by e.event_id limit 1) answer on true
left join lateral (
    select (max(e.at) at time zone b.zone)::date as arrived_on from purchase_order_event e
    where e.po_id = b.po_id and e.data ? b.sku
      and (starts_with(e.effect, 'receive:') or b.drop_ship and starts_with(e.effect, 'ship:'))) came on true
order by b.created_at desc, b.po_id, b.sku;
