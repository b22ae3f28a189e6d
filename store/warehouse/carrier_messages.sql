-- Carriers' messages, until they are worked through.

-- name: keep(senders, message_ids, bodies)
-- Keeps them, each once per id, and wakes the relay at commit. Returns the positions of the new ones, from 1.
-- Written in the sequence of their ids, because an insert waits for another one of the same id.
with sent as (
    select * from unnest(:senders::text[], :message_ids::text[], :bodies::bytea[])
        with ordinality as s (sender, message_id, body, position)
), kept as (
    insert into carrier_message (sender, message_id, body)
    select sender, message_id, body from sent order by sender, message_id, position
    on conflict (sender, message_id) do nothing
    returning sender, message_id
)
select min(position) as position, (select pg_notify('carrier_message', '')) as woken
from sent join kept using (sender, message_id) group by sender, message_id;

-- name: claim(lease, at_most)
-- Those that are due, for one worker; new ones first, because of those that are tried again there may be very many.
-- Each scan has a transaction of its own, so no lock could last as long.
with new as (
    select message_no from carrier_message
    where processed_at is null and tries = 0 and try_after <= moment()
    order by try_after, message_no limit :at_most for update skip locked
), again as (
    select message_no from carrier_message
    where processed_at is null and tries > 0 and try_after <= moment()
    order by try_after, message_no limit :at_most - (select count(*) from new) for update skip locked
)
update carrier_message set try_after = moment() + :lease::interval
where message_no in (select message_no from new union all select message_no from again)
returning message_no, sender, body, received_at, tries;

-- name: label_of(tracking_number, names)^
select carrier, asked_at from shipment
where tracking_number = :tracking_number and label = 'bought' and lower(carrier) = any(:names::text[])
order by array_position(:names::text[], lower(carrier)), asked_at desc limit 1;

-- name: processed(message_no, outcome)!
update carrier_message
set processed_at = moment(), body = null, last_error = null, outcome = :outcome
where message_no = :message_no and processed_at is null;

-- name: later(message_no, pause, error, tracking_number)!
update carrier_message
set tries = tries + 1, last_error = :error, tracking_number = :tracking_number,
    try_after = moment() + :pause::interval
where message_no = :message_no and processed_at is null;

-- name: settle(message_no, note)
-- With those that are one task together: their parcel is not known here.
update carrier_message m
set processed_at = moment(), body = null, outcome = 'settled: ' || :note
from carrier_message asked
where asked.message_no = :message_no and asked.processed_at is null and m.processed_at is null
  and (m.message_no = asked.message_no
       or m.sender = asked.sender and m.tracking_number = asked.tracking_number)
returning m.message_no;

-- name: find(failed, after, at_most)
-- The newest first; `failed`: only those for which a person is needed.
select message_no, sender, message_id, received_at, tries, tracking_number, last_error, processed_at, outcome,
       case when processed_at is null then try_after end as try_after
from carrier_message m
where (not :failed or m.processed_at is null and m.last_error is not null and carrier_message_needs_a_person(m))
  and (:after::bigint is null or message_no < :after)
order by message_no desc limit :at_most;

-- name: forget(kept_for, batch)
with old as (
    select message_no from carrier_message
    where processed_at < moment() - :kept_for::interval
    order by processed_at limit :batch for update skip locked
)
delete from carrier_message where message_no in (select message_no from old)
returning message_no;
