-- Functions, triggers and views are replaced by one program at a time.

-- name: lock_routines()!
-- What is there is read when the lock is held.
select pg_advisory_xact_lock(hashtext('routines'));
