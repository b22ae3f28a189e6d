-- name: policy(order_id)$
select policy from customer_order where order_id = :order_id;
