-- What is locked and moved as a whole, and what may be a kit.

-- Locks the stock of these SKUs, sorted, and then counts what is free at each location: without the units
-- of baskets and backorders, and nothing where a location is retired. The count is a statement of its own:
-- one that waits for a lock does not see what others have written meanwhile to another table.
--
-- The lock is a row for each SKU, not its stock rows: one who waits does not see the rows that are made
-- meanwhile for new locations, and would lock them too late and out of their sequence. The row is made
-- here if nobody has made it, before any is locked: whoever waits for the maker of a row has not locked
-- one, so nobody waits in a circle.
create or replace function locked_stock(skus text[])
returns table (sku text, location text, quantity bigint) language plpgsql as $$
#variable_conflict use_column
begin
    if exists (select from unnest(skus) as w (sku)
               where not exists (select from inventory i where i.sku = w.sku)) then
        insert into inventory (sku)
        select w.sku from unnest(skus) as w (sku) join item i on i.sku = w.sku
        where not exists (select from inventory i where i.sku = w.sku)
        group by w.sku order by w.sku
        on conflict do nothing;
    end if;
    perform from inventory i where i.sku = any(skus) order by i.sku for no key update;
    return query
    select s.sku, s.location,
           case when at.retired_at is not null then 0
                else (s.on_hand - s.allocated - s.safety - coalesce((
                    select sum(r.quantity) from soft_reservation r
                    where (r.sku, r.location) = (s.sku, s.location)
                      and (r.expires_at is null or r.expires_at > transaction_moment())), 0))::bigint
           end
    from stock s join location at on at.location = s.location
    where s.sku = any(skus)
    order by s.sku, s.location;
end $$;

-- Stock rows for these SKUs and locations: new ones begin at zero, existing ones stay. The items are locked
-- first, and in the sequence of their SKUs: a row's trigger wants them, too (kit_is_no_stock).
create or replace function add_stock_rows(skus text[], locations text[]) returns void
language plpgsql as $$
begin
    if not exists (
        select from unnest(skus, locations) as w (sku, location)
        where not exists (select from stock s where (s.sku, s.location) = (w.sku, w.location))
    ) then
        return;
    end if;
    perform from item where sku = any(skus) order by sku for share;
    insert into inventory (sku) select distinct w.sku from unnest(skus) as w (sku) order by w.sku
    on conflict do nothing;
    insert into stock (sku, location)
    select w.sku, w.location from unnest(skus, locations) as w (sku, location)
    order by w.sku, w.location
    on conflict do nothing;
end $$;

-- What a batch of new orders has to know, in one answer: the orders are begun, and then, with the stock of
-- all their SKUs locked, what is free. `waited_for`: a backorder waits for some of it. `version`: that of
-- the catalogue, by which one who has kept a part of it sees that it has changed. `to_send`: parcels that
-- wait where only so many leave on a day.
create or replace function reserve_look(
    order_ids text[], skus text[],
    out begun text[], out version bigint, out free jsonb, out waited_for boolean, out to_send jsonb
) language plpgsql as $$
begin
    begun := array(select begin_orders(order_ids));
    select coalesce(jsonb_agg(jsonb_build_array(l.sku, l.location, l.quantity)), '[]') into free
    from locked_stock(skus) l;
    waited_for := exists (select from backorder b where b.sku = any(skus) and b.quantity > 0);
    version := coalesce((select v.version from catalogue_version v), 0);
    select coalesce(jsonb_object_agg(l.location, parcels_to_send(l.location)), '{}') into to_send
    from location l where l.parcels_a_day is not null;
end $$;

-- The day at a location, by its calendar.
create or replace function location_day(calendar jsonb) returns date language sql stable as $$
    select (transaction_moment() at time zone coalesce(calendar ->> 'time_zone', 'UTC'))::date
$$;

