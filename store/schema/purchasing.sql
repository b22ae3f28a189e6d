-- Buying: who sells what, when to buy, what is on order, and what happened to each order.

create table supplier (
    supplier_id text primary key,
    name        text not null
);

-- On which terms a supplier sells a SKU.
create table supplier_item (
    sku            text    not null,
    supplier_id    text    not null references supplier,
    lead_time_days integer not null check (lead_time_days between 0 and 3650),
    minimum        bigint  not null check (minimum > 0),
    multiple       bigint  not null check (multiple > 0),
    price_minor    bigint  not null check (price_minor >= 0),
    currency       text    not null,
    priority       integer not null,  -- lower is asked first
    primary key (sku, supplier_id)
);

create table purchase_order (
    po_id          text    primary key,
    number         bigint  generated always as identity unique,
    supplier_id    text    not null references supplier,
    location       text    not null references location,
    currency       text    not null,
    state          text    not null check (state in (
        'proposed', 'approved', 'sent', 'acknowledged', 'shipped', 'closed', 'cancelled')),
    needs_approval boolean not null,
    sent_before    boolean not null default false,  -- before Orderloom knew of it
    policy         jsonb   not null,                -- domain.purchasing.PurchasingPolicy
    created_at     timestamptz not null default clock_timestamp(),
    changed_at     timestamptz not null default clock_timestamp(),
    refused_at     timestamptz,  -- the supplier said no
    attention      text,         -- what needs a person, as long as it does
    -- Its workflow is started by the relay, which tries until Temporal has taken it.
    started_at     timestamptz,
    tries          integer     not null default 0,
    try_after      timestamptz not null default clock_timestamp(),
    unique (po_id, location)
);
create index purchase_order_open on purchase_order (po_id) where state not in ('closed', 'cancelled');
create index purchase_order_to_start on purchase_order (try_after) where started_at is null;
create index purchase_order_by_supplier on purchase_order (supplier_id);

create table purchase_order_line (
    po_id          text    not null,
    sku            text    not null,
    location       text    not null,
    quantity       bigint  not null check (quantity > 0),
    receivable     bigint  not null,  -- so many may be received: what was ordered and the tolerance
    received       bigint  not null default 0 check (received >= 0),
    cancelled      bigint  not null default 0,  -- will not come
    shipped        bigint  not null default 0 check (shipped >= 0),  -- as the supplier says
    price_minor    bigint  not null check (price_minor >= 0),
    lead_time_days integer not null,
    due_on         date    not null,  -- as acknowledged; until then, by the lead time
    answered_at    timestamptz,  -- the supplier has said what it will send; or nothing is awaited
    outstanding    bigint  generated always as (greatest(quantity - received - cancelled, 0)) stored,
    primary key (po_id, sku),
    foreign key (po_id, location) references purchase_order (po_id, location),
    foreign key (sku, location) references stock,
    constraint purchase_line_adds_up check (0 <= cancelled and cancelled <= quantity),
    constraint purchase_line_received check (received <= receivable and quantity <= receivable)
);
-- One open need, one purchase order: while it is not known what will come of an order, nothing else
-- is ordered of the same SKU for the same location. Afterwards what comes counts as incoming.
create unique index purchase_one_need on purchase_order_line (sku, location)
    where answered_at is null;
create index purchase_line_outstanding on purchase_order_line (sku, location)
    where outstanding > 0;

-- What happened to each purchase order, as order_event is for orders. Append-only.
create table purchase_order_event (
    event_id bigint generated always as identity primary key,
    po_id    text  not null references purchase_order,
    effect   text  not null,  -- a step that runs again tells its part once
    what     text  not null,
    who      text  not null,
    why      text  not null default '',
    data     jsonb not null default '{}',
    at       timestamptz not null default clock_timestamp(),
    unique (po_id, effect)
);

-- A level that was crossed and is to be looked at, or looked at again once a supplier that refused may
-- be asked again. It is written in the transaction that crosses the level, and deleted by the decision,
-- under the lock of the SKU's stock.
create table replenishment_call (
    sku       text not null,
    location  text not null,
    tries     integer     not null default 0,
    try_after timestamptz not null default clock_timestamp(),
    primary key (sku, location)
);
