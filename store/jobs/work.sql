-- The work on a job: what is read, what is begun, what came of it. Each change holds the job's row, so that two
-- attempts at once see each other's.

-- name: lock(job_id)^
select kind, options, made_by, key_id, channels, sellers, locations, state, cancel_asked_at is not null as cancel_asked,
       items_known, reached, erased
from job where job_id = :job_id for no key update;

-- name: begin(job_id)!
-- waiting → running
update job set state = 'running', begun_at = moment() where job_id = :job_id and state = 'waiting';

-- name: put_in(job_id, number, content)!
-- A part of the file that an import is made of.
insert into job_part (job_id, number, content) values (:job_id, :number, :content);

-- name: add_items(job_id, numbers, contents, lines, names, codes, details, faults)!
-- Items as they were found. One that cannot be read is refused at once.
with added as (
    insert into job_item (job_id, number, content, line, reference, outcome, code, detail, faults)
    select :job_id, number, content, line, reference, case when code is not null then 'refused' end, code, detail,
           faults::jsonb
    from unnest(:numbers::integer[], :contents::jsonb[], :lines::integer[], :names::text[], :codes::text[],
                :details::text[], :faults::text[])
         as i (number, content, line, reference, code, detail, faults)
    on conflict do nothing
    returning outcome
)
update job set refused = refused + (select count(*) filter (where outcome = 'refused') from added)
where job_id = :job_id;

-- name: latest(job_id)$
select coalesce(max(number), 0) from job_item where job_id = :job_id;

-- name: reach(job_id, reached)!
update job set reached = :reached where job_id = :job_id;

-- name: all_known(job_id)!
-- Nothing is left to be read: the file that it was made of goes.
with gone as (delete from job_part where job_id = :job_id)
update job set items_known = true, total = (select count(*) from job_item i where i.job_id = :job_id)
where job_id = :job_id;

-- name: claim(job_id, new)
-- Those that have begun and have no outcome, and so many more.
with more as (
    update job_item i set begun = true
    where i.job_id = :job_id and i.number = any(array(
        select number from job_item where job_id = :job_id and outcome is null and not begun
        order by number limit :new))
    returning i.number, i.line, i.reference, i.content
)
select number, line, reference, content, false as again from more
union all
select number, line, reference, content, true from job_item
where job_id = :job_id and outcome is null and begun
order by number;

-- name: tell(job_id, numbers, outcomes, names, answers, codes, details, faults)$
-- waiting → done, refused, skipped, once: what another attempt has told stays. Answers how many it has told.
with told as (
    update job_item i
    set outcome = t.outcome, reference = coalesce(t.reference, i.reference), answer = t.answer, code = t.code,
        detail = t.detail, faults = t.faults::jsonb, content = null
    from unnest(:numbers::integer[], :outcomes::text[], :names::text[], :answers::text[], :codes::text[],
                :details::text[], :faults::text[])
         as t (number, outcome, reference, answer, code, detail, faults)
    where i.job_id = :job_id and i.number = t.number and i.outcome is null
    returning i.outcome
), counted as (
    select count(*) filter (where outcome = 'done') as done, count(*) filter (where outcome = 'refused') as refused,
           count(*) filter (where outcome = 'skipped') as skipped
    from told
)
update job set done = job.done + counted.done, refused = job.refused + counted.refused,
               skipped = job.skipped + counted.skipped
from counted where job_id = :job_id
returning counted.done + counted.refused + counted.skipped;

-- name: skip(job_id)!
-- waiting → skipped, but for what has begun.
with skipped as (
    update job_item set outcome = 'skipped', content = null
    where job_id = :job_id and outcome is null and not begun
    returning 1
)
update job set skipped = skipped + (select count(*) from skipped),
               total = coalesce(total, (select count(*) from job_item i where i.job_id = :job_id))
where job_id = :job_id;

-- name: give_up(job_id)!
-- All that has no outcome → skipped: of a job that failed.
with skipped as (
    update job_item set outcome = 'skipped', content = null where job_id = :job_id and outcome is null
    returning 1
)
update job set skipped = skipped + (select count(*) from skipped) where job_id = :job_id;

-- name: write(job_id, number, content, since, until, rows, reached)!
-- A part more of the file that it writes.
with written as (
    insert into job_part (job_id, number, content, since, until)
    values (:job_id, :number, :content, :since, :until)
)
update job set done = done + :rows, reached = :reached where job_id = :job_id;

-- name: latest_part(job_id)$
select coalesce(max(number), 0) from job_part where job_id = :job_id;

-- name: end_it(job_id, state, failure, failure_code, file_name, media_type)!
-- running → done, cancelled, failed
update job
set state = :state, ended_at = moment(), begun_at = coalesce(begun_at, moment()), failure = :failure,
    failure_code = :failure_code, file_name = :file_name, media_type = :media_type,
    total = coalesce(total, done + refused + skipped)
where job_id = :job_id and ended_at is null;

-- name: drop_parts(job_id)!
delete from job_part where job_id = :job_id;
