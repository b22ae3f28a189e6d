-- What links to a customer's page are signed with.

-- name: valid()
-- Those whose links are good, the newest first.
select key_no, secret from page_key where revoked_at is null order by key_no desc;

-- name: first(drawn)!
-- Of a new database: its first key, whichever program draws it.
insert into page_key (key_no, secret) values (1, :drawn) on conflict do nothing;

-- name: rotate(drawn)$
-- A new key, which signs from now on. Of two programs that rotate at the same moment, one is refused.
insert into page_key (key_no, secret) select coalesce(max(key_no), 0) + 1, :drawn from page_key
returning key_no;

-- name: revoke_before(key_no)
-- None of the links is good any more that were signed with an earlier key.
update page_key set revoked_at = moment() where key_no < :key_no and revoked_at is null returning key_no;
