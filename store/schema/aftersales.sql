-- What comes back.

create table order_return (
    return_id     text primary key,
    order_id      text not null references orders,
    -- 'undeliverable': the carrier brings it back; the customer did not ask.
    kind          text not null check (kind in ('customer', 'undeliverable')),
    fulfilment_id text references fulfilment,
    state         text not null check (state in ('approved', 'received', 'refunded', 'closed')),
    reason        text not null,
    changed_at    timestamptz not null default clock_timestamp(),
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
