-- Stock at each location, the claims on it, and its movements.

create table stock (
    sku           text  not null constraint stock_is_of_owned_goods references inventory,
    location      text  not null constraint stock_is_at_a_location references location,
    on_hand       units not null default 0,
    allocated     units not null default 0,
    safety        units not null default 0,
    -- At which level it is bought, and up to which. Null: it is not bought by itself. With a service level,
    -- the two are computed from demand.
    reorder_point units,
    order_up_to   units,
    service_level double precision
        constraint service_level_is_a_half_or_more_and_below_one
            check (0.5 <= service_level and service_level < 1),
    primary key (sku, location),
    -- No unit is sold or promised twice.
    constraint allocated_is_at_most_on_hand check (allocated <= on_hand),
    constraint order_up_to_is_above_the_reorder_point check (
        (reorder_point is null) = (order_up_to is null) and order_up_to > reorder_point)
);

-- When the units of a stock row were counted last, and how often they should be. Each stock row has one (a trigger
-- makes it): apart from it, because a list of what is to be counted needs an index, and stock changes all day.
create table stock_count (
    sku        text        not null,
    location   text        not null,
    counted_at timestamptz not null default '-infinity',  -- never
    -- By its share in what lies there (domain.warehouse.counts.CYCLES, from 1 on), and its worth in minor units of
    -- whatever it was bought in; null: nobody knows. Both are of the last time that they were measured.
    class      smallint    not null default 3 constraint class_of_a_count_is_known check (class between 1 and 3),
    worth      double precision,
    primary key (sku, location),
    constraint stock_count_is_of_stock foreign key (sku, location) references stock on delete cascade
);
create index stock_count_in_turn on stock_count (location, class, counted_at, worth desc nulls last, sku);

-- Every change of stock; rows are never removed. on_hand and allocated above are the sums of these.
create table movement (
    movement_id      bigint      generated always as identity primary key,
    -- What caused it. However often a step runs, its effect moves a stock row once. That is held by a
    -- trigger, because a unique key would forbid to keep the movements of old times apart.
    effect           text        not null,
    sku              text        not null,
    location         text        not null,
    kind             text        not null constraint movement_is_of_a_known_kind check (kind in (
        'received', 'allocated', 'released', 'shipped', 'returned', 'adjusted', 'counted',
        'transferred', 'written_off', 'to_supplier')),
    on_hand_change   bigint      not null,
    allocated_change bigint      not null,
    order_no         bigint,
    who              text        not null,
    why              text        not null,
    at               timestamptz not null default moment(),
    counted          units,  -- the counted units, if it was a count
    constraint movement_is_of_stock foreign key (sku, location) references stock
);
create index movement_by_effect on movement (effect, sku, location);
create index movement_by_stock on movement (sku, location, movement_id);
-- For returns, which look up the cost of the order's goods, and for erasing what somebody typed.
create index movement_by_order on movement (order_no, sku) where order_no is not null;
-- For what was claimed lately: demand is measured by it.
create index movement_by_time on movement using brin (at) with (pages_per_range = 16, autosummarize = on);

-- The units of an order line that are reserved at one location. quantity 0: shipped or released. For a kit,
-- each part has a row of its own, so the order keeps the parts that the kit had when it was reserved.
create table reservation (
    order_no      bigint     not null,
    fulfilment_id text       not null,
    line_id       text       not null,
    sku           text       not null,
    location      text       not null,
    quantity      units      not null,
    per_unit      some_units not null default 1,  -- units of the SKU in one unit of the line
    primary key (order_no, fulfilment_id, line_id, sku),
    constraint reservation_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment,
    constraint reservation_is_of_an_order_line foreign key (order_no, line_id)
        references order_line,
    constraint reservation_is_of_stock foreign key (sku, location) references stock
);
create index reservation_held on reservation (sku, location) where quantity > 0;

