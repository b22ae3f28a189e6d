-- Jobs: made, read, cancelled, called for, and forgotten.

-- name: make(job_id, kind, options, key_id, made_by, channels, sellers, locations)$
-- Nothing → waiting. A worker's relay is woken at commit. Null: there is one of this id.
with made as (
    insert into job (job_id, kind, options, key_id, made_by, channels, sellers, locations)
    values (:job_id, :kind, :options, :key_id, :made_by, :channels, :sellers, :locations)
    on conflict (job_id) do nothing
    returning job_id
)
select job_id from made, pg_notify('job', '');

-- name: open_of(key_id)$
select count(*) from job where ended_at is null and key_id = :key_id;

-- name: find(job_id)^
select job_id, kind, options, state, cancel_asked_at is not null as cancel_asked, total, done, refused, skipped,
       channels, sellers, locations, made_at, made_by, begun_at, ended_at, failure, failure_code, file_name,
       media_type,
       (select sum(octet_length(content)) from job_part p where p.job_id = j.job_id) as bytes
from job j where job_id = :job_id;

-- name: listed(kinds, kind, state, channels, sellers, locations, after_at, after_id, at_most)
-- Newest first: of these kinds, and of what somebody sees who sees these channels, sellers and locations.
select job_id, kind, options, state, cancel_asked_at is not null as cancel_asked, total, done, refused, skipped,
       channels, sellers, locations, made_at, made_by, begun_at, ended_at, failure, failure_code, file_name,
       media_type,
       (select sum(octet_length(content)) from job_part p where p.job_id = j.job_id) as bytes
from job j
where kind = any(:kinds::text[])
  and (:kind::text is null or kind = :kind)
  and (:state::text is null or state = :state)
  and (:channels::text[] is null or channels <@ :channels::text[])
  and (:sellers::text[] is null or sellers <@ :sellers::text[])
  and (:locations::text[] is null or locations <@ :locations::text[])
  and (:after_at::timestamptz is null or (made_at, job_id) < (:after_at::timestamptz, :after_id::text))
order by made_at desc, job_id desc limit :at_most;

-- name: items(job_id, outcome, after, at_most)
select number, line, reference, coalesce(outcome, 'waiting') as outcome, answer, code, detail, faults
from job_item
where job_id = :job_id and number > :after
  and (:outcome::text is null or outcome is not distinct from nullif(:outcome::text, 'waiting'))
order by number limit :at_most;

-- name: part(job_id, number)$
select content from job_part where job_id = :job_id and number = :number;

-- name: ask_to_cancel(job_id)!
-- The rest of its items is skipped by whoever works on it: what has begun is finished.
with asked as (
    update job set cancel_asked_at = coalesce(cancel_asked_at, moment()), next_call_at = moment()
    where job_id = :job_id and ended_at is null
)
select pg_notify('job', '');

-- name: to_call(lease, at_most)
-- Jobs whose workflow is to be called for, each for one caller.
with due as (
    select job_id from job where ended_at is null and next_call_at <= moment()
    order by next_call_at limit :at_most
    for update skip locked
)
update job set next_call_at = moment() + :lease::interval from due where job.job_id = due.job_id
returning job.job_id, job.kind;

-- name: not_called(job_ids)!
update job set next_call_at = moment() where job_id = any(:job_ids::text[]) and ended_at is null;

-- name: forget_items(kept, at_most)$
-- Items of the job that ended first of those that ended longer ago and have some. They are found by one job's
-- key and deleted by their place, because a job may have millions.
with gone as (
    delete from job_item where ctid = any(array(
        select ctid from job_item where job_id = (
            select job_id from job j
            where ended_at < moment() - :kept::interval
              and exists (select from job_item i where i.job_id = j.job_id)
            order by ended_at limit 1)
        limit :at_most for update skip locked))
    returning 1
)
select count(*) from gone;

-- name: forget(kept, at_most)$
-- Ended → nothing, with its file.
with old as (
    select job_id from job where ended_at < moment() - :kept::interval
    order by ended_at limit :at_most for update skip locked
), gone as (
    delete from job where job_id in (select job_id from old)
    returning 1
)
select count(*) from gone;
