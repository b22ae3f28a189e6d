-- Row locks in the one order in which they may be taken: the order's row first, then stock rows
-- sorted by SKU and location, and last the counter of documents.sql. See store/locks.py.

-- name: lock_order(order_id)^
-- Serialises everything that writes about one order. Rows that refer to it can still be read and added.
select order_id, decision from customer_order where order_id = :order_id for no key update;

-- name: lock_stock(skus)
-- All locations of the given SKUs, with their units.
select sku, location, on_hand, allocated, safety,
       (select retired_at is not null from location l where l.location = stock.location) as retired
from stock
where sku = any(:skus::text[])
order by sku, location
for no key update;

-- name: soft_reserved(skus)
-- The soft reservations of baskets and backorders for these SKUs. A statement of its own, after the
-- rows are locked: one that waits for a lock does not see what others have written meanwhile to
-- another table.
select sku, location, sum(quantity)::bigint as quantity from soft_reservation
where sku = any(:skus::text[]) and (expires_at is null or expires_at > transaction_moment())
group by sku, location;

-- name: empty_baskets(baskets, skus)
-- Returns their units until now; expired ones were free before.
delete from soft_reservation where basket = any(:baskets::text[]) and sku = any(:skus::text[])
returning basket, sku, location, case when expires_at > transaction_moment() then quantity else 0 end as quantity;
