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
