-- What the steps of an order have done. Rows are added together with the story, in events.sql; but for answers that changed nothing.

-- name: find(order_id, effect)^
-- The answer of an effect, if it was done. The function stands in schema/routines/orders.sql.
select is_done, its_answer as answer from effect_of(:order_id, :effect);

-- name: keep(order_id, effect, answer)!
insert into effect (order_no, effect, answer) values (order_no_of(:order_id), :effect, :answer)
on conflict (order_no, effect) do nothing;

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