-- The first day of sale of goods that a fulfilment has and that are not on sale yet where they lie: its item was given
-- a later one meanwhile. Null: all of it may leave. Nearly always no item has such a day at all.
create or replace function not_before(its_no bigint, its_id text) returns date language sql stable as $$
    select max(i.available_from)
    from reservation r join item i using (sku) join location l using (location)
    where r.order_no = its_no and r.fulfilment_id = its_id and r.quantity > 0
      and i.available_from > location_day(l.calendar)
      and exists (select from item where available_from > transaction_moment()::date - 1)
$$;

-- A first day of sale has moved: the promise of units that wait for it moves with it, and the order is told. The
-- caller holds the locks of the order and the stock.
create or replace function first_day_moved(its_no bigint, its_line text) returns void language plpgsql as $$
declare
    waiting backorder;
    day     date;
    leaves  date;
    arrives date;
begin
    select * into waiting from backorder where order_no = its_no and line_id = its_line;
    select available_from into day from item where sku = waiting.sku;
    if waiting.quantity = 0 or day is not distinct from waiting.first_day then
        return;
    end if;
    leaves := case when waiting.promised_leave = waiting.first_day
                   then coalesce(day, transaction_moment()::date) else greatest(waiting.promised_leave, day) end;
    arrives := waiting.promised_on + (leaves - waiting.promised_leave);
    update backorder set first_day = day, promised_leave = leaves, promised_on = arrives
    where order_no = its_no and line_id = its_line;
    insert into order_event (order_no, effect, what, who, why, data)
    values (its_no, 'first_day:' || its_line, 'first day of sale moved', 'orderloom',
            format('%s is on sale %s, not %s', waiting.sku, coalesce('from ' || day, 'at once'),
                   coalesce('from ' || waiting.first_day, 'before that')),
            jsonb_build_object('line_id', its_line, 'promised_on', arrives, 'promised_before', waiting.promised_on));
end $$;

-- Parcels that a location has still to send.
create or replace function parcels_to_send(its_name text) returns bigint language sql stable as $$
    select count(*) from fulfilment f
    where f.location = its_name and f.state in ('open', 'picking', 'picked', 'packed', 'labelled')
$$;

-- The way of a parcel from each of these locations (null: from each there is) to each of these addresses: the
-- location's own figures, and its closest lane's.
create or replace function ways_to(
    locations text[], countries text[], postal_codes text[], services text[]
) returns table (
    number bigint, location text, priority integer, calendar jsonb, parcels_a_day integer,
    to_send bigint, has_lanes boolean, cost_minor bigint, currency text, distance_km integer,
    transit_days integer
) language sql stable as $$
    with place as materialized (
        select l.location, l.priority, l.calendar, l.parcels_a_day,
               case when l.parcels_a_day is null then 0 else parcels_to_send(l.location) end as to_send,
               exists (select from lane where lane.location = l.location) as has_lanes
        from location l where locations is null or l.location = any(locations)
    )
    select a.number, place.location, place.priority, place.calendar, place.parcels_a_day, place.to_send,
           place.has_lanes and not here.it,
           case when here.it then 0 else lane.cost_minor end, lane.currency,
           case when here.it then 0 else lane.distance_km end,
           case when here.it then 0 else lane.transit_days end
    from unnest(countries, postal_codes, services) with ordinality
        as a (country, postal_code, service, number)
    cross join place
    cross join lateral (select a.service = 'collect' as it) here  -- no parcel goes anywhere
    left join lateral (
        select * from lane
        where lane.location = place.location and not here.it
          and lane.country in (a.country, '*') and lane.service in (a.service, '*')
          and starts_with(coalesce(a.postal_code, ''), lane.postal_prefix)
        order by lane.service = '*', lane.country = '*', length(lane.postal_prefix) desc
        limit 1
    ) lane on true
    order by a.number, place.location
$$;

-- A stock row that is new was never counted.
create or replace function stock_is_counted() returns trigger language plpgsql as $$
begin
    insert into stock_count (sku, location) select sku, location from added;
    return null;
