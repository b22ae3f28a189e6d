-- Items, for other tables to refer to.

-- name: know(skus)!
-- Sorted, so that two writers of the same rows wait for each other in one sequence. Existing rows
-- are not touched.
insert into item (sku)
select sku from unnest(:skus::text[]) as w (sku)
where not exists (select from item where item.sku = w.sku)
order by sku
on conflict (sku) do nothing;
