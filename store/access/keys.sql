-- Keys of other programs.

-- name: grant_of(key_id, digest)^
-- What a live key grants, and the digests of its secrets that work. If this digest is one of them, the use is
-- noted, once a minute at most. The caller compares once more, in a time that tells nothing.
with live as (
    select digest from api_key_secret
    where key_id = :key_id and (ends_at is null or ends_at > transaction_moment())
), noted as (
    update api_key set last_used_at = transaction_moment()
    where key_id = :key_id and revoked_at is null
      and (expires_at is null or expires_at > transaction_moment())
      and (last_used_at is null or last_used_at <= transaction_moment() - interval '1 minute')
      and :digest::bytea in (select digest from live)
)
select key_id, name, scopes, channels, sellers, per_minute, expires_at, role,
       array(select digest from live) as digests
from api_key
where key_id = :key_id and revoked_at is null and (expires_at is null or expires_at > transaction_moment());

-- name: find(key_id, revoked, after, at_most)
-- One key, or many, the newest first: those behind the key `after`, without the revoked ones if they are not wanted.
select k.key_id, k.name, k.scopes, k.channels, k.sellers, k.per_minute, k.made_at, k.made_by, k.expires_at,
       k.last_used_at, k.revoked_at, k.revoked_by, k.role,
       case when k.revoked_at is not null then 'revoked'
            when k.expires_at <= moment() then 'expired'
            else 'live' end as state,
       s.made_at as secret_made_at, s.made_by as secret_made_by,
       array(select o.ends_at from api_key_secret o where o.key_id = k.key_id and o.ends_at > moment()
             order by o.ends_at) as old_secrets_end_at
from api_key k join api_key_secret s on s.key_id = k.key_id and s.ends_at is null
where (:key_id::text is null or k.key_id = :key_id)
  and (:revoked::boolean or k.revoked_at is null)
  and (:after::text is null
       or (k.made_at, k.key_id) < (select a.made_at, a.key_id from api_key a where a.key_id = :after))
order by k.made_at desc, k.key_id desc limit :at_most;

-- name: make(key_id, digest, name, scopes, channels, sellers, per_minute, expires_at, role, who)!
with made as (
    insert into api_key (key_id, name, scopes, channels, sellers, per_minute, expires_at, role, made_by)
    values (:key_id, :name, :scopes, :channels, :sellers, :per_minute, :expires_at, :role, :who)
    returning key_id
)
insert into api_key_secret (key_id, digest, made_by) select key_id, :digest, :who from made;

-- name: lock(key_id)!
-- Rotations of a key come one after the other.
select from api_key where key_id = :key_id for update;

-- name: end_secrets(key_id, ends_in)!
-- No secret that there is works for longer than this.
update api_key_secret set ends_at = moment() + :ends_in::interval
where key_id = :key_id and (ends_at is null or ends_at > moment() + :ends_in::interval);

-- name: add_secret(key_id, digest, who)!
insert into api_key_secret (key_id, digest, made_by) values (:key_id, :digest, :who);

-- name: revoke(key_id, who)!
-- For good. A repeat changes nothing.
update api_key set revoked_at = moment(), revoked_by = :who where key_id = :key_id and revoked_at is null;
