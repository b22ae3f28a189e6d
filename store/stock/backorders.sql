-- Backorders, and the soft reservations for them or for baskets. Rows are changed only while the stock
-- rows of their SKU are locked.

-- name: insert_backorders(order_id, line_ids, skus, quantities, leaves, arrivals, barred, round)!
-- Adds units to the backorders of an order's lines; earlier ones keep their promise.
insert into backorder (order_no, line_id, sku, quantity, received_at, round, barred,
                       promised_leave, promised_on, first_day)
select order_no, line_id, sku, quantity, received_at, :round, :barred::text[], leave, arrival,
       (select available_from from item where item.sku = w.sku and available_from > transaction_moment()::date - 1)
from unnest(:line_ids::text[], :skus::text[], :quantities::bigint[], :leaves::date[],
            :arrivals::date[]) as w (line_id, sku, quantity, leave, arrival)
join customer_order on order_id = :order_id
on conflict (order_no, line_id) do update
set quantity = backorder.quantity + excluded.quantity, round = excluded.round,
    barred = array(select distinct unnest(backorder.barred || excluded.barred)),
    promised_leave = coalesce(excluded.promised_leave, case when backorder.quantity > 0
                              then backorder.promised_leave end),
    promised_on = coalesce(excluded.promised_on, case when backorder.quantity > 0
                           then backorder.promised_on end),
    since = case when backorder.quantity = 0 then excluded.since else backorder.since end;

-- name: lines_that_wait(order_id)
select line_id, sku, quantity from backorder
where order_no = order_no_of(:order_id) and quantity > 0 order by line_id;

-- name: in_turn(skus)
-- Backorders without a soft reservation, in the sequence in which we took their orders in: a channel
-- whose clock is wrong must not jump the queue.
-- `only_from`: the locations that the order's policy allows, or null; `barred`: those that refused.
select o.order_id, b.line_id, b.sku, b.round, b.barred, l.handling,
       case when l.handling <> 'digital' then o.policy #> '{sourcing, locations}' end as only_from,
       document_of(o.order_no) -> 'shipping' as shipping,
       b.quantity - coalesce(sum(r.quantity), 0)::bigint as quantity
from backorder b join customer_order o using (order_no) join order_line l using (order_no, line_id)
left join soft_reservation r using (order_no, line_id)
where b.sku = any(:skus::text[]) and b.quantity > 0 and l.handling <> 'drop_ship'  -- served by its supplier alone
group by b.order_no, b.line_id, o.order_no, l.handling
having b.quantity > coalesce(sum(r.quantity), 0)
order by b.received_at, b.order_no, b.line_id;

-- name: free(skus)
-- The units without any claim, by location, in the order in which locations are preferred. None of what is
-- not on sale yet there: a first day of sale is a day of the warehouse.
select s.sku, s.location, on_hand - allocated - safety - coalesce((
           select sum(r.quantity) from soft_reservation r
           where (r.sku, r.location) = (s.sku, s.location)
             and (r.expires_at is null or r.expires_at > transaction_moment())), 0)::bigint as quantity
from stock s join location l using (location) join item using (sku)
where s.sku = any(:skus::text[]) and retired_at is null
  and coalesce(available_from <= location_day(l.calendar), true)
order by priority, location;

-- name: soft_reserve(order_ids, line_ids, skus, locations, quantities)!
insert into soft_reservation (order_no, line_id, sku, location, quantity)
select order_no, line_id, sku, location, quantity
from unnest(:order_ids::text[], :line_ids::text[], :skus::text[], :locations::text[],
            :quantities::bigint[]) as w (order_id, line_id, sku, location, quantity)
join customer_order using (order_id)
on conflict (basket, order_no, line_id, sku, location) do update
set quantity = soft_reservation.quantity + excluded.quantity;

-- name: what_came(order_id)
select r.line_id, r.sku, r.location, r.quantity, l.handling, b.promised_leave, b.promised_on
from soft_reservation r join backorder b using (order_no, line_id) join order_line l using (order_no, line_id)
where r.order_no = order_no_of(:order_id) and b.round > 0  -- else the workflow has not heard of it
order by r.location, r.line_id;

