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

-- name: apply(skus, units, valued, valued_units, currencies, amounts, accounts, account_currencies, account_amounts, effect, order_id, memo, kind)!
-- Moves units and their cost, and books that in one entry; a cost of zero makes no entry.
with counted as (
    update inventory i set quantity = i.quantity + c.units
    from unnest(:skus::text[], :units::bigint[]) as c (sku, units)
    where i.sku = c.sku
), changed as (
    select * from unnest(:valued::text[], :valued_units::bigint[], :currencies::text[], :amounts::bigint[])
        as c (sku, units, currency, amount)
), lowered as (
    update inventory_value v set value_minor = v.value_minor + c.amount
    from changed c
    where (v.sku, v.currency) = (c.sku, c.currency) and c.amount < 0
), raised as (
    insert into inventory_value as v (sku, currency, value_minor)
    select sku, currency, amount from changed where amount > 0
    on conflict (sku, currency) do update set value_minor = v.value_minor + excluded.value_minor
), entry as (
    insert into journal_entry (effect, order_no, memo)
    select :effect, order_no_of(:order_id), :memo where exists (select from changed)
    returning entry_id
), goods as (
    insert into inventory_posting (entry_id, sku, kind, units, currency, value_minor)
    select entry_id, sku, :kind, units, currency, amount from entry, changed
)
insert into posting (entry_id, account, currency, amount_minor)
select entry_id, account, currency, amount
from entry, unnest(:accounts::text[], :account_currencies::text[], :account_amounts::bigint[])
    as p (account, currency, amount);
