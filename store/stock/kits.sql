-- Kits: what they are made of now, and what those were made of that orders have claimed.

-- name: lock_kit(sku)!
-- Nobody else makes a kit of it, a part, or something in stock, until the transaction ends. Whoever
-- orders it does not wait.
select from item where sku = :sku for no key update;

-- name: lock_part(sku)!
-- Nobody makes a kit of it until the transaction ends.
select from item where sku = :sku for share;

-- name: kits(skus)
-- All kits, or those of these SKUs.
select kit as sku, jsonb_object_agg(part, units) as parts
from kit_part
where :skus::text[] is null or kit = any(:skus::text[])
group by kit order by kit;

-- name: kits_with(part)
select kit from kit_part where part = :part order by kit;

-- name: unknown(skus)
-- Of which nobody ever kept stock or said anything.
select sku from unnest(:skus::text[]) with ordinality as s (sku, place)
where not exists (select from stock where stock.sku = s.sku)
  and not exists (select from item where item.sku = s.sku and described)
order by place;

-- name: stocked(sku)$
select exists (select from stock where sku = :sku);

-- name: define(sku, parts, units)!
with kit_row as (
    insert into kit (sku) values (:sku)
    on conflict (sku) do update set changed_at = clock_timestamp()
    returning sku
), gone as (
    delete from kit_part where kit = :sku and part <> all(:parts::text[])
)
insert into kit_part (kit, part, units)
select kit_row.sku, part, units
from kit_row, unnest(:parts::text[], :units::bigint[]) as p (part, units)
on conflict (kit, part) do update set units = excluded.units;

-- name: remove(sku)$
delete from kit where sku = :sku returning sku;

-- name: claimed(order_id)
-- What the units of an order's lines are made of, by their claims; the line's own SKU where it is
-- no kit. It is the same for all claims of a line.
select r.line_id, jsonb_object_agg(r.sku, r.per_unit) as parts
from fulfilment f join reservation r using (fulfilment_id)
where f.order_id = :order_id
group by r.line_id;
