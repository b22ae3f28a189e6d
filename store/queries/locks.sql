-- Row locks, all of them, in the one order in which they may be taken:
-- the order's row first, then stock rows sorted by SKU and location. See store/locks.py.

-- name: lock_order(order_id)^
-- Serialises everything that writes about one order. Rows that refer to it can still be read and added.
select order_id, decision, run_id, digest from orders where order_id = :order_id for no key update;

-- name: lock_stock(skus)
-- All locations of the given SKUs, with what is free there.
select sku, location, on_hand, allocated, safety from stock
where sku = any(:skus::text[])
order by sku, location
for no key update;
