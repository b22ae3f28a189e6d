-- Each location's part of an order, and the parcels that leave.

-- One location's part of an order, and what the parcel is to contain.
create table fulfilment (
    fulfilment_id text primary key,
    order_id      text not null references orders,
    location      text not null references location,
    state         text not null check (state in (
        'open', 'picking', 'picked', 'packed', 'labelled', 'shipped', 'delivered',
        'cancelled', 'exception')),
    recalled_from text,  -- the state in which it was recalled, when it was
    changed_at    timestamptz not null default clock_timestamp(),
    -- What the customer was promised when it was planned. Null where no lane says how long a parcel is
    -- under way.
    promised_leave date,
    promised_on    date,
    constraint fulfilment_recall check (recalled_from is null or state = 'cancelled'),
    constraint fulfilment_promise check (
        (promised_on is null) = (promised_leave is null) and promised_on >= promised_leave)
);
create index fulfilment_by_order on fulfilment (order_id);
create index fulfilment_in_work on fulfilment (state, changed_at)
    where state in ('picking', 'picked', 'packed', 'labelled', 'shipped');
-- What a location has still to send, for those with a limit a day.
create index fulfilment_to_send on fulfilment (location)
    where state in ('open', 'picking', 'picked', 'packed', 'labelled');
-- Parcels whose promise may slip.
create index fulfilment_promised on fulfilment (promised_leave)
    where state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped');

create table fulfilment_line (
    fulfilment_id text   not null references fulfilment,
    order_id      text   not null,
    line_id       text   not null,
    sku           text   not null,
    quantity      bigint not null check (quantity > 0),
    picked        bigint check (picked between 0 and quantity),  -- null: not counted yet
    primary key (fulfilment_id, line_id),
    foreign key (order_id, line_id) references order_line
);
create index fulfilment_line_by_order on fulfilment_line (order_id, line_id);

-- The label of a fulfilment's parcel: intent first, then the carrier's answer. Tracking numbers are
-- recycled by carriers, so a parcel is known by carrier, number and fulfilment.
create table parcel (
    fulfilment_id   text primary key references fulfilment,
    order_id        text not null references orders,
    label_key       text not null unique,
    label           text not null check (label in ('requested', 'bought', 'refused', 'voided')),
    -- When the last attempt to buy the label began: a young one is not taken for dead.
    asked_at        timestamptz not null default clock_timestamp(),
    carrier         text,
    tracking_number text,
    service         text not null,
    refusal         text,
    carrier_status  text not null default 'unknown' check (carrier_status in (
        'pre_transit', 'in_transit', 'out_for_delivery', 'available_for_pickup',
        'delivered', 'return_to_sender', 'failure', 'unknown')),
    last_scan_at    timestamptz,
    handed_over_at  timestamptz,
    unique (carrier, tracking_number, fulfilment_id),
    constraint parcel_label_known check (label <> 'bought' or tracking_number is not null)
);
create index parcel_by_tracking on parcel (carrier, tracking_number);
create index parcel_by_order on parcel (order_id);

create table carrier_event (
    fulfilment_id text not null references parcel,
    event_id      text not null,
    status        text not null,
    happened_at   timestamptz not null,
    detail        text not null default '',
    received_at   timestamptz not null default clock_timestamp(),
    primary key (fulfilment_id, event_id)  -- carriers send the same event more than once
);
