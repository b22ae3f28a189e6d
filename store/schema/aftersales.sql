-- Returns: goods that come back.

create table order_return (
    return_id     text        primary key,
    order_id      text        not null
        constraint order_return_is_of_an_order references customer_order,
    -- 'undeliverable': the carrier brings it back; the customer did not ask.
    kind          text        not null
        constraint return_is_of_a_known_kind check (kind in ('customer', 'undeliverable')),
    fulfilment_id text        constraint order_return_is_of_a_fulfilment references fulfilment,
    state         text        not null
        constraint return_state_is_known
            check (state in ('approved', 'received', 'refunded', 'closed')),
    reason        text        not null,
    changed_at    timestamptz not null default moment(),
    constraint undeliverable_is_a_fulfilment_and_nothing_else_is check (
        (kind = 'undeliverable') = (fulfilment_id is not null))
);
create index order_return_by_order on order_return (order_id);
create index order_return_awaited on order_return (changed_at) where state = 'approved';

create table return_line (
    return_id text       not null constraint return_line_is_of_a_return references order_return,
    order_id  text       not null,
    line_id   text       not null,
    sku       text       not null,
    quantity  some_units not null,
    restocked units      not null default 0,
    scrapped  units      not null default 0,
    primary key (return_id, line_id),
    constraint return_line_is_of_an_order_line foreign key (order_id, line_id)
        references order_line,
    -- the rest is missing
    constraint restocked_and_scrapped_is_at_most_returned check (
        restocked + scrapped <= quantity)
);
