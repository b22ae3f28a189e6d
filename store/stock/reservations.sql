-- Claims of new orders on stock.

-- name: answers(order_ids, effect)
-- The answers to orders that were reserved before. No answer: the order ended long ago.
select order_id, decision, answer
from customer_order o left join effect e on e.order_no = o.order_no and e.effect = :effect
where order_id = any(:order_ids::text[]);
