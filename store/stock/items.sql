-- The shop's settings for SKUs.

-- name: save_items(skus, names, backorders, available_from, discontinued, handlings, categories)!
insert into item (sku, name, backorder, available_from, discontinued, handling, category, described)
select *, true from unnest(:skus::text[], :names::text[], :backorders::boolean[],
                     :available_from::date[], :discontinued::boolean[],
                     :handlings::text[], :categories::text[])
    as w (sku, name, backorder, available_from, discontinued, handling, category)
order by sku
on conflict (sku) do update
set described = true, name = excluded.name, backorder = excluded.backorder,
    available_from = excluded.available_from, discontinued = excluded.discontinued,
    handling = excluded.handling, category = excluded.category;

-- name: list_items(skus)
select sku, name, backorder, available_from, discontinued, handling, category
from item where described and (:skus::text[] is null or sku = any(:skus)) order by sku;

-- name: page_of_items(sku, after, at_most)
select sku, name, backorder, available_from, discontinued, handling, category
from item
where described and (:sku::text is null or sku = :sku) and sku > coalesce(:after::text, '')
order by sku limit :at_most;
