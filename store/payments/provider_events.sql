-- Payment companies' messages, until they are processed.

-- name: keep_events(providers, event_ids, types, bodies, happened)
-- Stores them, each once per id, and wakes the relay at commit. Returns the positions of the new ones, from 1.
-- Written in the sequence of their ids, because an insert waits for another one of the same id.
with told as (
    select * from unnest(:providers::text[], :event_ids::text[], :types::text[], :bodies::jsonb[],
                         :happened::timestamptz[])
        with ordinality as t (provider, event_id, type, body, happened_at, position)
), kept as (
    insert into provider_event (provider, event_id, type, body, happened_at)
    select provider, event_id, type, body, happened_at from told order by provider, event_id, position
    on conflict (provider, event_id) do nothing
    returning provider, event_id
)
select min(position) as position, (select pg_notify('provider_event', '')) as woken
from told join kept using (provider, event_id) group by provider, event_id;

-- name: kept_the_same(provider, event_id, type, data)$
-- Whether the stored event with this id has the same content; the company counts its deliveries
-- elsewhere.
select type = :type and body -> 'data' is not distinct from :data
from provider_event where provider = :provider and event_id = :event_id;

-- name: lock_due_event()^
-- The next event to process that no other worker is processing.
select provider, event_id, type, body, happened_at, tries from provider_event
where processed_at is null and try_after <= moment()
order by try_after, event_id limit 1
for update skip locked;

-- name: event_processed(provider, event_id)!
update provider_event set processed_at = moment(), last_error = null
where provider = :provider and event_id = :event_id and processed_at is null;

-- name: forget_processed(kept_for, batch)
with old as (
    select provider, event_id from provider_event
    where processed_at < moment() - :kept_for::interval
    order by processed_at limit :batch for update skip locked
)
delete from provider_event where (provider, event_id) in (select provider, event_id from old)
returning event_id;

-- name: event_later(error, pause, provider, event_id)!
-- Process it again after the pause; the error says what it waits for.
update provider_event
set tries = tries + 1, last_error = nullif(:error, ''), try_after = moment() + :pause::interval
where provider = :provider and event_id = :event_id and processed_at is null;

-- name: payments_named(provider, keys, refs)
-- Operations with one of the keys or references, or whose authorization has one; and the steps that
-- would look them up, if they wait for a person. A step is named by its activity and its part.
with named as (
    select order_no, payment_key, reference from payment
    where provider = :provider and payment_key = any(:keys::text[])
      and order_no = any(array(select order_no_of(key) from unnest(:keys::text[]) as key))
    union
    select order_no, payment_key, reference from payment
    where provider = :provider and reference = any(:refs::text[])
)
select p.payment_key, p.order_id, p.kind, p.state, p.expires_at,
       coalesce(p.payment_key = any(:keys::text[]) or p.reference = any(:refs::text[]), false)
           as directly,
       a.step
from payment p
left join attention a
  on a.order_no = p.order_no and a.resolved_at is null
 and case p.kind
         when 'authorize' then starts_with(a.step, 'authorize_payment ')
         when 'void' then a.step = 'void_payment ' || p.order_id
         when 'capture' then a.step = 'charge_payment ' || p.part_of
         else a.step = 'refund_payment ' || p.part_of
     end
where p.provider = :provider
  and p.order_no = any(array(select order_no from named))
  and (p.payment_key in (select payment_key from named)
       or p.authorization_key in (select payment_key from named))
order by p.requested_at, p.payment_key;

-- name: end_authorization(at, payment_key)$
-- It cannot be charged any more. Null when that was known, or when we released it ourselves.
update payment_authorization a set expires_at = :at
where order_no = order_no_of(:payment_key) and authorization_key = :payment_key
  and (expires_at is null or expires_at > :at)
  and not exists (
      select from payment_operation v
      where v.order_no = a.order_no and v.authorization_key = a.authorization_key
        and v.kind = 'void' and v.state <> 'failed')
returning authorization_key;
