-- Order holds: those of the order itself, for its payment, and those that people and rules have placed. Whoever
-- writes here has locked the order's row.

-- name: open_holds(order_id)
-- Those that stand, the oldest first.
select hold_id, reason, note, owner, who, rule, since, until, at_end, told
from order_hold where order_no = order_no_of(:order_id) and released_at is null
order by since, length(hold_id), hold_id;

-- name: next_number(order_id)$
-- Of those that people and rules place: none is ever deleted.
select 1 + count(*) from order_hold where order_no = order_no_of(:order_id) and reason <> 'payment';

-- name: place(order_id, hold_id, reason, note, owner, who, until, at_end, told)!
-- Going on → held, once per id.
insert into order_hold (order_no, hold_id, reason, note, owner, who, until, at_end, told)
values (order_no_of(:order_id), :hold_id, :reason, :note, :owner, :who, :until::timestamptz, :at_end, :told)
on conflict (order_no, hold_id) do nothing;

-- name: release(order_id, hold_ids, who, note)$
-- Held → going on. The last one of them lets the order's parcels go on (routines/fulfilment.sql). Answers whether the
-- customer is to hear of that: they were told of one that ends, and no other hold stands. One that stands passes it on.
with ended as (
    update order_hold set released_at = moment(), released_by = :who, end_note = nullif(:note, '')
    where order_no = order_no_of(:order_id) and hold_id = any(:hold_ids::text[]) and released_at is null
    returning told
), passed_on as (
    update order_hold set told = true
    where order_no = order_no_of(:order_id) and released_at is null and hold_id <> all(:hold_ids::text[])
      and (select bool_or(told) from ended)
)
select coalesce(bool_or(told), false)
       and not exists (select from order_hold
                       where order_no = order_no_of(:order_id) and released_at is null
                         and hold_id <> all(:hold_ids::text[]))
from ended;

-- name: extend(order_id, hold_ids, until, at_end)!
-- Another deadline, or none.
update order_hold
set until = :until::timestamptz, asked_at = null,
    at_end = case when :until::timestamptz is not null then coalesce(:at_end, at_end, 'release') end
where order_no = order_no_of(:order_id) and hold_id = any(:hold_ids::text[]) and released_at is null;

-- name: due(again_after, batch)
-- Those whose deadline has passed, and that their order was not asked to end a short time ago.
select order_id, hold_id, at_end from order_hold join customer_order using (order_no)
where released_at is null and until <= moment()
  and coalesce(asked_at < moment() - :again_after::interval, true)
order by until limit :batch;

-- name: is_due(order_id, hold_id)$
select exists (select from order_hold where order_no = order_no_of(:order_id) and hold_id = :hold_id
               and released_at is null and until <= moment());

-- name: asked_to_end(order_id, hold_id)!
update order_hold set asked_at = moment() where order_no = order_no_of(:order_id) and hold_id = :hold_id;

-- name: is_here(order_id)$
-- Whether anything of the order is still to be handed over.
select coalesce(sum(ordered - cancelled - shipped), 0) > 0 from order_line where order_no = order_no_of(:order_id);
