-- What the shop has said of SKUs and locations, as orders need it, and which version of it that is.

-- name: read(skus, countries, postal_codes, services)^
-- One statement, so that everything is of the version that it names. `items` are those of the SKUs and of
-- the parts of kits among them; `ways` lead from each location to each of these addresses.
with kits as (
    select kit, jsonb_object_agg(part, units) as parts
    from kit_part where kit = any(:skus::text[]) group by kit
)
select coalesce((select version from catalogue_version), 0) as version,
       (select coalesce(jsonb_object_agg(kit, parts), '{}') from kits) as kits,
       (select coalesce(jsonb_agg(jsonb_build_object(
                   'sku', sku, 'name', name, 'backorder', backorder,
                   'available_from', available_from, 'discontinued', discontinued,
                   'handling', handling)), '[]')
        from item
        where described and (sku = any(:skus::text[])
                             or sku in (select jsonb_object_keys(parts) from kits))) as items,
       (select coalesce(jsonb_agg(to_jsonb(w)), '[]')
        from ways_to(null, :countries::text[], :postal_codes::text[], :services::text[]) w) as ways;

-- name: look(order_ids, skus)^
-- Begins orders and locks stock: see schema/routines/stock.sql.
select * from reserve_look(:order_ids::text[], :skus::text[]);
