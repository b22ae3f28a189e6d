-- The cost of goods. It is changed only under the locks of the SKUs' stock rows.

-- name: sold(order_id, skus)
-- An order's units that went out and have not come back: their number, and their cost by currency.
with units as (
    select sku, -sum(on_hand_change)::bigint as quantity from movement
    where order_no = order_no_of(:order_id) and sku = any(:skus::text[])
      and kind in ('shipped', 'returned')
    group by sku
), cost as (
    select p.sku, p.currency, -sum(p.value_minor)::bigint as value_minor
    from journal_entry e join inventory_posting p using (entry_id)
    where e.order_no = order_no_of(:order_id) and p.sku = any(:skus::text[])
      and p.kind in ('shipped', 'returned')
    group by p.sku, p.currency
)
select u.sku, u.quantity,
       coalesce((select jsonb_object_agg(currency, value_minor) from cost c where c.sku = u.sku), '{}')
           as costs
from units u;

-- name: last_moved(skus)
-- The last entry of each SKU that has a cost: its units, and their cost by currency.
select w.sku, last.units, last.costs
from unnest(:skus::text[]) as w (sku)
cross join lateral (
    select max(abs(p.units))::bigint as units, jsonb_object_agg(p.currency, abs(p.value_minor)) as costs
    from inventory_posting p
    where p.sku = w.sku
    group by p.entry_id
    order by p.entry_id desc limit 1
) last;

-- name: apply(change, effect, order_id, memo, kind, owner, other)$
-- The function stands in schema/routines/accounting.sql.
select goods_valued(:change::jsonb, :effect, order_no_of(:order_id), :memo, :kind, :owner, :other);

-- name: worth(sku)
-- The units of a SKU that each seller has, and their known cost by currency.
select h.seller, h.quantity as units, v.currency, v.value_minor
from holding h join inventory_value v using (sku, seller)
where h.sku = :sku and h.quantity > 0 order by h.seller, v.currency;
