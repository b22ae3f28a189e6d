-- A parcel that leaves is to be told to the shop that sold it, where that is to be told: in the transaction of
-- its hand-over, so that no crash loses it.
create or replace function parcel_is_told() returns trigger language plpgsql as $$
begin
    insert into shop_parcel (order_no, fulfilment_id, channel)
    select new.order_no, new.fulfilment_id, o.channel
    from customer_order o join shop s using (channel) join shop_contact c using (channel)
    where o.order_no = new.order_no and coalesce((s.options ->> 'tell_fulfilments')::boolean, true)
      and starts_with(o.document #>> '{payment,token}', s.kind || '-')  -- it came from there
    on conflict (order_no, fulfilment_id) do nothing;
    return null;
end $$;
create or replace trigger parcel_has_left after update of handed_over_at on shipment
    for each row when (new.handed_over_at is not null and old.handed_over_at is null)
    execute function parcel_is_told();

-- The units of each SKU that a channel may sell now: of the locations that it takes from, and that are open. Kits are
-- counted by what can be made of their parts at each location.
create or replace function sellable(its_channel text) returns table (sku text, units bigint) language sql stable as $$
    with here as materialized (
        select s.sku, s.location,
               greatest(0, s.on_hand - s.allocated - s.safety - coalesce(r.units, 0))::bigint as units
        from stock s join location l using (location) join channel c on c.channel = its_channel
        left join (
            select sku, location, sum(quantity) as units from soft_reservation
            where expires_at is null or expires_at > transaction_moment()
            group by sku, location) r on (r.sku, r.location) = (s.sku, s.location)
        where l.retired_at is null and (c.locations is null or s.location = any(c.locations))
    )
    select sku, sum(units)::bigint from here group by sku
    union all
    select kit, sum(units)::bigint from (
        select k.kit, p.location, min(coalesce(h.units, 0) / k.units) as units
        from kit_part k cross join (select distinct location from here) p
        left join here h on (h.sku, h.location) = (k.part, p.location)
        group by k.kit, p.location) made
    group by kit
$$;

-- What somebody typed about an order goes with its person.
create or replace function parcel_notes_erased() returns trigger language plpgsql as $$
begin
    update shop_parcel set note = null where order_no = new.order_no and note is not null;
    return null;
end $$;
create or replace trigger parcel_notes_are_erased after update of erased_at on order_person
    for each row when (new.erased_at is not null and old.erased_at is null) execute function parcel_notes_erased();
