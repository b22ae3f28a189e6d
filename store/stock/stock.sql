-- Stock and its journal. on_hand and allocated change only through `move`.

-- name: move(effects, skus, locations, on_hand_changes, allocated_changes, order_ids, kind, goods, counted, who, why)
-- Books a set of movements and applies them. The function stands in schema/routines/stock.sql.
select * from stock_moved(
    :effects::text[], :skus::text[], :locations::text[], :on_hand_changes::bigint[],
    :allocated_changes::bigint[], :order_ids::text[], :kind, :goods, :counted, :who, :why);

-- name: add_stock_rows(skus, locations)$
-- The function stands in schema/routines/stock.sql.
select add_stock_rows(:skus::text[], :locations::text[]);

-- name: list_stock(sku, location, after_sku, after_location, at_most)
-- In the order of the primary key, from behind a row on; a null does not filter. Only the rows of
-- the page are looked up in the other tables. One SKU has a branch of its own, so that a generic
-- plan finds its rows by the key, too.
with page as materialized (
    (select sku, location, on_hand, allocated, safety from stock
     where :sku::text is null and (:location::text is null or location = :location)
       and (sku, location) > (coalesce(:after_sku::text, ''), coalesce(:after_location::text, ''))
     order by sku, location limit :at_most)
    union all
    (select sku, location, on_hand, allocated, safety from stock
     where sku = :sku and (:location::text is null or location = :location)
       and (sku, location) > (coalesce(:after_sku::text, ''), coalesce(:after_location::text, ''))
     order by sku, location limit :at_most)
)
select sku, location, on_hand, allocated, safety, coalesce(soft_reserved, 0)::bigint as soft_reserved,
       case when retired_at is null
            then (on_hand - allocated - safety - coalesce(soft_reserved, 0))::bigint else 0 end
           as available,
       (coalesce(transferred, 0) + coalesce(ordered, 0))::bigint as incoming
from page s join location using (location)
left join lateral (
    select sum(quantity) as soft_reserved from soft_reservation r
    where (r.sku, r.location) = (s.sku, s.location)
      and (expires_at is null or expires_at > transaction_moment())
) r on true
left join lateral (
    select sum(sent - arrived - lost) as transferred
    from transfer_line l join transfer using (transfer_id)
    where l.sku = s.sku and to_location = s.location and arrived + lost < sent
) t on true
left join lateral (
    select sum(l.outstanding) as ordered
    from purchase_order_line l join purchase_order p using (po_id)
    where (l.sku, l.location) = (s.sku, s.location) and l.outstanding > 0 and p.state <> 'proposed'
) o on true
order by sku, location;

-- name: find_movement(effect, sku, location)^
select on_hand_change, counted from movement
where effect = :effect and sku = :sku and location = :location;

-- name: movements_of(effect)
select sku, sum(on_hand_change)::bigint as on_hand_change from movement where effect = :effect
group by sku order by sku;
