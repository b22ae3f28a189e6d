-- migrate:up

-- The ledger: entries of anything, a day on which they count, accounts that are in the chart, periods
-- that are closed; and what the goods that we own have cost.

alter table journal_entry
    alter column order_id drop not null,
    -- The day on which it counts, in UTC.
    add column booked_on date not null default (clock_timestamp() at time zone 'UTC')::date,
    -- Its transaction. An entry gets its postings there, and none afterwards.
    add column written_by xid8 not null default pg_current_xact_id();
alter table journal_entry disable trigger journal_entry_append_only;
update journal_entry set booked_on = (at at time zone 'UTC')::date;
alter table journal_entry enable trigger journal_entry_append_only;
create index journal_entry_by_day on journal_entry (booked_on, entry_id);
create index journal_entry_by_order on journal_entry (order_id, entry_id);

alter table posting
    -- domain.accounts.Account; a test compares the two.
    add constraint posting_account_known check (account in (
        'cash_in_transit', 'receivables', 'inventory', 'disputes', 'deferred_revenue',
        'refunds_payable', 'store_credit_liability', 'tax_payable', 'purchases', 'opening_balances',
        'revenue', 'shipping_income', 'refunds', 'cost_of_goods_sold', 'provider_fees',
        'write_offs'));

create function entry_is_complete() returns trigger language plpgsql as $$
begin
    if exists (select from added join journal_entry using (entry_id)
               where written_by <> pg_current_xact_id()) then
        raise exception 'a journal entry gets no postings after its transaction'
            using errcode = 'restrict_violation';
    end if;
    return null;
end $$;
create trigger posting_of_new_entry after insert on posting
    referencing new table as added for each statement execute function entry_is_complete();

-- Closed periods ---------------------------------------------------------------------------------

-- All days through one are closed: they take no entries any more. There is no way back.
create table closing (
    through   date primary key,
    closed_at timestamptz not null default clock_timestamp(),
    who       text not null,
    constraint closing_is_over check (through < (closed_at at time zone 'UTC')::date)
);

-- An entry and a closing at the same time: each transaction with entries shares a lock from here to its
-- end, which begins when all else is done, so that it waits for nobody while it holds it; a closing
-- waits for those that share it. What is committed after a closing has seen it.
create function entry_is_of_open_period() returns trigger language plpgsql as $$
declare
    closed date;
begin
    if not exists (select from posting where entry_id = new.entry_id) then
        raise exception 'journal entry % has no postings', new.entry_id
            using errcode = 'check_violation';
    end if;
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a journal entry is written in a transaction that is read committed: another '
            'one does not see what has been closed' using errcode = 'restrict_violation';
    end if;
    perform pg_advisory_xact_lock_shared(hashtext('closing'));
    select max(through) into closed from closing;
    if new.booked_on <= closed then
        raise exception 'the books are closed through %: they take no entry of %', closed, new.booked_on
            using errcode = 'restrict_violation';
    end if;
    return null;
end $$;
create constraint trigger journal_entry_in_order after insert on journal_entry
    deferrable initially deferred for each row execute function entry_is_of_open_period();

create function closing_waits() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('closing'));
    new.closed_at := clock_timestamp();
    return new;
end $$;
create trigger closing_waits_for_entries before insert on closing for each row
    execute function closing_waits();

-- Goods ------------------------------------------------------------------------------------------

-- Units that are ours, on shelves and on their way between them. Changed only while the stock rows of
-- the SKU are locked; its row is there before them, so that whoever changes it has a row to lock.
create table inventory (
    sku      text primary key,
    quantity bigint not null default 0 check (quantity >= 0)
);

-- What all of them have cost, as far as that is known: in each currency in which some were paid.
create table inventory_value (
    sku         text   not null references inventory,
    currency    text   not null,
    value_minor bigint not null check (value_minor >= 0),
    primary key (sku, currency)
);

-- Of which SKUs a posting to inventory is.
create table inventory_posting (
    entry_id    bigint not null references journal_entry,
    sku         text   not null references inventory,
    kind        text   not null,  -- as that of the movement
    units       bigint not null check (units <> 0),
    currency    text   not null,
    value_minor bigint not null check (value_minor <> 0),
    primary key (entry_id, sku, currency)
);
create index inventory_posting_by_sku on inventory_posting (sku, currency);

-- What stock there is has cost nothing that we know of.
insert into inventory (sku, quantity)
select sku, coalesce(sum(units), 0) from (
    select sku, on_hand as units from stock
    union all select sku, sent - arrived - lost from transfer_line
) owned group by sku;
alter table stock add foreign key (sku) references inventory;

-- What an order's goods have cost is looked up when they come back.
create index movement_out_and_back on movement (order_id, sku) where kind in ('shipped', 'returned');

-- What happened stays ------------------------------------------------------------------------------

create trigger closing_append_only before update or delete on closing
    for each row execute function append_only();
create trigger inventory_posting_append_only before update or delete on inventory_posting
    for each row execute function append_only();
create trigger order_event_not_truncated before truncate on order_event
    for each statement execute function append_only();
create trigger purchase_order_event_not_truncated before truncate on purchase_order_event
    for each statement execute function append_only();
create trigger movement_not_truncated before truncate on movement
    for each statement execute function append_only();
create trigger journal_entry_not_truncated before truncate on journal_entry
    for each statement execute function append_only();
create trigger posting_not_truncated before truncate on posting
    for each statement execute function append_only();
create trigger closing_not_truncated before truncate on closing
    for each statement execute function append_only();
create trigger inventory_posting_not_truncated before truncate on inventory_posting
    for each statement execute function append_only();

-- migrate:down

drop trigger posting_not_truncated on posting;
drop trigger journal_entry_not_truncated on journal_entry;
drop trigger movement_not_truncated on movement;
drop trigger purchase_order_event_not_truncated on purchase_order_event;
drop trigger order_event_not_truncated on order_event;
drop index movement_out_and_back;
alter table stock drop constraint stock_sku_fkey;
drop table inventory_posting, inventory_value, inventory, closing;
drop function closing_waits;
drop trigger journal_entry_in_order on journal_entry;
drop function entry_is_of_open_period;
drop trigger posting_of_new_entry on posting;
drop function entry_is_complete;
alter table posting drop constraint posting_account_known;
-- What is no order's cannot be kept.
alter table posting disable trigger posting_append_only;
alter table journal_entry disable trigger journal_entry_append_only;
delete from posting where entry_id in (select entry_id from journal_entry where order_id is null);
delete from journal_entry where order_id is null;
alter table journal_entry enable trigger journal_entry_append_only;
alter table posting enable trigger posting_append_only;
drop index journal_entry_by_order;
drop index journal_entry_by_day;
alter table journal_entry
    drop column written_by, drop column booked_on, alter column order_id set not null;
