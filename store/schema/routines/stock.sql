-- A kit has no stock, and is part of no other kit.

-- Two changes may each be right alone and wrong together. Both lock the item's row, so the second sees the
-- first. Orders only refer to the item, so they do not wait.
create or replace function kit_is_no_stock() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'kit' then
        perform from item where sku = new.sku for no key update;
    else
        perform from item where sku = new.sku for share;
    end if;
    if exists (select from kit join stock using (sku) where sku = new.sku) then
        raise exception 'stock is kept of %, and it is a kit', new.sku
            using errcode = 'check_violation', constraint = 'kit_is_no_stock';
    end if;
    return null;
end $$;
create or replace trigger kit_is_no_stock after insert or update of sku on kit
    for each row execute function kit_is_no_stock();
create or replace trigger kit_is_no_stock after insert or update of sku on stock
    for each row execute function kit_is_no_stock();

create or replace function kit_is_no_part() returns trigger language plpgsql as $$
declare
    it text;
begin
    if tg_table_name = 'kit' then
        it := new.sku;
        perform from item where sku = it for no key update;
    else
        it := new.part;
        perform from item where sku = it for share;
    end if;
    if exists (select from kit join kit_part on part = sku where sku = it) then
        raise exception '% is a kit, and would be part of a kit', it
            using errcode = 'check_violation', constraint = 'kit_is_no_part';
    end if;
    return null;
end $$;
create or replace trigger kit_is_no_part after insert or update of sku on kit
    for each row execute function kit_is_no_part();
create or replace trigger kit_is_no_part after insert or update of part on kit_part
    for each row execute function kit_is_no_part();

create or replace trigger movement_append_only before update or delete on movement
    for each row execute function append_only();
create or replace trigger movement_not_truncated before truncate on movement
    for each statement execute function append_only();
