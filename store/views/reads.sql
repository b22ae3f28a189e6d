-- What people and tools ask. Reads only.

-- name: summary(order_id)^
select * from order_overview where order_id = :order_id;

-- name: summaries(channel, state, customer_id, attention, placed_from, placed_to, at_most)
-- Newest first. Filters that are null do not filter.
select * from order_overview
where (:channel::text is null or channel = :channel)
  and (:state::text is null or state = :state)
  and (:customer_id::text is null or customer_id = :customer_id)
  and (:attention::boolean is null or attention = :attention)
  and (:placed_from::timestamptz is null or placed_at >= :placed_from)
  and (:placed_to::timestamptz is null or placed_at < :placed_to)
order by received_at desc, order_id
limit :at_most;

-- name: states()
select state, count(*) as orders from order_overview group by state order by state;

-- name: fulfilments_of(order_id)
select f.fulfilment_id, f.location, f.state, f.recalled_from, f.changed_at,
       f.promised_leave, f.promised_on,
       p.label, p.carrier, p.tracking_number, p.carrier_status, p.last_scan_at, p.handed_over_at,
       coalesce((select jsonb_object_agg(l.line_id, coalesce(l.picked, l.quantity))
                 from fulfilment_line l where l.fulfilment_id = f.fulfilment_id), '{}') as units
from fulfilment f left join shipment p using (fulfilment_id)
where f.order_id = :order_id
order by length(f.fulfilment_id), f.fulfilment_id;

-- name: fulfilment_state(fulfilment_id)$
select state from fulfilment where fulfilment_id = :fulfilment_id;

-- name: returns_of(order_id)
select r.return_id, r.kind, r.state, r.reason, r.changed_at,
       (select jsonb_object_agg(l.line_id, jsonb_build_object(
            'quantity', l.quantity, 'restocked', l.restocked, 'scrapped', l.scrapped))
        from return_line l where l.return_id = r.return_id) as lines
from order_return r where r.order_id = :order_id
order by length(r.return_id), r.return_id;

-- name: document(order_id)$
select document from customer_order where order_id = :order_id;

-- name: tasks(task, order_id, location, at_most)
-- What the warehouse is asked to do, oldest first.
select * from (
    select case f.state when 'picking' then 'pick' when 'picked' then 'pack' else 'handover' end
               as task,
           f.fulfilment_id as part_id, f.order_id, f.location, f.changed_at as since,
           p.carrier, p.tracking_number,
           (select jsonb_agg(jsonb_build_object(
                'line_id', l.line_id, 'sku', l.sku, 'quantity', coalesce(l.picked, l.quantity))
                order by l.line_id)
            from fulfilment_line l where l.fulfilment_id = f.fulfilment_id) as lines
    from fulfilment f left join shipment p using (fulfilment_id)
    where f.state in ('picking', 'picked', 'labelled')
    union all
    select 'receive-return', r.return_id, r.order_id, null, r.changed_at, null, null,
           (select jsonb_agg(jsonb_build_object(
                'line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity) order by l.line_id)
            from return_line l where l.return_id = r.return_id)
    from order_return r where r.state = 'approved'
) t
where (:task::text is null or task = :task)
  and (:order_id::text is null or order_id = :order_id)
  and (:location::text is null or location = :location)
order by since, part_id
limit :at_most;

-- name: parcels_under_way(at_most)
-- Handed over, and neither delivered nor given up: what a carrier is working on.
select p.fulfilment_id, p.order_id, p.carrier, p.tracking_number, p.carrier_status,
       p.handed_over_at, p.last_scan_at
from shipment p join fulfilment f using (fulfilment_id)
where f.state = 'shipped'
order by p.handed_over_at, p.fulfilment_id
limit :at_most;
