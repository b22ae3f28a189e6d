-- migrate:up

-- What a bank sent back of what was issued, and nobody has paid the customer another way yet.
alter table refund
    add column came_back_minor bigint not null default 0,
    add constraint refund_came_back check (0 <= came_back_minor and came_back_minor <= issued_minor);
drop index refund_owed;
create index refund_owed on refund (granted_at) where issued_minor - came_back_minor < amount_minor;

-- migrate:down

drop index refund_owed;
create index refund_owed on refund (granted_at) where issued_minor < amount_minor;
alter table refund drop constraint refund_came_back, drop column came_back_minor;
