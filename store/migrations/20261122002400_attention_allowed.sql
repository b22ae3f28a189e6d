-- migrate:up

-- With which answers a person can resolve it; none where it ends by itself.
alter table attention add column allowed text[] not null default '{}';

-- migrate:down

alter table attention drop column allowed;
