-- Stock and its journal. on_hand and allocated change through `move` alone.

-- name: move(skus, locations, on_hand_changes, allocated_changes, effect, kind, order_id, who, why)
-- Books a set of movements and applies them. A movement of the same effect on the same stock is
-- booked once: the second time nothing matches and nothing moves. The rows are locked already.
with wanted as (
    select * from unnest(
        :skus::text[], :locations::text[], :on_hand_changes::bigint[], :allocated_changes::bigint[]
    ) as w (sku, location, on_hand_change, allocated_change)
), booked as (
    insert into movement
        (effect, sku, location, kind, on_hand_change, allocated_change, order_id, who, why)
    select :effect, sku, location, :kind, on_hand_change, allocated_change, :order_id, :who, :why
    from wanted
    on conflict (effect, sku, location) do nothing
    returning sku, location, on_hand_change, allocated_change
)
update stock
set on_hand = stock.on_hand + booked.on_hand_change,
    allocated = stock.allocated + booked.allocated_change
from booked
where (stock.sku, stock.location) = (booked.sku, booked.location)
returning stock.sku, stock.location, stock.on_hand, stock.allocated;

-- name: add_location(location, priority)!
insert into location (location, priority) values (:location, :priority)
on conflict (location) do nothing;

-- name: add_stock_rows(skus, locations)!
-- New SKUs and locations begin at zero; what is there stays.
insert into stock (sku, location)
select * from unnest(:skus::text[], :locations::text[]) as w (sku, location)
order by sku, location
on conflict (sku, location) do nothing;

-- name: list_stock(sku, location)
select sku, location, on_hand, allocated, safety, on_hand - allocated - safety as available
from stock
where (:sku::text is null or sku = :sku) and (:location::text is null or location = :location)
order by sku, location;

-- name: known_stock(sku, location)^
select sku, location, on_hand, allocated, safety, on_hand - allocated - safety as available
from stock where sku = :sku and location = :location;

-- name: find_movement(effect, sku, location)^
select on_hand_change, who, why from movement
where effect = :effect and sku = :sku and location = :location;
