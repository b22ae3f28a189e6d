-- A transaction that brings an item below its level also calls for a purchase order.

-- on hand − allocated − safety − backordered + incoming. A backorder waits for a SKU at any location, so it
-- counts at the first of the locations for which the SKU is bought. It counts until its units are allocated.
create or replace function inventory_position(of_sku text, at_location text) returns bigint
language sql stable as $$
    select s.on_hand - s.allocated - s.safety
        - case when s.location = (
              select f.location from stock f join location l using (location)
              where f.sku = s.sku and f.reorder_point is not null
              order by l.priority, f.location limit 1)
          then coalesce((select sum(quantity) from backorder b
                         where b.sku = s.sku and b.quantity > 0), 0) else 0 end
        + coalesce((select sum(outstanding) from purchase_order_line p
                    where p.sku = s.sku and p.location = s.location and p.outstanding > 0), 0)
        + coalesce((select sum(sent - arrived - lost) from transfer_line t join transfer
                    using (transfer_id)
                    where t.sku = s.sku and to_location = s.location and arrived + lost < sent), 0)
    from stock s where s.sku = of_sku and s.location = at_location
$$;

-- How far a purchase order is. Goods that came say more than what the supplier told of them; it may have told nothing.
-- What is sent to a customer never comes here.
create or replace function purchase_standing(p purchase_order) returns text
language sql stable as $$
    select case when p.drop_ship or p.state in ('proposed', 'closed', 'cancelled') then p.state else (
        select case when sum(received) = 0 then p.state
                    when sum(outstanding) = 0 then 'received'
                    else 'partly_received' end
        from purchase_order_line l where l.po_id = p.po_id) end
$$;

-- A call may be for later, when a supplier that refused may be asked again. If a level is crossed before that,
-- the call is for now: another supplier may sell it by then.
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

create or replace function notice_low_stock() returns trigger language plpgsql as $$
begin
    perform call_if_low(new.sku, new.location);
    return null;
end $$;
-- The condition is part of the trigger, so a movement that crosses no level runs no statement.
create or replace trigger stock_is_low after update of on_hand, allocated, safety on stock for each row
    when (new.on_hand - new.allocated - new.safety < old.on_hand - old.allocated - old.safety
          and new.on_hand - new.allocated - new.safety <= new.reorder_point)
    execute function notice_low_stock();
create or replace trigger level_is_set after update of reorder_point on stock for each row
    when (new.reorder_point is distinct from old.reorder_point)
    execute function notice_low_stock();
-- Fewer units will come than expected, or the supplier has answered and more may be ordered.
create or replace trigger purchase_line_changed after update on purchase_order_line for each row
    execute function notice_low_stock();

create or replace function notice_backorder() returns trigger language plpgsql as $$
begin
    perform call_if_low(s.sku, s.location) from stock s
    where s.sku = new.sku and s.reorder_point is not null;
    return null;
end $$;
create or replace trigger backorder_is_new after insert on backorder for each row
    execute function notice_backorder();
create or replace trigger backorder_has_grown after update of quantity on backorder for each row
    when (new.quantity > old.quantity) execute function notice_backorder();

create or replace trigger purchase_order_event_append_only
    before update or delete on purchase_order_event
    for each row execute function append_only();
create or replace trigger purchase_order_event_not_truncated before truncate on purchase_order_event
    for each statement execute function append_only();

-- The day on which so many units are sold, at the pace of so many in so many days; ten years at most. Null: none are,
-- or nobody can tell: a pace is known from a week on, which has each weekday once. What is sold out is so at any pace.
create or replace function sold_out_on(today date, units bigint, its_days integer, its_total bigint) returns date
language sql immutable as $$
    select case when its_total > 0 and (its_days >= 7 or units <= 0)
                then today + least(3650, floor(greatest(units, 0)::float8 * its_days / its_total))::int end
$$;
