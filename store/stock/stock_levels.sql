-- name: call_if_low(skus)!
-- Calls purchasing for those of these SKUs that are below their level. The rows are locked.
select call_if_low(sku, location) from stock
where sku = any(:skus::text[]) and reorder_point is not null;

-- name: set_levels(skus, locations, reorder_points, order_up_tos, service_levels, safeties)!
-- The rows exist and are locked. A row that follows demand keeps its computed levels, and so does
-- one of which only the safety stock is set.
update stock s
set reorder_point = case when w.reorder_point is null
                              and (w.service_level is not null or w.safety is not null)
                         then s.reorder_point else w.reorder_point end,
    order_up_to = case when w.reorder_point is null
                            and (w.service_level is not null or w.safety is not null)
                       then s.order_up_to else w.order_up_to end,
    service_level = case when w.reorder_point is null and w.service_level is null
                              and w.safety is not null
                         then s.service_level else w.service_level end,
    safety = coalesce(w.safety, s.safety)
from unnest(:skus::text[], :locations::text[], :reorder_points::bigint[], :order_up_tos::bigint[],
            :service_levels::float8[], :safeties::bigint[])
    as w (sku, location, reorder_point, order_up_to, service_level, safety)
where (s.sku, s.location) = (w.sku, w.location);

-- name: list_levels(sku, location, after_sku, after_location, at_most)
select s.sku, s.location, s.reorder_point, s.order_up_to, s.service_level, s.safety,
       inventory_position(s.sku, s.location) as position
from stock s
where (s.reorder_point is not null or s.service_level is not null)
  and (:sku::text is null or s.sku = :sku) and (:location::text is null or s.location = :location)
  and (s.sku, s.location) > (coalesce(:after_sku::text, ''), coalesce(:after_location::text, ''))
order by s.sku, s.location limit :at_most;
