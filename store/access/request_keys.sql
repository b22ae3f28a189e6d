-- What was asked for under a key of its sender's.

-- name: claim(key_ids, paths, keys, digests)
-- Nothing → asked for, in the transaction of what is done for it. Returns the positions of those that are
-- new, from 1. Written in the sequence of their keys, because an insert waits for another one of the same.
with asked as (
    select * from unnest(:key_ids::text[], :paths::text[], :keys::text[], :digests::text[])
        with ordinality as a (key_id, path, key, digest, position)
), made as (
    insert into request_key (key_id, path, key, digest)
    select key_id, path, key, digest from asked order by key_id, path, key
    on conflict do nothing
    returning key_id, path, key
)
select min(position) as position from asked join made using (key_id, path, key)
group by key_id, path, key;

-- name: answer(status, location, body, key_id, path, key)!
-- Asked for → answered.
update request_key set status = :status, location = :location, body = :body
where key_id = :key_id and path = :path and key = :key;

-- name: release(key_id, path, key)!
-- Asked for, and refused → nothing: the next request with the key is the first one again.
delete from request_key where key_id = :key_id and path = :path and key = :key;

-- name: find(key_id, path, key)^
select digest, status, location, body from request_key
where key_id = :key_id and path = :path and key = :key;

-- name: forget(kept, at_most)$
-- The oldest of those that nobody repeats any more.
with old as (
    select key_id, path, key from request_key
    where asked_at < moment() - :kept::interval order by asked_at limit :at_most
    for update skip locked
), gone as (
    delete from request_key using old
    where request_key.key_id = old.key_id and request_key.path = old.path and request_key.key = old.key
    returning 1
)
select count(*) from gone;
