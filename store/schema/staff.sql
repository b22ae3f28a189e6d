-- People who work with the screens, and where they are signed in. A person is never deleted: stories name them.

create table staff (
    login         text        primary key
        constraint login_is_small_letters check (login ~ '^[a-z0-9][a-z0-9._@+-]{0,59}$'),
    name          some_text   not null,
    -- domain.staff.roles.Role
    roles         text[]      not null
        constraint person_has_a_role check (cardinality(roles) > 0)
        constraint role_is_in_the_list check (
            roles <@ '{admin, lead, agent, accountant, buyer, warehouse}'),
    email         text,
    channels      text[]  -- null here and in the next two: all of them
        constraint person_for_channels_names_one check (cardinality(channels) > 0),
    sellers       text[]
        constraint person_for_sellers_names_one check (cardinality(sellers) > 0),
    locations     text[]
        constraint person_for_locations_names_one check (cardinality(locations) > 0),
    language      text,
    time_zone     text,  -- of the moments that they read; null: UTC
    -- Single letters are commands on the screens, for those who do not switch that off.
    single_keys   boolean     not null default true,
    password      text    -- argon2id, as its encoding tells; null: none
        constraint password_is_argon2id check (password like '$argon2id$%'),
    must_change   boolean     not null default false,  -- somebody else has made the password
    -- Whom their OpenID Connect provider says that they are, since they first came that way.
    issuer        text,
    subject       text,
    made_at       timestamptz not null default moment(),
    made_by       some_text   not null,
    last_seen_at  timestamptz,
    disabled_at   timestamptz,
    disabled_by   some_text,
    constraint openid_is_whole check ((issuer is null) = (subject is null)),
    constraint disabled_person_says_by_whom check ((disabled_at is null) = (disabled_by is null))
);
create unique index staff_by_mail on staff (lower(email collate "C")) where email is not null;
create unique index staff_by_openid on staff (issuer, subject) where subject is not null;

-- Lists that somebody has given a name: the query of an address (starter/web/desk/listing.py). A few for each person,
-- until they remove them.
create table saved_view (
    view_no bigint    generated always as identity primary key,
    login   text      not null constraint view_is_of_a_person references staff,
    name    some_text not null,
    query   text      not null constraint view_is_short check (length(query) <= 2000),
    shared  boolean   not null default false,  -- others see it, too
    made_at timestamptz not null default moment(),
    constraint view_has_a_name_of_its_own unique (login, name)
);

-- Its token has 256 random bits, so its SHA-256 needs no salt and no slowness.
create table staff_session (
    session_no bigint      generated always as identity primary key,
    digest     bytea       not null
        constraint session_has_a_token_of_its_own unique
        constraint session_is_known_by_a_sha_256 check (octet_length(digest) = 32),
    login      text        not null constraint session_is_of_a_person references staff,
    means      text        not null constraint session_began_by_known_means check (means in ('password', 'openid')),
    began_at   timestamptz not null default moment(),
    seen_at    timestamptz not null default moment(),  -- to the minute: no request writes more often
    ends_at    timestamptz not null,
    ended_at   timestamptz,
    ended_by   some_text,
    agent      text        not null default '',
    address    text        not null default '',
    constraint ended_session_says_by_whom check ((ended_at is null) = (ended_by is null))
);
create index staff_session_by_person on staff_session (login) where ended_at is null;
create index staff_session_by_end on staff_session (ends_at);

-- Who sees to something that waits for a person, and until when nobody has to look at it. The list of what waits is
-- made of what is there (store/views/attention.sql): a row stands beside a place of it, and goes some time after it
-- was written.
create table task_care (
    kind           text        not null,
    subject        text        not null,
    name           text        not null,
    assigned_to    text        constraint task_is_of_a_person references staff,
    assigned_by    some_text,
    assigned_at    timestamptz,
    snoozed_until  timestamptz,
    -- What the task said then: one that says something else comes back.
    snoozed_reason some_text,
    note           some_text,
    snoozed_by     some_text,
    snoozed_at     timestamptz,
    changed_at     timestamptz not null default moment(),
    primary key (kind, subject, name),
    constraint assigned_task_says_by_whom check ((assigned_at is null) = (assigned_by is null)),
    constraint snoozed_task_says_by_whom_and_why check (
        (snoozed_until is null) = (snoozed_by is null) and (snoozed_until is null) = (snoozed_at is null)
        and (snoozed_until is null) = (note is null) and (snoozed_until is null) = (snoozed_reason is null))
);
create index task_care_by_time on task_care (changed_at);

-- Wrong passwords in a row, by the SHA-256 of what was given as a login: of those that are not there, too, so
-- that nobody learns from a wait which ones are.
create table staff_try (
    login_digest bytea       primary key
        constraint tries_are_known_by_a_sha_256 check (octet_length(login_digest) = 32),
    wrong        integer     not null constraint wrong_tries_are_counted check (wrong > 0),
    last_at      timestamptz not null default moment()
);
create index staff_try_by_time on staff_try (last_at);
