-- What became of what suppliers were asked for.

-- name: lines(suppliers, locations, since, at_most)
-- The latest lines that were ordered since then, by the index of each supplier's purchase orders. A line arrives
-- with its receipts; what goes straight to a customer, when its supplier sends it.
select p.supplier_id as supplier, p.po_id, l.sku, p.created_at::date as ordered_on,
       sent.at::date as sent_on,
       coalesce(answer.due_on, sent.at::date + l.lead_time_days, l.due_on) as promised_on,
       came.arrived_on, l.quantity, l.received, l.cancelled, l.outstanding,
       p.refused_at is not null as refused,
       exists (select from purchase_order_event e where e.po_id = p.po_id and e.effect = 'cancel') as ended_by_us,
       l.unit_price, p.currency, l.lead_time_days
from purchase_order p join purchase_order_line l using (po_id)
left join purchase_order_event sent on (sent.po_id, sent.effect) = (p.po_id, 'send')
left join lateral (
    select (e.data -> l.sku ->> 'due_on')::date as due_on from purchase_order_event e
    where e.po_id = p.po_id and starts_with(e.effect, 'acknowledge:') and e.data ? l.sku
    order by e.event_id limit 1) answer on true
left join lateral (
    select max(e.at)::date as arrived_on from purchase_order_event e
    where e.po_id = p.po_id and e.data ? l.sku
      and (starts_with(e.effect, 'receive:') or p.drop_ship and starts_with(e.effect, 'ship:'))) came on true
where p.supplier_id = any(:suppliers::text[]) and p.created_at >= :since::date
  and (:locations::text[] is null or p.location = any(:locations))
  and p.state <> 'proposed'
  and not (p.state = 'cancelled' and sent.at is null and not p.sent_before)
order by p.created_at desc, p.po_id, l.sku limit :at_most;
