-- The story of an order, and what waits for a person.

-- name: find_event(order_id, effect)$
-- The record of an effect; null when it was not done.
select data from order_event where order_id = :order_id and effect = :effect;

-- name: put_in_place_of(order_id, fulfilment_id)
-- The fulfilments to which the units were carried over that were still wanted of this one.
select data ->> 'fulfilment_id' as fulfilment_id from order_event
where order_id = :order_id and data ->> 'instead_of' = :fulfilment_id order by event_id;

-- name: open_hold(order_id)$
-- For what the order waits, as it was told; null when it is not held.
select note from order_hold where order_id = :order_id and released_at is null;

-- name: add_events(order_ids, effects, whats, whos, whys, data)!
insert into order_event (order_id, effect, what, who, why, data)
select order_id, effect, what, who, nullif(why, ''), data
from unnest(:order_ids::text[], :effects::text[], :whats::text[], :whos::text[], :whys::text[],
            :data::jsonb[]) as e (order_id, effect, what, who, why, data)
on conflict (order_id, effect) do nothing;

-- name: raise_attention(order_id, step, reason, allowed)!
insert into attention (order_id, step, reason, allowed)
values (:order_id, :step, :reason, :allowed)
on conflict (order_id, step) where resolved_at is null do update
set reason = excluded.reason, allowed = excluded.allowed;

-- name: resolve_attention(resolution, order_id, step)!
update attention set resolved_at = moment(), resolution = :resolution
where order_id = :order_id and step = :step and resolved_at is null;

-- name: list_attention(order_ids)
select order_id, step, reason, since, allowed from attention
where resolved_at is null and order_id = any(:order_ids::text[])
order by since;

-- name: attention_at(step)
-- The orders that need a person at this step.
select order_id, since from attention where resolved_at is null and step = :step;

-- name: hold(order_id, number, reason, note, who)!
-- Going on → held, once per number.
insert into order_hold (order_id, number, reason, note, who)
values (:order_id, :number, :reason, :note, :who)
on conflict (order_id, number) do nothing;

-- name: release_hold(who, order_id, number)!
-- Held → going on.
update order_hold set released_at = moment(), released_by = :who
where order_id = :order_id and number = :number and released_at is null;
