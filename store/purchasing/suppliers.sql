-- Suppliers and their terms.

-- name: save_suppliers(suppliers, names)!
-- A name that is not given stays as it is.
insert into supplier (supplier_id, name)
select supplier_id, coalesce(name, supplier_id)
from unnest(:suppliers::text[], :names::text[]) as w (supplier_id, name)
order by supplier_id
on conflict (supplier_id) do update set name =
    case when excluded.name = excluded.supplier_id then supplier.name else excluded.name end;

-- name: save_terms(skus, suppliers, lead_times, minimums, multiples, prices, currencies, priorities)!
insert into supplier_item (sku, supplier_id, lead_time_days, minimum, multiple, unit_price,
                           currency, priority)
select * from unnest(:skus::text[], :suppliers::text[], :lead_times::int[], :minimums::bigint[],
                     :multiples::bigint[], :prices::numeric[], :currencies::text[],
                     :priorities::int[])
    as w (sku, supplier_id, lead_time_days, minimum, multiple, unit_price, currency, priority)
order by sku, supplier_id
on conflict (sku, supplier_id) do update
set lead_time_days = excluded.lead_time_days, minimum = excluded.minimum,
    multiple = excluded.multiple, unit_price = excluded.unit_price,
    currency = excluded.currency, priority = excluded.priority;

-- name: list_terms(supplier, skus, after_supplier, after_sku, at_most)
select i.supplier_id as supplier, s.name, i.sku, i.lead_time_days, i.minimum, i.multiple,
       i.unit_price, i.currency, i.priority
from supplier_item i join supplier s using (supplier_id)
where (:supplier::text is null or i.supplier_id = :supplier)
  and (:skus::text[] is null or i.sku = any(:skus))
  and (i.supplier_id, i.sku) > (coalesce(:after_supplier::text, ''), coalesce(:after_sku::text, ''))
order by i.supplier_id, i.sku limit :at_most;

-- name: names(at_most)
select supplier_id as supplier, name from supplier order by name, supplier_id limit :at_most;

-- name: list_suppliers(supplier, locations, after, at_most)
-- Open orders: those for these locations; null: for any.
select s.supplier_id as supplier, s.name,
       (select count(*) from supplier_item i where i.supplier_id = s.supplier_id) as skus,
       (select count(*) from purchase_order p where p.supplier_id = s.supplier_id
            and (:locations::text[] is null or p.location = any(:locations))
            and p.state not in ('closed', 'cancelled')) as open_orders
from supplier s
where (:supplier::text is null or s.supplier_id = :supplier)
  and s.supplier_id > coalesce(:after::text, '')
order by s.supplier_id limit :at_most;
