-- migrate:up

-- Written by `make baseline` from store/schema/: read it there.

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

-- Keys with which other programs come in, and their secrets. Nothing here is deleted: who did what by which
-- key can be asked for ever.

create table api_key (
    key_id       text        primary key constraint key_has_an_id check (key_id ~ '^[a-z0-9]{12}$'),
    name         some_text   not null,
    -- The list is that of domain.access.keys.Scope, and so are the next two rules.
    scopes       text[]      not null
        constraint key_may_do_something check (cardinality(scopes) > 0)
        constraint scope_is_in_the_list check (scopes <@ '{
            orders:read, orders:write, aftersales:read, aftersales:write, payments:read, payments:write,
            stock:read, stock:write, catalogue:read, catalogue:write, locations:read, locations:write,
            purchasing:read, purchasing:write, warehouse:read, warehouse:write, carriers:read, carriers:write,
            customers:read, customers:write, sellers:read, sellers:write, accounting:read, accounting:write,
            reconciliation:read, reconciliation:write, operations:read, operations:write,
            events:read, events:write, access:read, access:write}'),
    channels     text[]  -- null here and in the next: all of them
        constraint key_for_channels_names_one check (cardinality(channels) > 0),
    sellers      text[]
        constraint key_for_sellers_names_one check (cardinality(sellers) > 0),
    per_minute   integer     not null
        constraint key_may_ask_once_a_minute check (per_minute > 0),
    made_at      timestamptz not null default moment(),
    made_by      some_text   not null,
    expires_at   timestamptz
        constraint key_expires_after_it_was_made check (expires_at > made_at),
    last_used_at timestamptz,  -- to the minute: no request writes more often
    revoked_at   timestamptz,
    revoked_by   some_text,
    role         some_text,  -- in which its requests are made, where a policy has limits for roles
    constraint revoked_key_says_by_whom check ((revoked_at is null) = (revoked_by is null)),
    constraint restricted_key_may_nothing_of_nobodys check (
        channels is null and sellers is null or not scopes && '{
            stock:write, catalogue:write, locations:write, purchasing:read, purchasing:write, sellers:write,
            operations:read, operations:write, access:read, access:write}'),
    constraint key_for_channels_has_no_books check (
        channels is null or not scopes && '{
            accounting:read, accounting:write, reconciliation:read, reconciliation:write}')
);

-- A secret has 256 random bits, so its SHA-256 needs no salt and no slowness: nobody finds it by trying.
create table api_key_secret (
    key_id  text        not null constraint key_of_a_secret_is_known references api_key,
    digest  bytea       not null constraint digest_is_a_sha_256 check (octet_length(digest) = 32),
    made_at timestamptz not null default moment(),
    made_by some_text   not null,
    ends_at timestamptz  -- null: it is the newest, and works as long as the key does
        constraint secret_ends_after_it_was_made check (ends_at >= made_at),
    primary key (key_id, digest)
);
create unique index key_has_one_newest_secret on api_key_secret (key_id) where ends_at is null;

-- What was asked for under a key of its sender's (Idempotency-Key): written in the transaction of what it
-- does, and kept for as long as anybody may repeat it.
create table request_key (
    key_id   some_text   not null,  -- who asks: a key, or `staff:` and the login of somebody at a screen
    path     text        not null,  -- with the method: POST /v1/stock/receipts
    key      text        not null constraint request_key_is_short check (length(key) between 1 and 255),
    digest   text        not null,  -- of the content: a repeat is told from another request
    asked_at timestamptz not null default moment(),
    -- What was answered. Null where the effect itself tells that: an order, an order's answer.
    status   integer     constraint only_what_was_done_is_kept check (status between 200 and 299),
    location some_text,
    body     jsonb,
    primary key (key_id, path, key)
);
create index request_key_by_time on request_key (asked_at);

-- What this installation signs with, each made by the first program that needs it.
create table signing_secret (
    purpose text  primary key,
    secret  bytea not null constraint signing_secret_is_long check (octet_length(secret) >= 32)
);

-- What links to a customer's page are signed with. The newest one signs; those before it stay good for the links
-- that were made with them, until somebody revokes them.
create table page_key (
    key_no     smallint    primary key constraint page_keys_count_from_one check (key_no > 0),
    secret     bytea       not null constraint page_key_is_long check (octet_length(secret) >= 32),
    made_at    timestamptz not null default moment(),
    revoked_at timestamptz  -- since then none of its links is good
);

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

-- Orders as people and tools read them, their stories, and what stops them.

-- The register of orders. The world names an order by its id, and every row that belongs to one carries
-- its number: that is short, and grows with the time, so that rows of old orders lie together.
create table customer_order (
    order_no         bigint        generated always as identity primary key,
    order_id         text          not null constraint order_id_is_of_one_order unique,
    -- Where it comes from, and for whom it was sold then. No references: each order would lock the rows of
    -- its channel and its seller. Who takes it in has read both.
    channel          text          not null,
    seller           text          not null,
    channel_order_id text          not null,
    -- of the document: tells the same order from another one
    digest           text          not null,
    -- as it was placed, without what is about a person: that stands in order_person
    document         jsonb         not null,
    currency         currency_code not null,
    total_minor      minor_units   not null,
    placed_at        timestamptz   not null,
    received_at      timestamptz   not null default moment(),
    -- By which the order goes, whole: a change of the defaults alters no order that was taken in.
    policy           jsonb         not null,
    -- What changes stands last, so that a change writes little of the row. What the workflow decided.
    decided_at       timestamptz   not null default moment(),
    decision         text          not null default 'received'
        constraint decision_is_known check (decision in (
        'received', 'confirmed', 'rejected', 'cancelled', 'closed')),
    -- How far it has come: kept by the triggers in routines/orders.sql, because lists ask for it. No index
    -- has any of what changes.
    state             text         not null default 'received'
        constraint state_is_known check (state in (
        'received', 'held', 'confirmed', 'in_fulfilment', 'delivered', 'closed', 'rejected',
        'cancelled')),
    fulfilment_status text         not null default 'unfulfilled'
        constraint fulfilment_status_is_known check (fulfilment_status in (
        'unfulfilled', 'partly_fulfilled', 'fulfilled')),
    reason           some_text,
    -- The number first, because people ask for it without its channel.
    constraint channel_number_is_of_one_order unique (channel_order_id, channel)
)
-- A row of more than 2 KB keeps its document apart, so that a changed state does not write that again.
with (toast_tuple_target = 256, fillfactor = 85);
create index customer_order_by_received on customer_order (received_at desc, order_no desc);
create index customer_order_by_channel on customer_order (channel, received_at desc, order_no desc);
create index customer_order_by_placed on customer_order (placed_at desc, order_no desc);
-- Orders of which a person says when they are charged. What an order's policy says of that never changes.
create index customer_order_charged_by_hand on customer_order (order_no) where policy ->> 'charge' = 'manual';

