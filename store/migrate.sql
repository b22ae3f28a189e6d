-- Functions, triggers and views: which of them a database has.

-- name: lock_routines()!
-- One at a time. The set that is there is read when the lock is held.
select pg_advisory_xact_lock(hashtext('routines'));

-- name: routines_there()$
select digest from routine_set order by set_id desc limit 1;

-- name: note_routines(digest)!
insert into routine_set (digest) values (:digest);
