-- What an exchange is made from. Reads only.

-- name: basis(order_id)^
-- What an exchange of an order is made from. `main`: who pays for it now.
select o.order_no, o.channel, o.seller, o.decision, o.policy::text as policy, document_of(o.order_no) as document,
       p.customer_id, payer_of(o.order_no) as main,
       (select count(*) from exchange e where e.order_no = o.order_no) as exchanges,
       (select jsonb_object_agg(line_id, greatest(0, delivered - return_requested - returned))
        from order_line l where l.order_no = o.order_no) as returnable,
       exists (select from order_line l where l.order_no = o.order_no and l.delivered > 0) as delivered
from customer_order o join order_person p using (order_no) where o.order_id = :order_id;

-- name: record_of(order_id)^
-- What the order's customer has received and sent back, over all orders.
select coalesce(sum(l.delivered), 0)::bigint as delivered, coalesce(sum(l.returned), 0)::bigint as returned
from order_person p join order_line l using (order_no)
where p.customer_id = (select customer_id from order_person where order_no = order_no_of(:order_id));
