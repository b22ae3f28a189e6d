-- The currencies that were ever used here.

-- name: kept_currencies()
select currency, decimals from currency;

-- name: keep_currencies(currencies, decimals)!
-- Each stays as it was written first.
insert into currency (currency, decimals)
select * from unnest(:currencies::text[], :decimals::integer[]) as c (currency, decimals)
order by currency
on conflict (currency) do nothing;
