-- Row locks in the one order in which they may be taken. See store/locks.py.

-- name: lock_order(order_id)^
-- Serialises everything that writes about one order. Rows that refer to it can still be read and added.
select order_id, decision from customer_order where order_id = :order_id for no key update;

-- name: lock_stock(skus)
-- All stock of the given SKUs, with the free units of each location. The function stands in
-- schema/routines/stock.sql.
select sku, location, quantity from locked_stock(:skus::text[]);

-- name: empty_baskets(baskets, skus)
-- Returns their units until now; expired ones were free before.
delete from soft_reservation where basket = any(:baskets::text[]) and sku = any(:skus::text[])
returning basket, sku, location, case when expires_at > transaction_moment() then quantity else 0 end as quantity;
