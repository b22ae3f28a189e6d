-- Holds that stand until an address is checked.

-- name: claim(again_after, batch)
-- Those that nobody has looked at lately, with where the order goes; others skip them for a while.
with due as (
    select order_no, hold_id from order_hold
    where released_at is null and check_until is not null
      and coalesce(asked_at < moment() - :again_after::interval, true)
    order by since limit :batch for no key update skip locked
), claimed as (
    update order_hold h set asked_at = moment() from due
    where (h.order_no, h.hold_id) = (due.order_no, due.hold_id)
    returning h.order_no, h.hold_id, h.check_until
)
select o.order_id, c.hold_id, c.check_until, p.person -> 'address' as address
from claimed c join customer_order o using (order_no) join order_person p using (order_no);

-- name: checked(order_id, hold_id, fault, seen)$
-- It is known now, or will not be: once. `fault`: what is wrong; null: nothing. `seen`: the address that was looked at.
-- Where it is another one by now, it is looked at anew, and soon.
with now as (
    select coalesce(person -> 'address', 'null') = coalesce(:seen::jsonb, 'null') as is_same
    from order_person where order_no = order_no_of(:order_id)
)
update order_hold
set check_until = case when not is_same then check_until end, asked_at = null,
    note = case when is_same then coalesce(:fault, note) else note end
from now
where order_no = order_no_of(:order_id) and hold_id = :hold_id and released_at is null
  and check_until is not null
returning is_same;
