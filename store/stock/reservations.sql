-- Claims of new orders on stock.

-- name: answers(order_ids, effect)
-- The answers to orders that were reserved before.
select order_id, decision, data from order_event join customer_order using (order_id)
where order_id = any(:order_ids::text[]) and effect = :effect;
