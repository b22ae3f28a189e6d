-- Who sells.

-- name: get_seller(seller)^
select seller, name, line1, line2, city, region, postal_code, country, tax_numbers, currency, time_zone,
       languages, series, looks, attach_documents, retired_at is not null as retired
from seller where seller = :seller;

-- name: list_sellers(after, at_most)
-- Behind the one with the code `after`, so many of them (null: all).
select seller, name, line1, line2, city, region, postal_code, country, tax_numbers, currency, time_zone,
       languages, series, looks, attach_documents, retired_at is not null as retired
from seller where :after::text is null or seller > :after
order by seller limit :at_most::bigint;

-- name: lock()!
-- Whoever changes sellers, or for whom a channel sells, comes one after the other.
select from seller order by seller for update;

-- name: stop_intake()!
-- No order is taken in for the first seller while it changes its code: who judged one asks again.
lock table customer_order in share row exclusive mode;

-- name: give_place(codes)!
-- The first seller, of whom nobody has said who it is and who has sold nothing, becomes the first of these.
update seller set seller = (:codes::text[])[1]
where name is null and seller <> all(:codes::text[]) and only_seller() is not null
  and not exists (select from customer_order o where o.seller = seller.seller)
  and not exists (select from journal_entry e where e.seller = seller.seller);

-- name: save(sellers)!
-- Sets all there is to know about them, whether they are there or not.
insert into seller (seller, name, line1, line2, city, region, postal_code, country, tax_numbers, currency,
                    time_zone, languages, series, looks, attach_documents, retired_at)
select seller, name, line1, line2, city, region, postal_code, country, tax_numbers, currency,
       time_zone, languages, series, coalesce(looks, '{}'),
       coalesce(attach_documents, '{}'), case when retired then moment() end
from jsonb_to_recordset(:sellers::jsonb)
    as s (seller text, name text, line1 text, line2 text, city text, region text, postal_code text,
          country text, tax_numbers text[], currency text, time_zone text, languages text[], series jsonb,
          looks jsonb, attach_documents text[], retired boolean)
on conflict (seller) do update
set name = excluded.name, line1 = excluded.line1, line2 = excluded.line2, city = excluded.city,
    region = excluded.region, postal_code = excluded.postal_code, country = excluded.country,
    tax_numbers = excluded.tax_numbers, currency = excluded.currency, time_zone = excluded.time_zone,
    languages = excluded.languages, series = excluded.series,
    looks = excluded.looks, attach_documents = excluded.attach_documents,
    retired_at = case when excluded.retired_at is not null
                      then coalesce(seller.retired_at, excluded.retired_at) end;

-- name: set_retired(seller, retired)$
-- Whether it takes new orders; null where there is no such seller.
update seller set retired_at = case when :retired::boolean then coalesce(retired_at, moment()) end
where seller = :seller returning seller;

-- name: channels_of(seller)
-- Channels that take orders for it.
select channel from channel where seller = :seller and retired_at is null order by channel;

-- name: begun_series(seller)
-- The series in which it has issued documents.
select distinct kind, series from document_counter where seller = :seller order by kind, series;

-- name: is_told()$
select exists (select from seller where name is not null);
