-- migrate:up

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

-- When a SKU is bought for a location, and up to how much. Null: never by itself. With a service
-- level the two are computed from demand.
alter table stock
    add column reorder_point bigint check (reorder_point >= 0),
    add column order_up_to   bigint,
    add column service_level double precision check (0.5 <= service_level and service_level < 1),
    add constraint stock_levels check (
        (reorder_point is null) = (order_up_to is null) and order_up_to > reorder_point);

create table purchase_order (
    po_id           text primary key,
    number          bigint generated always as identity unique,
    supplier_id     text    not null references supplier,
    location        text    not null references location,
    currency        text    not null,
    state           text    not null check (state in (
        'proposed', 'approved', 'sent', 'acknowledged', 'shipped', 'closed', 'cancelled')),
    needs_approval  boolean not null,
    sent_before     boolean not null default false,  -- before Orderloom knew of it
    policy          jsonb   not null,                -- domain.purchasing.PurchasingPolicy
    created_at      timestamptz not null default clock_timestamp(),
    changed_at      timestamptz not null default clock_timestamp(),
    refused_at      timestamptz,  -- the supplier said no
    attention       text,         -- what needs a person, as long as it does
    -- Its workflow is started by the relay, which tries until Temporal has taken it.
    started_at      timestamptz,
    tries           integer     not null default 0,
    try_after       timestamptz not null default clock_timestamp(),
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
create trigger purchase_order_event_append_only before update or delete on purchase_order_event
    for each row execute function append_only();

-- Reports of the outside go to workflows of orders, and of purchase orders.
alter table wait_report
    alter column order_id drop not null,
    add column po_id text,
    add constraint wait_report_owner check (num_nulls(order_id, po_id) = 1);

-- A level that was crossed and is to be looked at. Written by whatever crosses it, in its own
-- transaction; deleted by the decision, under the lock of the SKU's stock.
create table replenishment_call (
    sku       text not null,
    location  text not null,
    tries     integer     not null default 0,
    try_after timestamptz not null default clock_timestamp(),
    primary key (sku, location)
);

-- on hand − allocated − backordered + incoming. Backorders (those among them whose units have come and
-- are not allocated yet) wait for a SKU wherever it comes: they count at the first of the locations for
-- which it is bought.
create function inventory_position(of_sku text, at_location text) returns bigint
language sql stable as $$
    select s.on_hand - s.allocated
        - case when s.location = (
              select f.location from stock f join location l using (location)
              where f.sku = s.sku and f.reorder_point is not null
              order by l.priority, f.location limit 1)
          then coalesce((select sum(quantity) from backorder b
                         where b.sku = s.sku and b.quantity > 0), 0) else 0 end
        + coalesce((select sum(outstanding) from purchase_order_line p
                    where p.sku = s.sku and p.location = s.location and p.outstanding > 0), 0)
        + coalesce((select sum(sent - arrived - lost) from transfer_line t join transfer
                    using (transfer_id)
                    where t.sku = s.sku and to_location = s.location and arrived + lost < sent), 0)
    from stock s where s.sku = of_sku and s.location = at_location
$$;

create function call_if_low(of_sku text, at_location text) returns void
language plpgsql as $$
begin
    insert into replenishment_call (sku, location)
    select s.sku, s.location from stock s
    where s.sku = of_sku and s.location = at_location
      and inventory_position(s.sku, s.location) <= s.reorder_point
    on conflict do nothing;
    if found then
        perform pg_notify('purchasing', of_sku);
    end if;
end $$;

create function notice_low_stock() returns trigger language plpgsql as $$
begin
    perform call_if_low(new.sku, new.location);
    return null;
end $$;
-- No statement of its own for a movement that crosses no level: the condition is looked at in passing.
create trigger stock_is_low after update of on_hand, allocated on stock for each row
    when (new.on_hand - new.allocated < old.on_hand - old.allocated
          and new.on_hand - new.allocated <= new.reorder_point)
    execute function notice_low_stock();
create trigger level_is_set after update of reorder_point on stock for each row
    when (new.reorder_point is distinct from old.reorder_point)
    execute function notice_low_stock();
-- Fewer will come than was thought; or an answer is there, after which more may be ordered.
create trigger purchase_line_changed after update on purchase_order_line for each row
    execute function notice_low_stock();

create function notice_backorder() returns trigger language plpgsql as $$
begin
    perform call_if_low(s.sku, s.location) from stock s
    where s.sku = new.sku and s.reorder_point is not null;
    return null;
end $$;
create trigger backorder_is_new after insert on backorder for each row
    execute function notice_backorder();
create trigger backorder_has_grown after update of quantity on backorder for each row
    when (new.quantity > old.quantity) execute function notice_backorder();

-- The sandbox suppliers: outside companies in a schema of their own, like the other sandboxes.

alter table sandbox.fault
    drop constraint fault_operation_known,
    add constraint fault_operation_known check (
        (provider = 'payment' and operation in
            ('*', 'authorize', 'capture', 'void', 'refund', 'lookup', 'operations'))
        or (provider = 'carrier' and operation in ('*', 'buy_label', 'void_label', 'lookup'))
        or (provider = 'supplier' and operation in ('*', 'place', 'cancel', 'chase', 'lookup')));

-- An order as a supplier knows it. One that is cancelled before it came is known as cancelled.
create table sandbox.supplier_order (
    po_id       text primary key,
    reference   text not null unique default 'SO-' || upper(substr(md5(random()::text), 1, 8)),
    document    jsonb,
    x12         text,
    cancelled   boolean not null default false,
    chased      integer not null default 0,
    received_at timestamptz not null default now()
);

-- migrate:down

drop table sandbox.supplier_order;
delete from sandbox.fault where provider = 'supplier';
alter table sandbox.fault
    drop constraint fault_operation_known,
    add constraint fault_operation_known check (
        (provider = 'payment' and operation in
            ('*', 'authorize', 'capture', 'void', 'refund', 'lookup', 'operations'))
        or (provider = 'carrier' and operation in ('*', 'buy_label', 'void_label', 'lookup')));
drop trigger backorder_has_grown on backorder;
drop trigger backorder_is_new on backorder;
drop trigger purchase_line_changed on purchase_order_line;
drop trigger level_is_set on stock;
drop trigger stock_is_low on stock;
drop function notice_backorder, notice_low_stock, call_if_low, inventory_position;
drop table replenishment_call;
delete from wait_report where po_id is not null;
alter table wait_report
    drop constraint wait_report_owner, drop column po_id, alter column order_id set not null;
drop table purchase_order_event, purchase_order_line, purchase_order, supplier_item, supplier;
alter table stock drop column reorder_point, drop column order_up_to, drop column service_level;
