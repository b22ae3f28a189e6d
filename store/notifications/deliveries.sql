-- What is sent to subscriptions, and what came of it. The functions stand in schema/routines/notifications.sql.

-- name: start(subscription_id, holder)^
select (s).url, (s).secrets, (s).state, (s).round, (s).cursor, (s).failures, (s).failing_since,
       coalesce((s).rest_until > moment(), false) as rests, latest
from delivery_begins(:subscription_id, :holder) where (s).subscription_id is not null;

-- name: finish(subscription_id, holder, round, upto)$
select case when at = '-infinity' then moment() else at end
from delivery_ends(:subscription_id, :holder, :round, :upto) as at;

-- name: due(subscription_id, only_tests, at_most)
-- What is to be tried again by now, the oldest first.
select delivery_id, position, order_no, customer_no, event_id, type, at, state, tries,
       (select order_id from customer_order o where o.order_no = d.order_no) as order_id
from event_delivery d
where subscription_id = :subscription_id and next_at <= moment()
  and state = any(case when :only_tests then array['test'] else array['test', 'retrying', 'resending'] end)
  and state in ('retrying', 'resending', 'test')
order by next_at, delivery_id limit :at_most;

-- name: new_events(subscription_id, upto, at_most)
-- Events for it that it has not looked at. Those whose order, or customer, has an earlier one that is
-- tried again wait for that from here on.
with fresh as (
    select e.*, o.order_id, exists (
        select from event_delivery d where d.subscription_id = s.subscription_id and d.lane = e.lane
          and d.state in ('retrying', 'waiting')) as held_back
    from event_subscription s
    join event_out e on e.position > s.cursor and e.position <= :upto
    left join customer_order o using (order_no)
    where s.subscription_id = :subscription_id and is_for(s, e.type, o.channel, o.seller)
      and not exists (select from event_delivery d
                      where d.subscription_id = s.subscription_id and d.position = e.position)
      and not exists (select from event_attempt a
                      where a.delivered and a.subscription_id = s.subscription_id
                        and a.position = e.position and a.round = s.round)
    order by e.position limit :at_most
), waiting as (
    insert into event_delivery (subscription_id, position, order_no, customer_no, event_id, type, at, state)
    select :subscription_id, position, order_no, customer_no, event_id, type, at, 'waiting' from fresh where held_back
    on conflict (subscription_id, position) do nothing
)
select position, order_no, customer_no, event_id, type, at, order_id, held_back from fresh order by position;

-- name: hold_back(subscription_id, positions)!
-- An earlier event of their order is tried again: they wait for it.
insert into event_delivery (subscription_id, position, order_no, customer_no, event_id, type, at, state)
select :subscription_id, position, order_no, customer_no, event_id, type, at, 'waiting'
from event_out where position = any(:positions::bigint[])
on conflict (subscription_id, position) do nothing;

-- name: attempt_made(subscription_id, holder, round, delivery_id, message_id, position, order_no, customer_no, event_id, type, at, delivered, status, took_ms, error, answer, pause, counts, rest, over)$
select attempt_made(:subscription_id, :holder, :round, :delivery_id, :message_id, :position, :order_no, :customer_no,
                    :event_id, :type, :at, :delivered, :status, :took_ms, :error, :answer, :pause, :counts, :rest, :over);

-- name: unmade(subscription_id, holder, round, position, order_no, customer_no, event_id, type, at, error)$
-- retrying, resending → dead, or dead at once: it cannot be made, so it was not sent.
with mine as (
    select subscription_id from event_subscription
    where subscription_id = :subscription_id and holder = :holder and round = :round
), dead as (
    insert into event_delivery (subscription_id, position, order_no, customer_no, event_id, type, at, state, last_error)
    select subscription_id, :position::bigint, :order_no::bigint, :customer_no::bigint, :event_id::bigint, :type,
           :at::timestamptz, 'dead', :error
    from mine
    on conflict (subscription_id, position) do update
    set state = 'dead', last_error = excluded.last_error, next_at = moment()
)
select exists (select from mine);

-- name: attempts(subscription_id, message_id, before, at_most)
select attempt_id, subscription_id, message_id, type, position, order_id, customer_no, delivered, status, took_ms,
       error, answer, at
from event_attempt left join customer_order using (order_no)
where subscription_id = :subscription_id and attempt_id < coalesce(:before, 9223372036854775807)
  and message_id = coalesce(:message_id, message_id)
order by attempt_id desc limit :at_most;

-- name: undelivered(subscription_id, states, after, at_most)
select delivery_id, subscription_id, type, position, order_id, customer_no, at, d.state, tries,
       case when d.state in ('retrying', 'resending') then next_at end as next_at, last_error
from event_delivery d left join customer_order using (order_no)
where subscription_id = coalesce(:subscription_id, subscription_id) and d.state = any(:states::text[])
  and delivery_id > :after
order by delivery_id limit :at_most;

-- name: add_test(subscription_id, type)$
insert into event_delivery (subscription_id, type, at, state)
select subscription_id, :type, moment(), 'test' from event_subscription where subscription_id = :subscription_id
returning delivery_id;

-- name: resend(subscription_id, positions)$
-- dead → resending. It keeps no other event waiting.
with again as (
    update event_delivery set state = 'resending', tries = 0, next_at = moment()
    where subscription_id = :subscription_id and state = 'dead'
      and (:positions::bigint[] is null or position = any(:positions))
    returning delivery_id
)
select count(*) from again;

-- name: first_position(since, position)^
-- The first that is kept from then on, and how many there are.
select min(position) as position, count(*) as events from event_out
where (:since::timestamptz is null or at >= :since) and (:position::bigint is null or position >= :position);

-- name: replay(subscription_id, position)!
-- What was sent from here on is sent again, as if it had not been; also what waits for its next attempt.
with back as (
    update event_subscription
    set cursor = :position - 1, round = round + 1, failures = 0, failing_since = null, rest_until = null
    where subscription_id = :subscription_id
    returning subscription_id
)
delete from event_delivery d using back
where d.subscription_id = back.subscription_id and d.position >= :position;

-- name: forget_attempts(kept_for, batch)
with old as (
    select subscription_id, attempt_id from event_attempt
    where at < moment() - :kept_for::interval order by at limit :batch for update skip locked
)
delete from event_attempt where (subscription_id, attempt_id) in (select subscription_id, attempt_id from old)
returning attempt_id;

-- name: forget_dead(kept_for, batch)
with old as (
    select delivery_id from event_delivery
    where state = 'dead' and next_at < moment() - :kept_for::interval
    limit :batch for update skip locked
)
delete from event_delivery where delivery_id in (select delivery_id from old)
returning delivery_id;
