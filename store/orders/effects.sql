-- What the steps of an order have done. Rows are added together with the story, in events.sql.

-- name: find(order_id, effect)^
-- The order, and its effect if it was done.
select o.decision, is_over(o.order_no, o.decision) as is_over, e.order_no is not null as is_done, e.answer
from customer_order o
left join effect e on e.order_no = o.order_no and e.effect = :effect
where o.order_id = :order_id;

-- name: forget(kept_for, batch)$
-- The effects of orders that ended longer ago than this go, those of the oldest first. Returns of how many
-- orders.
with over as (
    select order_no from effect
    where ended_at < moment() - :kept_for::interval
    order by ended_at limit :batch
    for update skip locked
), gone as (
    delete from effect using over where effect.order_no = over.order_no
)
select count(*) from over;
