-- What shops are told: parcels that have left, and stock levels.

-- name: due_parcels(channel, at_most)
-- The oldest first, with what the shop has to know. `token` ends in the shop's id of the order.
select p.order_no, p.fulfilment_id, p.tries, o.document #>> '{payment,token}' as token, s.carrier,
       s.tracking_number, l.units,
       not exists (select from order_line r where r.order_no = p.order_no and r.shipped + r.cancelled < r.ordered)
           as is_last
from shop_parcel p join customer_order o using (order_no)
join shipment s on (s.order_no, s.fulfilment_id) = (p.order_no, p.fulfilment_id)
cross join lateral (
    select jsonb_object_agg(line_id, coalesce(picked, quantity)) as units from fulfilment_line f
    where (f.order_no, f.fulfilment_id) = (p.order_no, p.fulfilment_id) and coalesce(picked, quantity) > 0
) l
where p.channel = :channel and p.state = 'due' and p.try_after <= moment()
order by p.made_at, p.fulfilment_id limit :at_most;

-- name: parcel_told(order_no, fulfilment_id, reference)!
update shop_parcel set state = 'told', done_at = moment(), error = null, reference = nullif(:reference, '')
where order_no = :order_no and fulfilment_id = :fulfilment_id and state = 'due';

-- name: parcel_later(order_no, fulfilment_id, error, pause)!
update shop_parcel set tries = tries + 1, error = :error, try_after = moment() + :pause::interval
where order_no = :order_no and fulfilment_id = :fulfilment_id and state = 'due';

-- name: parcel_refused(order_no, fulfilment_id, error)!
update shop_parcel set state = 'refused', tries = tries + 1, error = :error
where order_no = :order_no and fulfilment_id = :fulfilment_id and state = 'due';

-- name: due_levels(channel, since, at_most)
-- Levels that are not as the shop was told, and those of goods that it has sold since; each once a day, in case
-- somebody changed it there. What it refused is tried once a day.
with sold as materialized (
    select l.sku, max(o.received_at) as at from customer_order o join order_line l using (order_no)
    where o.channel = :channel and o.received_at > coalesce(:since::timestamptz, '-infinity') - interval '10 s'
    group by l.sku
)
select sku, coalesce(n.units, 0)::bigint as units
from sellable(:channel) n full join (select * from shop_level where channel = :channel) t using (sku)
left join sold using (sku)
where t.tried_at is null or t.tried_at < moment() - interval '1 day'
   or t.error is null and (t.told is distinct from coalesce(n.units, 0)
                           or t.tried_at < sold.at + interval '10 s')
order by t.tried_at nulls first, sku limit :at_most;

-- name: levels_told(channel, holder, skus, units)!
insert into shop_level (channel, sku, told)
select channel, sku, units from unnest(:skus::text[], :units::bigint[]) as w (sku, units)
join shop_contact c on c.channel = :channel and c.holder = :holder
on conflict (channel, sku) do update
set told = excluded.told, tried_at = moment(), error = null, settled_at = null, note = null;

-- name: levels_refused(channel, holder, skus, errors)!
-- Whoever has seen to it is not asked again for the same reason.
insert into shop_level as l (channel, sku, error)
select channel, sku, w.error from unnest(:skus::text[], :errors::text[]) as w (sku, error)
join shop_contact c on c.channel = :channel and c.holder = :holder
on conflict (channel, sku) do update
set tried_at = moment(), error = excluded.error,
    settled_at = case when l.error = excluded.error then l.settled_at end;

-- name: levels_done(channel, holder, at, pause)!
-- All that were due at that time are told. The next comparison is after the pause.
update shop_contact
set levels_at = moment() + :pause::interval, levels_told = coalesce(:at::timestamptz, levels_told)
where channel = :channel and holder = :holder;

-- name: tell_again(channel)!
-- Everything that it refused.
with parcels as (
    update shop_parcel set state = 'due', tries = 0, try_after = moment()
    where channel = :channel and state = 'refused')
delete from shop_level where channel = :channel and error is not null and settled_at is null;

-- name: dismiss(channel, names, note)$
-- A person has seen to parcels and SKUs that it refused: those of these names, or all. Returns how many.
with parcels as (
    update shop_parcel set state = 'settled', done_at = moment(), note = :note
    where channel = :channel and state = 'refused' and (:names::text[] is null or fulfilment_id = any(:names))
    returning 1
), levels as (
    update shop_level set settled_at = moment(), note = :note
    where channel = :channel and error is not null and settled_at is null
      and (:names::text[] is null or sku = any(:names))
    returning 1
)
select (select count(*) from parcels) + (select count(*) from levels);

-- name: forget(kept_for, batch)
with old as (
    select order_no, fulfilment_id from shop_parcel
    where done_at < moment() - :kept_for::interval
         -- Nobody is told any more.
         or made_at < moment() - :kept_for::interval and state in ('due', 'refused')
            and not exists (select from shop_contact c where c.channel = shop_parcel.channel)
    order by made_at limit :batch for update skip locked
)
delete from shop_parcel where (order_no, fulfilment_id) in (select order_no, fulfilment_id from old)
returning order_no;
