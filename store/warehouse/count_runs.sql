-- What is counted on the floor, and what should lie there. Reads only.

-- name: stops(location, sku, place)
-- SKUs with stock here, at each of their places ('': they have none): this one, or those that lie at this place.
-- The place comes first, then the walking order.
select s.sku, coalesce(b.bin, '') as place
from stock s
left join bin_item i using (location, sku)
left join bin b on (b.location, b.bin) = (i.location, i.bin)
where s.location = :location
  and case when :sku::text is not null then s.sku = :sku
      else s.sku in (select sku from bin_item where location = :location and bin = :place order by sku limit 200) end
order by b.bin is not distinct from :place desc, b.walk nulls last, b.bin, s.sku;

-- name: shelves(location, skus)
-- Units on hand, and those of them that lie on no shelf: of parcels that were picked and have not left, of
-- what was taken out of parcels and is not put back, and in somebody's hand, or taken for another location. What a
-- receipt has put away that is not over counts as less than none: it lies on a shelf, and is not on hand.
with runs as materialized (
    select kind, state, facts from scan_run
    where location = :location and ended_at is null and kind in ('pick', 'receive', 'arrive', 'send', 'move')
)
select s.sku, s.on_hand,
       (coalesce((
            select sum(l.picked * r.per_unit)
            from reservation r
            join fulfilment f using (order_no, fulfilment_id)
            join fulfilment_line l using (order_no, fulfilment_id, line_id)
            where r.sku = s.sku and r.location = s.location and r.quantity > 0
              and f.state in ('picked', 'packed', 'labelled')), 0)
        + coalesce((
            select sum(l.quantity * coalesce(k.units, 1))
            from put_back b
            join put_back_line l using (order_no, put_back_id)
            join fulfilment f on (f.order_no, f.fulfilment_id) = (b.order_no, b.fulfilment_id)
            left join kit_part k on k.kit = l.sku and k.part = s.sku
            where b.done_at is null and f.location = s.location
              and (k.part is not null or l.sku = s.sku)), 0)
        + coalesce((
            select sum(n) from (
                -- A parcel that is picked stays in hand until its pick is on record.
                select g.units::bigint as n
                from runs r
                cross join lateral jsonb_array_elements(r.state -> 'stops') t (stop)
                cross join lateral jsonb_each_text(t.stop -> 'got') g (part, units)
                join lateral jsonb_array_elements(r.state -> 'parcels') p (parcel)
                    on p.parcel ->> 'part_id' = g.part
                   and (p.parcel ->> 'ended' = ''
                        or r.facts @> jsonb_build_array(jsonb_build_object('what', 'pick', 'part', g.part)))
                where r.kind = 'pick' and t.stop ->> 'sku' = s.sku
                union all
                select (r.state -> 'back' ->> s.sku)::bigint
                       + case when r.state -> 'hand' ->> 'sku' = s.sku
                              then (r.state -> 'hand' ->> 'units')::bigint else 0 end
                from runs r where r.kind = 'pick'
                union all
                select -(c ->> 'units')::bigint
                from runs r cross join lateral jsonb_array_elements(r.state -> 'came') c
                where r.kind in ('receive', 'arrive') and c ->> 'sku' = s.sku and c ->> 'place' <> ''
                  and (not (r.state ->> 'is_over')::boolean or r.facts @> '[{"what": "receive"}]')
                union all
                select (l ->> 1)::bigint
                from runs r cross join lateral jsonb_array_elements(r.state -> 'log') l
                where r.kind = 'send' and l ->> 0 = s.sku
                union all
                select n::bigint
                from runs r cross join lateral jsonb_array_elements_text(r.state -> 'hand' -> 'scans') n
                where r.kind = 'move' and r.state -> 'hand' ->> 'sku' = s.sku
                union all
                select (f -> 'said' ->> 'n')::bigint * case f ->> 'what' when 'write_off' then 1 else -1 end
                from runs r cross join lateral jsonb_array_elements(r.facts) f
                where r.kind = 'move' and f ->> 'part' = s.sku and f ->> 'what' in ('write_off', 'adjust')) held), 0)
       )::bigint as away
from stock s where s.location = :location and s.sku = any(:skus::text[]);

-- name: due(location, classes, every, at_most)
-- SKUs that were not counted for as long as their class says; first those that never were, then those that have waited
-- longest for it. Those that somebody counts are left out. Of each class the first ones are read, in the sequence of its
-- index.
with first as (
    select c.sku, nullif(c.counted_at, '-infinity') as counted_at, c.class, c.worth,
           case when c.counted_at > '-infinity'
                then extract(epoch from moment() - c.counted_at) / extract(epoch from e.every) end::float8 as waited
    from (select every, class, (select moment()) - every as before
          from unnest(:every::interval[]) with ordinality as u (every, class)) e
    cross join lateral (
        select c.* from stock_count c
        where c.location = :location and c.class = e.class and c.counted_at <= e.before
          and (select on_hand > 0 from stock s where s.sku = c.sku and s.location = c.location)
          and not exists (select from scan_run_part p where p.part_id = :location || '/' || c.sku)
        order by c.counted_at, c.worth desc nulls last, c.sku limit :at_most
    ) c
    order by waited desc nulls first, c.class, c.worth desc nulls last, c.sku limit :at_most
)
select t.sku, i.name, coalesce(b.bin, '') as place, (:classes::text[])[t.class] as cycle, t.counted_at
from first t
join item i using (sku)
left join lateral (
    select bin from bin_item where (location, sku) = (:location, t.sku) order by rank, bin limit 1) b on true
order by t.waited desc nulls first, t.class, t.worth desc nulls last, t.sku;

-- name: measure(shares)!
-- The classes, and the worth, of all stock anew. What the seller has paid in different currencies is not added up: each
-- has classes of its own. What has not changed is not written; what somebody counts at this moment is left for the next
-- time, because a count of several SKUs and this one would wait for each other.
with valued as (
    select s.sku, s.location, v.currency, v.value_minor::float8 * s.on_hand / h.quantity as worth
    from location l
    join stock s using (location)
    left join holding h on (h.sku, h.seller) = (s.sku, l.seller) and h.quantity > 0
    left join inventory_value v on (v.sku, v.seller) = (h.sku, h.seller)
    where s.on_hand > 0
), ranked as (
    select sku, location, worth,
           coalesce((sum(worth) over by_worth - worth)
                    / nullif(sum(worth) over (partition by location, currency), 0), 1) as before_it
    from valued
    window by_worth as (partition by location, currency order by worth desc, sku rows unbounded preceding)
), classed as (
    select sku, location, max(worth) as worth,
           least(1 + width_bucket(min(before_it), :shares::float8[]), cardinality(:shares::float8[])) as class
    from ranked group by sku, location
)
update stock_count c set class = n.class, worth = n.worth
from (
    select n.* from classed n join stock_count c using (sku, location)
    where (c.class, c.worth) is distinct from (n.class, n.worth) for no key update of c skip locked
) n
where (c.sku, c.location) = (n.sku, n.location);
