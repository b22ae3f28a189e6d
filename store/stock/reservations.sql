-- Claims of new orders on stock.

-- name: answers(order_ids, effect)
-- The answers to orders that were reserved before. An answer is written together with its order.
select order_id, data from order_event
where order_id = any(:order_ids::text[]) and effect = :effect;
