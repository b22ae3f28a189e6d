-- Each day of each payment company, compared with ours; and what does not agree until it is mended.

-- migrate:up

create table reconciliation (
    provider   text    not null,
    day        date    not null,  -- UTC, by the company's clock
    ran_at     timestamptz not null default clock_timestamp(),  -- the last time
    runs       integer not null default 1,
    listed     integer not null,  -- effects of the day there
    matched    integer not null,
    under_way  integer not null,  -- no outcome was due yet
    state      text    not null check (state in ('clean', 'open')),  -- open: so is a difference
    primary key (provider, day),
    constraint reconciliation_counts check (
        runs >= 1 and 0 <= matched and matched <= listed and under_way >= 0)
);

create table reconciliation_difference (
    difference_id bigint generated always as identity primary key,
    provider      text not null,
    day           date not null,
    subject       text not null,  -- the key, or the company's reference where that names it better
    class         text not null check (class in (
        'missing_here', 'missing_there', 'amount', 'state')),
    order_id      text not null,  -- as either side says; empty: nobody does
    why           text not null,
    remedy        text not null check (remedy in ('retry', 'void', 'operator')),
    ours          jsonb,
    theirs        jsonb,
    resolution    text not null default 'open' check (resolution in ('open', 'mended', 'resolved')),
    note          text not null default '',  -- how it is mended or resolved, or why not yet
    who           text not null default '',
    found_at      timestamptz not null default clock_timestamp(),
    closed_at     timestamptz,
    foreign key (provider, day) references reconciliation,
    constraint difference_once unique (provider, day, subject, class),
    constraint difference_has_a_side check (num_nonnulls(ours, theirs) > 0),
    constraint difference_closed check ((resolution = 'open') = (closed_at is null))
);
create index difference_open on reconciliation_difference (day) where resolution = 'open';

create index payment_settled on payment (provider, settled_at) where state = 'succeeded';

-- What a payment company keeps is booked for the shop, not for an order.
alter table journal_entry alter column order_id drop not null;

-- migrate:down

-- Entries without an order stay: the journal is append-only.
drop index payment_settled;
drop table reconciliation_difference;
drop table reconciliation;
