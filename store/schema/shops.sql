-- Shops elsewhere that send their orders here, and what they have sent.

create table shop (
    channel      text        primary key constraint shop_is_a_channel references channel,
    kind         text        not null constraint shop_is_of_a_known_kind check (
        kind in ('shopify', 'woocommerce', 'generic')),
    -- What its messages are signed with, the newest first. Never shown again.
    secrets      text[]      not null
        constraint shop_has_one_to_three_secrets check (cardinality(secrets) between 1 and 3),
    options      jsonb       not null default '{}',
    connected_by text        not null,
    connected_at timestamptz not null default moment()
);

-- Each message, as it came. No reference to the shop: what it has sent stays when it is disconnected. `body` is about
-- a person, so it goes as soon as the message is worked through: the order has all of it by then.
create table shop_message (
    message_no   bigint      generated always as identity primary key,
    channel      text        not null,
    message_id   text        not null,
    topic        text        not null,
    body         bytea,
    received_at  timestamptz not null default moment(),
    sent_at      timestamptz not null,  -- where it says so and signs that; or when it came
    tries        integer     not null default 0,
    try_after    timestamptz not null default moment(),
    -- The shop's own id of the order that it is about, and as of when it tells of it.
    subject      some_text,
    version      timestamptz,
    order_id     some_text,
    asked_at     timestamptz,  -- a request was sent to the order, and is not met yet
    last_error   some_text,    -- a person is needed
    processed_at timestamptz,
    outcome      some_text,
    constraint message_is_kept_once unique (channel, message_id),
    constraint body_goes_when_it_is_processed check ((processed_at is null) = (body is not null)),
    constraint outcome_is_told_when_it_is_processed check ((processed_at is null) = (outcome is null))
);
create index shop_message_due on shop_message (try_after, message_no) where processed_at is null;
create index shop_message_by_subject on shop_message (channel, subject, version) where subject is not null;
create index shop_message_processed on shop_message (processed_at) where processed_at is not null;

-- How a shop is asked for what changed, and told what happened here; where we were given access to it.
create table shop_contact (
    channel     text        primary key
        constraint contact_is_with_a_shop references shop on delete cascade,
    address     text        not null,
    -- What opens it to us. Never shown again.
    credentials text[]      not null
        constraint contact_has_one_or_two_credentials check (cardinality(credentials) between 1 and 2),
    since       timestamptz not null default moment(),  -- what changed there before is not asked for
    -- By the shop's own clock: what changed up to here was read. Null: it was never asked.
    read_upto   timestamptz,
    -- There was more to read than there was time: it goes on from there, and looks back no further.
    reading     boolean     not null default false,
    ask_at      timestamptz not null default moment(),
    levels_at   timestamptz not null default moment(),  -- when stock levels are next compared
    -- Goods of orders that came since are told, changed or not: the shop has counted these down by itself.
    levels_told timestamptz,
    -- How it answers.
    asked_at    timestamptz,
    answered_at timestamptz,
    away_since  timestamptz,  -- null: it answers
    failures    integer     not null default 0,  -- one after the other
    refuses     boolean     not null default false,  -- it does not let us in
    error       some_text,
    rest_until  timestamptz,
    -- What it said of our access, and when somebody wants to know that again.
    check_at    timestamptz default moment(),
    checked_at  timestamptz,
    rights      text[]      not null default '{}',
    -- The worker that speaks with it, and until when it may.
    holder      text,
    held_until  timestamptz
);

-- Parcels that a shop is told of, written as they are handed over. `told`: it knows. `refused`: it will not, and a
-- person is told once. `settled`: a person has seen to it.
create table shop_parcel (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    channel       text        not null,
    state         text        not null default 'due' constraint parcel_state_is_known check (
        state in ('due', 'told', 'refused', 'settled')),
    made_at       timestamptz not null default moment(),
    tries         integer     not null default 0,
    try_after     timestamptz not null default moment(),
    error         some_text,
    reference     some_text,  -- what it is called there
    note          some_text,  -- how a person has seen to it
    done_at       timestamptz,
    primary key (order_no, fulfilment_id),
    constraint parcel_is_done_at_a_time check ((done_at is null) = (state in ('due', 'refused')))
);
create index shop_parcel_due on shop_parcel (channel, made_at) where state = 'due';
create index shop_parcel_refused on shop_parcel (channel, fulfilment_id) where state = 'refused';
create index shop_parcel_done on shop_parcel (done_at) where done_at is not null;

-- The stock levels that a shop was told. A row for each SKU that there is stock of, of a shop that is told.
create table shop_level (
    channel    text        not null constraint level_is_of_a_contact references shop_contact on delete cascade,
    sku        text        not null,
    told       units,       -- null: it has not taken any
    tried_at   timestamptz not null default moment(),
    error      some_text,   -- it refused
    settled_at timestamptz, -- a person has seen to that
    note       some_text,
    primary key (channel, sku)
);
create index shop_level_refused on shop_level (channel, sku) where error is not null and settled_at is null;
