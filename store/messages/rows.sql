-- Messages to customers: planned from the sequence of events, sent one by one, listed.

-- name: begin(drawn)!
-- From here on is read: nobody is told of what was before.
update message_reading
set cursor = (select position from event_sequence), secret = coalesce(secret, :drawn)
where cursor is null;

-- name: plan(channels, types, kinds, untold, by_channel, within, old_after, at_most)^
-- Events become messages, and the reading goes on behind them. One that is planned meanwhile keeps nobody waiting.
with here as materialized (
    select cursor from message_reading where cursor is not null for update skip locked
), events as materialized (
    select e.position, e.order_no, e.event_id, e.type, e.at
    from event_out e, here where e.position > here.cursor order by e.position limit :at_most
), told as (
    insert into message (order_no, event_id, kind, state, why)
    select e.order_no, e.event_id, k.kind,
           case when late.why is null then 'planned' else 'dropped' end, late.why
    from events e join order_event l using (order_no, event_id)
    join customer_order o using (order_no) join channel c using (channel)
    join unnest(:channels::text[], :types::text[], :kinds::text[]) as k (channel, type, kind)
        on k.channel = c.kind and k.type = e.type,
    lateral (select case
        when o.placed_at < o.received_at - :old_after::interval then 'an old order that was imported'
        when e.at < moment() - :within::interval then 'too long ago when it was planned' end as why) late
    where l.what <> all(:untold::text[]) and l.data -> 'tells_customer' is distinct from 'false'::jsonb
    order by e.position
    on conflict do nothing
    returning state
), now_told as (
    select jsonb_build_object(
        'types', :by_channel::jsonb, 'untold', to_jsonb(:untold::text[]),
        'channels', (select jsonb_object_agg(channel, kind) from channel)) as told
), moved as (
    update message_reading r
    set cursor = (select max(position) from events), told = n.told,
        told_from = case when r.told = n.told then r.told_from else r.cursor end
    from now_told n where exists (select from events)
)
select (select count(*) from told where state = 'planned') as planned, (select count(*) from events) as read;

-- name: turn()^
-- One at a time takes what is to be sent: so the rate is kept, and nothing is taken twice.
select secret from message_reading where cursor is not null for update skip locked;

-- name: take(holder, per_minute, lease)^
-- planned → sending, and sending → sending where whoever sent it was lost: the one that is due for longest.
-- An order's messages go one after the other.
update message m
set state = 'sending', holder = :holder, tries = tries + 1, begun_at = moment(),
    next_at = moment() + :lease::interval
from customer_order o
where o.order_no = m.order_no and (m.order_no, m.event_id) = (
    select d.order_no, d.event_id from message d
    where d.state in ('planned', 'sending') and d.next_at <= moment()
      and not exists (select from message b
                      where b.order_no = d.order_no and b.event_id < d.event_id
                        and b.state in ('planned', 'sending'))
      and (select count(*) from message r
           where r.begun_at > moment() - interval '1 minute') < :per_minute::bigint
    order by d.next_at, d.order_no, d.event_id limit 1)
returning m.order_no, m.event_id, o.order_id, o.seller, m.kind, m.tries, m.round, m.mail_id, m.planned_at, m.by;

-- name: end(order_no, event_id, holder, state, why, of_address, pause, mail_id, language, answer, was_tried, by)!
-- sending → any other state, by the one that holds it. `pause`: until it is tried again.
update message
set state = :state, why = :why, of_address = :of_address, holder = null,
    next_at = moment() + coalesce(:pause::interval, '0'),
    sent_at = case when :state = 'sent' then moment() end,
    mail_id = coalesce(:mail_id, mail_id), language = coalesce(:language, language),
    answer = coalesce(:answer, answer), tries = tries - case when :was_tried::boolean then 0 else 1 end,
    by = coalesce(:by, by)
where order_no = :order_no and event_id = :event_id and state = 'sending' and holder = :holder;

