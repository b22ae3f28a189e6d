-- The story of an order, and what waits for a person.

-- name: is_told(order_id, effect)$
select exists (
    select from order_event where order_no = order_no_of(:order_id) and effect = :effect);

-- name: add_events(order_ids, effects, answers, whats, whos, whys, data, after_end)$
-- Each effect is remembered, and told. The function stands in schema/routines/orders.sql.
select told(:order_ids::text[], :effects::text[], :answers::jsonb[], :whats::text[], :whos::text[],
            :whys::text[], :data::jsonb[], :after_end);

-- name: raise_attention(order_id, step, reason, allowed, since)!
insert into attention (order_no, step, reason, allowed, since)
values (order_no_of(:order_id), :step, :reason, :allowed, coalesce(:since::timestamptz, moment()))
on conflict (order_no, step) where resolved_at is null do update
set reason = excluded.reason, allowed = excluded.allowed,
    since = greatest(attention.since, :since::timestamptz);

-- name: resolve_attention(resolution, order_id, step, since)!
update attention set resolved_at = moment(), resolution = :resolution
where order_no = order_no_of(:order_id) and step = :step and resolved_at is null
  and since = coalesce(:since::timestamptz, since);

-- name: list_attention(order_ids)
select order_id, step, attention.reason, since, allowed
from attention join customer_order using (order_no)
where resolved_at is null and order_id = any(:order_ids::text[])
order by since;

-- name: attention_at(step)
-- The orders that need a person at this step.
select order_id, since from attention join customer_order using (order_no)
where resolved_at is null and step = :step;
