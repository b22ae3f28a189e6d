-- migrate:up

-- What the shop says of a SKU. One without a row has the defaults.
create table item (
    sku            text primary key,
    name           text    not null default '',
    backorder      boolean not null default false,  -- may be ordered while there is none
    available_from date,                            -- before that day it is only ordered ahead
    discontinued   boolean not null default false,  -- what is gone is not bought again
    -- What is gone does not come again.
    constraint item_discontinued check (
        not (discontinued and (backorder or available_from is not null)))
);

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

-- migrate:down

drop table soft_reservation, backorder, item;
