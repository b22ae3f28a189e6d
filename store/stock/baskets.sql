-- Soft reservations of baskets. Changed only while the stock rows of their SKUs are locked.

-- name: skus_of(basket)
select distinct sku from soft_reservation where basket = :basket order by sku;

-- name: hold(basket, skus, locations, quantities, expires_at)!
insert into soft_reservation (basket, sku, location, quantity, expires_at)
select :basket, sku, location, quantity, :expires_at
from unnest(:skus::text[], :locations::text[], :quantities::bigint[])
    as w (sku, location, quantity);

-- name: forget_expired(skus)!
-- They do not count any more; this only keeps the table small.
delete from soft_reservation where sku = any(:skus::text[]) and expires_at <= transaction_moment();

-- name: list_baskets(basket, sku, after_at, after_basket, at_most)
select basket, jsonb_object_agg(sku, quantity) as units, min(expires_at) as expires_at
from (
    select basket, sku, sum(quantity) as quantity, min(expires_at) as expires_at
    from soft_reservation
    where basket is not null and expires_at > transaction_moment()
      and (:basket::text is null or basket = :basket) and (:sku::text is null or sku = :sku)
    group by basket, sku
) held
group by basket
having :after_basket::text is null
    or (min(expires_at), basket) > (:after_at::timestamptz, :after_basket)
order by min(expires_at), basket limit :at_most;
