-- migrate:up

-- A SKU that is sold as one and kept as its parts. It has no stock of its own, and is no part of
-- another.
create table kit (
    sku        text primary key,
    changed_at timestamptz not null default clock_timestamp()
);

create table kit_part (
    kit   text   not null references kit on delete cascade,
    part  text   not null,
    units bigint not null check (units > 0),
    primary key (kit, part),
    constraint kit_is_no_part_of_itself check (kit <> part)
);
create index kit_part_by_part on kit_part (part);

create function kit_is_no_stock() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'kit' then
        -- Whoever is about to keep stock of it has done so by now, or comes later and finds the kit.
        lock table stock in share row exclusive mode;
    end if;
    if exists (select from kit join stock using (sku) where sku = new.sku) then
        raise exception 'stock is kept of %, and it is a kit', new.sku
            using errcode = 'check_violation', constraint = 'kit_is_no_stock';
    end if;
    return null;
end $$;
create trigger kit_is_no_stock after insert or update of sku on kit
    for each row execute function kit_is_no_stock();
create trigger kit_is_no_stock after insert or update of sku on stock
    for each row execute function kit_is_no_stock();

create function kit_is_no_part() returns trigger language plpgsql as $$
begin
    if exists (select from kit join kit_part on part = sku) then
        raise exception 'a kit would be part of a kit'
            using errcode = 'check_violation', constraint = 'kit_is_no_part';
    end if;
    return null;
end $$;
create trigger kit_is_no_part after insert or update on kit
    for each statement execute function kit_is_no_part();
create trigger kit_is_no_part after insert or update on kit_part
    for each statement execute function kit_is_no_part();

-- Of a kit, each part is claimed by a row of its own. What the kit is made of when it is claimed
-- stays so for the order, whatever the kit is made of later.
alter table reservation
    add column per_unit bigint not null default 1 check (per_unit > 0),  -- of the SKU, in one unit
    drop constraint reservation_pkey,
    add primary key (fulfilment_id, line_id, sku);

-- migrate:down

alter table reservation
    drop constraint reservation_pkey,
    add primary key (fulfilment_id, line_id),
    drop column per_unit;
drop table kit_part, kit;
drop trigger kit_is_no_stock on stock;
drop function kit_is_no_stock, kit_is_no_part;
