-- Codes that are sold: added, given out once each, and revoked. `licences_given` stands in
-- schema/routines/fulfilment.sql.

-- name: add(skus, codes, location)
-- One that is known already is left as it is. Sorted, because two writers of the same codes wait for each other.
with added as (
    insert into licence (sku, code, location)
    select sku, code, :location from unnest(:skus::text[], :codes::text[]) as w (sku, code)
    order by sku, code
    on conflict (sku, code) do nothing
    returning sku
)
select sku, count(*) as units from added group by sku order by sku;

-- name: give(fulfilment_id)$
select licences_given(:fulfilment_id);

-- name: of_order(order_id)
select line_id, fulfilment_id, sku, code, given_at, revoked_at from licence
where order_no = order_no_of(:order_id) and given_at is not null order by licence_no;

-- name: revoke(order_id, line_ids, quantities)
-- given → revoked: so many of each line, the newest first. Answers with the lines, and how many of each.
with asked as (
    select l.licence_no, l.line_id, row_number() over (partition by l.line_id order by l.licence_no desc) as n,
           w.quantity * (select sum(r.per_unit) from reservation r
                         where (r.order_no, r.fulfilment_id, r.line_id) = (l.order_no, l.fulfilment_id, l.line_id)) as most
    from unnest(:line_ids::text[], :quantities::bigint[]) as w (line_id, quantity)
    join licence l on l.order_no = order_no_of(:order_id) and l.line_id = w.line_id and l.revoked_at is null
), revoked as (
    update licence l set revoked_at = moment() from asked a
    where a.licence_no = l.licence_no and a.n <= a.most
    returning a.line_id
)
select line_id, count(*) as units from revoked group by line_id order by line_id;

-- name: counts(sku)
select sku, location, count(*) filter (where given_at is null) as free,
       count(*) filter (where given_at is not null) as given,
       count(*) filter (where revoked_at is not null) as revoked
from licence where (:sku::text is null or sku = :sku)
group by sku, location order by sku, location;
