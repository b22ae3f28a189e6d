-- name: tenders(order_id)$
-- The policy for an order that was paid in several ways.
select policy ->> 'refund_tenders' from customer_order where order_id = :order_id;
