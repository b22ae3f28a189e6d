-- What is a kit has no stock, and is part of no other kit.

create or replace function kit_is_no_stock() returns trigger language plpgsql as $$
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
create or replace trigger kit_is_no_stock after insert or update of sku on kit
    for each row execute function kit_is_no_stock();
create or replace trigger kit_is_no_stock after insert or update of sku on stock
    for each row execute function kit_is_no_stock();

create or replace function kit_is_no_part() returns trigger language plpgsql as $$
begin
    if exists (select from kit join kit_part on part = sku) then
        raise exception 'a kit would be part of a kit'
            using errcode = 'check_violation', constraint = 'kit_is_no_part';
    end if;
    return null;
end $$;
create or replace trigger kit_is_no_part after insert or update on kit
    for each statement execute function kit_is_no_part();
create or replace trigger kit_is_no_part after insert or update on kit_part
    for each statement execute function kit_is_no_part();

create or replace trigger movement_append_only before update or delete on movement
    for each row execute function append_only();
create or replace trigger movement_not_truncated before truncate on movement
    for each statement execute function append_only();
