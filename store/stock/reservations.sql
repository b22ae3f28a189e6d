-- Claims of new orders on stock.

-- name: answers(order_ids, effect)
-- What orders that were reserved before were told. Written with the order itself: it is there, or neither.
select order_id, data from order_event
where order_id = any(:order_ids::text[]) and effect = :effect;
