-- migrate:up

-- What a location's parcels cost, how far they go, and when they leave.

alter table location
    add column calendar jsonb not null default '{}',  -- domain.calendars.Calendar
    add column parcels_a_day integer check (parcels_a_day > 0);  -- null: no limit

-- The way from a location to a part of the world; the closest one counts for a parcel.
create table lane (
    location      text    not null references location,
    country       text    not null,  -- '*': any
    postal_prefix text    not null,
    service       text    not null,  -- '*': any
    cost_minor    bigint  not null check (cost_minor >= 0),
    currency      text    not null,
    distance_km   integer not null check (distance_km >= 0),
    transit_days  integer not null check (transit_days >= 0),
    primary key (location, country, postal_prefix, service)
);

-- What a location has still to send, for those with a limit a day.
create index fulfilment_to_send on fulfilment (location)
    where state in ('open', 'picking', 'picked', 'packed', 'labelled');

-- migrate:down

drop index fulfilment_to_send;
drop table lane;
alter table location drop column calendar, drop column parcels_a_day;
