-- Keys with which other programs come in, and their secrets. Nothing here is deleted: who did what by which
-- key can be asked for ever.

create table api_key (
    key_id       text        primary key constraint key_has_an_id check (key_id ~ '^[a-z0-9]{12}$'),
    name         some_text   not null,
    -- The list is that of domain.access.keys.Scope, and so are the next two rules.
    scopes       text[]      not null
        constraint key_may_do_something check (cardinality(scopes) > 0)
        constraint scope_is_in_the_list check (scopes <@ '{
            orders:read, orders:write, aftersales:read, aftersales:write, payments:read, payments:write,
            stock:read, stock:write, catalogue:read, catalogue:write, locations:read, locations:write,
            purchasing:read, purchasing:write, warehouse:read, warehouse:write, carriers:read, carriers:write,
            customers:read, customers:write, sellers:read, sellers:write, accounting:read, accounting:write,
            reconciliation:read, reconciliation:write, operations:read, operations:write,
            events:read, events:write, access:read, access:write}'),
    channels     text[]  -- null here and in the next: all of them
        constraint key_for_channels_names_one check (cardinality(channels) > 0),
    sellers      text[]
        constraint key_for_sellers_names_one check (cardinality(sellers) > 0),
    per_minute   integer     not null
        constraint key_may_ask_once_a_minute check (per_minute > 0),
    made_at      timestamptz not null default moment(),
    made_by      some_text   not null,
    expires_at   timestamptz
        constraint key_expires_after_it_was_made check (expires_at > made_at),
    last_used_at timestamptz,  -- to the minute: no request writes more often
    revoked_at   timestamptz,
    revoked_by   some_text,
    role         some_text,  -- in which its requests are made, where a policy has limits for roles
    constraint revoked_key_says_by_whom check ((revoked_at is null) = (revoked_by is null)),
    constraint restricted_key_may_nothing_of_nobodys check (
        channels is null and sellers is null or not scopes && '{
            stock:write, catalogue:write, locations:write, purchasing:read, purchasing:write, sellers:write,
            operations:read, operations:write, access:read, access:write}'),
    constraint key_for_channels_has_no_books check (
        channels is null or not scopes && '{
            accounting:read, accounting:write, reconciliation:read, reconciliation:write}')
);

-- A secret has 256 random bits, so its SHA-256 needs no salt and no slowness: nobody finds it by trying.
create table api_key_secret (
    key_id  text        not null constraint key_of_a_secret_is_known references api_key,
    digest  bytea       not null constraint digest_is_a_sha_256 check (octet_length(digest) = 32),
    made_at timestamptz not null default moment(),
    made_by some_text   not null,
    ends_at timestamptz  -- null: it is the newest, and works as long as the key does
        constraint secret_ends_after_it_was_made check (ends_at >= made_at),
    primary key (key_id, digest)
);
create unique index key_has_one_newest_secret on api_key_secret (key_id) where ends_at is null;

-- What was asked for under a key of its sender's (Idempotency-Key): written in the transaction of what it
-- does, and kept for as long as anybody may repeat it.
create table request_key (
    key_id   some_text   not null,  -- who asks: a key, or `staff:` and the login of somebody at a screen
    path     text        not null,  -- with the method: POST /v1/stock/receipts
    key      text        not null constraint request_key_is_short check (length(key) between 1 and 255),
    digest   text        not null,  -- of the content: a repeat is told from another request
    asked_at timestamptz not null default moment(),
    -- What was answered. Null where the effect itself tells that: an order, an order's answer.
    status   integer     constraint only_what_was_done_is_kept check (status between 200 and 299),
    location some_text,
    body     jsonb,
    primary key (key_id, path, key)
);
create index request_key_by_time on request_key (asked_at);

-- What this installation signs with, each made by the first program that needs it.
create table signing_secret (
    purpose text  primary key,
    secret  bytea not null constraint signing_secret_is_long check (octet_length(secret) >= 32)
);

-- What links to a customer's page are signed with. The newest one signs; those before it stay good for the links
-- that were made with them, until somebody revokes them.
create table page_key (
    key_no     smallint    primary key constraint page_keys_count_from_one check (key_no > 0),
    secret     bytea       not null constraint page_key_is_long check (octet_length(secret) >= 32),
    made_at    timestamptz not null default moment(),
    revoked_at timestamptz  -- since then none of its links is good
);
