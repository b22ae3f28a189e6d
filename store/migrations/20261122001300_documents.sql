-- migrate:up

-- Invoices and credit notes, numbered 1..n without a hole in each series: a kind and a year.

-- The last number of each series. Its row is locked by whoever issues, to the end of the transaction:
-- a number that is rolled back is the next one's. Every order needs it, so it is locked last of all.
create table document_counter (
    kind        text    not null check (kind in ('invoice', 'credit_note')),
    year        integer not null,
    last_number integer not null check (last_number >= 1),
    last_on     date    not null,  -- no number is dated before the one that it follows
    primary key (kind, year),
    constraint counter_year check (extract(year from last_on) = year)
);

create table document (
    number text primary key generated always as (
        case kind when 'invoice' then 'INV-' else 'CRN-' end || year::text || '-'
        || lpad(running::text, greatest(6, length(running::text)), '0')) stored,
    kind               text    not null check (kind in ('invoice', 'credit_note')),
    year               integer not null,
    running            integer not null check (running >= 1),
    -- The number that it follows: without that one it cannot be.
    previous           integer generated always as (nullif(running - 1, 0)) stored,
    order_id           text    not null references orders,
    part_id            text    not null,  -- the fulfilment that was sent, or the refund
    currency           text    not null,
    goods_minor        bigint  not null check (goods_minor >= 0),
    tax_minor          bigint  not null check (tax_minor >= 0),
    shipping_minor     bigint  not null check (shipping_minor >= 0),
    shipping_tax_minor bigint  not null check (shipping_tax_minor >= 0),
    amount_minor       bigint  not null generated always as (
        goods_minor + tax_minor + shipping_minor + shipping_tax_minor) stored,
    content            jsonb   not null,  -- everything that is printed: a reprint reads nothing else
    issued_on          date    not null,  -- by the seller's calendar
    issued_at          timestamptz not null default clock_timestamp(),
    unique (kind, part_id),
    unique (kind, year, running),
    constraint document_follows foreign key (kind, year, previous)
        references document (kind, year, running),
    constraint document_year check (extract(year from issued_on) = year)
);
create index document_by_order on document (order_id);
create index document_by_time on document (issued_at);
create trigger document_append_only before update or delete on document
    for each row execute function append_only();

-- migrate:down

drop table document, document_counter;
