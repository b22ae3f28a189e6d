-- migrate:up

-- Orderloom's shared state. Constraints hold the invariants even where the code is wrong; comments
-- say which. Amounts are integers in minor units of the row's currency.

-- Stock ------------------------------------------------------------------------------------------

create table location (
    location text primary key,
    priority integer not null default 100  -- lower is preferred when orders are sourced
);

create table stock (
    sku       text   not null,
    location  text   not null references location,
    on_hand   bigint not null default 0,
    allocated bigint not null default 0,
    safety    bigint not null default 0 check (safety >= 0),
    primary key (sku, location),
    -- Nothing is oversold, and nothing is promised that is not there.
    constraint stock_not_oversold check (0 <= allocated and allocated <= on_hand)
);

-- Every change of stock, for ever. on_hand and allocated above are the sums of these.
create table movement (
    movement_id      bigint generated always as identity primary key,
    effect           text   not null,  -- what caused it: with SKU and location, a key
    sku              text   not null,
    location         text   not null,
    kind             text   not null check (kind in (
        'received', 'allocated', 'released', 'shipped', 'returned', 'adjusted', 'written_off')),
    on_hand_change   bigint not null,
    allocated_change bigint not null,
    order_id         text,
    who              text   not null,
    why              text   not null,
    at               timestamptz not null default clock_timestamp(),
    foreign key (sku, location) references stock,
    -- The same effect moves the same stock once, however often its step runs.
    unique (effect, sku, location)
);
create index movement_by_stock on movement (sku, location, movement_id);

-- Orders: the read model ---------------------------------------------------------------------------

create table orders (
    order_id         text primary key,
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
    unique (channel, channel_order_id)
);
create index orders_by_received on orders (received_at desc);
create index orders_unfinished on orders (order_id)
    where decision in ('received', 'confirmed');

create table order_line (
    order_id         text   not null references orders,
    line_id          text   not null,
    position         integer not null,
    sku              text   not null,
    ordered          bigint not null check (ordered > 0),
    backordered      bigint not null default 0 check (backordered >= 0),
    allocated        bigint not null default 0 check (allocated >= 0),
    picked           bigint not null default 0 check (picked >= 0),
    shipped          bigint not null default 0 check (shipped >= 0),
    delivered        bigint not null default 0 check (delivered >= 0),
    lost             bigint not null default 0 check (lost >= 0),
    cancelled        bigint not null default 0 check (cancelled >= 0),
    return_requested bigint not null default 0 check (return_requested >= 0),
    returned         bigint not null default 0 check (returned >= 0),
    charged          bigint not null default 0,  -- units paid for
    refunded         bigint not null default 0,  -- units paid back
    -- What the whole line is worth, shares of discount and shipping included.
    goods_minor        bigint not null check (goods_minor >= 0),
    tax_minor          bigint not null check (tax_minor >= 0),
    shipping_minor     bigint not null check (shipping_minor >= 0),
    shipping_tax_minor bigint not null check (shipping_tax_minor >= 0),
    open bigint generated always as
        (ordered - backordered - allocated - shipped - cancelled) stored,
    primary key (order_id, line_id),
    constraint line_adds_up      check (backordered + allocated + shipped + cancelled <= ordered),
    constraint line_picked       check (picked <= allocated),
    constraint line_arrived      check (delivered + lost <= shipped),
    constraint line_sent_back    check (return_requested + returned <= delivered),
    constraint line_paid         check (0 <= refunded and refunded <= charged and charged <= ordered)
);
create index order_line_by_sku on order_line (sku);

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
    constraint fulfilment_recall check (recalled_from is null or state = 'cancelled')
);
create index fulfilment_by_order on fulfilment (order_id);
create index fulfilment_in_work on fulfilment (state, changed_at)
    where state in ('picking', 'picked', 'packed', 'labelled', 'shipped');

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

-- A hard claim of an order line on stock at one location. quantity 0: used up or released.
create table reservation (
    fulfilment_id text   not null references fulfilment,
    order_id      text   not null,
    line_id       text   not null,
    sku           text   not null,
    location      text   not null,
    quantity      bigint not null check (quantity >= 0),
    primary key (fulfilment_id, line_id),
    foreign key (order_id, line_id) references order_line,
    foreign key (sku, location) references stock
);
create index reservation_held on reservation (sku, location) where quantity > 0;

