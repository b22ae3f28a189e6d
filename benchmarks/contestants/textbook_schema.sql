-- The textbook's tables: one for each thing, as tutorials have them.

create table customers (
    customer_id text primary key,
    name        text not null
);

create table inventory (
    sku      text primary key,
    on_hand  integer not null check (on_hand >= 0),
    reserved integer not null default 0 check (reserved >= 0),
    check (reserved <= on_hand)
);

create table orders (
    order_id       text primary key,
    customer_id    text not null references customers,
    currency       text not null,
    shipping_price numeric(12, 2) not null,
    total          numeric(12, 2) not null,
    status         text not null,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now()
);

create table addresses (
    order_id    text primary key references orders,
    name        text not null,
    line1       text not null,
    city        text not null,
    postal_code text not null,
    country     text not null
);

create table order_items (
    order_id   text not null references orders,
    line_no    integer not null,
    sku        text not null,
    quantity   integer not null check (quantity > 0),
    unit_price numeric(12, 2) not null,
    primary key (order_id, line_no)
);

create table reservations (
    order_id text not null references orders,
    line_no  integer not null,
    sku      text not null references inventory,
    quantity integer not null check (quantity > 0),
    status   text not null,
    primary key (order_id, line_no)
);

create table stock_movements (
    movement_id bigserial primary key,
    sku         text not null references inventory,
    order_id    text references orders,
    kind        text not null,
    quantity    integer not null,
    created_at  timestamptz not null default now()
);

create table payments (
    order_id         text primary key references orders,
    amount           numeric(12, 2) not null,
    currency         text not null,
    status           text not null,
    authorization_id text,
    capture_id       text,
    updated_at       timestamptz not null default now()
);

create table shipments (
    shipment_id     text primary key,
    order_id        text not null unique references orders,
    status          text not null,
    carrier         text,
    tracking_number text,
    picked_at       timestamptz,
    packed_at       timestamptz,
    handed_over_at  timestamptz,
    delivered_at    timestamptz
);

create table shipment_items (
    shipment_id text not null references shipments,
    line_no     integer not null,
    quantity    integer not null,
    picked      integer not null default 0,
    primary key (shipment_id, line_no)
);

create table tracking_events (
    shipment_id text not null references shipments,
    status      text not null,
    happened_at timestamptz not null,
    primary key (shipment_id, status)
);

create table invoices (
    invoice_id bigserial primary key,
    order_id   text not null unique references orders,
    amount     numeric(12, 2) not null,
    currency   text not null,
    issued_at  timestamptz not null default now()
);

create table invoice_items (
    invoice_id bigint not null references invoices,
    line_no    integer not null,
    text       text not null,
    amount     numeric(12, 2) not null,
    primary key (invoice_id, line_no)
);

create table ledger_entries (
    entry_id   bigserial primary key,
    order_id   text not null references orders,
    account    text not null,
    debit      numeric(12, 2) not null default 0,
    credit     numeric(12, 2) not null default 0,
    created_at timestamptz not null default now()
);

create table order_events (
    event_id   bigserial primary key,
    order_id   text not null references orders,
    what       text not null,
    who        text not null,
    created_at timestamptz not null default now()
);
create index on order_events (order_id);

-- What its pretended bank and its pretended carrier keep: the answer to each call, by its key.

create table bank_calls (
    idempotency_key text primary key,
    operation       text not null,
    amount          numeric(12, 2) not null,
    reference       bigserial
);

create table carrier_calls (
    idempotency_key text primary key,
    service         text not null,
    country         text not null,
    tracking_number bigserial
);