-- name: fill(order_id, round, line_ids, locations, quantities)
-- The order's soft reservations of these units become allocations. Its other backorders move to
-- another round. Returns the rest of each line.
with came as (
    select * from unnest(:line_ids::text[], :locations::text[], :quantities::bigint[])
        as c (line_id, location, quantity)
), gone as (
    delete from soft_reservation r using came c
    where r.order_no = order_no_of(:order_id) and (r.line_id, r.location) = (c.line_id, c.location)
      and r.quantity = c.quantity
), lowered as (
    update soft_reservation r set quantity = r.quantity - c.quantity from came c
    where r.order_no = order_no_of(:order_id) and (r.line_id, r.location) = (c.line_id, c.location)
      and r.quantity > c.quantity
)
update backorder b
set quantity = b.quantity - coalesce(
        (select sum(quantity) from came where came.line_id = b.line_id), 0),
    round = :round
where order_no = order_no_of(:order_id) and quantity > 0 and b.round > 0
returning line_id, quantity;

-- name: join_round(order_id, round)$
-- Returns whether units have arrived for the order. Rounds only go up: a late attempt does not lead
-- back to an earlier one.
with joined as (
    update backorder set round = :round where order_no = order_no_of(:order_id) and round < :round
)
select exists (select from soft_reservation where order_no = order_no_of(:order_id));

-- name: give_up(order_id, line_ids, quantities)!
-- These units stop waiting. Soft reservations of these lines are free for the next in turn.
with freed as (
    delete from soft_reservation
    where order_no = order_no_of(:order_id) and line_id = any(:line_ids::text[])
)
update backorder b set quantity = b.quantity - g.quantity
from unnest(:line_ids::text[], :quantities::bigint[]) as g (line_id, quantity)
where b.order_no = order_no_of(:order_id) and b.line_id = g.line_id;

-- name: beyond_stock(skus)
-- Soft reservations that their stock rows no longer cover, in the order in which they give way:
-- baskets before orders, and the younger before the older ones.
select r.basket, o.order_id, r.line_id, r.sku, r.location, r.quantity,
       sum(r.quantity) over (partition by r.sku, r.location)::bigint
           - (s.on_hand - s.allocated) as excess
from soft_reservation r
join stock s using (sku, location)
left join backorder b using (order_no, line_id)
left join customer_order o using (order_no)
where r.sku = any(:skus::text[]) and (r.expires_at is null or r.expires_at > transaction_moment())
order by r.sku, r.location, r.basket is null, b.received_at desc, r.made_at desc;

-- name: keep(basket, order_id, line_id, sku, location, quantity)!
-- Lowers a soft reservation; at zero it is deleted.
with gone as (
    delete from soft_reservation r
    where (r.sku, r.location) = (:sku, :location) and :quantity::bigint = 0
      and r.basket is not distinct from :basket::text
      and r.order_no is not distinct from order_no_of(:order_id)
      and r.line_id is not distinct from :line_id::text
)
update soft_reservation r set quantity = :quantity
where (r.sku, r.location) = (:sku, :location) and :quantity::bigint > 0
  and r.basket is not distinct from :basket::text
  and r.order_no is not distinct from order_no_of(:order_id)
  and r.line_id is not distinct from :line_id::text;

-- name: could_be_served(batch)
-- SKUs with backorders, and with units that time has freed: a basket expired, a first day of sale
-- came. The conditions are those of `in_turn` and `free`.
select distinct b.sku
from backorder b
join customer_order o using (order_no)
join order_line d using (order_no, line_id)
join stock s on s.sku = b.sku and s.location <> all(b.barred)
    and (d.handling = 'digital'
         or coalesce(nullif(o.policy #> '{sourcing, locations}', 'null') ? s.location, true))
join location l on l.location = s.location and l.retired_at is null
left join item on item.sku = b.sku
where d.handling <> 'drop_ship'
  and b.quantity > coalesce((select sum(r.quantity) from soft_reservation r
                             where (r.order_no, r.line_id) = (b.order_no, b.line_id)), 0)
  and coalesce(available_from <= location_day(l.calendar), true)
  and s.on_hand - s.allocated - s.safety > coalesce((
          select sum(r.quantity) from soft_reservation r
          where (r.sku, r.location) = (s.sku, s.location)
            and (r.expires_at is null or r.expires_at > transaction_moment())), 0)
order by b.sku limit :batch;

-- name: rounds_of(order_id)$
-- The round in which an order waits; null or 0: its workflow has not heard yet that it does.
select max(round) from backorder where order_no = order_no_of(:order_id) and quantity > 0;

-- name: promise_line(order_id, line_id, day)!
-- The supplier has named a day for what is bought for this line.
update backorder set promised_leave = :day::date, promised_on = greatest(:day::date, promised_on)
where order_no = order_no_of(:order_id) and line_id = :line_id and quantity > 0;
