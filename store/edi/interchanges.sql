-- Interchanges, as they came and as they go.

-- name: keep(source, raw)$
-- Kept before anything is done with it; wakes the relay at commit.
with kept as (
    insert into edi_interchange (direction, source, raw) values ('in', :source, :raw) returning interchange_no
)
select interchange_no from kept, lateral (select pg_notify('edi_interchange', interchange_no::text)) told;

-- name: lock_unread()^
-- The next one to read that nobody reads.
select interchange_no, raw, tries from edi_interchange
where direction = 'in' and done_at is null and error is null and try_after <= moment()
order by try_after, interchange_no limit 1
for update skip locked;

-- name: earlier(partner, control, interchange_no)
-- Those that came before with the same number, and were read.
select interchange_no, raw from edi_interchange
where partner = :partner and direction = 'in' and control = :control and interchange_no < :interchange_no
  and outcome like 'read: %'
order by interchange_no limit 1;

-- name: read(interchange_no, partner, control, outcome)!
update edi_interchange
set partner = :partner, control = :control, done_at = moment(), outcome = :outcome, error = null
where interchange_no = :interchange_no;

-- name: came_whole(partner, control, interchange_no)!
-- Others with its number that could not be read need nobody any more.
update edi_interchange set done_at = moment(), outcome = format('it came whole in interchange %s', :interchange_no::bigint)
where partner = :partner and direction = 'in' and control = :control and interchange_no <> :interchange_no
  and done_at is null and error is not null;

-- name: unreadable(interchange_no, partner, control, error)!
-- A person is needed. It stays as it came.
update edi_interchange
set partner = :partner, control = :control, tries = tries + 1, error = :error
where interchange_no = :interchange_no;

-- name: write(partner, control, source, raw)$
insert into edi_interchange (direction, partner, control, source, raw)
values ('out', :partner, :control, :source, :raw) returning interchange_no;

-- name: lock_unsent(partner)^
-- The next one to send to a partner, in their sequence: one that cannot be sent stops those behind it.
select interchange_no, control, raw, tries, try_after <= moment() as is_due from edi_interchange
where direction = 'out' and partner = :partner and done_at is null
order by interchange_no limit 1
for update skip locked;

-- name: partners_to_send_to()
select distinct partner from edi_interchange where direction = 'out' and done_at is null order by partner;

-- name: lease(interchange_no, pause)!
update edi_interchange set try_after = moment() + :pause::interval where interchange_no = :interchange_no;

-- name: sent(interchange_no)!
update edi_interchange set done_at = moment(), outcome = 'sent', error = null where interchange_no = :interchange_no;

-- name: not_sent(interchange_no, error, pause)!
update edi_interchange set tries = tries + 1, error = :error, try_after = moment() + :pause::interval
where interchange_no = :interchange_no;

-- name: send_again(interchange_no, within)$
-- The same bytes with the same number; its receipt is awaited anew.
with again as (
    update edi_interchange set done_at = null, tries = 0, try_after = moment(), error = null
    where interchange_no = :interchange_no and direction = 'out' and raw is not null
    returning interchange_no
), awaited as (
    update edi_document set receipt_due = moment() + :within::interval, state = 'open', settled_at = null, error = null
    where interchange_no in (select interchange_no from again) and state in ('open', 'rejected')
)
select interchange_no from again;

-- name: read_again(interchange_no)$
-- One that could not be read, once its partner is known.
update edi_interchange set error = null, try_after = moment()
where interchange_no = :interchange_no and direction = 'in' and done_at is null and raw is not null
returning interchange_no;

-- name: trouble(partner, source, error)!
-- Nothing can come from there: a person is needed, and is told once. It has no bytes, and so is never read.
insert into edi_interchange (direction, partner, source, error)
select 'in', :partner::text, :source::text, :error::text
where not exists (select from edi_interchange
                  where direction = 'in' and partner = :partner::text and source = :source::text
                    and raw is null and done_at is null);

-- name: no_trouble(partner, source)!
update edi_interchange set done_at = moment(), outcome = 'it can be read again'
where direction = 'in' and partner = :partner and source = :source and raw is null and done_at is null;

-- name: settle(interchange_no, note)$
update edi_interchange set done_at = moment(), outcome = 'settled: ' || :note
where interchange_no = :interchange_no and done_at is null and error is not null
returning interchange_no;

-- name: find(partner, direction, failed, before, at_most)
select i.interchange_no, i.direction, i.partner, i.control, i.source, i.at, i.done_at, i.error, i.outcome
from edi_interchange i
where (:partner::text is null or i.partner = :partner) and (:direction::text is null or i.direction = :direction)
  and (not :failed or i.error is not null and i.done_at is null
       or exists (select from edi_document d where d.interchange_no = i.interchange_no and edi_document_task(d) is not null))
  and (:before::bigint is null or i.interchange_no < :before)
order by i.interchange_no desc limit :at_most;

-- name: raw(interchange_no)$
select raw from edi_interchange where interchange_no = :interchange_no;

-- name: get(interchange_no)^
select interchange_no, direction, partner, control, source, at, done_at, error, outcome, raw
from edi_interchange where interchange_no = :interchange_no;

-- name: forget(kept_for, batch)
-- Long done, nothing of it is awaited, and the order that it is about is told nothing more.
delete from edi_interchange where interchange_no in (
    select i.interchange_no from edi_interchange i
    where i.done_at < moment() - :kept_for::interval
      and not exists (
          select from edi_document d left join edi_order o using (order_id)
          where d.interchange_no = i.interchange_no
            and (d.state in ('waiting', 'open') or d.error is not null and d.settled_at is null
                 or o.order_id is not null and o.ended_at is null))
    order by i.done_at limit :batch)
returning interchange_no;
