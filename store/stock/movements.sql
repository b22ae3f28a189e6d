-- The journal of stock. Reads only.

-- name: history(sku, location, before, channels, sellers, at_most)
-- The latest movements, or those before one of them, each with the counts after it. Of an order of another
-- channel or seller than these, nobody is told which it is, who moved its units, and why.
select * from (
    select m.movement_id, m.at, m.sku, m.location, m.kind, m.on_hand_change, m.allocated_change,
           sum(m.on_hand_change) over before::bigint as on_hand,
           sum(m.allocated_change) over before::bigint as allocated,
           m.counted, o.order_id,
           case when m.order_no is null or o.order_no is not null then m.who else '' end as who,
           case when m.order_no is null or o.order_no is not null then m.why else '' end as why
    from movement m
    left join customer_order o on o.order_no = m.order_no
        and (:channels::text[] is null or o.channel = any(:channels))
        and (:sellers::text[] is null or o.seller = any(:sellers))
    where m.sku = :sku and (:location::text is null or m.location = :location)
    window before as (partition by m.location order by m.movement_id)
) counted
where :before::bigint is null or movement_id < :before
order by movement_id desc limit :at_most;
