-- Items as something to refer to.

-- name: know(skus)!
-- Sorted: two who make the same rows wait for each other in one sequence. What is there is not touched.
insert into item (sku)
select sku from unnest(:skus::text[]) as w (sku)
where not exists (select from item where item.sku = w.sku)
order by sku
on conflict (sku) do nothing;
