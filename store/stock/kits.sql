-- Kits: their parts now, and the parts of those that orders have claimed.

-- name: lock_kit(sku)!
-- Until the transaction ends, no other one makes it a kit, a part, or an item in stock. Orders for
-- it do not wait.
select from item where sku = :sku for no key update;

-- name: lock_part(sku)!
-- Until the transaction ends, no other one makes it a kit.
select from item where sku = :sku for share;

-- name: kits(skus)
-- All kits, or those of these SKUs.
select kit as sku, jsonb_object_agg(part, units) as parts
from kit_part
where :skus::text[] is null or kit = any(:skus::text[])
group by kit order by kit;

-- name: page_of_kits(sku, after, at_most)
-- By SKU, from behind one on.
select kit as sku, jsonb_object_agg(part, units) as parts
from kit_part
where (:sku::text is null or kit = :sku) and kit > coalesce(:after::text, '')
group by kit order by kit limit :at_most;

-- name: costs(order_id, parts)
-- What one unit of each costs the order's seller now, in thousandths of a minor unit of its currency, where that is
-- known.
select v.sku, v.value_minor * 1000 / h.quantity as cost
from customer_order o
join holding h on h.seller = o.seller and h.sku = any(:parts::text[]) and h.quantity > 0
join inventory_value v on (v.sku, v.seller) = (h.sku, h.seller) and v.currency = o.currency
where o.order_id = :order_id and v.value_minor > 0;

-- name: kits_with(part)
select kit from kit_part where part = :part order by kit;

-- name: unknown(skus)
-- SKUs without stock and without settings.
select sku from unnest(:skus::text[]) with ordinality as s (sku, place)
where not exists (select from stock where stock.sku = s.sku)
  and not exists (select from item where item.sku = s.sku and described)
order by place;

-- name: stocked(sku)$
select exists (select from stock where sku = :sku);

-- name: define(sku, parts, units)!
with kit_row as (
    insert into kit (sku) values (:sku)
    on conflict (sku) do update set changed_at = moment()
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
-- The parts of an order's units, by their claims; the line's own SKU if it is no kit. All claims of
-- a line have the same.
select r.line_id, jsonb_object_agg(r.sku, r.per_unit) as parts
from fulfilment f join reservation r using (order_no, fulfilment_id)
where f.order_no = order_no_of(:order_id)
group by r.line_id;
