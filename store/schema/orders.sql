-- Orders as people and tools read them, their stories, and what stops them.

create table orders (
    order_id         text   primary key,
    channel          text   not null,
    channel_order_id text   not null,
    digest           text   not null,  -- of the document: tells the same order from another one
    run_id           text   not null,  -- the first run of the workflow that owns this order
    document         jsonb  not null,
    customer_id      text   not null,
    currency         text   not null,
    total_minor      bigint not null check (total_minor >= 0),
    placed_at        timestamptz not null,
    received_at      timestamptz not null default clock_timestamp(),
    -- What the workflow decided. How far its units have come is rolled up from them (order_overview).
    decision         text   not null default 'received' check (decision in (
        'received', 'confirmed', 'rejected', 'cancelled', 'closed')),
    reason           text   not null default '',
    decided_at       timestamptz not null default clock_timestamp(),
    -- How the order's policy chooses locations, where it says so. Backorders are sourced by it, too.
    sourcing         jsonb  not null default '{}',
    unique (channel, channel_order_id)
);
create index orders_by_received on orders (received_at desc);
create index orders_unfinished on orders (order_id)
    where decision in ('received', 'confirmed');

create table order_line (
    order_id         text    not null references orders,
    line_id          text    not null,
    position         integer not null,
    sku              text    not null,
    ordered          bigint  not null check (ordered > 0),
    backordered      bigint  not null default 0 check (backordered >= 0),
    allocated        bigint  not null default 0 check (allocated >= 0),
    picked           bigint  not null default 0 check (picked >= 0),
    shipped          bigint  not null default 0 check (shipped >= 0),
    delivered        bigint  not null default 0 check (delivered >= 0),
    lost             bigint  not null default 0 check (lost >= 0),
    cancelled        bigint  not null default 0 check (cancelled >= 0),
    return_requested bigint  not null default 0 check (return_requested >= 0),
    returned         bigint  not null default 0 check (returned >= 0),
    charged          bigint  not null default 0,  -- units paid for
    refunded         bigint  not null default 0,  -- units paid back
    conceded         bigint  not null default 0,  -- units paid back that the customer keeps
    invoiced         bigint  not null default 0,  -- units that went out, for which revenue is booked
    -- What the whole line is worth, shares of discount and shipping included.
    goods_minor        bigint not null check (goods_minor >= 0),
    tax_minor          bigint not null check (tax_minor >= 0),
    shipping_minor     bigint not null check (shipping_minor >= 0),
    shipping_tax_minor bigint not null check (shipping_tax_minor >= 0),
    open bigint generated always as
        (ordered - backordered - allocated - shipped - cancelled) stored,
    primary key (order_id, line_id),
    constraint line_adds_up   check (backordered + allocated + shipped + cancelled <= ordered),
    constraint line_picked    check (picked <= allocated),
    constraint line_arrived   check (delivered + lost <= shipped),
    constraint line_sent_back check (return_requested + returned <= delivered),
    constraint line_paid      check (0 <= refunded and refunded <= charged and charged <= ordered),
    constraint line_invoiced  check (0 <= invoiced and invoiced <= ordered),
    constraint line_conceded  check (0 <= conceded and conceded <= refunded)
);
create index order_line_by_sku on order_line (sku);

-- What happened to each order: what, when, who, why. Append-only.
create table order_event (
    event_id bigint generated always as identity primary key,
    order_id text  not null references orders,
    effect   text  not null,  -- a step that runs again tells its part once
    what     text  not null,
    who      text  not null,
    why      text  not null default '',
    data     jsonb not null default '{}',
    at       timestamptz not null default clock_timestamp(),
    unique (order_id, effect)
);
create index order_event_by_order on order_event (order_id, event_id);

-- What waits for a person.
create table attention (
    order_id    text not null references orders,
    step        text not null,
    reason      text not null,
    -- With which answers a person can resolve it; none where it ends by itself.
    allowed     text[] not null default '{}',
    since       timestamptz not null default clock_timestamp(),
    resolved_at timestamptz,
    resolution  text,
    primary key (order_id, step, since)
);
create unique index attention_open on attention (order_id, step) where resolved_at is null;

-- Why an order does not go on until a person or a rule lets it.
create table hold (
    order_id    text    not null references orders,
    reason      text    not null check (reason in (
        'payment', 'fraud_review', 'address', 'stock', 'other')),
    number      integer not null,  -- counted by the order that holds itself
    note        text    not null,
    who         text    not null,
    since       timestamptz not null default clock_timestamp(),
    released_at timestamptz,
    released_by text,
    primary key (order_id, number),
    constraint hold_released check ((released_at is null) = (released_by is null))
);
create index hold_open on hold (order_id) where released_at is null;

-- What an order answered to requests that have an id. Written when the order ends: until then its
-- workflow knows them.
create table answered_request (
    order_id    text  not null references orders,
    request_id  text  not null,
    digest      text  not null,  -- of what was asked: a repeat is told from another request
    outcome     jsonb not null,
    answered_at timestamptz not null default clock_timestamp(),
    primary key (order_id, request_id)
);
