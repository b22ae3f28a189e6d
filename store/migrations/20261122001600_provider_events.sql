-- migrate:up

-- What payment companies tell by themselves: kept before it is answered, worked through later.
create table provider_event (
    provider     text not null,
    event_id     text not null,  -- the company's: it may send an event more than once
    type         text not null,
    body         jsonb not null,
    happened_at  timestamptz not null,  -- by the company's clock
    received_at  timestamptz not null default clock_timestamp(),
    processed_at timestamptz,
    tries        integer not null default 0,
    try_after    timestamptz not null default clock_timestamp(),
    last_error   text not null default '',
    primary key (provider, event_id)
);
create index provider_event_due on provider_event (try_after) where processed_at is null;

-- A payment that the customer's bank took back, or asks about, as the company last had it.
create table dispute (
    provider     text   not null,
    dispute_id   text   not null,
    subjects     text[] not null,  -- the company's ids of the payment it is about
    payment_key  text references payment,  -- null: a payment that is not ours, or not known yet
    order_id     text references orders,
    amount_minor bigint not null check (amount_minor > 0),
    currency     text   not null,
    fee_minor    bigint not null default 0 check (fee_minor >= 0),
    fee_currency text   not null,
    state        text   not null check (state in (
        'warning_needs_response', 'warning_under_review', 'warning_closed',
        'needs_response', 'under_review', 'appeal_needs_response', 'appeal_under_review',
        'won', 'lost', 'prevented')),
    moves        integer not null default 0,  -- of money, that the company had made by then
    reason       text   not null,
    opened_at    timestamptz not null,
    respond_by   timestamptz,
    said_at      timestamptz not null,  -- when it was so, by the company's clock: nothing older counts
    closed_at    timestamptz,
    told         integer not null default 0,  -- how often it became another one
    heard_at     timestamptz not null default clock_timestamp(),
    primary key (provider, dispute_id),
    constraint dispute_placed check ((order_id is null) = (payment_key is null))
);
create index dispute_by_order on dispute (order_id);
create index dispute_unplaced on dispute (heard_at) where order_id is null;
create index payment_by_reference on payment (reference);

-- migrate:down

drop index payment_by_reference;
drop table dispute, provider_event;
