-- What is sold of each stock row in a day.

-- name: measure(days)!
-- Demand by day: units that orders claimed, less the units they gave back. Days without any count, from the first
-- movement on: at least one, where that was before the clock was set back. What has not changed is not written.
with daily as (
    select m.sku, m.location, m.at::date as day, greatest(sum(m.allocated_change), 0) as units
    from movement m
    where m.kind in ('allocated', 'released') and m.at > moment() - :days::int * interval '1 day'
    group by m.sku, m.location, m.at::date
), sold as (
    select sku, location, sum(units)::bigint as total, sum(units * units)::bigint as squares
    from daily group by sku, location
)
insert into stock_demand (sku, location, days, total, squares)
select s.sku, s.location, greatest(1, least(:days::int, transaction_moment()::date - first.at::date + 1)),
       coalesce(sold.total, 0), coalesce(sold.squares, 0)
from stock s
cross join lateral (
    select m.at from movement m where m.sku = s.sku and m.location = s.location
    order by m.movement_id limit 1) first
left join sold on (sold.sku, sold.location) = (s.sku, s.location)
order by s.sku, s.location
on conflict (sku, location) do update
set days = excluded.days, total = excluded.total, squares = excluded.squares
where (stock_demand.days, stock_demand.total, stock_demand.squares)
      is distinct from (excluded.days, excluded.total, excluded.squares);

-- name: by_day(sku, locations, days)
-- What moved of a SKU on each day: units that orders claimed less those that they gave back, and the change of what
-- is on hand. Days on which nothing moved are left out.
select m.at::date as day,
       greatest(coalesce(sum(m.allocated_change) filter (where m.kind in ('allocated', 'released')), 0), 0)::bigint
           as sold,
       sum(m.on_hand_change)::bigint as on_hand_change
from movement m
where m.sku = :sku and (:locations::text[] is null or m.location = any(:locations))
  and m.at > moment() - :days::int * interval '1 day'
group by m.at::date order by m.at::date;
