-- Shops' messages, until they are worked through.

-- name: keep(channel, message_id, topic, body, sent_at)^
-- Keeps it, once per id, and wakes the relay at commit. No row when it was kept before.
with kept as (
    insert into shop_message (channel, message_id, topic, body, sent_at)
    values (:channel, :message_id, :topic, :body, coalesce(:sent_at::timestamptz, moment()))
    on conflict (channel, message_id) do nothing
    returning message_no
)
select message_no, pg_notify('shop_message', message_no::text) from kept;

-- name: lock_due()^
-- The next one to work through that nobody works on.
select message_no, channel, message_id, topic, body, sent_at, tries from shop_message
where processed_at is null and try_after <= moment()
order by try_after, message_no limit 1
for update skip locked;

-- name: is_outdated(channel, subject, version)$
-- Whether something newer about the same order was worked through.
select exists (
    select from shop_message
    where channel = :channel and subject = :subject and version > :version and processed_at is not null);

-- name: is_asking(channel, subject, message_no)$
-- Whether an earlier message about the same order waits for what it has asked of it.
select exists (
    select from shop_message
    where channel = :channel and subject = :subject and message_no < :message_no
      and asked_at is not null and processed_at is null);

-- name: processed(message_no, subject, version, order_id, outcome)!
-- What it said of a person goes: the order has it.
update shop_message
set processed_at = moment(), body = null, last_error = null, asked_at = null, outcome = :outcome,
    subject = coalesce(:subject, subject), version = coalesce(:version, version),
    order_id = coalesce(:order_id, order_id)
where message_no = :message_no and processed_at is null;

-- name: later(message_no, subject, version, order_id, error, asked, pause)!
-- It is worked on again after the pause. The error says what a person has to mend.
update shop_message
set tries = tries + 1, last_error = nullif(:error, ''), try_after = moment() + :pause::interval,
    subject = coalesce(:subject, subject), version = coalesce(:version, version),
    order_id = coalesce(:order_id, order_id),
    asked_at = case when :asked then coalesce(asked_at, moment()) end
where message_no = :message_no and processed_at is null;

-- name: settle(message_no, channel, note)$
-- A person has dealt with it. The error stays: that of a later message may be the same one.
update shop_message
set processed_at = moment(), body = null, outcome = 'settled: ' || :note
where message_no = :message_no and channel = :channel and processed_at is null
returning message_no;

-- name: was_settled(channel, subject, error)$
-- Whether a person has dealt with the same, of the same order.
select exists (
    select from shop_message
    where channel = :channel and subject = :subject and last_error = :error and processed_at is not null);

-- name: replaced(channel, subject, version)!
-- Older messages about the same order: the task of the newest one is enough.
update shop_message
set processed_at = moment(), body = null, last_error = null, outcome = 'something newer about it came'
where channel = :channel and subject = :subject and version < :version and processed_at is null
  and last_error is not null;

-- name: find(channel, failed, after, at_most)
-- The newest first; `failed`: only those for which a person is needed.
select message_no, channel, message_id, topic, received_at, tries, order_id, last_error, processed_at, outcome,
       case when processed_at is null then try_after end as try_after
from shop_message
where (:channel::text is null or channel = :channel)
  and (not :failed or last_error is not null and processed_at is null)
  and (:after::bigint is null or message_no < :after)
order by message_no desc limit :at_most;

-- name: forget(kept_for, batch)
with old as (
    select message_no from shop_message
    where processed_at < moment() - :kept_for::interval
    order by processed_at limit :batch for update skip locked
)
delete from shop_message where message_no in (select message_no from old)
returning message_no;

-- name: standing(order_id)^
-- How an order stands, for one who compares it with the shop's. `left`: units that were handed over.
select o.decision, document_of(o.order_no) as document, o.total_minor, m.authorized, m.captured,
       o.document #>> '{payment,provider}' as provider, o.digest,
       (select jsonb_object_agg(line_id, jsonb_build_object(
            'ordered', ordered, 'cancelled', cancelled, 'left', shipped))
        from order_line l where l.order_no = o.order_no) as lines
from customer_order o join order_money m using (order_no) where o.order_id = :order_id;
