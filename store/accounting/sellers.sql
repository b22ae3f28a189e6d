-- Who sells.

-- name: list_sellers()
select seller, name, line1, line2, city, region, postal_code, country, tax_number, time_zone
from seller order by seller;

-- name: save(seller, name, line1, line2, city, region, postal_code, country, tax_number, time_zone)!
update seller
set seller = :seller, name = :name, line1 = :line1, line2 = :line2, city = :city, region = :region,
    postal_code = :postal_code, country = :country, tax_number = :tax_number, time_zone = :time_zone;

-- name: is_told()$
select name is not null from seller;
