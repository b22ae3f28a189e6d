-- Links to customers' pages.

-- name: known(order_id)$
-- The order's number; null where it is not there, and where its person was erased.
select order_no from order_person
where order_no = order_no_of(:order_id) and erased_at is null;

-- name: order_named(order_no)^
-- The order with a number, and whether its person was erased.
select o.order_id, p.erased_at is not null as erased
from customer_order o join order_person p using (order_no) where o.order_no = :order_no;