-- Parcels ------------------------------------------------------------------------------------------

-- The label of a fulfilment's parcel: intent first, then the carrier's answer. Tracking numbers are
-- recycled by carriers, so a parcel is known by carrier, number and fulfilment.
create table parcel (
    fulfilment_id   text primary key references fulfilment,
    order_id        text not null references orders,
    label_key       text not null unique,
    label           text not null check (label in ('requested', 'bought', 'refused', 'voided')),
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

-- Returns ------------------------------------------------------------------------------------------

create table order_return (
    return_id  text primary key,
    order_id   text not null references orders,
    -- 'undeliverable': the carrier brings it back; the customer did not ask.
    kind       text not null check (kind in ('customer', 'undeliverable')),
    fulfilment_id text references fulfilment,
    state      text not null check (state in ('approved', 'received', 'refunded', 'closed')),
    reason     text not null,
    changed_at timestamptz not null default clock_timestamp(),
    constraint return_undeliverable check ((kind = 'undeliverable') = (fulfilment_id is not null))
);
create index order_return_by_order on order_return (order_id);
create index order_return_awaited on order_return (changed_at) where state = 'approved';

create table return_line (
    return_id text   not null references order_return,
    order_id  text   not null,
    line_id   text   not null,
    sku       text   not null,
    quantity  bigint not null check (quantity > 0),
    restocked bigint not null default 0 check (restocked >= 0),
    scrapped  bigint not null default 0 check (scrapped >= 0),
    primary key (return_id, line_id),
    foreign key (order_id, line_id) references order_line,
    constraint return_counts check (restocked + scrapped <= quantity)  -- the rest is missing
);

-- Money --------------------------------------------------------------------------------------------

-- One row per order: what was asked for and what was done. A request takes its room here first, so
-- however many run at once, more than was authorized is never charged, nor more refunded than that.
create table order_money (
    order_id        text primary key references orders,
    currency        text   not null,
    authorized      bigint not null default 0,
    capture_granted bigint not null default 0,
    captured        bigint not null default 0,
    refund_granted  bigint not null default 0,  -- owed to the customer
    refunded        bigint not null default 0,  -- given back
    voided          boolean not null default false,
    constraint money_captured check (
        0 <= captured and captured <= capture_granted and capture_granted <= authorized),
    constraint money_refunded check (
        0 <= refunded and refunded <= refund_granted and refund_granted <= captured)
);

-- Payment operations: the intent row is written before the provider is called with its key.
create table payment (
    payment_key   text primary key,
    order_id      text   not null references orders,
    kind          text   not null check (kind in ('authorize', 'capture', 'void', 'refund')),
    amount_minor  bigint not null check (amount_minor >= 0),
    currency      text   not null,
    state         text   not null check (state in ('requested', 'unknown', 'succeeded', 'failed')),
    provider      text   not null,
    reference     text,
    code          text not null default '',
    message       text not null default '',
    requested_at  timestamptz not null default clock_timestamp(),
    settled_at    timestamptz,
    constraint payment_settled check ((state in ('succeeded', 'failed')) = (settled_at is not null))
);
create index payment_by_order on payment (order_id);
create index payment_unsettled on payment (requested_at) where state in ('requested', 'unknown');
-- One authorization and one void per order.
create unique index payment_once on payment (order_id, kind) where kind in ('authorize', 'void');

create table journal_entry (
    entry_id bigint generated always as identity primary key,
    effect   text not null unique,
    order_id text not null references orders,
    memo     text not null,
    at       timestamptz not null default clock_timestamp()
);

create table posting (
    entry_id     bigint not null references journal_entry,
    account      text   not null,
    amount_minor bigint not null check (amount_minor <> 0),  -- debit > 0, credit < 0
    currency     text   not null,
    primary key (entry_id, account, currency)
);

create function journal_must_balance() returns trigger language plpgsql as $$
begin
    if exists (select from posting where entry_id = new.entry_id
               group by currency having sum(amount_minor) <> 0) then
        raise exception 'journal entry % does not balance', new.entry_id
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
-- Checked at commit, when all postings of the entry are there.
create constraint trigger posting_balances after insert on posting
    deferrable initially deferred for each row execute function journal_must_balance();

-- The story ----------------------------------------------------------------------------------------

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

create function append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger order_event_append_only before update or delete on order_event
    for each row execute function append_only();
create trigger movement_append_only before update or delete on movement
    for each row execute function append_only();
create trigger journal_entry_append_only before update or delete on journal_entry
    for each row execute function append_only();
create trigger posting_append_only before update or delete on posting
    for each row execute function append_only();

-- What waits for a person.
create table attention (
    order_id    text not null references orders,
    step        text not null,
    reason      text not null,
    since       timestamptz not null default clock_timestamp(),
    resolved_at timestamptz,
    resolution  text,
    primary key (order_id, step, since)
);
create unique index attention_open on attention (order_id, step) where resolved_at is null;

-- What the outside reported and a workflow waits for. Written with the fact itself; handed to the
-- workflow by the relay, or found by the waiting step when it begins.
create table wait_report (
    activity_id  text primary key,
    order_id     text not null,
    outcome      jsonb not null,
    reported_at  timestamptz not null default clock_timestamp(),
    delivered_at timestamptz,
    taken        boolean not null default false,  -- the step found it by itself
    tries        integer not null default 0,
    try_after    timestamptz not null default clock_timestamp()
);
create index wait_report_pending on wait_report (try_after) where delivered_at is null;

-- One line per order, as people and tools ask for it. State follows the glossary.
create view order_overview as
select o.order_id, o.channel, o.channel_order_id, o.customer_id, o.currency, o.total_minor,
       o.placed_at, o.received_at, o.decided_at, o.decision, o.reason, o.digest,
       case
           when o.decision in ('received', 'rejected', 'cancelled', 'closed') then o.decision
           when l.moving = 0 and l.delivered + l.lost > 0 then 'delivered'
           when l.picked + l.shipped > 0 then 'in_fulfilment'
           else 'confirmed'
       end as state,
       case
           when l.shipped = 0 then 'unfulfilled'
           when l.moving = 0 then 'fulfilled'
           else 'partly_fulfilled'
       end as fulfilment_status,
       case
           when m.order_id is null or m.authorized = 0 and m.captured = 0 then 'unpaid'
           when m.refund_granted > m.refunded then 'refund_owed'
           when m.captured > 0 and m.refunded = m.captured then 'refunded'
           when m.refunded > 0 then 'partly_refunded'
           when m.captured > 0 and l.shipped > 0 and m.captured >= m.capture_granted then 'paid'
           when m.voided then 'voided'
           else 'authorized'
       end as payment_status,
       coalesce(m.authorized, 0) as authorized_minor, coalesce(m.captured, 0) as captured_minor,
       coalesce(m.refunded, 0) as refunded_minor,
       coalesce(m.refund_granted, 0) as refund_granted_minor,
       l.ordered, l.allocated, l.picked, l.shipped, l.delivered, l.lost, l.cancelled, l.returned,
       l.return_requested,
       exists (select from attention a
               where a.order_id = o.order_id and a.resolved_at is null) as attention
from orders o
left join order_money m using (order_id)
cross join lateral (
    select sum(ordered)::bigint as ordered, sum(allocated)::bigint as allocated,
           sum(picked)::bigint as picked, sum(shipped)::bigint as shipped,
           sum(delivered)::bigint as delivered, sum(lost)::bigint as lost,
           sum(cancelled)::bigint as cancelled, sum(returned)::bigint as returned,
           sum(return_requested)::bigint as return_requested,
           sum(ordered - cancelled - delivered - lost)::bigint as moving
    from order_line where order_line.order_id = o.order_id
) l;

-- migrate:down

drop view order_overview;
drop table wait_report, attention, order_event, posting, journal_entry, payment, order_money,
    return_line, order_return, carrier_event, parcel, reservation, fulfilment_line, fulfilment,
    order_line, orders, movement, stock, location;
drop function append_only, journal_must_balance;
