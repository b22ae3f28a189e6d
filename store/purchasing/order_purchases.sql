-- What is bought for orders: made to order, or sent to the customer by its supplier.

-- name: to_buy(order_id, batch)
-- Lines of confirmed orders that wait for more than was asked of suppliers and may still come, or has come for them.
-- Nothing is bought for an order that is held, and nothing for a minute after something was called back from a
-- supplier: the units are about to be cancelled. `order_id`: of this order alone, or null.
select o.order_id, o.seller, l.line_id, l.sku, l.handling, o.policy #> '{sourcing, locations}' as only_from,
       (l.backordered - coming.units - come.units)::bigint as units,
       (select count(*) from purchase_order p where p.order_no = l.order_no and p.line_id = l.line_id) as before
from order_line l join customer_order o using (order_no)
cross join lateral (
    select coalesce(sum(pl.outstanding), 0) as units
    from purchase_order p join purchase_order_line pl using (po_id)
    where p.order_no = l.order_no and p.line_id = l.line_id) coming
cross join lateral (
    select coalesce(sum(r.quantity), 0) as units from soft_reservation r
    where r.order_no = l.order_no and r.line_id = l.line_id) come
where l.handling in ('made_to_order', 'drop_ship') and l.backordered > 0 and o.decision = 'confirmed'
  and l.backordered > coming.units + come.units
  and kept_here_by(l.order_no) is null
  and (:order_id::text is null or o.order_id = :order_id)
  and not exists (
      select from purchase_order p join purchase_order_event e using (po_id)
      where p.order_no = l.order_no and p.line_id = l.line_id and e.effect = 'cancel'
        and e.at > moment() - interval '1 minute')
  and not exists (select from attention a
                  where a.order_no = l.order_no and a.step = 'buy line ' || l.line_id and a.resolved_at is null)
order by o.received_at, l.line_id limit :batch;

-- name: needs_a_person(order_id, line_id, reason)!
-- No supplier sells it, or none of them that was asked will: once, until somebody says that it is done.
insert into attention (order_no, step, reason, allowed)
values (order_no_of(:order_id), 'buy line ' || :line_id, :reason, '{done}')
on conflict (order_no, step) where resolved_at is null do nothing;

-- name: place_for(only_from)$
-- Where goods come to that are made for an order: the first of its locations that is no supplier's.
select l.location from location l
where l.retired_at is null and coalesce(nullif(:only_from::jsonb, 'null') ? l.location, true)
  and not exists (select from supplier s
                  where l.location in ('at-' || s.supplier_id, 'at-' || s.supplier_id || '-' || l.seller))
order by l.priority, l.location limit 1;

-- name: order_of_purchase(po_id)^
select o.order_id, p.line_id from purchase_order p join customer_order o using (order_no) where p.po_id = :po_id;

-- name: add_parcel(order_id, line_id, notice, carrier, tracking_number)!
insert into supplier_parcel (order_no, line_id, notice, carrier, tracking_number)
values (order_no_of(:order_id), :line_id, :notice, :carrier, :tracking_number)
on conflict (order_no, line_id, notice) do nothing;

-- name: open_for(order_id, line_ids)
-- Purchase orders for these lines of which something may still come.
select p.po_id, p.line_id from purchase_order p
where p.order_no = order_no_of(:order_id) and p.line_id = any(:line_ids::text[])
  and p.state not in ('closed', 'cancelled')
  and exists (select from purchase_order_line l where l.po_id = p.po_id and l.outstanding > 0)
order by p.po_id;
