-- What a pick run takes off the shelves. Reads only.

-- name: candidates(location, parts, channels, sellers, zone, only_due, at_most)
-- Parcels that are to be picked and that nobody works on: those that must leave first, first. `parts`: these alone.
select f.fulfilment_id, f.promised_leave,
       coalesce(f.promised_leave <= (
           select (moment() at time zone coalesce(l.calendar ->> 'time_zone', 'UTC'))::date
           from location l where l.location = f.location), false) as is_due
from fulfilment f
where f.state = 'picking' and f.location = :location
  and f.handling not in ('digital', 'drop_ship', 'service') and f.handling not like 'x:%'
  and (:parts::text[] is null
       or f.order_no in (select order_no_of(id) from unnest(:parts::text[]) as w (id))
          and f.fulfilment_id = any(:parts))
  and not exists (select from order_hold h where h.order_no = f.order_no and h.released_at is null
                                             and h.reason <> 'payment')
  and not ((select exists (select from item where available_from > moment()::date - 1))
           and not_before(f.order_no, f.fulfilment_id) is not null)
  and not exists (select from scan_run_part p where p.part_id = f.fulfilment_id)
  and (:channels::text[] is null and :sellers::text[] is null or exists (
      select from customer_order o
      where o.order_no = f.order_no
        and (:channels is null or o.channel = any(:channels))
        and (:sellers is null or o.seller = any(:sellers))))
  and (:zone::text is null or exists (
      select from reservation r join bin_item i using (location, sku) join bin b using (location, bin)
      where r.order_no = f.order_no and r.fulfilment_id = f.fulfilment_id and b.zone = :zone))
  and (not :only_due or f.promised_leave <= (
      select (moment() at time zone coalesce(l.calendar ->> 'time_zone', 'UTC'))::date
      from location l where l.location = f.location))
order by f.promised_leave nulls last, f.changed_at, f.fulfilment_id limit :at_most;

-- name: contents(parts)
-- What is taken off the shelves for each parcel, line by line.
select l.fulfilment_id, l.line_id, l.quantity,
       coalesce((select jsonb_object_agg(r.sku, r.per_unit) from reservation r
                 where (r.order_no, r.fulfilment_id, r.line_id) = (l.order_no, l.fulfilment_id, l.line_id)),
                jsonb_build_object(l.sku, 1)) as parts
from fulfilment_line l
where l.order_no in (select order_no_of(id) from unnest(:parts::text[]) as w (id))
  and l.fulfilment_id = any(:parts::text[]) and l.quantity > 0
order by l.fulfilment_id, l.line_id;

-- name: now(part)
-- The lines of a parcel that is still to be picked.
select l.line_id, l.quantity
from fulfilment f join fulfilment_line l using (order_no, fulfilment_id)
where f.order_no = order_no_of(:part) and f.fulfilment_id = :part and f.state = 'picking';

-- name: zones(location)
select distinct zone from bin where location = :location and zone <> '' order by zone;
