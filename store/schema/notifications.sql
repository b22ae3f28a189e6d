-- What other systems are told: the sequence of events, who subscribes to them, and what was sent.

-- Where the sequencer is (routines/notifications.sql). One row.
create table event_sequence (
    only_one boolean primary key default true
        constraint there_is_one_sequence check (only_one),
    -- of the event that came last
    position bigint  not null default 0,
    -- Somebody reads. While nobody does, no event gets a position.
    reading  boolean not null default false,
    read_at  timestamptz,  -- when somebody read last who has no subscription
    -- Here it began, the last time: what was told between the position before and this one has none.
    since    bigint  not null default 0,
    -- Every transaction below this one has ended, and what it told has its position.
    horizon  xid8    not null default '0',
    -- How transactions are numbered is the server's own. What has come from another server, with a backup,
    -- has event ids up to `floor`, and is dealt with. `latest`: the last id that was given out by then.
    floor    bigint  not null default 0,
    latest   bigint  not null default 0,
    server   text,  -- null: nobody has ever read
    -- The same of what happens to customers (customer_change), which gets positions only while somebody asks for it.
    changes_horizon xid8,  -- null: nobody does
    changes_read_at timestamptz,
    changes_since   bigint not null default 0,
    changes_floor   bigint not null default 0,
    changes_latest  bigint not null default 0
);
insert into event_sequence default values;

-- The events in the sequence that readers go by. It names lines of stories and changes of customers, and repeats
-- nothing of them. No references: each would lock its order.
create table event_out (
    position    bigint      primary key,
    order_no    bigint,
    customer_no bigint,
    event_id    bigint      not null,  -- of the order's story, or change_no
    type        text        not null,
    at          timestamptz not null,
    -- Whose events keep their sequence: the order's, or below zero the customer's.
    lane        bigint      not null generated always as (coalesce(order_no, -customer_no)) stored,
    constraint event_is_of_an_order_or_a_customer check (num_nonnulls(order_no, customer_no) = 1)
);
create index event_out_by_time on event_out using brin (at);  -- they come by their times, nearly

-- Events that got their position before the horizon had passed them, with an event of the same order that came
-- later. They go when it has.
create table event_taken_early (
    event_id bigint primary key,
    xact     xid8   not null
);

-- Who is told, and of what. Null types, channels or sellers: all of them.
create table event_subscription (
    subscription_id text        primary key,
    url             text        not null,
    types           text[],
    channels        text[],
    sellers         text[],
    description     some_text,
    -- What messages are signed with, the newest first. Never shown again.
    secrets         text[]      not null
        constraint subscription_has_one_to_three_secrets check (cardinality(secrets) between 1 and 3),
    state           text        not null default 'active'
        constraint subscription_state_is_known check (state in ('active', 'paused', 'disabled')),
    why             some_text,  -- it is not active
    disabled_at     timestamptz,  -- a person is asked to see to it
    made_by         text        not null,
    made_at         timestamptz not null default moment(),
    -- Every event up to here was delivered, has a row in event_delivery, or is not for it.
    cursor          bigint      not null,
    round           integer     not null default 1,  -- counts replays
    failures        integer     not null default 0,  -- of new events, one after the other
    failing_since   timestamptz,
    rest_until      timestamptz,  -- nothing is sent before
    called_at       timestamptz,  -- its workflow was called, and works
    holder          text,         -- the attempt of the activity that delivers
    constraint active_subscription_needs_no_reason check (state <> 'active' or why is null),
    constraint disabled_subscription_says_since_when check ((state = 'disabled') = (disabled_at is not null))
);

-- Events that could not be delivered at the first attempt, and tests: until they are delivered, or dead letters.
create table event_delivery (
    delivery_id     bigint      generated always as identity primary key,
    subscription_id text        not null
        constraint delivery_is_to_a_subscription references event_subscription on delete cascade,
    -- null, as the next four, for a test
    position        bigint,
    order_no        bigint,
    customer_no     bigint,
    event_id        bigint,
    lane            bigint      generated always as (coalesce(order_no, -customer_no)) stored,
    type            text        not null,
    at              timestamptz not null,
    -- waiting: an earlier event of its order is tried again. resending: somebody wants it once more.
    state           text        not null constraint delivery_state_is_known check (
        state in ('waiting', 'retrying', 'resending', 'test', 'dead')),
    tries           integer     not null default 0,
    next_at         timestamptz not null default moment(),
    last_error      some_text,
    constraint delivery_is_of_an_event_or_a_test check ((state = 'test') = (position is null)),
    constraint event_is_delivered_once_to_a_subscription unique (subscription_id, position)
);
create index event_delivery_due on event_delivery (subscription_id, next_at)
    where state in ('retrying', 'resending', 'test');
create index event_delivery_held_back on event_delivery (subscription_id, lane, position)
    where state in ('retrying', 'waiting');

-- Each attempt to deliver, and what came of it. The latest that delivered an event says that it is not sent again.
create table event_attempt (
    subscription_id text        not null
        constraint attempt_is_for_a_subscription references event_subscription on delete cascade,
    attempt_id      bigint      generated always as identity,
    message_id      text        not null,  -- webhook-id
    position        bigint,
    order_no        bigint,
    customer_no     bigint,
    type            text        not null,
    round           integer     not null,
    delivered       boolean     not null,
    status          integer,    -- of HTTP; null: there was no answer
    took_ms         integer     not null,
    error           some_text,
    answer          some_text,  -- its beginning, of one that is no success: it may repeat what was sent
    at              timestamptz not null default moment(),
    primary key (subscription_id, attempt_id)
);
create index event_attempt_delivered on event_attempt (subscription_id, position, round) where delivered;
create index event_attempt_by_time on event_attempt (at);
create index event_attempt_answered on event_attempt (order_no) where answer is not null;
create index event_attempt_answered_of_customer on event_attempt (customer_no)
    where answer is not null and customer_no is not null;
