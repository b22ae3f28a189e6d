-- Who sells, where orders come from, and where goods lie.

create table seller (
    seller      text   primary key constraint seller_has_a_code check (seller ~ '^[a-z][a-z0-9]{1,15}$'),
    name        text,  -- null until somebody says who it is
    line1       text,
    line2       text,
    city        text,
    region      text,
    postal_code text,
    country     text,
    tax_numbers text[] not null default '{}',
    currency    currency_code,  -- of its books; null: nobody has said
    time_zone   text   not null default 'UTC',
    languages   text[] not null default '{en,ko,de}',  -- of its documents; the first where none fits
    -- By the kind of the document: how its number is written, and the first one.
    series      jsonb  not null default '{
        "invoice": {"format": "INV-{year}-{number:6}", "first": 1},
        "credit_note": {"format": "CRN-{year}-{number:6}", "first": 1}}',
    -- How it looks to customers, in mails and on their page: domain.looks.Looks.
    looks       jsonb  not null default '{}',
    attach_documents text[] not null default '{}',  -- kinds of messages that bring the invoice or credit note
    retired_at  timestamptz  -- since then no channel sells for it
);
insert into seller (seller) values ('main');

-- The seller, where there is one alone; null where there are several.
create function only_seller() returns text language sql stable as $$
    select case when count(*) = 1 then min(seller) end from (select seller from seller limit 2) s
$$;

-- Warehouses and shops.
create table location (
    location      text        primary key,
    -- who owns the goods there
    seller        text        not null default only_seller()
        constraint location_is_of_a_seller references seller on update cascade,
    -- the lower one comes first when orders are sourced
    priority      integer     not null default 100,
    calendar      jsonb       not null default '{}',  -- domain.calendars.Calendar
    -- null: no limit
    parcels_a_day integer
        constraint limit_is_one_parcel_or_more check (parcels_a_day > 0),
    -- since then it sends and takes nothing new; null: it is open
    retired_at    timestamptz
);

-- Where orders come from. An order carries what its channel said when it was taken in.
create table channel (
    channel    text  primary key
        constraint channel_has_a_code check (channel ~ '^[a-z][a-z0-9]{1,15}$'),
    kind       text  not null constraint channel_is_of_a_known_kind check (
        kind in ('web', 'pos', 'marketplace', 'b2b')),
    seller     text  not null
        constraint channel_sells_for_a_seller references seller on update cascade,
    currencies text[],  -- null here and in the next two: not limited
    locations  text[],
    providers  text[],
    policy     jsonb not null default '{}',  -- what differs from the usual policy
    retired_at timestamptz,  -- since then it takes no new orders
    revision   uuid not null default gen_random_uuid()  -- another one with each change
);
create function channel_changes() returns trigger language plpgsql as $$
begin
    new.revision := gen_random_uuid();
    return new;
end
$$;
create trigger channel_changes before update on channel for each row execute function channel_changes();
insert into channel (channel, kind, seller)
select code, code, 'main' from unnest(array['web', 'pos', 'marketplace', 'b2b']) code;

-- The seller's day at a moment: of documents, of the books, and of closings.
-- In plpgsql, which keeps the plan, as the next ones.
create function seller_day(its_seller text, at timestamptz) returns date language plpgsql stable as $$
begin
    return (select (at at time zone time_zone)::date from seller where seller = its_seller);
end $$;