end $$;
create or replace trigger stock_is_counted after insert on stock
    referencing new table as added for each statement execute function stock_is_counted();

-- Whoever changes the catalogue gives it another version, last of all in his transaction: so two of them do
-- not wait for each other in a circle. Deferred to the commit, and for the first changed row alone.
create or replace function catalogue_changed() returns trigger language plpgsql as $$
begin
    insert into catalogue_version as v (version) values (pg_current_xact_id()::text::bigint)
    on conflict (only_one) do update set version = excluded.version
    where v.version <> excluded.version;
    return null;
end $$;
drop trigger if exists kit_is_changed on kit_part;
create constraint trigger kit_is_changed after insert or update or delete on kit_part
    deferrable initially deferred for each row execute function catalogue_changed();
drop trigger if exists item_is_described on item;
create constraint trigger item_is_described after insert or update on item
    deferrable initially deferred for each row when (new.described)
    execute function catalogue_changed();
drop trigger if exists location_is_changed on location;
create constraint trigger location_is_changed after insert or update or delete on location
    deferrable initially deferred for each row execute function catalogue_changed();
drop trigger if exists lane_is_changed on lane;
create constraint trigger lane_is_changed after insert or update or delete on lane
    deferrable initially deferred for each row execute function catalogue_changed();

-- Whether an effect has moved a stock row. All three are compared as a row, so that no plan looks through all
-- movements of a popular SKU for them, also where nothing is known of the table yet.
create or replace function is_moved(its_effect text, its_sku text, its_location text) returns boolean
language plpgsql stable as $$
begin
    return exists (select from movement
                   where (effect, sku, location)
                         between (its_effect, its_sku, its_location) and (its_effect, its_sku, its_location));
end $$;

-- Books a set of movements and applies them. A movement of the same effect on the same stock row is booked
-- once: the second time it is found, and nothing moves. The stock is locked already. For goods that arrive
-- or leave, it returns what their owner held before the change.
create or replace function stock_moved(
    effects text[], skus text[], locations text[], on_hand_changes bigint[], allocated_changes bigint[],
    order_ids text[], its_kind text, goods boolean, its_count bigint, its_who text, its_why text
) returns table (
    sku text, location text, movement_id bigint, on_hand bigint, freed bigint, owner text, held jsonb)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    with wanted as (
        select * from unnest(effects, skus, locations, on_hand_changes, allocated_changes, order_ids)
            with ordinality
            as w (effect, sku, location, on_hand_change, allocated_change, order_id, position)
        where not is_moved(effect, sku, location)
    ), booked as (
        insert into movement (effect, sku, location, kind, on_hand_change, allocated_change, order_no,
                              counted, who, why)
        select effect, sku, location, its_kind, on_hand_change, allocated_change, order_no_of(order_id),
               its_count, its_who, its_why
        from wanted order by position
        returning movement_id, sku, location, on_hand_change, allocated_change
    ), moved as (
        select sku, location, sum(on_hand_change)::bigint as on_hand,
               sum(allocated_change)::bigint as allocated, min(movement_id) as movement_id
        from booked group by sku, location
    ), counted as (
        update stock_count set counted_at = moment()
        from moved
        where its_kind = 'counted' and (stock_count.sku, stock_count.location) = (moved.sku, moved.location)
    )
    update stock
    set on_hand = stock.on_hand + moved.on_hand, allocated = stock.allocated + moved.allocated
    from moved join location place using (location)
    where (stock.sku, stock.location) = (moved.sku, moved.location)
    returning stock.sku, stock.location, moved.movement_id, moved.on_hand,
              moved.on_hand - moved.allocated,
              place.seller, case when goods then held_by(place.seller, stock.sku) end;
end $$;