-- Units that an order waits for. quantity 0: they have arrived, or are no longer wanted.
create table backorder (
    order_no       bigint      not null
        constraint backorder_is_of_an_order references customer_order,
    line_id        text        not null,
    sku            text        not null,
    quantity       units       not null,
    received_at    timestamptz not null,  -- of its order: the one that was taken in first is served first
    round          integer     not null,  -- the number of the workflow's wait
    barred         text[]      not null,  -- locations that may not send it there
    -- The day that the customer was told, from the goods on their way at that time; null: no day.
    promised_leave date,
    promised_on    date,
    first_day      date,  -- the first day of sale by which the customer was told; null: it was on sale
    since          timestamptz not null default moment(),
    primary key (order_no, line_id),
    constraint backorder_is_of_an_order_line foreign key (order_no, line_id) references order_line,
    constraint promised_backorder_leaves_before_it_arrives check (promised_leave <= promised_on)
);
create index backorder_in_turn on backorder (sku, received_at, order_no, line_id) where quantity > 0;

-- Soft reservations: units that are not allocated, and that nobody else can get. They belong to a basket
-- until it expires, or to a backorder until its workflow allocates them.
create table soft_reservation (
    basket     text,
    order_no   bigint,
    line_id    text,
    sku        text        not null,
    location   text        not null,
    quantity   some_units  not null,
    expires_at timestamptz,
    made_at    timestamptz not null default moment(),
    constraint soft_reservation_is_of_a_backorder foreign key (order_no, line_id)
        references backorder,
    constraint soft_reservation_is_of_stock foreign key (sku, location) references stock,
    constraint soft_reservation_is_one_row_for_its_holder
        unique nulls not distinct (basket, order_no, line_id, sku, location),
    constraint soft_reservation_is_for_a_basket_or_an_order check (
        (basket is null) <> (order_no is null)
        and (order_no is null) = (line_id is null)
        and (basket is null) = (expires_at is null))
);
create index soft_reservation_of_stock on soft_reservation (sku, location);
create index soft_reservation_of_order on soft_reservation (order_no, line_id)
    where order_no is not null;

-- A kit: a SKU that is sold as one item and stored as its parts. It has no stock of its own, and is no part of
-- another kit.
create table kit (
    sku        text        primary key constraint kit_is_an_item references item,
    changed_at timestamptz not null default moment()
);

create table kit_part (
    kit   text       not null constraint kit_part_is_of_a_kit references kit on delete cascade,
    part  text       not null constraint kit_part_is_an_item references item,
    units some_units not null,
    primary key (kit, part),
    constraint kit_is_no_part_of_itself check (kit <> part)
);
create index kit_part_by_part on kit_part (part);

-- Goods on their way from one location to another. They have left the first and are not yet at the second.
create table transfer (
    transfer_id   text        primary key,
    from_location text        not null constraint transfer_leaves_a_location references location,
    to_location   text        not null constraint transfer_goes_to_a_location references location,
    expected_on   date,
    sent_at       timestamptz not null default moment(),
    closed_at     timestamptz,  -- when its last unit arrived or was lost
    who           text        not null,
    why           text        not null,
    constraint transfer_goes_to_another_location check (from_location <> to_location)
);
create index transfer_under_way on transfer (to_location) where closed_at is null;

create table transfer_line (
    transfer_id text       not null constraint transfer_line_is_of_a_transfer references transfer,
    sku         text       not null constraint transfer_line_is_of_an_item references item,
    sent        some_units not null,
    arrived     units      not null default 0,
    lost        units      not null default 0,
    primary key (transfer_id, sku),
    -- the rest is on its way
    constraint arrived_and_lost_is_at_most_sent check (
        arrived + lost <= sent)
);
create index transfer_line_by_sku on transfer_line (sku) where arrived + lost < sent;

-- The cost and time of a parcel from a location to a destination. The most exact row counts.
create table lane (
    location      text          not null constraint lane_is_at_a_location references location,
    country       text          not null,  -- '*': any
    postal_prefix text          not null,
    service       text          not null,  -- '*': any
    cost_minor    minor_units   not null,
    currency      currency_code not null,
    distance_km   integer       not null
        constraint distance_is_not_negative check (distance_km >= 0),
    transit_days  integer       not null
        constraint transit_is_not_negative check (transit_days >= 0),
    primary key (location, country, postal_prefix, service)
);

-- Another one after each change of kits, items, locations or lanes: the id of the transaction that made it. It
-- is written by triggers (routines/stock.sql), and read by those who keep a part of the catalogue.
create table catalogue_version (
    only_one boolean primary key default true constraint catalogue_has_one_version check (only_one),
    version  bigint  not null
);
