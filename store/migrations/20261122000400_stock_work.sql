-- migrate:up

-- What people do with stock beside orders: counts, and transfers between locations.

alter table movement
    drop constraint movement_kind_check,
    add constraint movement_kind_check check (kind in (
        'received', 'allocated', 'released', 'shipped', 'returned', 'adjusted', 'counted',
        'transferred', 'written_off')),
    add column counted bigint check (counted >= 0);  -- what a count found, where it was one

-- Goods on their way from one location to another: gone from the first, not yet at the second.
create table transfer (
    transfer_id text primary key,
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

-- migrate:down

drop table transfer_line, transfer;
alter table movement
    drop constraint movement_kind_check,
    add constraint movement_kind_check check (kind in (
        'received', 'allocated', 'released', 'shipped', 'returned', 'adjusted', 'written_off')),
    drop column counted;
