-- migrate:up

-- How the order's policy chooses locations, where it says something of that: also for what it waits for.
alter table orders add column sourcing jsonb not null default '{}';

-- migrate:down

alter table orders drop column sourcing;