-- The words of a person's names, for the search. A Korean name is one word: its given name alone is found as well.
create function words_of_names(person jsonb) returns tsvector language plpgsql immutable as $$
declare
    names text := normalize(concat_ws(' ', person #>> '{customer,name}', person #>> '{customer,company}',
                                      person #>> '{address,name}', person #>> '{billing,name}'));
begin
    return to_tsvector('simple', concat_ws(' ', names,
        case when names ~ '[가-힣]{3}' then regexp_replace(names, '(^|[^가-힣])[가-힣]([가-힣]{2,})', '\1\2', 'g') end));
end $$;

-- Who ordered, and where it goes: what is about a person stands here, and in no other row of the order.
-- `person`: those parts of the order's document, or what is left of them once they are erased.
create table order_person (
    order_no    bigint      primary key
        constraint person_is_of_an_order references customer_order,
    customer_id text        not null,
    person      jsonb       not null,
    -- What the person was in earlier versions of the order, by their number; and what is kept for edits that
    -- are not applied yet, by their request.
    earlier     jsonb       not null default '{}',
    wished      jsonb       not null default '{}',
    asked_at    timestamptz,  -- somebody has asked to erase it, which is done once the order has ended
    erased_at   timestamptz
);
create index order_person_by_customer on order_person (customer_id, order_no desc);
create index order_person_by_country on order_person ((person #>> '{address,country}'), order_no desc);
create index order_person_by_email on order_person (lower(person #>> '{customer,email}'))
    where person #>> '{customer,email}' is not null;
-- A phone's last digits: of the number backwards, its beginning.
create index order_person_by_phone_end
    on order_person (reverse(regexp_replace(person #>> '{customer,phone}', '[^0-9]', '', 'g')) text_pattern_ops)
    where person #>> '{customer,phone}' is not null and erased_at is null;
-- Words of names and their beginnings. Little is put off, so that no order waits long for what others put off.
create index order_person_by_name on order_person using gin (words_of_names(person))
    with (gin_pending_list_limit = 256) where erased_at is null;
create index order_person_to_erase on order_person (order_no) where asked_at is not null and erased_at is null;
create index order_person_unerased on order_person (order_no) where erased_at is null;

-- Versions of an order's document that a later one has taken the place of; an order that was never changed has
-- none. The present one is the order's own, and its number is one more than the highest here. `changes`: what
-- the edit changed that ended it, in words, without what is about a person. As long as its order, like its lines.
create table order_version (
    order_no    bigint      not null constraint order_version_is_of_an_order references customer_order,
    version     integer     not null constraint versions_count_from_one check (version > 0),
    document    jsonb       not null,  -- as customer_order had it, without the person
    total_minor minor_units not null,
    request_id  text        not null,
    changes     jsonb       not null,
    reason      text        not null,
    who         text        not null,
    changed_at  timestamptz not null default moment(),
    primary key (order_no, version),
    constraint a_request_changes_an_order_once unique (order_no, request_id)
);

-- Orders by their state: all but the closed ones, which are nearly all. It stands apart, kept by triggers, so
-- that no index of customer_order has to be written when an order's state changes.
create table order_in_state (
    order_no    bigint      primary key,
    state       text        not null,
    received_at timestamptz not null
);
create index order_in_state_by_state on order_in_state (state, received_at desc, order_no desc);

-- Orders on record whose workflow has not begun. Its first step takes the row away.
create table order_to_start (
    order_no    bigint      primary key
        constraint order_to_start_is_an_order references customer_order,
    bulk        boolean     not null,  -- its work lets that of others pass
    -- When the relay looks after it: the program that took it in has until then.
    start_after timestamptz not null
);
create index order_to_start_by_time on order_to_start (start_after);

create table order_line (
    order_no           bigint      not null
        constraint order_line_is_of_an_order references customer_order,
    line_id            text        not null,
    position           integer     not null,
    sku                text        not null constraint order_line_is_of_an_item references item,
    ordered            some_units  not null,
    backordered        units       not null default 0,
    allocated          units       not null default 0,
    picked             units       not null default 0,
    shipped            units       not null default 0,
    delivered          units       not null default 0,
    lost               units       not null default 0,
    cancelled          units       not null default 0,
    return_requested   units       not null default 0,
    returned           units       not null default 0,
    -- What the whole line is worth, shares of discount and shipping included.
    goods_minor        minor_units not null,
    tax_minor          minor_units not null,
    shipping_minor     minor_units not null,
    shipping_tax_minor minor_units not null,
    includes_tax       boolean     not null default false,  -- the customer saw prices with tax
    -- How its units come to the customer, as it was settled at intake: a later change of the item alters no order.
    handling           text        not null default 'shipped'
        constraint line_handling_is_known check (
            handling in ('shipped', 'pick_up', 'counter', 'digital', 'made_to_order', 'drop_ship', 'service')
            or handling ~ '^x:[a-z0-9][a-z0-9_-]*$'),  -- a workshop's
    open               bigint      generated always as
        (ordered - backordered - allocated - shipped - cancelled) stored,
    primary key (order_no, line_id),
    constraint units_of_a_line_are_at_one_place_each check (
        backordered + allocated + shipped + cancelled <= ordered),
    constraint picked_is_at_most_allocated check (picked <= allocated),
    constraint delivered_and_lost_is_at_most_shipped check (delivered + lost <= shipped),
    constraint returned_and_to_return_is_at_most_delivered check (
        return_requested + returned <= delivered)
);
create index order_line_by_sku on order_line (sku, order_no desc);
-- What is to be bought for its order.
create index order_line_to_buy on order_line (order_no)
    where handling in ('made_to_order', 'drop_ship') and backordered > 0;

-- What happened to each order: what, when, who, why. Append-only.
create table order_event (
    order_no bigint      not null constraint order_event_is_of_an_order references customer_order,
    event_id bigint      generated always as identity,
    effect   text        not null,  -- the step that tells it
    what     text        not null,
    who      text        not null,
    why      some_text,
    data     jsonb       not null default '{}',
    at       timestamptz not null default moment(),
    -- By which transaction: the sequence of events that others are told goes by it (notifications.sql).
    xact     xid8        not null default pg_current_xact_id(),
    primary key (order_no, event_id)
);
create index order_event_by_transaction on order_event (xact);

-- What the steps of an order have done: a step that runs again finds its row, changes nothing, and answers
-- as before. Written in the transaction of the effect. An order that has ended needs them only for
-- attempts that are still under way, so later they go, all of an order together.
create table effect (
    order_no bigint      not null constraint effect_is_of_an_order references customer_order,
    effect   text        not null,
    answer   jsonb,       -- null where the step answers nothing; of the end, which one it was
    ended_at timestamptz, -- of the effect 'ended', which every order that has ended has until they go
    primary key (order_no, effect),
    constraint only_the_end_has_a_time check ((ended_at is null) = (effect <> 'ended'))
);
create index effect_of_ended_orders on effect (ended_at) where ended_at is not null;

-- What people who work with an order leave for each other. It goes when the order's person is erased.
create table order_note (
    order_no bigint      not null constraint note_is_on_an_order references customer_order,
    note_no  integer     not null constraint notes_count_from_one check (note_no > 0),
    note     some_text   not null,
    who      text        not null,
    pinned   boolean     not null,  -- it stands on top of the order's page
    at       timestamptz not null default moment(),
    primary key (order_no, note_no)
);

-- What waits for a person.
create table attention (
    order_no    bigint      not null constraint attention_is_of_an_order references customer_order,
    step        text        not null,
    reason      text        not null,
    -- With which answers a person can resolve it; none where it ends by itself.
    allowed     text[]      not null default '{}',
    since       timestamptz not null default moment(),
    resolved_at timestamptz,
    resolution  some_text,
    primary key (order_no, step, since)
);
create unique index attention_is_raised_once_at_a_time on attention (order_no, step)
    where resolved_at is null;

-- Why an order does not go on until a person or a rule lets it. One for its payment is the order's own: P1, P2
-- and so on. While one of the others stands, H1, H2 and so on, nothing of the order is handed over.
create table order_hold (
    order_no    bigint      not null constraint order_hold_is_of_an_order references customer_order,
    hold_id     text        not null,
    reason      text        not null constraint hold_has_a_known_reason check (reason in (
        'payment', 'fraud_review', 'address', 'stock', 'awaiting_return', 'other')),
    note        text        not null,
    owner       some_text   not null,  -- who is to see to it: a role, or somebody's name
    who         text        not null,  -- who has placed it
    rule        some_text,             -- which rule has placed it; null: a person, or the order
    told        boolean     not null default false,  -- its customer was, and is told when the order goes on
    since       timestamptz not null default moment(),
    until       timestamptz,           -- then it ends by itself
    at_end      text        constraint hold_ends_in_a_known_way check (at_end in ('release', 'reject')),
    asked_at    timestamptz,           -- when the order was last asked to reject itself, or its address was looked at
    check_until timestamptz,           -- it stands until its address is checked, and that is tried until then
    released_at timestamptz,
    released_by text,
    end_note    some_text,
    primary key (order_no, hold_id),
    constraint hold_id_says_for_what check (hold_id ~ case reason when 'payment' then '^P[0-9]+$' else '^H[0-9]+$' end),
    constraint only_a_rule_has_an_address_checked check (check_until is null or rule is not null),
    constraint deadline_of_a_hold_has_an_end check ((until is null) = (at_end is null)),
    constraint released_hold_says_by_whom check ((released_at is null) = (released_by is null))
);
create index order_hold_open on order_hold (order_no) where released_at is null;
create index order_hold_to_check on order_hold (since) where released_at is null and check_until is not null;
create index order_hold_until on order_hold (until) where released_at is null and until is not null;

-- What an order answered to requests that have an id. Written before the answer is given.
create table answered_request (
    order_no    bigint      not null
        constraint answered_request_is_of_an_order references customer_order,
    request_id  text        not null,
    digest      text        not null,  -- of what was asked: a repeat is told from another request
    outcome     jsonb       not null,
    answered_at timestamptz not null default moment(),
    primary key (order_no, request_id)
);

-- Rules that hold orders as they are taken in (domain/orders/hold_rules.py says what one is). A few rows, which
-- go when somebody removes them.
create table hold_rule (
    rule       text        primary key,
    document   jsonb       not null,
    changed_at timestamptz not null default moment(),
    changed_by text        not null
);

-- The shop's own lists of customers and addresses whose orders are held: hashes, which tell what is on a list only
-- to one who asks for it. An entry goes when somebody takes it off.
create table hold_listing (
    list     text        not null,
    kind     text        not null
        constraint listed_kind_is_known check (kind in ('customer_id', 'email', 'name', 'phone', 'postal_code')),
    digest   bytea       not null constraint listed_digest_is_whole check (length(digest) = 32),
    added_at timestamptz not null default moment(),
    added_by text        not null,
    primary key (list, kind, digest)
);
create index hold_listing_by_digest on hold_listing (digest);

-- The journal and its closed periods, the cost of our goods, invoices and credit notes.

-- Invoices and credit notes are numbered without a gap in each series: those of a seller, a kind, a format and,
-- if the format has the year in it, a year. This table holds the last number of each series. A transaction
-- that issues a document locks the row until it ends, so the number of one that is rolled back is used by the
-- next. Every order needs these rows, so they are locked last.
create table document_counter (
    seller       text    not null constraint counter_is_of_a_seller references seller on update cascade,
    kind         text    not null
        constraint counter_is_of_a_known_kind check (kind in ('invoice', 'credit_note')),
    series       text    not null,  -- the format, however many digits it asks for
    year         integer not null,  -- 0: the format has no year, and the numbers go on
    first_number integer not null constraint first_number_is_one_or_more check (first_number >= 1),
    last_number  integer not null,
    last_on      date    not null,  -- a number is never dated before the number before it
    primary key (seller, kind, series, year),
    constraint last_number_is_not_before_the_first check (last_number >= first_number),
    constraint last_number_is_of_its_year check (year in (0, extract(year from last_on)))
);

-- The day of a seller's books now: the seller's, but never before that of its newest document, so that a month's
-- documents are what is booked in it, and never one that is closed, even where a clock, or a seller, has moved to the
-- west.
create function books_day(its_seller text) returns date language plpgsql stable as $$
begin
    return greatest((select (moment() at time zone time_zone)::date from seller where seller = its_seller),
                    (select max(last_on) from document_counter where seller = its_seller),
                    (select max(through) + 1 from closing where seller = its_seller));
end $$;

create table journal_entry (
    entry_id  bigint      generated always as identity primary key,
    -- What caused it. Each is booked once. That is held by a trigger, because a unique key would forbid to
    -- keep the years apart.
    effect    text        not null,
    order_no  bigint      constraint journal_entry_is_of_an_order references customer_order,
    -- Whose books it stands in. Left out, a trigger takes the order's seller; where there is no order, the only
    -- one; and the day of that seller's books.
    seller    text        not null,
    booked_on date        not null,
    memo      text        not null,
    -- The other seller, of an entry that claims or owes goods between two: it has an entry of its own.
    counterpart text,
    at        timestamptz not null default moment(),
    -- The transaction that wrote the entry. It writes the postings, too; later nobody may add any.
    written_by xid8 not null default pg_current_xact_id()
);
create index journal_entry_by_day on journal_entry (seller, booked_on, entry_id);
create index journal_entry_by_order on journal_entry (order_no, entry_id) where order_no is not null;
-- Entries of no order: goods that come and go.
create index journal_entry_by_effect on journal_entry (effect) where order_no is null;

create table posting (
    entry_id     bigint        not null constraint posting_is_of_an_entry references journal_entry,
    account      text          not null,
    -- debit > 0, credit < 0
    amount_minor bigint        not null
        constraint posting_moves_something check (amount_minor <> 0),
    currency     currency_code not null,
    primary key (entry_id, account, currency),
    -- domain.accounting.accounts.Account; a test compares the two.
    constraint account_is_in_the_chart check (account in (
        'cash_in_transit', 'receivables', 'trade_receivables', 'inventory', 'intercompany', 'disputes', 'deferred_revenue',
        'refunds_payable', 'store_credit_liability', 'gift_card_liability', 'voucher_liability', 'tax_payable', 'purchases', 'opening_balances',
        'revenue', 'shipping_income', 'rounding', 'refunds', 'cost_of_goods_sold', 'provider_fees',
        'breakage', 'write_offs', 'carrier_claims', 'carrier_compensation',
        'carrier_payables', 'carrier_fees', 'exchange_clearing'))
);

-- All days of a seller up to and including this one are closed: its books take no more entries of them. A closing
-- cannot be undone.
create table closing (
    seller    text        not null constraint closing_is_of_a_seller references seller on update cascade,
    through   date        not null,
    closed_at timestamptz not null default moment(),
    who       text        not null,
    primary key (seller, through)
);

-- What each account came to at the end of a closed day, but for those at zero: entries before it need not be added up
-- again. A trigger writes it with the closing.
create table closed_balance (
    seller       text          not null,
    through      date          not null,
    account      text          not null,
    currency     currency_code not null,
    amount_minor bigint        not null constraint closed_balance_is_not_zero check (amount_minor <> 0),
    primary key (seller, through, account, currency),
    constraint closed_balance_is_of_a_closing foreign key (seller, through)
        references closing on update cascade
);

-- Days of a seller's books that are over and added up: all up to the last of them, so that a page adds up these sums
-- and the entries after them alone. A duty of the relay adds a day up. An entry of such a day that is written later is
-- added by the trigger that looks for its closing (routines/accounting.sql): in rows of its own, so that no entry waits
-- for another one. So the sums are always those of all entries. A day without entries has no row.
create table book_day (
    seller     text   not null constraint book_day_is_of_a_seller references seller on update cascade,
    day        date   not null,
    late_entry bigint not null default 0,  -- the one that came later; 0: all that were there when it was added up
    entries    bigint not null,
    primary key (seller, day, late_entry)
);

create table book_day_account (
    seller       text          not null,
    day          date          not null,
    late_entry   bigint        not null default 0,
    account      text          not null,
    currency     currency_code not null,
    debit_minor  minor_units   not null,
    credit_minor minor_units   not null,
    primary key (seller, day, late_entry, account, currency),
    constraint book_day_account_is_of_an_added_day foreign key (seller, day, late_entry)
        references book_day on update cascade
);

-- What we have, or had, or await. This row is the lock of all stock of the SKU, and of what it has cost: whoever
-- changes any of it holds it (locked_stock in routines/stock.sql).
create table inventory (
    sku text primary key constraint inventory_is_of_an_item references item
);

-- The units that a seller owns: on shelves of its locations, and on their way from there.
create table holding (
    sku      text  not null constraint holding_is_of_inventory references inventory,
    seller   text  not null constraint holding_is_of_a_seller references seller on update cascade,
    quantity units not null,
    primary key (sku, seller)
);

-- The known cost of all these units together, for each currency in which some of them were paid.
create table inventory_value (
    sku         text          not null,
    seller      text          not null,
    currency    currency_code not null,
    value_minor minor_units   not null,
    primary key (sku, seller, currency),
    constraint inventory_value_is_of_a_holding foreign key (sku, seller)
        references holding on update cascade
);

-- The SKUs behind a posting to inventory.
create table inventory_posting (
    entry_id    bigint        not null
        constraint inventory_posting_is_of_an_entry references journal_entry,
    sku         text          not null
        constraint inventory_posting_is_of_owned_goods references inventory,
    kind        text          not null,  -- the kind of the movement
    units       bigint        not null constraint inventory_posting_is_of_units check (units <> 0),
    currency    currency_code not null,
    value_minor bigint        not null
        constraint inventory_posting_moves_value check (value_minor <> 0),
    primary key (entry_id, sku, currency)
);
create index inventory_posting_by_sku on inventory_posting (sku, currency);

create table document (
    number             text          not null,  -- as the series' format writes it
    seller             text          not null,
    kind               text          not null
        constraint document_is_of_a_known_kind check (kind in ('invoice', 'credit_note')),
    series             text          not null,
    year               integer       not null,  -- 0: of a series that goes on from year to year
    running            integer       not null constraint number_is_one_or_more check (running >= 1),
    -- The number before it, which must exist. Null: it is the first of its series.
    previous           integer       constraint previous_is_the_number_before check (previous = running - 1),
    order_no           bigint        not null
        constraint document_is_of_an_order references customer_order,
    part_id            text          not null,  -- a fulfilment for an invoice, a refund for a credit note
    currency           currency_code not null,
    goods_minor        minor_units   not null,
    tax_minor          minor_units   not null,
    shipping_minor     minor_units   not null,
    shipping_tax_minor minor_units   not null,
    amount_minor       bigint        not null generated always as (
        goods_minor + tax_minor + shipping_minor + shipping_tax_minor) stored,
    -- everything that is printed; a reprint reads only this
    content            jsonb         not null,
    -- What is added up for a tax report, out of the content: unpacking that of a month's documents takes long.
    taxes              jsonb         generated always as (content -> 'taxes') stored,
    rounding_minor     bigint        generated always as ((content ->> 'rounding_minor')::bigint) stored,
    -- The last line of the address that the goods went to. Null: no country stands there, as of what was sold at a
    -- counter.
    country            text          generated always as (
        substring(content #>> '{deliver_to,address,-1}' from '^[A-Z]{2}$')) stored,
    issued_on          date          not null,  -- by the seller's calendar
    issued_at          timestamptz   not null default moment(),
    -- The person on it is erased, all but this; the law wants the document whole until then.
    kept_until         date,
    -- Under its order's lock a part gets no second one, in any year.
    constraint each_part_is_documented_once unique (order_no, kind, part_id, year),
    constraint each_number_of_a_series_is_given_once primary key (seller, kind, series, year, running),
    constraint document_follows_the_one_before_it foreign key (seller, kind, series, year, previous)
        references document (seller, kind, series, year, running),
    -- However two series of a seller are written.
    constraint number_is_of_one_document_of_its_seller unique (number, seller, year),
    constraint document_is_issued_in_its_year check (year in (0, extract(year from issued_on)))
);
create unique index series_begins_once on document (seller, kind, series, year) where previous is null;
create index document_by_time on document (seller, kind, issued_at);
create index document_to_erase on document (kept_until) where kept_until is not null;
create index document_of_erased on document ((content #>> '{buyer,number}')) where kept_until is not null;

-- Each location's part of an order, and the parcels that leave.

-- One location's part of an order, and what the parcel is to contain.
create table fulfilment (
    order_no       bigint      not null
        constraint fulfilment_is_of_an_order references customer_order,
    fulfilment_id  text        not null,
    location       text        not null constraint fulfilment_is_at_a_location references location,
    state          text        not null constraint fulfilment_state_is_known check (state in (
        'open', 'picking', 'picked', 'packed', 'labelled', 'shipped', 'delivered',
        'cancelled', 'exception')),
    recalled_from  text,  -- the state in which it was recalled, when it was
    changed_at     timestamptz not null default moment(),
    -- It was late, and a person was told: what happens next is told, too.
    overdue        boolean     not null default false,
    -- Packed: when the relay last had its label bought.
    woken_at       timestamptz,
    -- What the customer was promised when it was planned. Null where no lane says how long a parcel is
    -- under way.
    promised_leave date,
    promised_on    date,
    box            some_text,  -- in which it was packed, and its weight, where somebody said so
    grams          integer     constraint parcel_weighs_something check (grams > 0),
    label_prints   integer     not null default 0,
    -- That of all its lines.
    handling       text        not null default 'shipped'
        constraint fulfilment_handling_is_known check (
            handling in ('shipped', 'pick_up', 'counter', 'digital', 'made_to_order', 'drop_ship', 'service')
            or handling ~ '^x:[a-z0-9][a-z0-9_-]*$'),  -- a workshop's
    primary key (order_no, fulfilment_id),
    constraint recalled_fulfilment_is_cancelled check (
        recalled_from is null or state = 'cancelled'),
    constraint promised_day_is_not_before_it_leaves check (
        (promised_on is null) = (promised_leave is null) and promised_on >= promised_leave)
);
-- Those that are not over: by what is to be done about them, and what a location has still to send.
create index fulfilment_in_work on fulfilment (state, location, changed_at)
    where state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped');
-- Handed over without hands, as soon as nothing holds them.
create index fulfilment_at_once on fulfilment (changed_at)
    where handling in ('counter', 'digital', 'drop_ship') and state in ('picking', 'picked', 'labelled');
-- Nobody picks them, and somebody outside hands them over.
create index fulfilment_outside on fulfilment (changed_at)
    where (handling = 'service' or handling like 'x:%') and state in ('open', 'picking', 'picked', 'packed', 'labelled');
-- Lost, or coming back: few.
create index fulfilment_exception on fulfilment (changed_at) where state = 'exception';
-- Recalled while their labels were bought, perhaps.
create index fulfilment_recalled_packed on fulfilment (changed_at) where recalled_from = 'packed';
-- Parcels whose promise may slip.
create index fulfilment_promised on fulfilment (promised_leave)
    where state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped')
        and promised_leave is not null;

create table fulfilment_line (
    order_no      bigint     not null,
    fulfilment_id text       not null,
    line_id       text       not null,
    sku           text       not null,
    -- What is still to be sent of it. 0: all of it was taken out.
    quantity      units      not null,
    -- Taken out before it was handed over: cancelled, or not wanted any more.
    taken_out     units      not null default 0,
    -- null: not counted yet
    picked        units
        constraint picked_is_at_most_asked check (picked between 0 and quantity),
    primary key (order_no, fulfilment_id, line_id),
    constraint fulfilment_line_was_asked_for check (quantity + taken_out > 0),
    constraint fulfilment_line_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment,
    constraint fulfilment_line_is_of_an_order_line foreign key (order_no, line_id)
        references order_line
);

-- The label of a fulfilment's parcel: intent first, then the carrier's answer. Tracking numbers are
-- recycled by carriers, so a parcel is known by carrier, number and fulfilment.
create table shipment (
    order_no        bigint      not null,
    fulfilment_id   text        not null,
    label_key       text        not null,
    label           text        not null
        constraint label_state_is_known
            check (label in ('requested', 'bought', 'refused', 'voided')),
    -- When the last attempt to buy the label began: a young one is not taken for dead.
    asked_at        timestamptz not null default moment(),
    carrier         some_text,
    tracking_number some_text,
    service         text        not null,
    -- The carrier's name here, by which it is found again; `carrier` is what scans call it.
    sold_by         some_text   not null,
    -- What the carrier was told of the parcel with this key, as it was packed then.
    box             some_text,
    grams           integer     constraint shipment_weighs_something check (grams > 0),
    -- It is charged so much when it leaves, at most, so it may leave only while its authorization can be
    -- charged. 0: it is paid for, or replaces a lost one.
    to_charge_minor minor_units not null default 0,
    -- While it waits, an authorization that ends sooner than this is renewed.
    renew_before    interval    not null default '0',
    unpaid_at       timestamptz,  -- when its order was told that its authorization ends; null: it was not
    refusal         some_text,
    carrier_status  text        not null default 'unknown'
        constraint carrier_status_is_known check (carrier_status in (
        'pre_transit', 'in_transit', 'out_for_delivery', 'available_for_pickup',
        'delivered', 'return_to_sender', 'failure', 'unknown')),
    last_scan_at    timestamptz,
    handed_over_at  timestamptz,
    primary key (order_no, fulfilment_id),
    constraint shipment_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment,
    -- An opened parcel may get another label: the second has the key `…:label:2`.
    constraint label_is_asked_for_once check (starts_with(label_key || ':', fulfilment_id || ':label:')),
    constraint bought_label_has_a_tracking_number check (
        label <> 'bought' or tracking_number is not null)
);
create index shipment_at_pickup_point on shipment (order_no) where carrier_status = 'available_for_pickup';
-- The number first: people ask for it without its carrier.
create index shipment_by_tracking on shipment (tracking_number, carrier);
-- For the figures of a day. Rows of one time lie together, and an index of this kind costs a changed row nothing.
create index shipment_by_hand_over on shipment using brin (handed_over_at) with (pages_per_range = 16, autosummarize = on);

-- What a carrier was asked to do with a parcel on its way: intent first, then its answer.
create table interception (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    number        integer     not null,
    request_id    text        not null,
    way           text        not null
        constraint interception_way_is_known check (way in ('redirect', 'return')),
    answer        text        not null default 'asked'
        constraint interception_answer_is_known check (answer in ('asked', 'accepted', 'refused', 'given_up')),
    fee_minor     minor_units not null default 0,
    currency      currency_code,
    since         timestamptz not null default moment(),
    primary key (order_no, fulfilment_id, number),
    constraint interception_is_asked_for_once unique (order_no, request_id),
    constraint interception_is_of_a_shipment foreign key (order_no, fulfilment_id) references shipment,
    constraint interception_has_a_fee_in_a_currency check (
        fee_minor = 0 or currency is not null and answer = 'accepted')
);

-- A label as the carrier made it, to be printed, and printed again. It names who gets the parcel, and goes
-- some time after the parcel has left.
create table label_file (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    media_type    text        not null
        constraint label_file_has_a_media_type check (media_type ~ '^[a-z]+/[a-z0-9.+-]+$'),
    content       bytea       not null
        constraint label_file_is_of_a_size check (length(content) between 1 and 1000000),
    digest        text        not null generated always as (encode(sha256(content), 'hex')) stored,
    kept_at       timestamptz not null default moment(),
    primary key (order_no, fulfilment_id, media_type),
    constraint label_file_is_of_a_shipment foreign key (order_no, fulfilment_id)
        references shipment
);
create index label_file_by_age on label_file (kept_at);

-- Goods that lie ready for their customer, who takes them with a code. The code is a secret of the customer: it
-- stands here alone, and in no story. Too many wrong tries in a row, and it is good for nothing for a while.
create table pick_up (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    code          some_text   not null,
    ready_at      timestamptz not null default moment(),
    wrong_tries   integer     not null default 0,
    tried_at      timestamptz,  -- the last wrong one
    primary key (order_no, fulfilment_id),
    constraint pick_up_is_of_a_shipment foreign key (order_no, fulfilment_id) references shipment
);

-- What a workshop, a program of somebody else's, does with a fulfilment in place of our warehouse. It is wanted from
-- when the fulfilment has its label, and begun when a workflow of the workshop's has it. Each attempt is another one.
create table outside_work (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    attempt       integer     not null default 1
        constraint outside_work_is_tried check (attempt >= 1),
    state         text        not null default 'wanted'
        constraint outside_work_state_is_known check (state in (
            'wanted', 'begun', 'done', 'failed', 'stopped')),
    said          some_text,  -- what the workshop said at its end
    changed_at    timestamptz not null default moment(),
    primary key (order_no, fulfilment_id),
    constraint outside_work_is_on_a_shipment foreign key (order_no, fulfilment_id) references shipment
);
create index outside_work_wanted on outside_work (changed_at) where state = 'wanted';

-- When a service is to be given, once that is agreed; missed: it was not given then, and another time is to be agreed.
create table appointment (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    begins_at     timestamptz,
    missed        integer     not null default 0 constraint appointment_is_missed_or_not check (missed >= 0),
    primary key (order_no, fulfilment_id),
    constraint appointment_is_of_a_fulfilment foreign key (order_no, fulfilment_id) references fulfilment
);

-- What a supplier has sent straight to the customer, and under which number; null: it told none. Each parcel gets the
-- one that was told first of those that no other has.
create table supplier_parcel (
    order_no        bigint      not null,
    line_id         text        not null,
    notice          text        not null,  -- the purchase order, and the key of its report
    carrier         some_text,
    tracking_number some_text,
    told_at         timestamptz not null default moment(),
    fulfilment_id   text,  -- that it has become
    primary key (order_no, line_id, notice),
    constraint supplier_parcel_is_of_an_order_line foreign key (order_no, line_id) references order_line,
    constraint supplier_parcel_has_carrier_and_number check ((carrier is null) = (tracking_number is null))
);

-- Codes that are sold: each is one unit of its SKU in stock, is given out once, and is then a secret of the order's
-- customer. A refund revokes it.
create table licence (
    licence_no    bigint      generated always as identity primary key,
    sku           text        not null constraint licence_is_of_an_item references item,
    location      text        not null constraint licence_is_at_a_location references location,
    code          text        not null
        constraint licence_code_is_of_a_size check (length(code) between 1 and 500),
    added_at      timestamptz not null default moment(),
    order_no      bigint,
    fulfilment_id text,
    line_id       text,
    given_at      timestamptz,
    revoked_at    timestamptz,
    constraint licence_is_known_once unique (sku, code),
    constraint licence_is_given_for_a_line foreign key (order_no, fulfilment_id, line_id)
        references fulfilment_line,
    constraint given_licence_says_to_whom check (
        (given_at is null) = (order_no is null) and (given_at is null) = (fulfilment_id is null)
        and (given_at is null) = (line_id is null)),
    constraint only_a_given_licence_is_revoked check (revoked_at is null or given_at is not null)
);
create index licence_free on licence (sku, location, licence_no) where given_at is null;
create index licence_of_order on licence (order_no, fulfilment_id, line_id) where given_at is not null;

-- Labels of parcels that were opened, because units were taken out, or that go elsewhere. Each is given back to its
-- carrier; the parcel gets another one when it is packed.
create table unused_label (
    order_no        bigint      not null,
    fulfilment_id   text        not null,
    label_key       text        not null,
    sold_by         some_text   not null,
    tracking_number some_text   not null,
    since           timestamptz not null default moment(),
    voided_at       timestamptz,
    primary key (order_no, label_key),
    constraint unused_label_is_of_a_shipment foreign key (order_no, fulfilment_id)
        references shipment
);

-- Units that were picked for a fulfilment and are not sent with it: a person puts them back on the shelf. The
-- stock counts them as free from the moment in which they were taken out.
create table put_back (
    order_no      bigint      not null,
    put_back_id   text        not null,
    fulfilment_id text        not null,
    opens_box     boolean     not null,  -- its parcel was closed already
    since         timestamptz not null default moment(),
    done_at       timestamptz,
    primary key (order_no, put_back_id),
    constraint put_back_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment
);
create index put_back_to_do on put_back (since, put_back_id) where done_at is null;

create table put_back_line (
    order_no    bigint     not null,
    put_back_id text       not null,
    line_id     text       not null,
    sku         text       not null,
    quantity    some_units not null,
    primary key (order_no, put_back_id, line_id),
    constraint put_back_line_is_of_a_put_back foreign key (order_no, put_back_id)
        references put_back,
    constraint put_back_line_is_of_an_order_line foreign key (order_no, line_id)
        references order_line
);

-- What carriers send by themselves, signed: each message is kept before it is answered, and worked through later.
-- `body` may name who has signed for a parcel, so it goes when the message is worked through.
create table carrier_message (
    message_no      bigint      generated always as identity primary key,
    sender          text        not null,  -- as the secrets name it
    message_id      text        not null,
    body            bytea,
    received_at     timestamptz not null default moment(),
    tries           integer     not null default 0,
    try_after       timestamptz not null default moment(),
    tracking_number some_text,  -- it waits, because no parcel has this number, or these
    last_error      some_text,
    processed_at    timestamptz,
    outcome         some_text,
    constraint carrier_message_is_kept_once unique (sender, message_id),
    constraint carrier_body_goes_when_it_is_processed check ((processed_at is null) = (body is not null)),
    constraint carrier_outcome_is_told_when_it_is_processed check ((processed_at is null) = (outcome is null))
);
create index carrier_message_new on carrier_message (try_after, message_no) where processed_at is null and tries = 0;
create index carrier_message_again on carrier_message (try_after, message_no) where processed_at is null and tries > 0;
create index carrier_message_of_no_parcel on carrier_message (sender, tracking_number, message_no)
    where processed_at is null and tracking_number is not null;
create index carrier_message_processed on carrier_message (processed_at) where processed_at is not null;

create table carrier_event (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    event_id      text        not null,
    status        text        not null,
    happened_at   timestamptz not null,
    detail        some_text,
    received_at   timestamptz not null default moment(),
    -- carriers send the same event more than once
    primary key (order_no, fulfilment_id, event_id),
    constraint carrier_event_is_of_a_shipment foreign key (order_no, fulfilment_id)
        references shipment
);
create index carrier_event_by_time on carrier_event using brin (received_at) with (pages_per_range = 16, autosummarize = on);

-- Returns: goods that come back, and on which terms.

-- For the sales of a seller, of a channel and of a category of items, each of them or any (null).
create table return_rule (
    seller   text
        constraint return_rule_is_for_a_seller references seller on update cascade,
    channel  text
        constraint return_rule_is_for_a_channel references channel,
    category some_text,
    terms    jsonb not null,  -- domain.aftersales.return_rules.ReturnTerms
    constraint return_rule_is_one_for_its_sales unique nulls not distinct (seller, channel, category)
);

create table order_return (
    order_no      bigint      not null
        constraint order_return_is_of_an_order references customer_order,
    return_id     text        not null,
    -- 'undeliverable': the carrier brings it back; the customer did not ask. 'found': it was lost, which was
    -- paid back or replaced, and it comes back all the same. 'claimed': a claim of it was met.
    kind          text        not null
        constraint return_is_of_a_known_kind check (kind in ('customer', 'undeliverable', 'found', 'claimed')),
    fulfilment_id text,
    state         text        not null
        constraint return_state_is_known
            check (state in ('requested', 'approved', 'in_transit', 'refused', 'received', 'refunded', 'closed')),
    reason        text        not null,
    -- The codes of the rules that want a person to decide.
    asks          text[]      not null default '{}',
    -- Of an approved one: when the customer is told that it is overdue, and how often that was done.
    chase_at      timestamptz,
    chased        integer     not null default 0
        constraint chased_is_not_negative check (chased >= 0),
    -- It was paid back when a carrier had its parcel, before it was counted.
    paid_early    boolean     not null default false,
    -- Of an undeliverable one: it goes out once more when it is back, and is not paid back.
    anew          boolean     not null default false
        constraint only_what_is_undeliverable_goes_out_anew check (not anew or kind = 'undeliverable'),
    ended_because some_text,  -- before anything came: who refused it, or why it was given up
    changed_at    timestamptz not null default moment(),
    primary key (order_no, return_id),
    constraint order_return_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment,
    constraint whole_parcel_is_a_fulfilment_and_nothing_else_is check (
        (kind in ('undeliverable', 'found')) = (fulfilment_id is not null)),
    constraint only_a_customers_return_is_paid_early check (not paid_early or kind = 'customer'),
    constraint refused_return_says_why check (state <> 'refused' or ended_because is not null)
);
create index order_return_overdue on order_return (chase_at)
    where state in ('approved', 'in_transit') and kind <> 'undeliverable';
create index order_return_awaited on order_return (changed_at) where state in ('requested', 'approved', 'in_transit');

create table return_line (
    order_no    bigint     not null,
    return_id   text       not null,
    line_id     text       not null,
    sku         text       not null,
    quantity    some_units not null,
    reason_code text       not null default 'other'
        constraint return_has_a_known_reason check (reason_code in (
            'did_not_fit', 'damaged', 'defective', 'wrong_item', 'not_as_described', 'changed_mind',
            'too_late', 'other')),
    restocked   units      not null default 0,
    scrapped    units      not null default 0,
    refurbished units      not null default 0,
    to_supplier units      not null default 0,
    primary key (order_no, return_id, line_id),
    constraint return_line_is_of_a_return foreign key (order_no, return_id) references order_return,
    constraint return_line_is_of_an_order_line foreign key (order_no, line_id)
        references order_line,
    -- the rest is missing
    constraint received_is_at_most_what_was_asked_for check (
        restocked + scrapped + refurbished + to_supplier <= quantity)
);

-- The units of a line that came, by their condition. `photo`: an address, or an id of one.
create table return_unit (
    order_no    bigint     not null,
    return_id   text       not null,
    line_id     text       not null,
    number      integer    not null,
    quantity    some_units not null,
    condition   text       not null constraint return_unit_is_in_a_known_condition
        check (condition in ('new', 'opened', 'used', 'damaged')),
    disposition text       not null constraint return_unit_has_a_known_disposition
        check (disposition in ('restock', 'refurbish', 'scrap', 'supplier')),
    photo       some_text,
    reference   some_text,  -- of the supplier
    lacks       jsonb      not null default '{}',  -- of a kit: the parts that each of them came without
    primary key (order_no, return_id, line_id, number),
    constraint return_unit_is_of_a_return_line foreign key (order_no, return_id, line_id)
        references return_line
);

-- The label of a return's parcel: intent first, then the carrier's answer. A duty of the relay buys it, and gives it
-- back where nothing comes after all (`unwanted`).
create table return_label (
    order_no        bigint      not null,
    return_id       text        not null,
    label_key       text        not null,
    label           text        not null default 'requested'
        constraint return_label_state_is_known check (label in ('requested', 'bought', 'refused', 'voided')),
    unwanted        boolean     not null default false,
    service         text        not null,
    -- To which of ours the parcel goes.
    location        text        not null constraint return_label_is_to_a_location references location,
    -- The customer pays it: it is taken off what is paid back. 0: it is free.
    fee_minor       minor_units not null,
    sold_by         some_text,   -- the carrier's name here; `carrier` is what scans call it
    carrier         some_text,
    tracking_number some_text,
    refusal         some_text,
    asked_at        timestamptz, -- when the last attempt to buy it began
    tries           integer     not null default 0
        constraint return_label_tries_are_not_negative check (tries >= 0),
    try_after       timestamptz default moment(),  -- null: nothing is to be done
    carrier_status  text        not null default 'unknown'
        constraint return_label_has_a_known_carrier_status check (carrier_status in (
        'pre_transit', 'in_transit', 'out_for_delivery', 'available_for_pickup',
        'delivered', 'return_to_sender', 'failure', 'unknown')),
    first_scan_at   timestamptz, -- that the carrier has it
    last_scan_at    timestamptz,
    primary key (order_no, return_id),
    constraint return_label_is_of_a_return foreign key (order_no, return_id) references order_return,
    constraint bought_return_label_has_a_number check (
        label <> 'bought' or carrier is not null and tracking_number is not null and sold_by is not null)
);
create index return_label_to_do on return_label (try_after) where try_after is not null;
create index return_label_by_tracking on return_label (tracking_number, carrier);

-- Each label as its carrier made it. It names who sends the parcel, and goes some time later.
create table return_label_file (
    order_no   bigint      not null,
    return_id  text        not null,
    media_type text        not null
        constraint return_label_file_has_a_media_type check (media_type ~ '^[a-z]+/[a-z0-9.+-]+$'),
    content    bytea       not null
        constraint return_label_file_is_of_a_size check (length(content) between 1 and 1000000),
    digest     text        not null generated always as (encode(sha256(content), 'hex')) stored,
    kept_at    timestamptz not null default moment(),
    primary key (order_no, return_id, media_type),
    constraint return_label_file_is_of_a_label foreign key (order_no, return_id) references return_label
);
create index return_label_file_by_age on return_label_file (kept_at);

create table return_scan (
    order_no    bigint      not null,
    return_id   text        not null,
    event_id    text        not null,
    status      text        not null,
    happened_at timestamptz not null,
    detail      some_text,
    received_at timestamptz not null default moment(),
    -- carriers send the same event more than once
    primary key (order_no, return_id, event_id),
    constraint return_scan_is_of_a_label foreign key (order_no, return_id) references return_label
);

-- A parcel at the dock that no return has announced, or units that came in one and were not announced with it. It is
-- open until it has become a return that is counted, or a person has settled it.
create table unannounced_parcel (
    parcel_no bigint      generated always as identity primary key,
    key       text        not null constraint unannounced_parcel_is_told_once unique,
    location  text        not null constraint unannounced_parcel_is_at_a_location references location,
    order_no  bigint      constraint unannounced_parcel_is_of_an_order references customer_order,  -- null: unknown
    came_with text,       -- the return in whose parcel it came
    asks      integer     not null default 0  -- how often its order was asked to take it back
        constraint parcel_asks_are_not_negative check (asks >= 0),
    why       some_text,  -- why a person is asked about it
    return_id text,       -- what it has become
    who       text        not null,
    since     timestamptz not null default moment(),
    ended_at  timestamptz,
    note      some_text,  -- how a person has settled it
    constraint parcel_becomes_a_return_of_its_order foreign key (order_no, return_id) references order_return,
    constraint settled_parcel_is_no_return check (note is null or ended_at is not null and return_id is null)
);
create index unannounced_parcel_open on unannounced_parcel (since) where ended_at is null;
create index unannounced_parcel_ended on unannounced_parcel (ended_at) where ended_at is not null;
create index unannounced_parcel_of_order on unannounced_parcel (order_no) where order_no is not null;

create table unannounced_unit (
    parcel_no bigint     not null
        constraint unannounced_unit_is_of_a_parcel references unannounced_parcel on delete cascade,
    number    integer    not null,
    sku       text       not null,
    quantity  some_units not null,
    condition text       not null constraint unannounced_unit_is_in_a_known_condition
        check (condition in ('new', 'opened', 'used', 'damaged')),
    photo     some_text,
    primary key (parcel_no, number)
);

-- What a customer says is wrong with what was delivered, and what was decided about it.
create table claim (
    order_no    bigint      not null constraint claim_is_of_an_order references customer_order,
    claim_id    text        not null,
    kind        text        not null
        constraint claim_is_of_a_known_kind check (kind in ('missing', 'wrong', 'damaged', 'late')),
    wish        text        constraint claim_wish_is_known check (wish in ('refund', 'reship')),
    reason      text        not null,
    evidence    text[]      not null default '{}',  -- links, or sentences
    who         text        not null,
    since       timestamptz not null default moment(),
    why_open    some_text,  -- why a person has to decide it
    answer_by   timestamptz,
    -- Null: it waits for a person.
    decision    text
        constraint claim_decision_is_known check (decision in ('reship', 'refund', 'part_refund', 'refused')),
    note        some_text,
    decided_by  text,
    decided_at  timestamptz,
    refund_id   text,       -- what was paid back for it
    return_id   text,       -- by which its units are asked back
    primary key (order_no, claim_id),
    constraint decided_claim_says_by_whom_and_when check (
        (decision is null) = (decided_by is null) and (decision is null) = (decided_at is null)),
    constraint claim_is_sent_back_by_a_return foreign key (order_no, return_id) references order_return,
    constraint only_met_claim_is_sent_back check (
        return_id is null or decision is not null and decision in ('refund', 'reship')),
    constraint claim_pays_only_as_a_refund check (
        refund_id is null or decision in ('refund', 'part_refund'))
);
create index claim_open on claim (since, order_no, claim_id) where decision is null;

create table claim_line (
    order_no bigint     not null,
    claim_id text       not null,
    line_id  text       not null,
    quantity some_units not null,
    primary key (order_no, claim_id, line_id),
    constraint claim_line_is_of_a_claim foreign key (order_no, claim_id) references claim,
    constraint claim_line_is_of_an_order_line foreign key (order_no, line_id) references order_line
);

-- What a carrier is asked to pay for a parcel that it lost or broke: one claim for each parcel.
create table carrier_claim (
    order_no      bigint        not null,
    fulfilment_id text          not null,
    amount_minor  minor_units   not null,
    currency      currency_code not null,
    reference     some_text,    -- the carrier's own number of it
    filed_by      text          not null,
    filed_at      timestamptz   not null default moment(),
    -- Null: the carrier has not answered. 'dropped': nobody asks it.
    outcome       text
        constraint carrier_claim_outcome_is_known check (outcome in ('paid', 'refused', 'dropped')),
    paid_minor    minor_units   not null default 0,
    note          some_text,
    decided_by    text,
    decided_at    timestamptz,
    -- The parcel turned up after it was paid: what became of the money.
    turned_up     text
        constraint what_became_of_the_money_is_known check (turned_up in ('given_back', 'kept')),
    primary key (order_no, fulfilment_id),
    constraint carrier_claim_is_of_a_shipment foreign key (order_no, fulfilment_id) references shipment,
    constraint carrier_claim_with_an_outcome_says_by_whom check (
        (outcome is null) = (decided_by is null) and (outcome is null) = (decided_at is null)),
    constraint carrier_pays_what_was_claimed_at_most check (
        paid_minor <= amount_minor and (paid_minor > 0) = (outcome is not null and outcome = 'paid')),
    constraint only_what_was_paid_is_given_back check (turned_up is null or paid_minor > 0)
);

-- How long after the hand-over a carrier takes claims, and keeps a parcel at a pick-up point. One that is not named
-- here has the same defaults.
create table carrier_term (
    carrier          some_text primary key,
    file_within_days integer   not null default 30
        constraint carrier_takes_claims_for_a_day_or_more check (file_within_days between 1 and 3650),
    keeps_days       integer   not null default 7
        constraint carrier_keeps_parcels_for_a_day_or_more check (keeps_days between 1 and 365)
);

-- Payments and refunds, and the messages of payment companies about them.

-- An amount by its purpose: goods without their tax, the tax on them, shipping, and the tax on that.
create type worth as (goods bigint, tax bigint, shipping bigint, shipping_tax bigint);

-- The money of each line of an order: its units by what became of their money, and amounts. Written in the
-- transaction that decides; a line without a row has none of it yet. domain.orders.charges says what each
-- decision does.
create table order_line_money (
    order_no       bigint not null,
    line_id        text   not null,
    charged        units  not null default 0,  -- units that are paid for, or are to be
    refunded       units  not null default 0,  -- units paid back, or owed
    conceded       units  not null default 0,  -- units paid back that the customer keeps
    on_way         units  not null default 0,  -- of these, those on their way back, which are not counted yet
    invoiced       units  not null default 0,  -- units that went out, for which revenue is booked
    credited       units  not null default 0,  -- units whose invoice was taken back
    prepaid        units  not null default 0,  -- units paid for and still to be sent
    resent         units  not null default 0,  -- of these, those that replace lost ones
    sendable       units,  -- so many could be sent when they were authorized; null: all
    charged_worth  worth  not null default '(0,0,0,0)',
    refunded_worth worth  not null default '(0,0,0,0)',
    invoiced_worth worth  not null default '(0,0,0,0)',
    credited_worth worth  not null default '(0,0,0,0)',
    -- shipping of units that were paid back without it, which is owed when they arrive
    withheld       worth  not null default '(0,0,0,0)',
    -- by so much all units are worth less than they were sold for: a lower price was met
    reduced        worth  not null default '(0,0,0,0)',
    primary key (order_no, line_id),
    constraint order_line_money_is_of_a_line foreign key (order_no, line_id) references order_line,
    constraint refunded_units_are_at_most_charged check (refunded <= charged),
    constraint conceded_units_are_at_most_refunded check (conceded <= refunded),
    constraint units_on_their_way_back_are_conceded check (on_way <= conceded),
    constraint credited_units_are_at_most_invoiced check (credited <= invoiced),
    constraint resent_units_are_prepaid check (resent <= prepaid)
);

-- What an order's customer has to pay: for a parcel that left, or for all of the order before anything
-- leaves. Its amount is decided before a payment company is called, and does not change after that, but
-- where the company refuses to charge ahead: then only what other means have paid by then is left of it.
create table charge (
    order_no       bigint      not null constraint charge_is_of_an_order references customer_order,
    charge_id      text        not null,  -- the fulfilment, or the order's id with `:prepaid`
    units          jsonb       not null,  -- line id → units that it pays for
    amount_minor   minor_units not null,
    captured_minor minor_units not null default 0,
    ahead          boolean     not null,  -- before its goods leave
    taken_at       timestamptz not null default moment(),
    primary key (order_no, charge_id),
    constraint captured_is_at_most_charged check (captured_minor <= amount_minor)
);

-- What the customer brought to pay with, in place of the last of the order's own means.
create table brought_tender (
    order_no   bigint      primary key
        constraint brought_tender_is_of_an_order references customer_order,
    provider   text        not null,
    token      text        not null,
    brought_at timestamptz not null default moment()
);

-- One row per order: the sums that were asked for, and those that were done. Each request first adds its
-- amount to what was asked for. So however many requests run at once, no more is charged than was
-- authorized, and no more is owed back than was charged.
create table order_money (
    order_no            bigint        primary key
        constraint order_money_is_of_an_order references customer_order,
    currency            currency_code not null,
    charged             minor_units   not null default 0,  -- what the customer has to pay by now
    authorized          minor_units   not null default 0,
    released            minor_units   not null default 0,  -- of what was authorized
    capture_granted     minor_units   not null default 0,
    captured            minor_units   not null default 0,
    refund_granted      minor_units   not null default 0,  -- owed to the customer
    refunded            minor_units   not null default 0,  -- given back
    disputed            minor_units   not null default 0,
    -- A bank took an amount in another currency back, and has not given it back: nothing is converted.
    disputed_abroad     boolean       not null default false,
    voided              boolean       not null default false,
    -- A charge or an invoice was decided after a refund of the same order. Its amount can then differ by a
    -- minor unit, depending on which of the two came first.
    billed_after_refund boolean       not null default false,
    constraint captured_is_at_most_asked_for check (captured <= capture_granted),
    constraint refunded_is_at_most_owed check (refunded <= refund_granted),
    constraint owed_is_at_most_charged check (refund_granted <= charged),
    constraint refunded_is_at_most_captured check (refunded <= captured),
    constraint captures_and_releases_are_at_most_authorized check (
        0 <= released and capture_granted + released <= authorized)
);

-- The authorizations, each under the key of the operation that asked for it, with the sums that were asked
-- of it and those that were done. Each request first adds its amount here; the audit compares the sums with
-- the operations. Released: voided, expired, or left over after the only capture that the provider allows.
create table payment_authorization (
    authorization_key text          not null,
    order_no          bigint        not null
        constraint payment_authorization_is_of_an_order references customer_order,
    provider          text          not null,
    tender            integer       not null constraint tender_is_one_or_more check (tender >= 1),
    amount_minor      minor_units   not null,
    currency          currency_code not null,
    part_of           some_text,  -- the fulfilment that it pays for; null: any
    -- It can be charged once, and pays for all of the order: the first parcel that leaves is charged
    -- together with the rest, of which a part alone is less than the company authorizes.
    whole             boolean       not null default false
        constraint authorization_of_the_whole_is_of_no_part check (not whole or part_of is null),
    expires_at        timestamptz,  -- it can be charged until then; null: it does not expire
    capture_granted   minor_units   not null default 0,
    captured          minor_units   not null default 0,
    refund_granted    minor_units   not null default 0,
    refunded          minor_units   not null default 0,
    released          minor_units   not null default 0,
    primary key (order_no, authorization_key),
    constraint captures_and_releases_are_at_most_the_authorization check (
        capture_granted + released <= amount_minor),
    constraint captured_by_it_is_at_most_asked_for check (captured <= capture_granted),
    constraint refunds_by_it_are_at_most_captured check (refund_granted <= captured),
    constraint refunded_by_it_is_at_most_asked_for check (refunded <= refund_granted)
);

-- Each call to a provider, and each payment that was made by hand instead. The row is written first, and
-- then the provider is called with the row's key: requested → succeeded or failed. Unknown: the provider was
-- called, and no answer came.
create table payment_operation (
    payment_key       text          not null,
    order_no          bigint        not null
        constraint payment_operation_is_of_an_order references customer_order,
    kind              text          not null constraint operation_is_of_a_known_kind
        check (kind in ('authorize', 'capture', 'void', 'refund')),
    -- The authorization that it makes, or that it uses. Null: done by hand, or refunded as store credit or a voucher.
    authorization_key text,
    provider          text          not null,
    tender            integer       not null default 1
        constraint operation_is_of_a_tender check (tender >= 1),  -- its place in the order's list
    amount_minor      minor_units   not null,
    currency          currency_code not null,
    part_of           some_text,  -- the step that it belongs to; for an authorization see payment_authorization
    state             text          not null constraint operation_state_is_known
        check (state in ('requested', 'unknown', 'succeeded', 'failed')),
    reference         some_text,  -- the provider's name for it
    code              some_text,  -- why it failed
    message           some_text,
    requested_at      timestamptz   not null default moment(),
    called_at         timestamptz,  -- when it was last sent to a company that does not know keys
    settled_at        timestamptz,
    primary key (order_no, payment_key),
    constraint operation_is_about_an_authorization_of_its_order
        foreign key (order_no, authorization_key) references payment_authorization,
    constraint authorization_has_the_key_of_its_operation check (
        (kind = 'authorize') = (authorization_key is not distinct from payment_key)),
    constraint void_is_about_an_authorization check (
        kind <> 'void' or authorization_key is not null),
    constraint settled_operation_has_its_time check (
        (state in ('succeeded', 'failed')) = (settled_at is not null))
);
create index payment_operation_unsettled on payment_operation (requested_at)
    where state in ('requested', 'unknown');
create index payment_operation_settled on payment_operation (provider, settled_at)
    where state = 'succeeded';
create index payment_operation_by_reference on payment_operation (reference);

-- Amounts that are owed to the customer, each with its reason and the part that was paid back.
create table refund (
    refund_id          text          not null,
    order_no           bigint        not null
        constraint refund_is_of_an_order references customer_order,
    kind               text          not null constraint refund_is_of_a_known_kind check (kind in (
        'return', 'lost', 'cancelled', 'units', 'shipping', 'goodwill', 'price_match', 'claim',
        'elsewhere')),
    units              jsonb         not null default '{}',  -- line id → units paid back
    goods_minor        minor_units   not null,
    tax_minor          minor_units   not null,
    shipping_minor     minor_units   not null,
    shipping_tax_minor minor_units   not null,
    amount_minor       bigint        not null generated always as (
        goods_minor + tax_minor + shipping_minor + shipping_tax_minor) stored,
    currency           currency_code not null,
    -- the part of it that had been invoiced; the rest had only been charged
    credited_minor     minor_units   not null,
    -- what the seller keeps of what the units are worth: a fee for restocking, and postage
    kept               worth         not null default '(0,0,0,0)',
    issued_minor       minor_units   not null default 0,
    -- The part of the issued amount that a bank sent back, and that was not yet paid another way.
    came_back_minor    minor_units   not null default 0,
    reason             text          not null,
    who                text          not null,
    -- where the money goes: the way it was paid, store credit of the customer, or a voucher
    pay_to             text          not null default 'original'
        constraint refund_goes_a_known_way check (pay_to in ('original', 'store_credit', 'voucher')),
    granted_at         timestamptz   not null default moment(),
    role               some_text,  -- in which goodwill was given, where the policy limits it by roles
    primary key (order_no, refund_id),
    constraint issued_is_at_most_granted check (
        issued_minor <= goods_minor + tax_minor + shipping_minor + shipping_tax_minor),
    constraint credited_is_at_most_granted check (
        credited_minor <= goods_minor + tax_minor + shipping_minor + shipping_tax_minor),
    constraint came_back_is_at_most_issued check (came_back_minor <= issued_minor)
);
create index refund_given_in_a_role on refund (who, granted_at) where role is not null;
create index refund_owed on refund (granted_at) where issued_minor - came_back_minor < amount_minor;

-- Messages that payment companies send by themselves. Each is kept before it is answered, and processed
-- later.
create table provider_event (
    provider     text        not null,
    event_id     text        not null,  -- given by the company, which may send an event more than once
    type         text        not null,
    body         jsonb       not null,
    happened_at  timestamptz not null,  -- by the company's clock
    received_at  timestamptz not null default moment(),
    processed_at timestamptz,
    tries        integer     not null default 0,
    try_after    timestamptz not null default moment(),
    last_error   some_text,
    primary key (provider, event_id)
);
-- Processed ones are kept for as long as the company may send them again.
create index provider_event_processed on provider_event (processed_at) where processed_at is not null;
create index provider_event_by_time on provider_event (received_at desc, provider desc, event_id desc);
create index provider_event_due on provider_event (try_after) where processed_at is null;

-- A payment that the customer's bank took back or questions, in the state that the company told last.
create table dispute (
    provider     text          not null,
    dispute_id   text          not null,
    subjects     text[]        not null,  -- the company's ids of the disputed payment
    -- null: the payment is not ours, or not known yet
    payment_key  text,
    order_no     bigint,
    amount_minor minor_units   not null
        constraint dispute_is_about_an_amount check (amount_minor > 0),
    currency     currency_code not null,
    fee_minor    minor_units   not null default 0,
    fee_currency currency_code not null,
    state        text          not null constraint dispute_state_is_known check (state in (
        'warning_needs_response', 'warning_under_review', 'warning_closed',
        'needs_response', 'under_review', 'appeal_needs_response', 'appeal_under_review',
        'won', 'lost', 'prevented')),
    moves        integer       not null default 0,  -- money movements that the company had made by then
    reason       text          not null,
    opened_at    timestamptz   not null,
    respond_by   timestamptz,
    -- the time of this state by the company's clock; older messages are ignored
    said_at      timestamptz   not null,
    closed_at    timestamptz,
    told         integer       not null default 0,  -- how often the state changed
    heard_at     timestamptz   not null default moment(),
    primary key (provider, dispute_id),
    constraint dispute_is_of_a_payment foreign key (order_no, payment_key)
        references payment_operation,
    constraint dispute_of_an_order_is_about_a_payment check (
        (order_no is null) = (payment_key is null))
);
create index dispute_by_order on dispute (order_no);
create index dispute_unplaced on dispute (heard_at) where order_no is null;

-- Reconciliation: each day of each payment company, compared with ours --------------------------------

create table reconciliation (
    provider  text        not null,
    day       date        not null,  -- UTC, by the company's clock
    ran_at    timestamptz not null default moment(),  -- the last time
    runs      integer     not null default 1,
    listed    integer     not null,  -- the company's effects of the day
    matched   integer     not null,
    under_way integer     not null,  -- still without an outcome, in good time
    -- open: it has an open difference
    state     text        not null
        constraint reconciliation_state_is_known check (state in ('clean', 'open')),
    primary key (provider, day),
    constraint matched_is_at_most_listed check (
        runs >= 1 and 0 <= matched and matched <= listed and under_way >= 0)
);

-- Differences between a company's records and ours, until they are resolved.
create table reconciliation_difference (
    difference_id bigint      generated always as identity primary key,
    provider      text        not null,
    day           date        not null,
    -- our key, or the company's reference where we have no key
    subject       text        not null,
    class         text        not null constraint difference_is_of_a_known_class check (class in (
        'missing_here', 'missing_there', 'amount', 'state')),
    order_id      some_text,  -- as one of the two sides says; null: neither does
    why           text        not null,
    remedy        text        not null
        constraint remedy_is_known check (remedy in ('retry', 'void', 'operator')),
    ours          jsonb,
    theirs        jsonb,
    resolution    text        not null default 'open'
        constraint resolution_is_known check (resolution in ('open', 'mended', 'resolved')),
    note          some_text,  -- how it was resolved, or why it is still open
    who           some_text,
    found_at      timestamptz not null default moment(),
    closed_at     timestamptz,
    constraint reconciliation_difference_is_of_a_compared_day foreign key (provider, day)
        references reconciliation,
    constraint difference_is_kept_once unique (provider, day, subject, class),
    constraint difference_is_there_on_a_side check (num_nonnulls(ours, theirs) > 0),
    constraint difference_that_is_not_open_has_an_end check (
        (resolution = 'open') = (closed_at is null))
);
create index difference_by_order on reconciliation_difference (order_id) where order_id is not null;
create index difference_open on reconciliation_difference (day) where resolution = 'open';

-- Exchanges --------------------------------------------------------------------------------------

-- What comes back with a return pays for the exchange order. Whoever writes has locked the order of the return,
-- and then, where he changes something of it, the exchange order. As long as its orders, like their returns.
create table exchange (
    order_no      bigint        not null,
    return_id     text          not null,
    exchange_no   bigint        not null
        constraint exchange_order_is_an_order references customer_order,
    mode          text          not null
        constraint exchange_mode_is_known check (mode in ('standard', 'advance')),
    -- what it pays of the exchange order at most, as it was agreed
    tender_minor  minor_units   not null,
    currency      currency_code not null,
    agreed_at     timestamptz   not null default moment(),
    -- What it pays of it at most, by what came back. Null: the return has not ended, and the order not either.
    settled_minor minor_units,
    settled_at    timestamptz,
    primary key (order_no, return_id),
    constraint exchange_order_is_of_one_exchange unique (exchange_no, order_no),
    constraint exchange_is_of_a_return foreign key (order_no, return_id) references order_return,
    constraint exchange_order_is_another_order check (exchange_no <> order_no),
    constraint settled_exchange_has_its_time check ((settled_minor is null) = (settled_at is null)),
    constraint exchange_pays_what_was_agreed_at_most check (settled_minor <= tender_minor)
);

-- Money that an exchange order gives back to the order from which it came, whose companies pay it back. Under
-- the key of the operation that asked for it.
create table exchange_payback (
    order_no     bigint      not null,
    payment_key  text        not null,
    return_id    text        not null,
    returned_key text        not null,  -- the refund to the exchange that was taken back for it
    amount_minor minor_units not null
        constraint exchange_payback_is_of_an_amount check (amount_minor > 0),
    began_at     timestamptz not null default moment(),
    ended_at     timestamptz,  -- it is paid, or a person is asked
    primary key (order_no, payment_key),
    constraint exchange_payback_is_of_an_exchange foreign key (order_no, return_id) references exchange
);
create index exchange_unsettled on exchange (order_no) where settled_at is null;
create index exchange_payback_by_return on exchange_payback (order_no, return_id);

-- Store credit, vouchers and gift cards ------------------------------------------------------------

-- Amounts that the shop owes its customers, who can pay with them. They work like payment companies: their
-- tables and those of orders and payments do not refer to each other. They share ids and keys.

-- Store credit: one account for each customer, currency and seller, because the credit is the debt of a company.
-- An order gives the account's id as its payment token, so nobody must be able to guess it.
-- A voucher and a gift card are each an account of their own. An order gives its code as its payment token;
-- its id spends nothing.
create table credit_account (
    account_id       text          primary key
        default 'credit_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 20),
    customer_id      text,  -- the only one who may spend it; null: whoever has the code
    seller           text          not null
        constraint credit_account_is_of_a_seller references seller on update cascade,
    currency         currency_code not null,
    balance_minor    minor_units   not null default 0,  -- the customer's money
    authorized_minor minor_units   not null default 0,  -- the part of it that orders have authorized
    opened_at        timestamptz   not null default moment(),
    kind             text          not null default 'store_credit'
        constraint credit_account_is_of_a_known_kind check (kind in ('store_credit', 'gift_card', 'voucher')),
    code_digest      text          constraint a_code_is_of_one_account unique,  -- null: it has no code yet
    code_end         text,  -- its last four letters
    valid_through    date,  -- by the seller's calendar; null: it does not expire
    single_use       boolean       not null default false,  -- for one order; what that leaves expires
    blocked_at       timestamptz,
    -- However many orders ask at once, they never get more than there is.
    constraint authorized_credit_is_at_most_the_balance check (authorized_minor <= balance_minor),
    constraint store_credit_is_a_customers_and_has_no_code check (
        kind <> 'store_credit'
        or customer_id is not null and num_nonnulls(code_digest, valid_through, blocked_at) = 0
           and not single_use),
    constraint code_has_its_end check (num_nulls(code_digest, code_end) in (0, 2))
);
create unique index customer_has_one_account_for_a_currency on credit_account (customer_id, currency, seller)
    where kind = 'store_credit';
create index credit_account_by_kind on credit_account (opened_at desc, account_id) where kind <> 'store_credit';
create index credit_account_by_holder on credit_account (customer_id)
    where kind <> 'store_credit' and customer_id is not null;
-- What can expire, and has something left that no order has authorized.
create index credit_account_to_expire on credit_account (valid_through)
    where balance_minor > authorized_minor and (valid_through is not null or single_use);

-- Numbers for references: auth_1, capture_2, …
create sequence credit_reference;

-- An amount of an account that an order has authorized. It does not expire, even where its account does.
create table credit_authorization (
    authorization_id text        primary key,
    account_id       text        not null
        constraint credit_authorization_is_of_an_account references credit_account,
    order_id         text        not null,
    amount_minor     minor_units not null
        constraint credit_authorization_is_of_an_amount check (amount_minor > 0),
    captured_minor   minor_units not null default 0,
    refunded_minor   minor_units not null default 0,
    released_minor   minor_units not null default 0,
    voided           boolean     not null default false,
    constraint captured_credit_is_at_most_authorized check (captured_minor <= amount_minor),
    constraint refunded_credit_is_at_most_captured check (refunded_minor <= captured_minor),
    -- A void releases the whole remainder, so a capture after it breaks this rule.
    constraint voided_credit_releases_the_rest check (
        released_minor = case when voided then amount_minor - captured_minor else 0 end)
);

-- Every call with an outcome, by its key. A call that had an effect has a reference, a refused one has a
-- code. The sums of accounts and authorizations above are the sums of these.
create table credit_operation (
    operation_id      bigint        generated always as identity primary key,
    -- concurrent calls with one key have one effect
    key               text          not null
        constraint a_key_is_one_credit_operation unique,
    kind              text          not null
        constraint credit_operation_is_of_a_known_kind check (kind in (
        'issue', 'authorize', 'capture', 'void', 'refund', 'expire', 'extend', 'block', 'unblock', 'code')),
    -- the call's content: a repeat has the same one, a conflict another
    request           text          not null,
    account_id        text
        constraint credit_operation_is_of_an_account references credit_account,
    authorization_id  text
        constraint credit_operation_is_of_a_credit_authorization references credit_authorization,
    order_id          text,
    reference         text          constraint a_reference_is_one_credit_operation unique,
    amount_minor      minor_units,
    currency          currency_code,
    balance_change    bigint        not null generated always as (
        case when code is not null then 0
             when kind in ('issue', 'refund', 'extend') then amount_minor
             when kind in ('capture', 'expire') then -amount_minor
             else 0 end) stored,
    authorized_change bigint        not null generated always as (
        case when code is not null then 0
             when kind = 'authorize' then amount_minor
             when kind in ('capture', 'void') then -amount_minor
             else 0 end) stored,
    code              some_text,
    available_minor   minor_units,  -- for a call that was refused because there was too little: what there was
    who               text          not null,
    why               some_text,
    at                timestamptz   not null default moment(),
    constraint credit_operation_moves_something check (
        amount_minor > 0 or kind in ('void', 'extend', 'block', 'unblock', 'code') and amount_minor = 0),
    constraint credit_operation_is_an_effect_or_a_refusal check (
        case when code is null
            then num_nulls(account_id, reference, amount_minor, currency) = 0
                 and case when kind in ('authorize', 'capture', 'void', 'refund')
                              then num_nulls(authorization_id, order_id) = 0
                          else authorization_id is null end
            else reference is null end)
);
create index credit_operation_by_account on credit_operation (account_id, operation_id);
create index credit_operation_by_order on credit_operation (order_id, operation_id);
create index credit_operation_by_time on credit_operation (at);

-- Stock at each location, the claims on it, and its movements.

create table stock (
    sku           text  not null constraint stock_is_of_owned_goods references inventory,
    location      text  not null constraint stock_is_at_a_location references location,
    on_hand       units not null default 0,
    allocated     units not null default 0,
    safety        units not null default 0,
    -- At which level it is bought, and up to which. Null: it is not bought by itself. With a service level,
    -- the two are computed from demand.
    reorder_point units,
    order_up_to   units,
    service_level double precision
        constraint service_level_is_a_half_or_more_and_below_one
            check (0.5 <= service_level and service_level < 1),
    primary key (sku, location),
    -- No unit is sold or promised twice.
    constraint allocated_is_at_most_on_hand check (allocated <= on_hand),
    constraint order_up_to_is_above_the_reorder_point check (
        (reorder_point is null) = (order_up_to is null) and order_up_to > reorder_point)
);

-- When the units of a stock row were counted last, and how often they should be. Each stock row has one (a trigger
-- makes it): apart from it, because a list of what is to be counted needs an index, and stock changes all day.
create table stock_count (
    sku        text        not null,
    location   text        not null,
    counted_at timestamptz not null default '-infinity',  -- never
    -- By its share in what lies there (domain.warehouse.counts.CYCLES, from 1 on), and its worth in minor units of
    -- whatever it was bought in; null: nobody knows. Both are of the last time that they were measured.
    class      smallint    not null default 3 constraint class_of_a_count_is_known check (class between 1 and 3),
    worth      double precision,
    primary key (sku, location),
    constraint stock_count_is_of_stock foreign key (sku, location) references stock on delete cascade
);
create index stock_count_in_turn on stock_count (location, class, counted_at, worth desc nulls last, sku);

-- Every change of stock; rows are never removed. on_hand and allocated above are the sums of these.
create table movement (
    movement_id      bigint      generated always as identity primary key,
    -- What caused it. However often a step runs, its effect moves a stock row once. That is held by a
    -- trigger, because a unique key would forbid to keep the movements of old times apart.
    effect           text        not null,
    sku              text        not null,
    location         text        not null,
    kind             text        not null constraint movement_is_of_a_known_kind check (kind in (
        'received', 'allocated', 'released', 'shipped', 'returned', 'adjusted', 'counted',
        'transferred', 'written_off', 'to_supplier')),
    on_hand_change   bigint      not null,
    allocated_change bigint      not null,
    order_no         bigint,
    who              text        not null,
    why              text        not null,
    at               timestamptz not null default moment(),
    counted          units,  -- the counted units, if it was a count
    constraint movement_is_of_stock foreign key (sku, location) references stock
);
create index movement_by_effect on movement (effect, sku, location);
create index movement_by_stock on movement (sku, location, movement_id);
-- For returns, which look up the cost of the order's goods, and for erasing what somebody typed.
create index movement_by_order on movement (order_no, sku) where order_no is not null;
-- For what was claimed lately: demand is measured by it.
create index movement_by_time on movement using brin (at) with (pages_per_range = 16, autosummarize = on);

-- The units of an order line that are reserved at one location. quantity 0: shipped or released. For a kit,
-- each part has a row of its own, so the order keeps the parts that the kit had when it was reserved.
create table reservation (
    order_no      bigint     not null,
    fulfilment_id text       not null,
    line_id       text       not null,
    sku           text       not null,
    location      text       not null,
    quantity      units      not null,
    per_unit      some_units not null default 1,  -- units of the SKU in one unit of the line
    primary key (order_no, fulfilment_id, line_id, sku),
    constraint reservation_is_of_a_fulfilment foreign key (order_no, fulfilment_id)
        references fulfilment,
    constraint reservation_is_of_an_order_line foreign key (order_no, line_id)
        references order_line,
    constraint reservation_is_of_stock foreign key (sku, location) references stock
);
create index reservation_held on reservation (sku, location) where quantity > 0;

-- Units that an order waits for. quantity 0: they have arrived, or are no longer wanted.
create table backorder (
    order_no       bigint      not null
        constraint backorder_is_of_an_order references customer_order,
    line_id        text        not null,
    sku            text        not null,
    quantity       units       not null,
    received_at    timestamptz not null,  -- of its order: the one that was taken in first is served first
    round          integer     not null,  -- the number of the workflow's wait
    barred         text[]      not null,  -- locations that may not send it there
    -- The day that the customer was told, from the goods on their way at that time; null: no day.
    promised_leave date,
    promised_on    date,
    first_day      date,  -- the first day of sale by which the customer was told; null: it was on sale
    since          timestamptz not null default moment(),
    primary key (order_no, line_id),
    constraint backorder_is_of_an_order_line foreign key (order_no, line_id) references order_line,
    constraint promised_backorder_leaves_before_it_arrives check (promised_leave <= promised_on)
);
create index backorder_in_turn on backorder (sku, received_at, order_no, line_id) where quantity > 0;

-- Soft reservations: units that are not allocated, and that nobody else can get. They belong to a basket
-- until it expires, or to a backorder until its workflow allocates them.
create table soft_reservation (
    basket     text,
    order_no   bigint,
    line_id    text,
    sku        text        not null,
    location   text        not null,
    quantity   some_units  not null,
    expires_at timestamptz,
    made_at    timestamptz not null default moment(),
    constraint soft_reservation_is_of_a_backorder foreign key (order_no, line_id)
        references backorder,
    constraint soft_reservation_is_of_stock foreign key (sku, location) references stock,
    constraint soft_reservation_is_one_row_for_its_holder
        unique nulls not distinct (basket, order_no, line_id, sku, location),
    constraint soft_reservation_is_for_a_basket_or_an_order check (
        (basket is null) <> (order_no is null)
        and (order_no is null) = (line_id is null)
        and (basket is null) = (expires_at is null))
);
create index soft_reservation_of_stock on soft_reservation (sku, location);
create index soft_reservation_of_order on soft_reservation (order_no, line_id)
    where order_no is not null;

-- A kit: a SKU that is sold as one item and stored as its parts. It has no stock of its own, and is no part of
-- another kit.
create table kit (
    sku        text        primary key constraint kit_is_an_item references item,
    changed_at timestamptz not null default moment()
);

create table kit_part (
    kit   text       not null constraint kit_part_is_of_a_kit references kit on delete cascade,
    part  text       not null constraint kit_part_is_an_item references item,
    units some_units not null,
    primary key (kit, part),
    constraint kit_is_no_part_of_itself check (kit <> part)
);
create index kit_part_by_part on kit_part (part);

-- Goods on their way from one location to another. They have left the first and are not yet at the second.
create table transfer (
    transfer_id   text        primary key,
    from_location text        not null constraint transfer_leaves_a_location references location,
    to_location   text        not null constraint transfer_goes_to_a_location references location,
    expected_on   date,
    sent_at       timestamptz not null default moment(),
    closed_at     timestamptz,  -- when its last unit arrived or was lost
    who           text        not null,
    why           text        not null,
    constraint transfer_goes_to_another_location check (from_location <> to_location)
);
create index transfer_under_way on transfer (to_location) where closed_at is null;

create table transfer_line (
    transfer_id text       not null constraint transfer_line_is_of_a_transfer references transfer,
    sku         text       not null constraint transfer_line_is_of_an_item references item,
    sent        some_units not null,
    arrived     units      not null default 0,
    lost        units      not null default 0,
    primary key (transfer_id, sku),
    -- the rest is on its way
    constraint arrived_and_lost_is_at_most_sent check (
        arrived + lost <= sent)
);
create index transfer_line_by_sku on transfer_line (sku) where arrived + lost < sent;

-- The cost and time of a parcel from a location to a destination. The most exact row counts.
create table lane (
    location      text          not null constraint lane_is_at_a_location references location,
    country       text          not null,  -- '*': any
    postal_prefix text          not null,
    service       text          not null,  -- '*': any
    cost_minor    minor_units   not null,
    currency      currency_code not null,
    distance_km   integer       not null
        constraint distance_is_not_negative check (distance_km >= 0),
    transit_days  integer       not null
        constraint transit_is_not_negative check (transit_days >= 0),
    primary key (location, country, postal_prefix, service)
);

-- Another one after each change of kits, items, locations or lanes: the id of the transaction that made it. It
-- is written by triggers (routines/stock.sql), and read by those who keep a part of the catalogue.
create table catalogue_version (
    only_one boolean primary key default true constraint catalogue_has_one_version check (only_one),
    version  bigint  not null
);

-- Buying: suppliers and their terms, purchase orders, and the calls for new ones.

create table supplier (
    supplier_id text primary key,
    name        text not null
);

-- The terms on which a supplier sells a SKU.
create table supplier_item (
    sku            text          not null constraint supplier_sells_an_item references item,
    supplier_id    text          not null
        constraint supplier_item_is_of_a_supplier references supplier,
    lead_time_days integer       not null
        constraint lead_time_is_at_most_ten_years check (lead_time_days between 0 and 3650),
    minimum        some_units    not null,
    multiple       some_units    not null,
    unit_price     unit_price    not null,
    currency       currency_code not null,
    priority       integer       not null,  -- the supplier with the lowest one is asked first
    primary key (sku, supplier_id)
);

create table purchase_order (
    po_id          text          primary key,
    number         bigint        generated always as identity
        constraint purchase_order_has_its_own_number unique,
    supplier_id    text          not null
        constraint purchase_order_is_of_a_supplier references supplier,
    location       text          not null
        constraint purchase_order_is_at_a_location references location,
    currency       currency_code not null,
    state          text          not null constraint purchase_order_state_is_known check (state in (
        'proposed', 'approved', 'sent', 'acknowledged', 'shipped', 'closed', 'cancelled')),
    needs_approval boolean       not null,
    sent_before    boolean       not null default false,  -- before Orderloom knew of it
    policy         jsonb         not null,                -- domain.purchasing.purchase_orders.PurchasingPolicy
    created_at     timestamptz   not null default moment(),
    changed_at     timestamptz   not null default moment(),
    refused_at     timestamptz,  -- the supplier said no
    attention      text,         -- why it needs a person; null when it does not
    -- Bought for this line of an order, and for no stock.
    order_no       bigint,
    line_id        text,
    drop_ship      boolean       not null default false,  -- sent to the order's customer
    -- The relay starts the workflow, and tries again until Temporal has taken it.
    started_at     timestamptz,
    tries          integer       not null default 0,
    try_after      timestamptz   not null default moment(),
    constraint purchase_order_goes_to_one_location unique (po_id, location),
    constraint purchase_order_is_for_an_order_line foreign key (order_no, line_id)
        references order_line,
    constraint drop_ship_is_for_an_order_line check (
        (order_no is null) = (line_id is null) and (not drop_ship or order_no is not null))
);
create index purchase_order_open on purchase_order (po_id) where state not in ('closed', 'cancelled');
create index purchase_order_to_start on purchase_order (try_after) where started_at is null;
create index purchase_order_for_line on purchase_order (order_no, line_id) where order_no is not null;
create index purchase_order_by_supplier on purchase_order (supplier_id, created_at);

create table purchase_order_line (
    po_id          text        not null,
    sku            text        not null,
    location       text        not null,
    quantity       some_units  not null,
    -- the most that may be received: the ordered units and the tolerance
    receivable     units       not null,
    received       units       not null default 0,
    cancelled      units       not null default 0,  -- will not come
    acknowledged   units,  -- in all, as the supplier says; null: it has not said
    shipped        units       not null default 0,  -- as the supplier says
    unit_price     unit_price  not null,
    lead_time_days integer     not null,
    due_on         date        not null,  -- the acknowledged day; before that, computed from the lead time
    answered_at    timestamptz,  -- when the supplier said what it will send, or no answer was awaited any more
    for_order      boolean     not null default false,  -- bought for an order: as many as there are orders
    outstanding    bigint      generated always as (greatest(quantity - received - cancelled, 0)) stored,
    primary key (po_id, sku),
    constraint purchase_order_line_is_of_a_purchase_order foreign key (po_id, location)
        references purchase_order (po_id, location),
    constraint purchase_order_line_is_of_stock foreign key (sku, location) references stock,
    constraint cancelled_is_at_most_ordered check (cancelled <= quantity),
    constraint received_is_at_most_receivable check (
        received <= receivable and quantity <= receivable)
);
-- At most one unanswered purchase order for a SKU and location. Until its supplier has answered, no other one
-- is made; after that, its units count as incoming.
create unique index one_open_purchase_for_a_need on purchase_order_line (sku, location)
    where answered_at is null and not for_order;
create index purchase_line_outstanding on purchase_order_line (sku, location)
    where outstanding > 0;

-- What happened to each purchase order, as order_event is for orders. Append-only.
create table purchase_order_event (
    event_id bigint      generated always as identity primary key,
    po_id    text        not null
        constraint purchase_order_event_is_of_a_purchase_order references purchase_order,
    effect   text        not null,  -- a step that runs again tells its part once
    what     text        not null,
    who      text        not null,
    why      some_text,
    data     jsonb       not null default '{}',
    at       timestamptz not null default moment(),
    constraint purchase_order_tells_each_effect_once unique (po_id, effect)
);

-- What was sold of each stock row in a day, as it was measured last, so that nobody has to add up the journal to
-- say when it runs out: the days that were looked at, their units, and the sum of the squares of each day's.
create table stock_demand (
    sku      text    not null,
    location text    not null,
    days     integer not null constraint demand_is_of_some_days check (days >= 1),
    total    units   not null,
    squares  units   not null,
    primary key (sku, location),
    constraint demand_is_for_stock foreign key (sku, location) references stock on delete cascade
);

-- A call for a purchase order: a level was crossed, or a supplier that refused may be asked again. The
-- transaction that crosses the level writes the row. The decision deletes it, under the lock of the SKU's
-- stock.
create table replenishment_call (
    sku       text        not null constraint replenishment_call_is_for_an_item references item,
    location  text        not null,
    tries     integer     not null default 0,
    try_after timestamptz not null default moment(),
    primary key (sku, location)
);

-- The floor of a warehouse: where goods lie, by which codes they are scanned, and what people do there.

-- A place within a location, such as a shelf or a box. `walk`: its turn in the walking order, the lowest first.
create table bin (
    location text    not null constraint bin_is_at_a_location references location on delete cascade,
    bin      text    not null constraint bin_has_a_name check (bin <> ''),
    zone     text    not null default '',
    walk     integer not null default 0,
    primary key (location, bin)
);

-- Where a SKU lies. `rank`: the lowest is looked at first. It says where to go, and counts nothing.
create table bin_item (
    location text    not null,
    sku      text    not null constraint bin_item_is_of_an_item references item,
    bin      text    not null,
    rank     integer not null default 0,
    primary key (location, sku, bin),
    constraint bin_item_is_in_a_bin foreign key (location, bin) references bin on delete cascade
);
create index bin_item_by_bin on bin_item (location, bin);

-- What is printed on goods, such as a GTIN. `units`: a code on a box of twelve stands for twelve.
create table item_code (
    code  text       primary key constraint item_code_is_of_a_size check (length(code) between 1 and 200),
    sku   text       not null constraint item_code_is_of_an_item references item,
    units some_units not null default 1
);
create index item_code_by_sku on item_code (sku);

-- Where somebody works, so that nobody chooses it again with each task.
create table scan_place (
    login    text primary key,
    location text not null constraint scan_place_is_a_location references location on delete cascade
);

-- A piece of work of one person with a scanner. It stands here, so that it goes on after a reload, on another
-- device, or with somebody else. A row goes some time after its end.
create table scan_run (
    run_no     bigint      generated always as identity primary key,
    kind       text        not null constraint scan_run_kind_is_a_word check (kind ~ '^[a-z][a-z-]*$'),
    location   text        not null constraint scan_run_is_at_a_location references location on delete cascade,
    login      text        not null,  -- who has it
    who        text        not null,  -- the same, as a story names them
    begun_at   timestamptz not null default moment(),
    changed_at timestamptz not null default moment(),
    ended_at   timestamptz,
    state      jsonb       not null,               -- domain/warehouse: each kind has its own
    facts      jsonb       not null default '[]',  -- decided, and not recorded yet
    request_id text,                               -- of the form that began it, which begins one run however often it comes
    -- The last scan that was taken, by its number and its mark, and the answer to it: for a repeat.
    last_seq   bigint      not null default 0,
    last_scan  text,
    answer     jsonb
);
create index scan_run_open on scan_run (location, run_no) where ended_at is null;
create unique index scan_run_of_request on scan_run (login, request_id) where ended_at is null;
create index scan_run_left_over on scan_run (changed_at) where facts <> '[]';
create index scan_run_ended on scan_run (ended_at) where ended_at is not null;

-- What an open run works on, such as a parcel: nobody else does meanwhile.
create table scan_run_part (
    part_id text   primary key,
    run_no  bigint not null constraint scan_run_part_is_of_a_run references scan_run on delete cascade
);
create index scan_run_part_by_run on scan_run_part (run_no);

-- What a carrier has taken at once, as it was signed for. Its number is that of its run.
create table manifest (
    manifest_no bigint      primary key,
    location    text        not null constraint manifest_is_of_a_location references location,
    carrier     text        not null,
    closed_at   timestamptz not null default moment(),
    who         text        not null,
    parcels     jsonb       not null  -- part_id and tracking_number of each
);
create index manifest_of_location on manifest (location, manifest_no);

-- Trading partners, and every interchange that came from one or goes to one.

create table edi_partner (
    partner      text        primary key,
    definition   jsonb       not null,  -- domain.edi.partners.Partner
    -- Where its goods are sold, or who it is where we buy.
    channel      text        constraint partner_orders_through_a_channel references channel,
    supplier_id  text        constraint partner_is_a_supplier references supplier,
    -- Both parties on the envelope, and whether it is for tests: an interchange is of one partner.
    address      text        not null,
    retired      boolean     not null,
    -- The number of the last interchange that was written for it. They have no gaps.
    last_control integer     not null default 0
        constraint control_has_nine_digits check (last_control between 0 and 999999999),
    changed_by   text        not null,
    changed_at   timestamptz not null default moment(),
    constraint partner_is_a_customer_or_a_supplier check ((channel is null) <> (supplier_id is null))
);
create unique index edi_partner_by_address on edi_partner (address) where not retired;
create unique index edi_partner_by_supplier on edi_partner (supplier_id) where not retired;

-- An interchange as it came, or as it goes: written down before anything is done with it, and sent from here alone, so
-- that what is sent again is the same, with the same number. `raw` may name a person, and goes with it.
create table edi_interchange (
    interchange_no bigint      generated always as identity primary key,
    direction      text        not null
        constraint interchange_comes_or_goes check (direction in ('in', 'out')),
    partner        some_text,  -- null: nobody knows yet whose it is
    control        some_text,
    source         text        not null,  -- the file's name, or the key by which it came over HTTP
    raw            bytea,
    at             timestamptz not null default moment(),
    tries          integer     not null default 0,
    try_after      timestamptz not null default moment(),
    error          some_text,  -- why it could not be read, or sent
    done_at        timestamptz,  -- read, or sent
    outcome        some_text,
    constraint interchange_goes_to_a_partner check (direction = 'in' or partner is not null and control is not null)
);
create index edi_interchange_due on edi_interchange (direction, try_after, interchange_no) where done_at is null;
create index edi_interchange_by_control on edi_interchange (partner, direction, control);
create index edi_interchange_old on edi_interchange (done_at) where done_at is not null;
create unique index edi_control_is_given_once on edi_interchange (partner, control) where direction = 'out';

-- Each document in them. One that came waits until it is acted on; one that goes waits for its receipt, a 997.
create table edi_document (
    document_no    bigint      generated always as identity primary key,
    interchange_no bigint      not null
        constraint document_is_in_an_interchange references edi_interchange on delete cascade,
    place          integer     not null,  -- among the interchange's documents, from 0
    direction      text        not null,
    partner        text        not null,
    code           text        not null,
    group_control  text        not null,
    set_control    text        not null,
    reference      text        not null default '',  -- the number that it is about: an order's, a bill's
    -- What it is about here, and once: a document that goes is not written twice about the same.
    subject        some_text,
    order_id       some_text,
    po_id          some_text,
    state          text        not null constraint document_state_is_known check (state in (
        'waiting', 'done', 'rejected', 'refused', 'open', 'accepted')),
    note           some_text,
    tries          integer     not null default 0,
    try_after      timestamptz not null default moment(),
    error          some_text,    -- a person is needed
    settled_at     timestamptz,  -- who has seen to it
    receipt_due    timestamptz,  -- its 997 is awaited until then
    at             timestamptz not null default moment(),
    constraint document_has_its_place unique (interchange_no, place)
);
create unique index edi_document_goes_once on edi_document (partner, subject) where subject is not null;
create index edi_document_waiting on edi_document (try_after, document_no) where state = 'waiting';
create index edi_document_open on edi_document (receipt_due) where state = 'open';
create index edi_document_with_error on edi_document (document_no) where error is not null and settled_at is null;
create index edi_document_by_group on edi_document (partner, group_control) where direction = 'out';
create index edi_document_of_order on edi_document (order_id) where order_id is not null;
create index edi_document_of_purchase on edi_document (po_id) where po_id is not null;

-- An order that came by EDI, and what is still to be told of it. As long as its order, like its lines.
create table edi_order (
    order_id    text        primary key,
    partner     text        not null,
    asked       jsonb       not null,  -- domain.edi.asked.AskedOrder: as the customer numbered and counted it
    answered_at timestamptz,           -- its 855 was written
    told        jsonb,                 -- how each line stood when its customer heard of it last
    told_event  bigint      not null default 0,  -- what happened to it until then: an event's id
    error       some_text,             -- why what is due cannot be told
    ended_at    timestamptz,           -- nothing of it is told any more
    at          timestamptz not null default moment()
);
create index edi_order_to_tell on edi_order (order_id) where ended_at is null;
create index edi_order_with_error on edi_order (order_id) where error is not null;

-- Suppliers' invoices, each once: what was billed of a purchase order. A few for each one.
create table edi_bill (
    partner text        not null,
    number  text        not null,
    po_id   text        not null constraint bill_is_for_a_purchase_order references purchase_order,
    units   jsonb       not null,  -- SKU → units
    total   numeric     not null,
    at      timestamptz not null default moment(),
    primary key (partner, number)
);
create index edi_bill_of_purchase on edi_bill (po_id);

-- Customers, as those know them who speak with them: one for each id that a channel gave, and one for each mail
-- address under which guests have ordered. Names, phones and addresses stand in the orders' persons alone.

create table customer (
    customer_no bigint      generated always as identity primary key,
    -- By which its orders are recognised (customer_key in routines/customers.sql): `id:` and the channel's id, or
    -- `mail:` and the address of a guest. Of one who is erased: `erased:` and the number, for ever.
    key         text        not null constraint customer_is_known_once unique,
    made_at     timestamptz not null default moment(),
    erased_at   timestamptz,
    -- The customer whose person this is as well. That one is merged into no other.
    into_no     bigint      constraint customer_is_merged_into_a_customer references customer,
    constraint erased_customer_is_known_by_number_alone check ((erased_at is null) = (key not like 'erased:%')),
    constraint only_another_customer_takes_one_in check (into_no <> customer_no),
    constraint erased_customer_is_merged_into_none check (erased_at is null or into_no is null)
);
create index customer_merged on customer (into_no) where into_no is not null;

-- Who has merged two customers, why, and who has undone it. Orders know nothing of it.
create table customer_merge (
    merge_no    bigint      generated always as identity primary key,
    customer_no bigint      not null constraint merge_is_of_a_customer references customer,
    into_no     bigint      not null constraint merge_is_into_a_customer references customer,
    who         text        not null,
    why         text        not null,
    merged_at   timestamptz not null default moment(),
    undone_at   timestamptz,
    undone_by   text,
    undone_why  text,
    constraint customer_is_merged_into_another check (customer_no <> into_no),
    constraint undone_merge_says_by_whom_and_why check (
        (undone_at is null) = (undone_by is null) and (undone_at is null) = (undone_why is null))
);
create unique index customer_is_merged_once_at_a_time on customer_merge (customer_no) where undone_at is null;
create index customer_merge_by_customer on customer_merge (customer_no);
create index customer_merge_by_target on customer_merge (into_no);

-- What somebody wrote down about a customer. It goes when the customer is erased.
create table customer_note (
    note_no     bigint      generated always as identity primary key,
    customer_no bigint      not null constraint note_is_about_a_customer references customer,
    contact     text        not null constraint contact_is_of_a_known_kind check (contact in (
        'call', 'mail', 'chat', 'letter', 'visit', 'other')),
    order_id    some_text,  -- the order that it is about
    note        text        not null,
    who         text        not null,
    at          timestamptz not null default moment()
);
create index customer_note_by_customer on customer_note (customer_no, note_no desc);

-- What a customer wishes to be told, and does not; the latest word counts. It goes when the customer is erased.
create table customer_consent (
    consent_no  bigint      generated always as identity primary key,
    customer_no bigint      not null constraint consent_is_of_a_customer references customer,
    kind        text        not null constraint consent_is_of_a_known_kind check (kind in (
        'marketing', 'reviews', 'delivery_updates', 'texts')),
    given       boolean     not null,
    how         text        not null,
    who         text        not null,
    at          timestamptz not null default moment()
);
create index customer_consent_by_customer on customer_consent (customer_no, kind, consent_no desc);

-- What other systems are told of customers, by numbers alone. A duty deletes it some time after.
create table customer_change (
    change_no   bigint      generated always as identity primary key,
    customer_no bigint      not null,
    what        text        not null constraint change_of_a_customer_is_known check (what in (
        'created', 'ordered', 'changed', 'merged', 'unmerged', 'consent_changed', 'segment_entered', 'segment_left',
        'erased')),
    into_no     bigint,
    segment     text,
    at          timestamptz not null default moment(),
    -- By which transaction: readers go by it, because a lower change_no may be committed later.
    xact        xid8        not null default pg_current_xact_id(),
    constraint merged_customer_is_in_another check ((what in ('merged', 'unmerged')) = (into_no is not null)),
    constraint segment_of_a_change_is_named check (
        (what in ('segment_entered', 'segment_left')) = (segment is not null))
);
create index customer_change_by_transaction on customer_change (xact, change_no);
create index customer_change_by_time on customer_change (at);

-- The last change that was deleted, in the sequence in which they are read: who has not read so far has missed some.
-- One row.
create table customer_change_forgotten (
    only_one  boolean primary key default true
        constraint one_change_was_forgotten_last check (only_one),
    xact      xid8    not null default '0',
    change_no bigint  not null default 0
);
insert into customer_change_forgotten default values;

-- Segments of customers (domain/customers/segments.py says what one is). A few rows, which go when somebody removes
-- them.
create table customer_segment (
    segment    text        primary key,
    document   jsonb       not null,
    changed_at timestamptz not null default moment(),
    changed_by text        not null
);

-- Who belonged to a segment when somebody looked last. What changes is told (customer_change).
create table customer_segment_member (
    customer_no bigint      not null constraint member_is_a_customer references customer,
    segment     text        not null,
    since       timestamptz not null default moment(),
    primary key (customer_no, segment)
);
create index customer_segment_member_by_segment on customer_segment_member (segment, customer_no desc);

-- Behind which customer the next look begins. One row.
create table customer_segment_look (
    only_one boolean primary key default true
        constraint there_is_one_look check (only_one),
    after    bigint  not null default 0
);
insert into customer_segment_look default values;

-- What other systems are told: the sequence of events, who subscribes to them, and what was sent.

-- Where the sequencer is (routines/notifications.sql). One row.
create table event_sequence (
    only_one boolean primary key default true
        constraint there_is_one_sequence check (only_one),
    -- of the event that came last
    position bigint  not null default 0,
    -- Somebody reads. While nobody does, no event gets a position.
    reading  boolean not null default false,
    read_at  timestamptz,  -- when somebody read last who has no subscription
    -- Here it began, the last time: what was told between the position before and this one has none.
    since    bigint  not null default 0,
    -- Every transaction below this one has ended, and what it told has its position.
    horizon  xid8    not null default '0',
    -- How transactions are numbered is the server's own. What has come from another server, with a backup,
    -- has event ids up to `floor`, and is dealt with. `latest`: the last id that was given out by then.
    floor    bigint  not null default 0,
    latest   bigint  not null default 0,
    server   text,  -- null: nobody has ever read
    -- The same of what happens to customers (customer_change), which gets positions only while somebody asks for it.
    changes_horizon xid8,  -- null: nobody does
    changes_read_at timestamptz,
    changes_since   bigint not null default 0,
    changes_floor   bigint not null default 0,
    changes_latest  bigint not null default 0
);
insert into event_sequence default values;

-- The events in the sequence that readers go by. It names lines of stories and changes of customers, and repeats
-- nothing of them. No references: each would lock its order.
create table event_out (
    position    bigint      primary key,
    order_no    bigint,
    customer_no bigint,
    event_id    bigint      not null,  -- of the order's story, or change_no
    type        text        not null,
    at          timestamptz not null,
    -- Whose events keep their sequence: the order's, or below zero the customer's.
    lane        bigint      not null generated always as (coalesce(order_no, -customer_no)) stored,
    constraint event_is_of_an_order_or_a_customer check (num_nonnulls(order_no, customer_no) = 1)
);
create index event_out_by_time on event_out using brin (at);  -- they come by their times, nearly

-- Events that got their position before the horizon had passed them, with an event of the same order that came
-- later. They go when it has.
create table event_taken_early (
    event_id bigint primary key,
    xact     xid8   not null
);

-- Who is told, and of what. Null types, channels or sellers: all of them.
create table event_subscription (
    subscription_id text        primary key,
    url             text        not null,
    types           text[],
    channels        text[],
    sellers         text[],
    description     some_text,
    -- What messages are signed with, the newest first. Never shown again.
    secrets         text[]      not null
        constraint subscription_has_one_to_three_secrets check (cardinality(secrets) between 1 and 3),
    state           text        not null default 'active'
        constraint subscription_state_is_known check (state in ('active', 'paused', 'disabled')),
    why             some_text,  -- it is not active
    disabled_at     timestamptz,  -- a person is asked to see to it
    made_by         text        not null,
    made_at         timestamptz not null default moment(),
    -- Every event up to here was delivered, has a row in event_delivery, or is not for it.
    cursor          bigint      not null,
    round           integer     not null default 1,  -- counts replays
    failures        integer     not null default 0,  -- of new events, one after the other
    failing_since   timestamptz,
    rest_until      timestamptz,  -- nothing is sent before
    called_at       timestamptz,  -- its workflow was called, and works
    holder          text,         -- the attempt of the activity that delivers
    constraint active_subscription_needs_no_reason check (state <> 'active' or why is null),
    constraint disabled_subscription_says_since_when check ((state = 'disabled') = (disabled_at is not null))
);

-- Events that could not be delivered at the first attempt, and tests: until they are delivered, or dead letters.
create table event_delivery (
    delivery_id     bigint      generated always as identity primary key,
    subscription_id text        not null
        constraint delivery_is_to_a_subscription references event_subscription on delete cascade,
    -- null, as the next four, for a test
    position        bigint,
    order_no        bigint,
    customer_no     bigint,
    event_id        bigint,
    lane            bigint      generated always as (coalesce(order_no, -customer_no)) stored,
    type            text        not null,
    at              timestamptz not null,
    -- waiting: an earlier event of its order is tried again. resending: somebody wants it once more.
    state           text        not null constraint delivery_state_is_known check (
        state in ('waiting', 'retrying', 'resending', 'test', 'dead')),
    tries           integer     not null default 0,
    next_at         timestamptz not null default moment(),
    last_error      some_text,
    constraint delivery_is_of_an_event_or_a_test check ((state = 'test') = (position is null)),
    constraint event_is_delivered_once_to_a_subscription unique (subscription_id, position)
);
create index event_delivery_due on event_delivery (subscription_id, next_at)
    where state in ('retrying', 'resending', 'test');
create index event_delivery_held_back on event_delivery (subscription_id, lane, position)
    where state in ('retrying', 'waiting');

-- Each attempt to deliver, and what came of it. The latest that delivered an event says that it is not sent again.
create table event_attempt (
    subscription_id text        not null
        constraint attempt_is_for_a_subscription references event_subscription on delete cascade,
    attempt_id      bigint      generated always as identity,
    message_id      text        not null,  -- webhook-id
    position        bigint,
    order_no        bigint,
    customer_no     bigint,
    type            text        not null,
    round           integer     not null,
    delivered       boolean     not null,
    status          integer,    -- of HTTP; null: there was no answer
    took_ms         integer     not null,
    error           some_text,
    answer          some_text,  -- its beginning, of one that is no success: it may repeat what was sent
    at              timestamptz not null default moment(),
    primary key (subscription_id, attempt_id)
);
create index event_attempt_delivered on event_attempt (subscription_id, position, round) where delivered;
create index event_attempt_by_time on event_attempt (at);
create index event_attempt_answered on event_attempt (order_no) where answer is not null;
create index event_attempt_answered_of_customer on event_attempt (customer_no)
    where answer is not null and customer_no is not null;

-- What customers are told. A row holds no text, no name and no address: these are asked for when it is sent.

-- How far the sequence of events was read for messages. One row.
create table message_reading (
    only_one boolean primary key default true
        constraint there_is_one_message_reading check (only_one),
    cursor   bigint,  -- a position of event_out; null: no mail server was ever set
    secret   bytea,   -- what ids of mails are made with; null, as before
    -- What was told at the last reading: types of events by kind of channel, kinds of channels, lines that are no
    -- message. And since which position that holds: the audit looks whether each of them has its message.
    told      jsonb,
    told_from bigint
);
insert into message_reading default values;

create table message (
    order_no  bigint      not null,
    event_id  bigint      not null,  -- of the line of the order's story that it tells of
    kind      text        not null,
    state     text        not null constraint message_state_is_known check (state in (
        'planned', 'sending', 'sent', 'refused', 'bounced', 'dropped')),
    why       some_text,  -- it was dropped, refused or bounced
    -- Its address takes no mails at all.
    of_address boolean    not null default false,
    planned_at timestamptz not null default moment(),
    -- Not tried before. While it is being sent: taken for lost from then on. At its end: when that was.
    next_at   timestamptz not null default moment(),
    by        text,  -- `mail`, or the extension that sends texts; null until it is tried
    tries     integer     not null default 0,
    round     integer     not null default 1,  -- one more each time that somebody has it sent again
    holder    text,       -- the attempt that sends it
    begun_at  timestamptz,  -- the last attempt
    sent_at   timestamptz,
    mail_id   text,       -- its Message-ID
    language  text,
    answer    some_text,  -- the mail server's last one, without the address
    primary key (order_no, event_id),
    constraint message_that_is_sent_says_when check ((state in ('sent', 'bounced')) = (sent_at is not null)),
    constraint message_that_is_being_sent_has_a_holder check (state <> 'sending' or holder is not null)
);
create index message_due on message (next_at) where state in ('planned', 'sending');
create index message_by_mail on message (mail_id) where mail_id is not null;
create index message_begun on message (begun_at) where begun_at is not null;
-- For the list of tasks: few.
create index message_that_came_back on message (order_no) where state in ('refused', 'bounced');

-- Sellers' own templates, in the place of those that come with Orderloom.
create table message_template (
    seller   text        not null
        constraint template_is_of_a_seller references seller on update cascade,
    kind     text        not null,
    language text        not null,
    source   text        not null,
    set_at   timestamptz not null default moment(),
    set_by   text        not null,
    primary key (seller, kind, language)
);

-- Shops elsewhere that send their orders here, and what they have sent.

create table shop (
    channel      text        primary key constraint shop_is_a_channel references channel,
    kind         text        not null constraint shop_is_of_a_known_kind check (
        kind in ('shopify', 'woocommerce', 'generic')),
    -- What its messages are signed with, the newest first. Never shown again.
    secrets      text[]      not null
        constraint shop_has_one_to_three_secrets check (cardinality(secrets) between 1 and 3),
    options      jsonb       not null default '{}',
    connected_by text        not null,
    connected_at timestamptz not null default moment()
);

-- Each message, as it came. No reference to the shop: what it has sent stays when it is disconnected. `body` is about
-- a person, so it goes as soon as the message is worked through: the order has all of it by then.
create table shop_message (
    message_no   bigint      generated always as identity primary key,
    channel      text        not null,
    message_id   text        not null,
    topic        text        not null,
    body         bytea,
    received_at  timestamptz not null default moment(),
    sent_at      timestamptz not null,  -- where it says so and signs that; or when it came
    tries        integer     not null default 0,
    try_after    timestamptz not null default moment(),
    -- The shop's own id of the order that it is about, and as of when it tells of it.
    subject      some_text,
    version      timestamptz,
    order_id     some_text,
    asked_at     timestamptz,  -- a request was sent to the order, and is not met yet
    last_error   some_text,    -- a person is needed
    processed_at timestamptz,
    outcome      some_text,
    constraint message_is_kept_once unique (channel, message_id),
    constraint body_goes_when_it_is_processed check ((processed_at is null) = (body is not null)),
    constraint outcome_is_told_when_it_is_processed check ((processed_at is null) = (outcome is null))
);
create index shop_message_due on shop_message (try_after, message_no) where processed_at is null;
create index shop_message_by_subject on shop_message (channel, subject, version) where subject is not null;
create index shop_message_processed on shop_message (processed_at) where processed_at is not null;

-- How a shop is asked for what changed, and told what happened here; where we were given access to it.
create table shop_contact (
    channel     text        primary key
        constraint contact_is_with_a_shop references shop on delete cascade,
    address     text        not null,
    -- What opens it to us. Never shown again.
    credentials text[]      not null
        constraint contact_has_one_or_two_credentials check (cardinality(credentials) between 1 and 2),
    since       timestamptz not null default moment(),  -- what changed there before is not asked for
    -- By the shop's own clock: what changed up to here was read. Null: it was never asked.
    read_upto   timestamptz,
    -- There was more to read than there was time: it goes on from there, and looks back no further.
    reading     boolean     not null default false,
    ask_at      timestamptz not null default moment(),
    levels_at   timestamptz not null default moment(),  -- when stock levels are next compared
    -- Goods of orders that came since are told, changed or not: the shop has counted these down by itself.
    levels_told timestamptz,
    -- How it answers.
    asked_at    timestamptz,
    answered_at timestamptz,
    away_since  timestamptz,  -- null: it answers
    failures    integer     not null default 0,  -- one after the other
    refuses     boolean     not null default false,  -- it does not let us in
    error       some_text,
    rest_until  timestamptz,
    -- What it said of our access, and when somebody wants to know that again.
    check_at    timestamptz default moment(),
    checked_at  timestamptz,
    rights      text[]      not null default '{}',
    -- The worker that speaks with it, and until when it may.
    holder      text,
    held_until  timestamptz
);

-- Parcels that a shop is told of, written as they are handed over. `told`: it knows. `refused`: it will not, and a
-- person is told once. `settled`: a person has seen to it.
create table shop_parcel (
    order_no      bigint      not null,
    fulfilment_id text        not null,
    channel       text        not null,
    state         text        not null default 'due' constraint parcel_state_is_known check (
        state in ('due', 'told', 'refused', 'settled')),
    made_at       timestamptz not null default moment(),
    tries         integer     not null default 0,
    try_after     timestamptz not null default moment(),
    error         some_text,
    reference     some_text,  -- what it is called there
    note          some_text,  -- how a person has seen to it
    done_at       timestamptz,
    primary key (order_no, fulfilment_id),
    constraint parcel_is_done_at_a_time check ((done_at is null) = (state in ('due', 'refused')))
);
create index shop_parcel_due on shop_parcel (channel, made_at) where state = 'due';
create index shop_parcel_refused on shop_parcel (channel, fulfilment_id) where state = 'refused';
create index shop_parcel_done on shop_parcel (done_at) where done_at is not null;

-- The stock levels that a shop was told. A row for each SKU that there is stock of, of a shop that is told.
create table shop_level (
    channel    text        not null constraint level_is_of_a_contact references shop_contact on delete cascade,
    sku        text        not null,
    told       units,       -- null: it has not taken any
    tried_at   timestamptz not null default moment(),
    error      some_text,   -- it refused
    settled_at timestamptz, -- a person has seen to that
    note       some_text,
    primary key (channel, sku)
);
create index shop_level_refused on shop_level (channel, sku) where error is not null and settled_at is null;

-- Long work: files that are taken in or written, and many things that are asked for at once.

create table job (
    job_id          text        primary key constraint job_has_an_id check (job_id ~ '^job_[a-z0-9]{20}$'),
    -- The list is that of domain.jobs.jobs.Kind.
    kind            text        not null constraint job_is_of_a_known_kind check (kind in (
        'import_orders', 'import_stock', 'import_items', 'import_kits', 'import_supplier_terms',
        'export_orders', 'export_stock', 'export_customers', 'export_ledger',
        'cancel_orders', 'hold_orders', 'release_orders', 'charge_orders', 'resolve_steps',
        'print_pick_list', 'print_packing_slips', 'print_labels', 'print_documents')),
    options         jsonb       not null default '{}',
    key_id          text,  -- or `staff:` and the login of somebody at a screen; null: a command has made it
    made_by         some_text   not null,
    -- What its maker sees, and so what it may touch. Null: all of them.
    channels        text[],
    sellers         text[],
    locations       text[],
    state           text        not null default 'waiting' constraint job_state_is_known check (
        state in ('waiting', 'running', 'done', 'cancelled', 'failed')),
    made_at         timestamptz not null default moment(),
    begun_at        timestamptz,
    ended_at        timestamptz,
    cancel_asked_at timestamptz,
    -- Every item has its row, or the export needs none.
    items_known     boolean     not null default false,
    total           integer,
    done            integer     not null default 0,
    refused         integer     not null default 0,
    skipped         integer     not null default 0,
    reached         jsonb,  -- the place behind what is read or written
    -- Customers that were erased while it ran: what was read of orders before is read anew.
    erased          integer     not null default 0,
    failure         some_text,
    failure_code    some_text,
    -- of the file that it writes
    file_name       some_text,
    media_type      some_text,
    -- When a worker calls for its workflow again: one that Temporal has lost goes on from the rows.
    next_call_at    timestamptz not null default moment(),
    constraint job_counts_no_more_than_its_items check (done >= 0 and refused >= 0 and skipped >= 0
        and done + refused + skipped <= coalesce(total, 2147483647)),
    constraint job_that_waits_has_not_begun check ((state = 'waiting') = (begun_at is null and ended_at is null)),
    constraint job_that_has_ended_says_when check ((state in ('done', 'cancelled', 'failed')) = (ended_at is not null)),
    constraint job_that_failed_says_why check (
        (state = 'failed') = (failure is not null) and (failure is null) = (failure_code is null)),
    constraint file_of_a_job_has_a_name_and_a_type check ((file_name is null) = (media_type is null))
);
create index job_newest on job (made_at desc, job_id desc);
create index job_to_call on job (next_call_at) where ended_at is null;
create index job_ended on job (ended_at) where ended_at is not null;

-- One thing of a job. What it says of a person goes as soon as it is dealt with.
create table job_item (
    job_id    text    not null constraint item_is_of_a_job references job on delete cascade,
    number    integer not null constraint items_are_numbered_from_one check (number > 0),
    content   jsonb,
    line      integer,
    reference some_text,  -- an order's id, a SKU and the like
    begun     boolean not null default false,  -- it may be done already: it is never skipped
    outcome   text    constraint item_outcome_is_known check (outcome in ('done', 'refused', 'skipped')),
    answer    some_text,
    code      some_text,
    detail    some_text,
    faults    jsonb,
    primary key (job_id, number),
    constraint content_goes_when_its_item_is_dealt_with check ((outcome is null) = (content is not null)),
    constraint refused_item_says_why check ((outcome is not distinct from 'refused') = (code is not null))
);
-- What is to be begun, and what has begun: whoever claims some of them reads no others.
create index job_item_waits on job_item (job_id, number) where outcome is null and not begun;
create index job_item_begun on job_item (job_id, number) where outcome is null and begun;
create index job_item_by_outcome on job_item (job_id, outcome, number);
create index job_item_by_reference on job_item (reference) where reference is not null;

-- The file that an import is made of, until its items have their rows; or the file that a job writes.
create table job_part (
    job_id  text    not null constraint part_is_of_a_job references job on delete cascade,
    number  integer not null constraint parts_are_numbered_from_one check (number > 0),
    content bytea   not null,
    -- When the orders were taken in that it tells of, from and to. Null: it tells of no order.
    since   timestamptz,
    until   timestamptz,
    primary key (job_id, number),
    constraint part_tells_of_a_span check ((since is null) = (until is null) and since <= until)
);
create index job_part_by_order on job_part (since, until) where since is not null;

-- People who work with the screens, and where they are signed in. A person is never deleted: stories name them.

create table staff (
    login         text        primary key
        constraint login_is_small_letters check (login ~ '^[a-z0-9][a-z0-9._@+-]{0,59}$'),
    name          some_text   not null,
    -- domain.staff.roles.Role
    roles         text[]      not null
        constraint person_has_a_role check (cardinality(roles) > 0)
        constraint role_is_in_the_list check (
            roles <@ '{admin, lead, agent, accountant, buyer, warehouse}'),
    email         text,
    channels      text[]  -- null here and in the next two: all of them
        constraint person_for_channels_names_one check (cardinality(channels) > 0),
    sellers       text[]
        constraint person_for_sellers_names_one check (cardinality(sellers) > 0),
    locations     text[]
        constraint person_for_locations_names_one check (cardinality(locations) > 0),
    language      text,
    time_zone     text,  -- of the moments that they read; null: UTC
    -- Single letters are commands on the screens, for those who do not switch that off.
    single_keys   boolean     not null default true,
    password      text    -- argon2id, as its encoding tells; null: none
        constraint password_is_argon2id check (password like '$argon2id$%'),
    must_change   boolean     not null default false,  -- somebody else has made the password
    -- Whom their OpenID Connect provider says that they are, since they first came that way.
    issuer        text,
    subject       text,
    made_at       timestamptz not null default moment(),
    made_by       some_text   not null,
    last_seen_at  timestamptz,
    disabled_at   timestamptz,
    disabled_by   some_text,
    constraint openid_is_whole check ((issuer is null) = (subject is null)),
    constraint disabled_person_says_by_whom check ((disabled_at is null) = (disabled_by is null))
);
create unique index staff_by_mail on staff (lower(email collate "C")) where email is not null;
create unique index staff_by_openid on staff (issuer, subject) where subject is not null;

-- Lists that somebody has given a name: the query of an address (starter/web/desk/listing.py). A few for each person,
-- until they remove them.
create table saved_view (
    view_no bigint    generated always as identity primary key,
    login   text      not null constraint view_is_of_a_person references staff,
    name    some_text not null,
    query   text      not null constraint view_is_short check (length(query) <= 2000),
    shared  boolean   not null default false,  -- others see it, too
    made_at timestamptz not null default moment(),
    constraint view_has_a_name_of_its_own unique (login, name)
);

-- Its token has 256 random bits, so its SHA-256 needs no salt and no slowness.
create table staff_session (
    session_no bigint      generated always as identity primary key,
    digest     bytea       not null
        constraint session_has_a_token_of_its_own unique
        constraint session_is_known_by_a_sha_256 check (octet_length(digest) = 32),
    login      text        not null constraint session_is_of_a_person references staff,
    means      text        not null constraint session_began_by_known_means check (means in ('password', 'openid')),
    began_at   timestamptz not null default moment(),
    seen_at    timestamptz not null default moment(),  -- to the minute: no request writes more often
    ends_at    timestamptz not null,
    ended_at   timestamptz,
    ended_by   some_text,
    agent      text        not null default '',
    address    text        not null default '',
    constraint ended_session_says_by_whom check ((ended_at is null) = (ended_by is null))
);
create index staff_session_by_person on staff_session (login) where ended_at is null;
create index staff_session_by_end on staff_session (ends_at);

-- Who sees to something that waits for a person, and until when nobody has to look at it. The list of what waits is
-- made of what is there (store/views/attention.sql): a row stands beside a place of it, and goes some time after it
-- was written.
create table task_care (
    kind           text        not null,
    subject        text        not null,
    name           text        not null,
    assigned_to    text        constraint task_is_of_a_person references staff,
    assigned_by    some_text,
    assigned_at    timestamptz,
    snoozed_until  timestamptz,
    -- What the task said then: one that says something else comes back.
    snoozed_reason some_text,
    note           some_text,
    snoozed_by     some_text,
    snoozed_at     timestamptz,
    changed_at     timestamptz not null default moment(),
    primary key (kind, subject, name),
    constraint assigned_task_says_by_whom check ((assigned_at is null) = (assigned_by is null)),
    constraint snoozed_task_says_by_whom_and_why check (
        (snoozed_until is null) = (snoozed_by is null) and (snoozed_until is null) = (snoozed_at is null)
        and (snoozed_until is null) = (note is null) and (snoozed_until is null) = (snoozed_reason is null))
);
create index task_care_by_time on task_care (changed_at);

-- Wrong passwords in a row, by the SHA-256 of what was given as a login: of those that are not there, too, so
-- that nobody learns from a wait which ones are.
create table staff_try (
    login_digest bytea       primary key
        constraint tries_are_known_by_a_sha_256 check (octet_length(login_digest) = 32),
    wrong        integer     not null constraint wrong_tries_are_counted check (wrong > 0),
    last_at      timestamptz not null default moment()
);
create index staff_try_by_time on staff_try (last_at);

-- The figures of each day: what was taken, sent and paid, and what was waiting. Pages read them, because counting
-- them would read all rows of the orders. A duty of the relay counts them; whatever happened can be counted again.

-- When a day was counted last. It is a seller's day. Of no seller (''): all of them together, by days of UTC.
-- `time_zone`: by which clock it was counted; null before that. A seller may move to another one.
create table day_count (
    seller     text        not null,
    day        date        not null,
    counted_at timestamptz not null default '-infinity',
    time_zone  text,
    took_ms    integer     not null default 0,
    primary key (seller, day)
);

create table day_figure (
    seller  text   not null,
    day     date   not null,
    figure  text   not null
        constraint figure_is_known check (figure in (
            'orders', 'worth', 'shipped', 'shipped_late', 'delivered', 'delivered_late', 'authorized', 'charged',
            'refunded', 'result', 'lost', 'lost_orders', 'open_orders', 'owed_back', 'leave_today', 'leave_late',
            'arrive_late', 'stock_out', 'stock_low', 'runs_out', 'tasks', 'reports_wait', 'starts_wait',
            'mails_wait', 'events_wait', 'backlog', 'backlog_wait')),
    channel text   not null,  -- '' where it is of none
    part    text   not null,  -- an hour from 00 to 23, a currency, a state; '' where there is none
    value   bigint not null,
    primary key (seller, day, figure, channel, part)
);

-- Orders that lost money on a day, the worst ones: something was booked for it on that day that lowers it, and all
-- that is booked for the order by then adds up to less than nothing.
create table day_loss (
    seller        text          not null,
    day           date          not null,
    order_no      bigint        not null,
    channel       text          not null,
    currency      currency_code not null,
    day_minor     bigint        not null,  -- the part of it that was booked on the day
    sold_minor    bigint        not null,  -- goods and shipping, without tax
    refunds_minor bigint        not null,
    cost_minor    bigint        not null,
    others_minor  bigint        not null,  -- fees, write-offs, carriers
    result_minor  bigint        not null generated always as (
        sold_minor - refunds_minor - cost_minor - others_minor) stored,
    primary key (seller, day, order_no, currency),
    constraint loss_is_below_zero check (day_minor < 0)
);

-- migrate:down

do $$ begin
    raise exception 'there is nothing below a baseline: drop the database instead';
end $$;
