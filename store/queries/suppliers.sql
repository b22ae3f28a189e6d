-- Suppliers, their terms, and the levels at which is bought from them.

-- name: save_suppliers(suppliers, names)!
-- A name that is not given stays as it is known.
insert into supplier (supplier_id, name)
select supplier_id, coalesce(name, supplier_id)
from unnest(:suppliers::text[], :names::text[]) as w (supplier_id, name)
order by supplier_id
on conflict (supplier_id) do update set name =
    case when excluded.name = excluded.supplier_id then supplier.name else excluded.name end;

-- name: save_terms(skus, suppliers, lead_times, minimums, multiples, prices, currencies, priorities)!
insert into supplier_item (sku, supplier_id, lead_time_days, minimum, multiple, price_minor,
                           currency, priority)
select * from unnest(:skus::text[], :suppliers::text[], :lead_times::int[], :minimums::bigint[],
                     :multiples::bigint[], :prices::bigint[], :currencies::text[],
                     :priorities::int[])
    as w (sku, supplier_id, lead_time_days, minimum, multiple, price_minor, currency, priority)
order by sku, supplier_id
on conflict (sku, supplier_id) do update
set lead_time_days = excluded.lead_time_days, minimum = excluded.minimum,
    multiple = excluded.multiple, price_minor = excluded.price_minor,
    currency = excluded.currency, priority = excluded.priority;

-- name: call_if_low(skus)!
-- These may be bought from now on: what is below its level is called for. The rows are locked.
select call_if_low(sku, location) from stock
where sku = any(:skus::text[]) and reorder_point is not null;

-- name: list_terms(supplier, skus)
select i.supplier_id as supplier, s.name, i.sku, i.lead_time_days, i.minimum, i.multiple,
       i.price_minor, i.currency, i.priority
from supplier_item i join supplier s using (supplier_id)
where (:supplier::text is null or i.supplier_id = :supplier)
  and (:skus::text[] is null or i.sku = any(:skus))
order by i.supplier_id, i.sku;

-- name: list_suppliers(supplier)
select s.supplier_id as supplier, s.name,
       (select count(*) from supplier_item i where i.supplier_id = s.supplier_id) as skus,
       (select count(*) from purchase_order p where p.supplier_id = s.supplier_id
            and p.state not in ('closed', 'cancelled')) as open_orders
from supplier s
where :supplier::text is null or s.supplier_id = :supplier
order by s.supplier_id;

-- name: set_levels(skus, locations, reorder_points, order_up_tos, service_levels, safeties)!
-- The rows are there and locked. A row that follows demand keeps what was computed until now, and so
-- does one of which only the safety stock is set.
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
