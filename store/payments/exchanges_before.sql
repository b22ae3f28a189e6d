-- The exchanges that an order came by. Reads only.

-- name: paid_by(order_id)
-- The order, and those whose returns pay for it, its own before them.
with recursive payer as (
    select o.order_no, o.order_id::text, 1 as depth from customer_order o where o.order_id = :order_id
    union all
    select e.order_no, o.order_id::text, p.depth + 1
    from payer p join exchange e on e.exchange_no = p.order_no
    join customer_order o on o.order_no = e.order_no
    where coalesce(e.settled_minor, e.tender_minor) > 0
)
select order_id from payer order by depth;
