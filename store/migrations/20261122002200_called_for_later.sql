-- migrate:up

-- A call may be for later: nobody sells it until a supplier that refused may be asked again. Whoever
-- crosses the level before that has it looked at now, as somebody else may sell it by then.
create or replace function call_if_low(of_sku text, at_location text) returns void
language plpgsql as $$
begin
    insert into replenishment_call as c (sku, location)
    select s.sku, s.location from stock s
    where s.sku = of_sku and s.location = at_location
      and inventory_position(s.sku, s.location) <= s.reorder_point
    on conflict (sku, location) do update set try_after = excluded.try_after
    where c.tries = 0 and c.try_after > excluded.try_after;
    if found then
        perform pg_notify('purchasing', of_sku);
    end if;
end $$;

-- migrate:down

create or replace function call_if_low(of_sku text, at_location text) returns void
language plpgsql as $$
begin
    insert into replenishment_call (sku, location)
    select s.sku, s.location from stock s
    where s.sku = of_sku and s.location = at_location
      and inventory_position(s.sku, s.location) <= s.reorder_point
    on conflict do nothing;
    if found then
        perform pg_notify('purchasing', of_sku);
    end if;
end $$;
update replenishment_call set try_after = clock_timestamp() where try_after > clock_timestamp();
