-- Who sees to a task, and until when nobody has to look at it.

-- name: assign(kind, subject, name, assigned_to, had, who)$
-- Null: meanwhile it is neither theirs who `had` it nor theirs who are to have it. Of two at once one waits here.
insert into task_care (kind, subject, name, assigned_to, assigned_by, assigned_at)
values (:kind, :subject, :name, :assigned_to, :who, moment())
on conflict (kind, subject, name) do update
set assigned_to = excluded.assigned_to, assigned_by = excluded.assigned_by, assigned_at = excluded.assigned_at,
    changed_at = moment()
where task_care.assigned_to is not distinct from :had or task_care.assigned_to is not distinct from :assigned_to
returning true;

-- name: snooze(kind, subject, name, snoozed_until, reason, note, who)!
insert into task_care (kind, subject, name, snoozed_until, snoozed_reason, note, snoozed_by, snoozed_at)
values (:kind, :subject, :name, :snoozed_until, :reason, :note, :who, moment())
on conflict (kind, subject, name) do update
set snoozed_until = excluded.snoozed_until, snoozed_reason = excluded.snoozed_reason, note = excluded.note,
    snoozed_by = excluded.snoozed_by, snoozed_at = excluded.snoozed_at, changed_at = moment();

-- name: wake(kind, subject, name)!
update task_care set snoozed_until = null, snoozed_reason = null, note = null, snoozed_by = null, snoozed_at = null,
    changed_at = moment()
where kind = :kind and subject = :subject and name = :name and snoozed_until is not null;
