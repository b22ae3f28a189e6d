-- What is sold of each stock row in a day.

-- name: measure(days)!
-- Demand by day: units that orders claimed, less those of them that they gave back, on whatever day that was. Days
-- without any count, from the first movement on, at least one; but no day on which nothing could be bought, because
-- nothing was free from its beginning to its end, unless the item is sold all the same. Nobody reads these days as
-- dates, so they are those of UTC. What has not changed is not written.
-- Stock that is here for less than a week (`young`) has no past here. Where its orders are older, as those that a shop
-- brings when it begins, it is measured by the days on which these were placed, from the earliest one on.
with since as (
    select transaction_moment()::date - (:days::int - 1) as day
), began as materialized (
    select s.sku, s.location, first.at::date as day, first.at::date > transaction_moment()::date - 6 as is_young
    from stock s
    cross join lateral (
        select m.at from movement m where m.sku = s.sku and m.location = s.location
        order by m.movement_id limit 1) first
), of_young as (
    select m.sku, m.location, least(o.placed_at, min(m.at))::date as day, sum(m.allocated_change) as units
    from movement m
    join began b on (b.sku, b.location) = (m.sku, m.location) and b.is_young
    join customer_order o using (order_no)
    where m.kind in ('allocated', 'released') and m.at >= transaction_moment()::date - 6
      and o.placed_at >= (select day from since)
    group by m.sku, m.location, m.order_no, o.placed_at
), moved as materialized (
    select m.sku, m.location, m.at::date as day,
           coalesce(sum(m.allocated_change) filter (where m.kind = 'allocated'), 0) as claimed,
           sum(m.on_hand_change - m.allocated_change) as freed
    from movement m
    where m.kind <> 'shipped' and m.at >= (select day from since)
    group by m.sku, m.location, m.at::date
), given_back as (
    select r.sku, r.location, claim.at::date as day, sum(r.allocated_change) as units
    from movement r
    cross join lateral (
        select c.at from movement c
        where c.order_no = r.order_no and c.sku = r.sku and c.location = r.location and c.kind = 'allocated'
          and c.movement_id < r.movement_id
        order by c.movement_id desc limit 1) claim
    where r.kind = 'released' and r.at >= (select day from since) and claim.at >= (select day from since)
    group by r.sku, r.location, claim.at::date
), sold as (
    select sku, location, sum(units)::bigint as total, sum(units * units)::bigint as squares,
           min(day) filter (where units > 0) as since
    from (
        select sku, location, day, greatest(sum(units), 0) as units
        from (select sku, location, day, units, false as is_young
              from (select sku, location, day, claimed as units from moved
                    union all select sku, location, day, units from given_back) both_ways
              union all select sku, location, day, units, true from of_young) every
        join (select sku, location, is_young from began) b using (sku, location, is_young)
        group by sku, location, day) daily
    group by sku, location
), ends as (
    -- What was free when each of these days ended, and how many days nothing moved after it.
    select moved.sku, moved.location,
           s.on_hand - s.allocated - s.safety - coalesce(sum(freed) over later, 0) as free,
           coalesce(lead(day) over (partition by moved.sku, moved.location order by day),
                    transaction_moment()::date + 1) - day - 1 as still
    from moved join stock s using (sku, location)
    window later as (partition by moved.sku, moved.location order by day desc
                     rows between unbounded preceding and 1 preceding)
), empty as (
    select e.sku, e.location, sum(e.still)::int as days
    from ends e left join item i using (sku)
    where e.free <= 0 and not coalesce(i.backorder, false)
    group by e.sku, e.location
)
insert into stock_demand (sku, location, days, total, squares)
select b.sku, b.location,
       greatest(1, least(:days::int, transaction_moment()::date - least(b.day, sold.since) + 1)
                   - coalesce(empty.days, 0)),
       coalesce(sold.total, 0), coalesce(sold.squares, 0)
from began b
left join sold on (sold.sku, sold.location) = (b.sku, b.location)
left join empty on (empty.sku, empty.location) = (b.sku, b.location)
order by b.sku, b.location
on conflict (sku, location) do update
set days = excluded.days, total = excluded.total, squares = excluded.squares
where (stock_demand.days, stock_demand.total, stock_demand.squares)
      is distinct from (excluded.days, excluded.total, excluded.squares);

-- name: by_day(sku, locations, days, at_most)
-- What moved of a SKU on each day at its location: units that orders claimed less those of them that they gave back
-- later, and the change of what is on hand. Days on which nothing moved are left out. No more than the latest
-- `at_most` movements are read: days that these do not hold whole are left out, too.
with places as materialized (
    select s.location, coalesce(l.calendar ->> 'time_zone', 'UTC') as time_zone,
           location_day(l.calendar) - (:days::int - 1) as since, :at_most::int / count(*) over () as most
    from stock s join location l using (location)
    where s.sku = :sku and (:locations::text[] is null or s.location = any(:locations))
), latest as materialized (
    select p.location, (m.at at time zone p.time_zone)::date as day, p.since, m.movement_id, m.kind, m.order_no,
           m.on_hand_change, m.allocated_change, p.most
    from places p
    cross join lateral (
        -- Compared as rows, so that the index of the stock row's movements is read, and never all movements by number.
        select * from movement m
        where (m.sku, m.location) >= (:sku, p.location) and (m.sku, m.location) <= (:sku, p.location)
        order by m.sku desc, m.location desc, m.movement_id desc limit p.most) m
), whole_since as (
    select max(day) as day from (
        select case when count(*) = most then min(day) + 1 else min(since) end as day
        from latest group by location, most) places_of_it
)
select l.day,
       greatest(coalesce(sum(l.allocated_change) filter (where l.kind = 'allocated'), 0)
                + coalesce(sum(back.units), 0), 0)::bigint as sold,
       sum(l.on_hand_change)::bigint as on_hand_change
from latest l
left join (
    select claim.movement_id, sum(r.allocated_change) as units
    from latest r
    cross join lateral (
        select c.movement_id from movement c
        where c.order_no = r.order_no and c.sku = :sku and c.location = r.location and c.kind = 'allocated'
          and c.movement_id < r.movement_id
        order by c.movement_id desc limit 1) claim
    where r.kind = 'released'
    group by claim.movement_id) back using (movement_id)
where l.day >= (select day from whole_since)
group by l.day order by l.day;
