-- Who sells.

create table seller (
    seller      text primary key constraint seller_has_a_code check (seller ~ '^[a-z][a-z0-9]{1,15}$'),
    name        text,  -- null until somebody says who it is
    line1       text,
    line2       text,
    city        text,
    region      text,
    postal_code text,
    country     text,
    tax_number  text,
    time_zone   text not null default 'UTC'
);
create unique index there_is_one_seller on seller ((true));
insert into seller (seller) values ('main');

-- The seller's day at a moment: of documents, of the books, and of closings.
create function seller_day(at timestamptz) returns date language sql stable as $$
    select (at at time zone time_zone)::date from seller
$$;
