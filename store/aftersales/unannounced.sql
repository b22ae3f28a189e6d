-- Parcels at the dock that no return has announced.

-- name: receive(key, location, order_id, came_with, why, who)$
-- Nothing → open. Null: it was told before.
insert into unannounced_parcel (key, location, order_no, came_with, why, who)
values (:key, :location, order_no_of(:order_id), :came_with, :why, :who)
on conflict (key) do nothing returning parcel_no;

-- name: add_units(parcel_no, units)!
insert into unannounced_unit (parcel_no, number, sku, quantity, condition, photo)
select :parcel_no, number, u ->> 'sku', (u ->> 'quantity')::bigint, u ->> 'condition', u ->> 'photo'
from jsonb_array_elements(:units::jsonb) with ordinality as f (u, number);

-- name: known(key)^
select parcel_no, location,
       (select jsonb_agg(to_jsonb(u) - '{parcel_no,number}'::text[] order by number)
        from unannounced_unit u where u.parcel_no = p.parcel_no) as units
from unannounced_parcel p where key = :key;

-- name: find(parcel_no, open_only, location, channels, sellers, at_most)
select p.parcel_no, p.location, o.order_id, p.came_with, p.why, p.return_id, p.who, p.since, p.ended_at, p.note,
       (select jsonb_agg(to_jsonb(u) - '{parcel_no,number}'::text[] order by number)
        from unannounced_unit u where u.parcel_no = p.parcel_no) as units
from unannounced_parcel p left join customer_order o using (order_no)
where (:parcel_no::bigint is null or p.parcel_no = :parcel_no) and (p.ended_at is null or not :open_only)
  and (:location::text is null or p.location = :location)
  and (o.order_no is null
       or (:channels::text[] is null or o.channel = any(:channels)) and (:sellers::text[] is null or o.seller = any(:sellers)))
order by p.parcel_no desc limit :at_most;

-- name: could_be_of(parcel_no, channels, sellers, at_most)
-- Orders at whose customers all that is in the parcel may be, the latest first. Of the orders of its first SKU, so many
-- of the latest are looked at.
with found as (
    select sku, sum(quantity) as units from unannounced_unit where parcel_no = :parcel_no group by sku
)
select o.order_id, o.placed_at
from (
    select distinct l.order_no from (
        select order_no from order_line where sku = (select min(sku) from found) order by order_no desc limit 2000) l
) l
join customer_order o using (order_no)
where (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and not exists (
      select from found f
      where f.units > (select coalesce(sum(x.delivered - x.return_requested - x.returned), 0)
                       from order_line x where x.order_no = o.order_no and x.sku = f.sku))
order by o.order_no desc limit :at_most;

-- name: ask(parcel_no, order_id)^
-- Open → asked for at this order, under the next number where a person asks anew. None: it is not open any more.
-- With the lines of the order of which units can come back.
with asked as (
    update unannounced_parcel p
    set order_no = o.order_no, why = null,
        asks = p.asks + (p.asks = 0 or p.why is not null or p.order_no is distinct from o.order_no)::integer
    from customer_order o
    where p.parcel_no = :parcel_no and o.order_id = :order_id and p.return_id is null and p.ended_at is null
    returning p.asks, p.order_no
)
select asks, (select jsonb_agg(jsonb_build_object(
                  'line_id', l.line_id, 'sku', l.sku, 'returnable', l.delivered - l.return_requested - l.returned)
                  order by l.line_id)
              from order_line l where l.order_no = asked.order_no) as lines
from asked;

-- name: needs_a_person(parcel_no, why)!
update unannounced_parcel set why = :why where parcel_no = :parcel_no and ended_at is null;

-- name: becomes(return_id, request_id)!
-- Asked for → this return, also where a person was told meanwhile that it came to nothing.
update unannounced_parcel set return_id = :return_id, why = null
where order_no = order_no_of(:return_id) and return_id is null and ended_at is null
  and :request_id = format('parcel-%s-%s', parcel_no, asks);

-- name: settle(parcel_no, note)$
-- Open → settled. A repeat changes nothing.
update unannounced_parcel set ended_at = coalesce(ended_at, moment()), note = coalesce(note, :note), why = null
where parcel_no = :parcel_no and return_id is null
returning true;

-- name: let_go()!
with over as (
    select p.parcel_no, r.state, r.return_id, r.ended_because
    from unannounced_parcel p join order_return r on (r.order_no, r.return_id) = (p.order_no, p.return_id)
    where p.ended_at is null and r.state not in ('requested', 'approved', 'in_transit')
    for no key update of p skip locked
)
update unannounced_parcel p
set ended_at = case when o.state in ('received', 'refunded') then moment() end,
    return_id = case when o.state in ('received', 'refunded') then p.return_id end,
    why = case when o.state not in ('received', 'refunded')
               then format('%s, which was made of it, is %s: %s', o.return_id, o.state, o.ended_because) end
from over o where p.parcel_no = o.parcel_no;

-- name: to_count(at_most)
select p.parcel_no, p.return_id, p.location, p.who,
       (select jsonb_agg(to_jsonb(u) - '{parcel_no,number}'::text[] order by number)
        from unannounced_unit u where u.parcel_no = p.parcel_no) as units,
       (select jsonb_agg(jsonb_build_object('line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity)
                         order by l.line_id)
        from return_line l where (l.order_no, l.return_id) = (r.order_no, r.return_id)) as lines
from unannounced_parcel p join order_return r on (r.order_no, r.return_id) = (p.order_no, p.return_id)
where p.ended_at is null and p.why is null and r.state in ('approved', 'in_transit')
order by p.since limit :at_most;

-- name: forget(kept, batch)$
with old as (
    select parcel_no from unannounced_parcel where ended_at < moment() - :kept::interval
    order by ended_at limit :batch for update skip locked
), gone as (
    delete from unannounced_parcel where parcel_no in (select parcel_no from old)
    returning parcel_no
)
select count(*) from gone;
