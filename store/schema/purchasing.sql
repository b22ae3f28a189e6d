-- Buying: suppliers and their terms, purchase orders, and the calls for new ones.

create table supplier (
    supplier_id text primary key,
    name        text not null
);

-- The terms on which a supplier sells a SKU.
create table supplier_item (
    sku            text          not null constraint supplier_sells_an_item references item,
    supplier_id    text          not null
        constraint supplier_item_is_of_a_supplier references supplier,
    lead_time_days integer       not null
        constraint lead_time_is_at_most_ten_years check (lead_time_days between 0 and 3650),
    minimum        some_units    not null,
    multiple       some_units    not null,
    unit_price     unit_price    not null,
    currency       currency_code not null,
    priority       integer       not null,  -- the supplier with the lowest one is asked first
    primary key (sku, supplier_id)
);

create table purchase_order (
    po_id          text          primary key,
    number         bigint        generated always as identity
        constraint purchase_order_has_its_own_number unique,
    supplier_id    text          not null
        constraint purchase_order_is_of_a_supplier references supplier,
    location       text          not null
        constraint purchase_order_is_at_a_location references location,
    currency       currency_code not null,
    state          text          not null constraint purchase_order_state_is_known check (state in (
        'proposed', 'approved', 'sent', 'acknowledged', 'shipped', 'closed', 'cancelled')),
    needs_approval boolean       not null,
    sent_before    boolean       not null default false,  -- before Orderloom knew of it
    policy         jsonb         not null,                -- domain.purchasing.purchase_orders.PurchasingPolicy
    created_at     timestamptz   not null default moment(),
    changed_at     timestamptz   not null default moment(),
    refused_at     timestamptz,  -- the supplier said no
    attention      text,         -- why it needs a person; null when it does not
    -- Bought for this line of an order, and for no stock.
    order_no       bigint,
    line_id        text,
    drop_ship      boolean       not null default false,  -- sent to the order's customer
    -- The relay starts the workflow, and tries again until Temporal has taken it.
    started_at     timestamptz,
    tries          integer       not null default 0,
    try_after      timestamptz   not null default moment(),
    constraint purchase_order_goes_to_one_location unique (po_id, location),
    constraint purchase_order_is_for_an_order_line foreign key (order_no, line_id)
        references order_line,
    constraint drop_ship_is_for_an_order_line check (
        (order_no is null) = (line_id is null) and (not drop_ship or order_no is not null))
);
create index purchase_order_open on purchase_order (po_id) where state not in ('closed', 'cancelled');
create index purchase_order_to_start on purchase_order (try_after) where started_at is null;
create index purchase_order_for_line on purchase_order (order_no, line_id) where order_no is not null;
create index purchase_order_by_supplier on purchase_order (supplier_id, created_at);

create table purchase_order_line (
    po_id          text        not null,
    sku            text        not null,
    location       text        not null,
    quantity       some_units  not null,
    -- the most that may be received: the ordered units and the tolerance
    receivable     units       not null,
    received       units       not null default 0,
    cancelled      units       not null default 0,  -- will not come
    acknowledged   units,  -- in all, as the supplier says; null: it has not said
    shipped        units       not null default 0,  -- as the supplier says
    unit_price     unit_price  not null,
    lead_time_days integer     not null,
    due_on         date        not null,  -- the acknowledged day; before that, computed from the lead time
    answered_at    timestamptz,  -- when the supplier said what it will send, or no answer was awaited any more
    for_order      boolean     not null default false,  -- bought for an order: as many as there are orders
    outstanding    bigint      generated always as (greatest(quantity - received - cancelled, 0)) stored,
    primary key (po_id, sku),
    constraint purchase_order_line_is_of_a_purchase_order foreign key (po_id, location)
        references purchase_order (po_id, location),
    constraint purchase_order_line_is_of_stock foreign key (sku, location) references stock,
    constraint cancelled_is_at_most_ordered check (cancelled <= quantity),
    constraint received_is_at_most_receivable check (
        received <= receivable and quantity <= receivable)
);
-- At most one unanswered purchase order for a SKU and location. Until its supplier has answered, no other one
-- is made; after that, its units count as incoming.
create unique index one_open_purchase_for_a_need on purchase_order_line (sku, location)
    where answered_at is null and not for_order;
create index purchase_line_outstanding on purchase_order_line (sku, location)
    where outstanding > 0;

-- What happened to each purchase order, as order_event is for orders. Append-only.
create table purchase_order_event (
    event_id bigint      generated always as identity primary key,
    po_id    text        not null
        constraint purchase_order_event_is_of_a_purchase_order references purchase_order,
    effect   text        not null,  -- a step that runs again tells its part once
    what     text        not null,
    who      text        not null,
    why      some_text,
    data     jsonb       not null default '{}',
    at       timestamptz not null default moment(),
    constraint purchase_order_tells_each_effect_once unique (po_id, effect)
);

-- What was sold of each stock row in a day, as it was measured last, so that nobody has to add up the journal to
-- say when it runs out: the days that were looked at, their units, and the sum of the squares of each day's.
create table stock_demand (
    sku      text    not null,
    location text    not null,
    days     integer not null constraint demand_is_of_some_days check (days >= 1),
    total    units   not null,
    squares  units   not null,
    primary key (sku, location),
    constraint demand_is_for_stock foreign key (sku, location) references stock on delete cascade
);

-- A call for a purchase order: a level was crossed, or a supplier that refused may be asked again. The
-- transaction that crosses the level writes the row. The decision deletes it, under the lock of the SKU's
-- stock.
create table replenishment_call (
    sku       text        not null constraint replenishment_call_is_for_an_item references item,
    location  text        not null,
    tries     integer     not null default 0,
    try_after timestamptz not null default moment(),
    primary key (sku, location)
);