-- Fulfilments, each with the content of its parcel, and its claims on stock: one for each part.
create or replace function fulfilments_added(
    fulfilment_ids text[], order_ids text[], locations text[], handlings text[], leaves date[], arrivals date[],
    line_fulfilments text[], line_orders text[], line_ids text[], skus text[], line_locations text[],
    quantities bigint[], line_parts jsonb[], its_state text
) returns void language plpgsql as $$
#variable_conflict use_column
begin
    with parts as (
        insert into fulfilment (order_no, fulfilment_id, location, handling, state, promised_leave, promised_on)
        select order_no_of(order_id), fulfilment_id, location, handling, its_state, leaves_on, arrives_on
        from unnest(fulfilment_ids, order_ids, locations, handlings, leaves, arrivals)
            as f (fulfilment_id, order_id, location, handling, leaves_on, arrives_on)
    ), wanted as materialized (
        select order_no_of(order_id) as order_no, w.*
        from unnest(line_fulfilments, line_orders, line_ids, skus, line_locations, quantities, line_parts)
            as w (fulfilment_id, order_id, line_id, sku, location, quantity, parts)
    ), lines as (
        insert into fulfilment_line (order_no, fulfilment_id, line_id, sku, quantity)
        select order_no, fulfilment_id, line_id, sku, quantity from wanted
    )
    insert into reservation (order_no, fulfilment_id, line_id, sku, location, quantity, per_unit)
    select order_no, fulfilment_id, line_id, part, location, quantity, per_unit::bigint
    from wanted, jsonb_each(parts) as p (part, per_unit);
end $$;

-- labelled → shipped, for a parcel whose goods have just been booked out of stock: its claims, its
-- order's counts, its state, and the story. The caller holds the order's and the stock's locks.
create or replace function parcel_left(its_id text, its_time timestamptz, its_who text) returns void
language plpgsql as $$
declare
    part   fulfilment;
    parcel shipment;
    units  jsonb;
    the_no bigint := order_no_of(its_id);
begin
    select jsonb_object_agg(line_id, quantity) into units
    from (select line_id, min(quantity) as quantity from reservation
          where order_no = the_no and fulfilment_id = its_id and quantity > 0 group by line_id) claimed;
    update fulfilment set state = 'shipped', changed_at = moment()
    where order_no = the_no and fulfilment_id = its_id returning * into part;
    update order_line l
    set allocated = l.allocated - u.n::bigint, picked = l.picked - u.n::bigint,
        shipped = l.shipped + u.n::bigint
    from jsonb_each(units) as u (line_id, n)
    where l.order_no = the_no and l.line_id = u.line_id;
    update reservation r set quantity = r.quantity - u.n::bigint
    from jsonb_each(units) as u (line_id, n)
    where r.order_no = the_no and r.fulfilment_id = its_id and r.line_id = u.line_id;
    -- A scan is never later than now, even if a clock is ahead: the parcel would seem to move for ever.
    update shipment set handed_over_at = its_time, last_scan_at = least(its_time, moment())
    where order_no = the_no and fulfilment_id = its_id returning * into parcel;
    insert into effect (order_no, effect) values (the_no, 'handover:' || its_id);
    insert into order_event (order_no, effect, what, who, data)
    values (the_no, 'handover:' || its_id, 'shipped', its_who,
            jsonb_build_object('fulfilment_id', its_id, 'carrier', parcel.carrier,
                               'tracking_number', parcel.tracking_number,
                               'units', coalesce(units, '{}')));
end $$;

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

-- A key would forbid to keep the movements of old times apart, so a trigger looks. All movements of a stock
-- row are written under its lock.
create or replace function an_effect_moves_stock_once() returns trigger language plpgsql as $$
begin
    if is_moved(new.effect, new.sku, new.location) then
        raise exception '% has moved % at % already', new.effect, new.sku, new.location
            using errcode = 'unique_violation', constraint = 'an_effect_moves_stock_once';
    end if;
    return new;
end $$;
create or replace trigger an_effect_moves_stock_once before insert on movement
    for each row execute function an_effect_moves_stock_once();

create or replace trigger movement_append_only before update or delete on movement
    for each row execute function append_only();
create or replace trigger movement_not_truncated before truncate on movement
    for each statement execute function append_only();
