-- The journal of stock. Reads only.

-- name: history(sku, location, locations, before, channels, sellers, at_most)
-- The latest movements, or those before one of them, each with the counts after it: counted back from what there is
-- now, so that only the page and what came after it is read. Of an order of another channel or seller than these,
-- nobody is told which it is, who moved its units, and why. SKU and location are compared as a row, so that the index of
-- a stock row's movements is read, and never the movements of all.
with places as materialized (
    select location, on_hand, allocated from stock
    where sku = :sku and (:location::text is null or location = :location)
      and (:locations::text[] is null or location = any(:locations))
), page as materialized (
    select m.* from places p
    cross join lateral (
        select * from movement m
        where (m.sku, m.location) >= (:sku, p.location)
          and (m.sku, m.location, m.movement_id) < (:sku, p.location, coalesce(:before::bigint, 9223372036854775807))
        order by m.sku desc, m.location desc, m.movement_id desc limit :at_most
    ) m
    order by m.movement_id desc limit :at_most
), later as (
    select p.location, p.on_hand - coalesce(sum(m.on_hand_change), 0) as on_hand,
           p.allocated - coalesce(sum(m.allocated_change), 0) as allocated
    from places p
    left join movement m on (m.sku, m.location, m.movement_id) >= (:sku, p.location, :before::bigint)
        and (m.sku, m.location) <= (:sku, p.location) and :before is not null
    group by p.location, p.on_hand, p.allocated
)
select m.movement_id, m.at, m.sku, m.location, m.kind, m.on_hand_change, m.allocated_change,
       (l.on_hand - coalesce(sum(m.on_hand_change) over newer, 0))::bigint as on_hand,
       (l.allocated - coalesce(sum(m.allocated_change) over newer, 0))::bigint as allocated,
       m.counted, o.order_id,
       case when m.order_no is null or o.order_no is not null then m.who else '' end as who,
       case when m.order_no is null or o.order_no is not null then m.why else '' end as why
from page m
join later l using (location)
left join customer_order o on o.order_no = m.order_no
    and (:channels::text[] is null or o.channel = any(:channels))
    and (:sellers::text[] is null or o.seller = any(:sellers))
window newer as (partition by m.location order by m.movement_id desc
                 rows between unbounded preceding and 1 preceding)
order by m.movement_id desc;
