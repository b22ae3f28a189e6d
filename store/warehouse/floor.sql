-- What waits on the floor of a location. Reads only.

-- name: waiting(location, channels, sellers, at_most)
-- Parcels by what is to be done with them, `at_most` of each counted, without those that somebody works on.
select k.kind, w.waiting, w.due
from (
    select (moment() at time zone coalesce(calendar ->> 'time_zone', 'UTC'))::date as today
    from location where location = :location
) l
cross join (values ('pick', 'picking'), ('pack', 'picked'), ('hand-over', 'labelled')) k (kind, state)
cross join lateral (
    select count(*) as waiting, count(*) filter (where t.promised_leave <= l.today) as due
    from (
        select f.promised_leave from fulfilment f
        where f.state = k.state and f.location = :location
          and f.state in ('picking', 'picked', 'labelled')  -- said once more, for the index of what is not over
          and f.handling not in ('digital', 'drop_ship', 'service') and f.handling not like 'x:%'
          and (f.state <> 'labelled' or f.handling <> 'pick_up')
          and not exists (select from order_hold h where h.order_no = f.order_no and h.released_at is null
                                                     and h.reason <> 'payment' and f.state <> 'picked')
          and not (f.state = 'picked' and exists (
              select from put_back b
              where b.order_no = f.order_no and b.fulfilment_id = f.fulfilment_id and b.done_at is null))
          and not exists (select from scan_run_part p where p.part_id = f.fulfilment_id)
          and (:channels::text[] is null and :sellers::text[] is null or exists (
              select from customer_order o
              where o.order_no = f.order_no
                and (:channels is null or o.channel = any(:channels))
                and (:sellers is null or o.seller = any(:sellers))))
        order by f.changed_at limit :at_most) t
) w
union all
select 'put-back', count(*), 0
from (
    select from put_back b join fulfilment f using (order_no, fulfilment_id)
    where b.done_at is null and f.location = :location
      and not exists (select from scan_run_part p where p.part_id = b.put_back_id)
    limit :at_most) t
union all
select 'collect', count(*), 0
from (
    select from fulfilment f
    where f.state = 'labelled' and f.location = :location and f.handling = 'pick_up'
    limit :at_most) t;
