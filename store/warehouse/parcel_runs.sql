-- Parcels as they are scanned when they are packed, handed over or collected.

-- name: parcel(part, location, channels, sellers)^
-- One at this location. `units`: what was picked for it, by the SKUs that lie in it.
select f.fulfilment_id, f.state, f.handling, s.carrier, s.tracking_number, s.label,
       exists (select from put_back b where b.order_no = f.order_no and b.fulfilment_id = f.fulfilment_id
                                        and b.done_at is null) as is_to_be_opened,
       exists (select from pick_up p where p.order_no = f.order_no and p.fulfilment_id = f.fulfilment_id) as is_ready,
       coalesce((
           select jsonb_object_agg(u.sku, u.n) from (
               select coalesce(r.sku, l.sku) as sku, sum(coalesce(l.picked, l.quantity) * coalesce(r.per_unit, 1)) as n
               from fulfilment_line l left join reservation r using (order_no, fulfilment_id, line_id)
               where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id
                 and coalesce(l.picked, l.quantity) > 0
               group by coalesce(r.sku, l.sku)) u), '{}') as units
from fulfilment f left join shipment s using (order_no, fulfilment_id)
where f.order_no = order_no_of(:part) and f.fulfilment_id = :part and f.location = :location
  and (:channels::text[] is null and :sellers::text[] is null or exists (
      select from customer_order o
      where o.order_no = f.order_no
        and (:channels is null or o.channel = any(:channels))
        and (:sellers is null or o.seller = any(:sellers))));

-- name: units(part)$
-- What was picked for a parcel and is still to be sent, by the SKUs that lie in it.
select coalesce(jsonb_object_agg(u.sku, u.n), '{}') from (
    select coalesce(r.sku, l.sku) as sku, sum(coalesce(l.picked, l.quantity) * coalesce(r.per_unit, 1)) as n
    from fulfilment_line l left join reservation r using (order_no, fulfilment_id, line_id)
    where l.order_no = order_no_of(:part) and l.fulfilment_id = :part and coalesce(l.picked, l.quantity) > 0
    group by coalesce(r.sku, l.sku)) u;

-- name: with_number(number, location)$
-- The parcel that is here, or was, and has this tracking number: carriers use their numbers again.
select f.fulfilment_id
from shipment s join fulfilment f using (order_no, fulfilment_id)
where s.tracking_number = :number and s.label = 'bought' and f.location = :location
order by f.state = 'labelled' desc, s.order_no desc limit 1;

-- name: to_put_back(location, channels, sellers, at_most)
-- What is to go back to the shelves here, the oldest first, and nobody puts back yet.
select b.put_back_id, b.opens_box,
       (select jsonb_object_agg(u.sku, u.n) from (
            select coalesce(r.sku, l.sku) as sku, sum(l.quantity * coalesce(r.per_unit, 1)) as n
            from put_back_line l
            left join reservation r on r.order_no = b.order_no and r.fulfilment_id = b.fulfilment_id
                                       and r.line_id = l.line_id
            where l.order_no = b.order_no and l.put_back_id = b.put_back_id
            group by coalesce(r.sku, l.sku)) u) as units
from put_back b join fulfilment f using (order_no, fulfilment_id)
where b.done_at is null and f.location = :location
  and not exists (select from scan_run_part p where p.part_id = b.put_back_id)
  and (:channels::text[] is null and :sellers::text[] is null or exists (
      select from customer_order o
      where o.order_no = b.order_no
        and (:channels is null or o.channel = any(:channels))
        and (:sellers is null or o.seller = any(:sellers))))
order by b.since, b.put_back_id limit :at_most;

-- name: label_printed(part, who)$
select label_printed(:part, :who);

-- name: write_manifest(run_no, location, carrier, who, parcels)!
insert into manifest (manifest_no, location, carrier, who, parcels)
values (:run_no, :location, :carrier, :who, :parcels::jsonb)
on conflict (manifest_no) do nothing;

-- name: manifest(manifest_no)^
select manifest_no, location, carrier, closed_at, who, parcels from manifest where manifest_no = :manifest_no;

-- name: manifests(location, before, at_most)
-- The newest first. `before`: a page behind the one with this number.
select manifest_no, location, carrier, closed_at, who, parcels from manifest
where location = :location and (:before::bigint is null or manifest_no < :before)
order by manifest_no desc limit :at_most;
