-- Deliveries of many SKUs. They are collected in a temporary table of the connection, and then
-- booked.

-- name: begin()#
create temporary table if not exists arriving (
    sku        text not null,
    location   text not null,
    quantity   bigint not null,
    unit_cost  numeric,
    currency   text,
    line       integer not null,
    primary key (sku, location)
);
truncate arriving;

-- name: end()#
drop table if exists arriving;

-- name: add(skus, locations, quantities, costs, currencies, lines)
-- Returns the accepted stock rows. One that came before with another cost is refused.
insert into arriving as a (sku, location, quantity, unit_cost, currency, line)
select * from unnest(:skus::text[], :locations::text[], :quantities::bigint[], :costs::numeric[],
                     :currencies::text[], :lines::integer[])
on conflict (sku, location) do update set quantity = a.quantity + excluded.quantity
where (a.unit_cost, a.currency) is not distinct from (excluded.unit_cost, excluded.currency)
returning sku, location;

-- name: complete()#
-- PostgreSQL gathers no statistics of a temporary table by itself.
analyze arriving;

-- name: counted()$
select count(*) from arriving where quantity > 0;

-- name: next_of(after, effect, at_most)
-- The next rows in the sequence of their SKUs, each SKU whole. `booked`: the units that the effect
-- has booked before. They are looked up row by row, because the journal is too long to be read as a
-- whole.
select a.sku, a.location, a.quantity, a.unit_cost, a.currency, a.line, m.booked
from arriving a
left join lateral (
    select on_hand_change as booked from movement
    where (effect, sku, location) = (:effect, a.sku, a.location) limit 1
) m on true
where a.quantity > 0 and a.sku > :after and a.sku <= (
    select max(sku) from (
        select sku from arriving where quantity > 0 and sku > :after order by sku limit :at_most) page)
order by a.sku, a.location;
