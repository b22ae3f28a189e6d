-- What is where, who has a claim on it, and how it moved.

create table stock (
    sku       text   not null references inventory,
    location  text   not null references location,
    on_hand   bigint not null default 0,
    allocated bigint not null default 0,
    safety    bigint not null default 0 check (safety >= 0),
    -- When it is bought, and up to how much. Null: never by itself. With a service level the two are
    -- computed from demand.
    reorder_point bigint check (reorder_point >= 0),
    order_up_to   bigint,
    service_level double precision check (0.5 <= service_level and service_level < 1),
    primary key (sku, location),
    -- Nothing is oversold, and nothing is promised that is not there.
    constraint stock_not_oversold check (0 <= allocated and allocated <= on_hand),
    constraint stock_levels check (
        (reorder_point is null) = (order_up_to is null) and order_up_to > reorder_point)
);

-- Every change of stock, for ever. on_hand and allocated above are the sums of these.
create table movement (
    movement_id      bigint generated always as identity primary key,
    effect           text   not null,  -- what caused it: with SKU and location, a key
    sku              text   not null,
    location         text   not null,
    kind             text   not null check (kind in (
        'received', 'allocated', 'released', 'shipped', 'returned', 'adjusted', 'counted',
        'transferred', 'written_off')),
    on_hand_change   bigint not null,
    allocated_change bigint not null,
    order_id         text,
    who              text   not null,
    why              text   not null,
    at               timestamptz not null default clock_timestamp(),
    counted          bigint check (counted >= 0),  -- what a count found, where it was one
    foreign key (sku, location) references stock,
    -- The same effect moves the same stock once, however often its step runs.
    unique (effect, sku, location)
);
create index movement_by_stock on movement (sku, location, movement_id);
-- What an order's goods have cost is looked up when they come back.
create index movement_out_and_back on movement (order_id, sku) where kind in ('shipped', 'returned');

-- A hard claim of an order line on stock at one location. quantity 0: used up or released. Of a kit,
-- each part is claimed by a row of its own: the order keeps the parts that the kit had when it was
-- claimed.
create table reservation (
    fulfilment_id text   not null references fulfilment,
    order_id      text   not null,
    line_id       text   not null,
    sku           text   not null,
    location      text   not null,
    quantity      bigint not null check (quantity >= 0),
    per_unit      bigint not null default 1 check (per_unit > 0),  -- of the SKU, in one unit
    primary key (fulfilment_id, line_id, sku),
    foreign key (order_id, line_id) references order_line,
    foreign key (sku, location) references stock
);
create index reservation_held on reservation (sku, location) where quantity > 0;

-- Units of an order that are waited for. quantity 0: they have come, or are not wanted any more.
create table backorder (
    order_id   text        not null references orders,
    line_id    text        not null,
    sku        text        not null,
    quantity   bigint      not null check (quantity >= 0),
    placed_at  timestamptz not null,  -- whose turn it is
    round      integer     not null,  -- names the wait of the workflow that is told
    barred     text[]      not null,  -- locations that may not send it there
    -- What the customer was told, by what was on its way then; null: no day.
    promised_leave date,
    promised_on    date,
    since      timestamptz not null default clock_timestamp(),
    primary key (order_id, line_id),
    foreign key (order_id, line_id) references order_line,
    constraint backorder_promise check (promised_leave <= promised_on)
);
create index backorder_in_turn on backorder (sku, placed_at, order_id, line_id) where quantity > 0;

-- Units that nobody else may have, and that are not allocated: a basket's until it expires, or those
-- that have come for a backorder until its workflow allocates them.
create table soft_reservation (
    basket     text,
    order_id   text,
    line_id    text,
    sku        text   not null,
    location   text   not null,
    quantity   bigint not null check (quantity > 0),
    expires_at timestamptz,
    made_at    timestamptz not null default clock_timestamp(),
    foreign key (order_id, line_id) references backorder,
    foreign key (sku, location) references stock,
    unique nulls not distinct (basket, order_id, line_id, sku, location),
    constraint soft_reservation_holder check (
        (basket is null) <> (order_id is null)
        and (order_id is null) = (line_id is null)
        and (basket is null) = (expires_at is null))
);
create index soft_reservation_of_stock on soft_reservation (sku, location);
create index soft_reservation_of_order on soft_reservation (order_id, line_id)
    where order_id is not null;

-- A SKU that is sold as one and kept as its parts. It has no stock of its own, and is no part of
-- another.
create table kit (
    sku        text primary key,
    changed_at timestamptz not null default clock_timestamp()
);

create table kit_part (
    kit   text   not null references kit on delete cascade,
    part  text   not null,
    units bigint not null check (units > 0),
    primary key (kit, part),
    constraint kit_is_no_part_of_itself check (kit <> part)
);
create index kit_part_by_part on kit_part (part);

-- Goods on their way from one location to another: gone from the first, not yet at the second.
create table transfer (
    transfer_id   text primary key,
    from_location text not null references location,
    to_location   text not null references location,
    expected_on   date,
    sent_at       timestamptz not null default clock_timestamp(),
    closed_at     timestamptz,  -- nothing of it is on its way any more
    who           text not null,
    why           text not null,
    constraint transfer_goes_somewhere check (from_location <> to_location)
);
create index transfer_under_way on transfer (to_location) where closed_at is null;

create table transfer_line (
    transfer_id text   not null references transfer,
    sku         text   not null,
    sent        bigint not null check (sent > 0),
    arrived     bigint not null default 0 check (arrived >= 0),
    lost        bigint not null default 0 check (lost >= 0),
    primary key (transfer_id, sku),
    constraint transfer_adds_up check (arrived + lost <= sent)  -- the rest is on its way
);
create index transfer_line_by_sku on transfer_line (sku) where arrived + lost < sent;

-- The way from a location to a part of the world; the closest one counts for a parcel.
create table lane (
    location      text    not null references location,
    country       text    not null,  -- '*': any
    postal_prefix text    not null,
    service       text    not null,  -- '*': any
    cost_minor    bigint  not null check (cost_minor >= 0),
    currency      text    not null,
    distance_km   integer not null check (distance_km >= 0),
    transit_days  integer not null check (transit_days >= 0),
    primary key (location, country, postal_prefix, service)
);
