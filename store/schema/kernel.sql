-- What every capability refers to: items, locations, and the reports that waiting steps take.
--
-- These files are the whole schema, one for each capability. Each refers only to tables of its own
-- file and of those left of it: kernel, access, orders, accounting, fulfilment, aftersales, payments,
-- stock, purchasing. Functions, triggers and views stand in routines/. Amounts are integers in minor units
-- of the row's currency. Constraints hold the invariants even where the code is wrong; the name of each is
-- the rule that it holds. Keys and not-nulls have the names that PostgreSQL gives them.

create domain currency_code as text
    constraint currency_is_three_capital_letters check (value ~ '^[A-Z]{3}$');

-- A text that need not be there: where there is nothing, there is null.
create domain some_text as text constraint text_is_not_empty check (value <> '');

-- An amount of money. One that may be negative is a bigint.
create domain minor_units as bigint constraint amount_is_not_negative check (value >= 0);

-- The price of one unit, in whole units of its currency: it may be finer than that, and is kept as written.
create domain unit_price as numeric constraint unit_price_is_fine_enough check (
    value >= 0 and scale(value) <= 6);

-- A number of pieces of an item: any, and at least one.
create domain units as bigint constraint number_of_units_is_not_negative check (value >= 0);
create domain some_units as bigint constraint number_of_units_is_positive check (value > 0);

-- The time. Everything in the database that asks for it asks here, so that a session can be given
-- another one: `set orderloom.now = '2026-11-28 09:00Z'`. Columns' defaults call these functions, so
-- they stand here and not among the routines. Both are of a form that PostgreSQL writes into the
-- statement that calls them: each costs as much as what it reads.

-- It goes on while a transaction waits.
create function moment() returns timestamptz language sql volatile as $$
    select coalesce(nullif(current_setting('orderloom.now', true), '')::timestamptz,
                    clock_timestamp())
$$;

-- The same in the whole transaction, so that its statements agree about what has ended.
create function transaction_moment() returns timestamptz language sql stable as $$
    select coalesce(nullif(current_setting('orderloom.now', true), '')::timestamptz, now())
$$;

-- A text as it is searched: in small letters, a letter and its mark as one, each word between blanks. Signs are named
-- here, and not letters: a database with the locale C knows the letters of no other script.
create function searched(its text) returns text language plpgsql immutable as $$
declare
    signs text := $s$-_.,;:@+*/&|\'"`´’“”()[]{}<>#!?=~%$s$ || chr(9) || chr(10) || chr(13);
begin
    return concat(' ', translate(lower(normalize(its)), signs, repeat(' ', length(signs))), ' ');
end $$;

-- The words of such a text, and behind a `~` what each ends in from its second letter on: so an index finds by their
-- beginnings what stands inside of them. Ends of three letters or more; of Chinese, Japanese and Korean, two.
create function words_within(its text) returns tsvector language plpgsql immutable as $$
declare
    words text[] := array(select distinct left(one, 40) from unnest(string_to_array(its, ' ')) as one where one <> '');
begin
    return array_to_tsvector(words || array(
        select distinct '~' || substr(one, at)
        from unnest(words) as one, generate_series(2, length(one) - 1) as at
        where at < length(one) - 1 or substr(one, at) collate "C" > chr(11904)));
end $$;

-- The currencies that were ever used here, with their decimals as they were written first: a code stays
-- readable when the standard's list lacks it one day. A process reads them when it connects, and adds those
-- that only it knows. It begins with the list of the day on which it was made.
create table currency (
    currency currency_code primary key,
    decimals integer       not null
        constraint decimals_are_none_to_four check (decimals between 0 and 4)
);
insert into currency (currency, decimals)
select code, decimals
from (values
    (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
    (2, 'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
         CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
         GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
         LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
         NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
         SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
         XAD XCD XCG YER ZAR ZMW ZWG'),
    (3, 'BHD IQD JOD KWD LYD OMR TND'),
    (4, 'CLF UYW')
) as listed (decimals, codes), regexp_split_to_table(codes, '\s+') as code;

-- Which routines this database has, and which migrations have made its tables: number → digest of the
-- file. The newest row counts.
create table routine_set (
    set_id     bigint      generated always as identity primary key,
    digest     text        not null,
    migrations jsonb       not null,
    applied_at timestamptz not null default moment()
);

-- Every SKU that anybody has spoken of: it was ordered, received, bought or described. The row is made
-- by whoever comes first; as long as nobody has described it, it has the defaults.
create table item (
    sku            text      primary key,
    described      boolean   not null default false,  -- the shop has said something of it
    name           some_text,
    backorder      boolean   not null default false,  -- may be ordered while there is none
    available_from date,                            -- before that day it is only ordered ahead
    discontinued   boolean   not null default false,  -- what is gone is not bought again
    handling       text      not null default 'shipped'  -- how its units come to the customer
        constraint item_handling_is_known check (
            handling in ('shipped', 'digital', 'made_to_order', 'drop_ship', 'service')
            or handling ~ '^x:[a-z0-9][a-z0-9_-]*$'),
    category       some_text,                         -- for rules that name it
    constraint discontinued_item_does_not_come_again check (
        not (discontinued and (backorder or available_from is not null)))
);

-- By the words of its SKU and its name, and what stands inside of them.
create index item_by_words on item using gin (words_within(searched(sku || ' ' || coalesce(name, ''))));
-- What is ordered ahead, or was: few.
create index item_with_a_first_day on item (available_from, sku) where available_from is not null;

-- Where a report from outside and the step that waits for it meet, by the id of the step's activity.
-- Whichever comes first makes the row, and the second one calls the relay, which hands the report over.
-- The report is written in one transaction with the fact itself. The row goes with its order's end:
-- until then, a wait that begins again finds what was reported.
create table wait_report (
    order_no     bigint      not null default 0,  -- 0: it is of a purchase order
    activity_id  text        not null,
    po_id        text,
    -- When the step said that it waits. Null: it has not begun, or was told, or nobody was found.
    waits_since  timestamptz,
    outcome      jsonb,  -- null: nothing is reported yet
    reported_at  timestamptz,
    delivered_at timestamptz,
    tries        integer     not null default 0,
    -- From when on the report may be handed over. Later than at once where the step has not begun.
    try_after    timestamptz not null default moment(),
    primary key (order_no, activity_id),
    constraint report_is_for_an_order_or_a_purchase_order check (
        (order_no = 0) = (po_id is not null)),
    constraint report_has_its_time check ((outcome is null) = (reported_at is null)),
    constraint only_what_was_reported_is_delivered check (
        delivered_at is null or outcome is not null)
);
create index wait_report_pending on wait_report (try_after)
    where outcome is not null and delivered_at is null;
create index wait_report_by_purchase on wait_report (po_id) where po_id is not null;