-- name: intend(order_no, event_id, holder, by, mail_id, language, pause)!
-- It is handed over now, under this id: noted before, so that an answer that names it finds it.
update message set by = :by, mail_id = coalesce(:mail_id, mail_id), language = :language, next_at = moment() + :pause::interval
where order_no = :order_no and event_id = :event_id and state = 'sending' and holder = :holder;

-- name: refuses_mails(email)$
-- Whether an address takes no mails, as the last answer about it said. What has ended has its time in next_at.
select exists (
    select from (
        select max(m.next_at) as at from order_person p join message m using (order_no)
        where lower(p.person #>> '{customer,email}') = lower(:email) and p.person #>> '{customer,email}' is not null
          and m.of_address and m.state in ('refused', 'bounced')) refused
    where refused.at is not null and not exists (
        select from order_person p join message m using (order_no)
        where lower(p.person #>> '{customer,email}') = lower(:email) and p.person #>> '{customer,email}' is not null
          and m.state = 'sent' and m.by = 'mail' and m.next_at > refused.at));

-- name: again(order_no, event_id)!
-- Somebody wants it sent once more: another mail, with an id of its own.
update message
set state = 'planned', round = round + 1, tries = 0, planned_at = moment(), next_at = moment(), why = null,
    of_address = false, holder = null, sent_at = null, answer = null, mail_id = null, by = null
where order_no = :order_no and event_id = :event_id and state not in ('planned', 'sending');

-- name: bounced(mail_id, why, of_address)^
-- sent → bounced. Its server may know that sooner than we know that it was sent.
update message m
set state = 'bounced', why = :why, answer = :why, of_address = :of_address, holder = null,
    next_at = moment(),
    sent_at = coalesce(sent_at, moment())
from customer_order o
where m.mail_id = :mail_id and o.order_no = m.order_no
returning o.order_id, m.event_id;

-- name: by_mail(mail_id)^
select o.order_id, m.event_id from message m join customer_order o using (order_no) where m.mail_id = :mail_id;

-- name: find(order_id, states, channels, sellers, before_event, at_most)
-- Newest first; of one order, in some states, of some channels and sellers (null: of all).
select o.order_id, m.event_id, m.kind, m.state, m.why, m.of_address, m.planned_at, m.next_at, m.tries, m.round,
       m.by, m.sent_at, m.mail_id, m.language, m.answer
from message m join customer_order o using (order_no)
where (:order_id::text is null or m.order_no = order_no_of(:order_id))
  and (:states::text[] is null or m.state = any(:states))
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (:before_event::bigint is null or m.event_id < :before_event)
order by m.event_id desc limit :at_most;

-- name: of_customer(customer, at_most)
-- The latest to one customer, by the id that its channel gave.
select o.order_id, m.event_id, m.kind, m.state, m.why, m.of_address, m.planned_at, m.next_at, m.tries, m.round,
       m.by, m.sent_at, m.mail_id, m.language, m.answer
from order_person p join message m using (order_no) join customer_order o using (order_no)
where p.customer_id = :customer
order by m.event_id desc limit :at_most;

-- name: named(order_id, event_id)^
select m.order_no, m.event_id, m.kind, m.state, m.round
from message m where m.order_no = order_no_of(:order_id) and m.event_id = :event_id;

-- name: would_tell(order_id, type)$
-- Whether an event of this type becomes a message to the order's customer, as it was set when events were last read.
select coalesce((select r.told -> 'types' -> (r.told -> 'channels' ->> o.channel) ? :type
                 from message_reading r, customer_order o where o.order_id = :order_id), false);

-- name: latest_event(order_id, types)^
-- The latest event of an order that a message can be about; else its latest line.
select e.order_no, e.event_id
from order_event e left join event_out x using (order_no, event_id)
where e.order_no = order_no_of(:order_id)
order by x.type is not null and x.type = any(:types::text[]) desc, e.event_id desc limit 1;
