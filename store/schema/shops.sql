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
