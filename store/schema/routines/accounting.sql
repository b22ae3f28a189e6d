-- A journal entry is written once, balances, belongs to an open period, and is complete when its
-- transaction ends.

-- Whether an effect has its entry: one of an order among the order's.
create or replace function is_booked(its_effect text, its_order bigint) returns boolean
language plpgsql stable as $$
begin
    if its_order is null then
        return exists (select from journal_entry where order_no is null and effect = its_effect);
    end if;
    return exists (select from journal_entry where order_no = its_order and effect = its_effect);
end $$;

-- An entry with its postings, once per effect: two writers of one effect hold the same lock.
create or replace function entry_posted(
    its_effect text, its_order bigint, its_memo text, its_currency text, accounts text[], amounts bigint[]
) returns void language plpgsql as $$
declare
    the_entry bigint;
begin
    if is_booked(its_effect, its_order) then
        return;
    end if;
    insert into journal_entry (effect, order_no, memo) values (its_effect, its_order, its_memo)
    returning entry_id into the_entry;
    insert into posting (entry_id, account, amount_minor, currency)
    select the_entry, account, amount, its_currency
    from unnest(accounts, amounts) as p (account, amount)
    where amount <> 0;
end $$;

create or replace function an_effect_is_booked_once() returns trigger language plpgsql as $$
begin
    if is_booked(new.effect, new.order_no) then
        raise exception '% is booked already', new.effect
            using errcode = 'unique_violation', constraint = 'an_effect_is_booked_once';
    end if;
    return new;
end $$;
create or replace trigger an_effect_is_booked_once before insert on journal_entry
    for each row execute function an_effect_is_booked_once();

create or replace function journal_must_balance() returns trigger language plpgsql as $$
begin
    if exists (select from posting where entry_id = new.entry_id
               group by currency having sum(amount_minor) <> 0) then
        raise exception 'journal entry % does not balance', new.entry_id
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
-- Checked at commit, when all postings of the entry are there.
drop trigger if exists posting_balances on posting;
create constraint trigger posting_balances after insert on posting
    deferrable initially deferred for each row execute function journal_must_balance();

create or replace function entry_is_complete() returns trigger language plpgsql as $$
begin
    if exists (select from added join journal_entry using (entry_id)
               where written_by <> pg_current_xact_id()) then
        raise exception 'a journal entry gets no postings after its transaction'
            using errcode = 'restrict_violation';
    end if;
    return null;
end $$;
create or replace trigger posting_of_new_entry after insert on posting
    referencing new table as added for each statement execute function entry_is_complete();

-- Entries and closings at the same time. This trigger runs at commit, when the transaction has nothing else to
-- wait for. It takes a lock that transactions with entries share, and holds it until the end. A closing waits
-- until nobody holds it. So a transaction that commits after a closing has seen the closing.
create or replace function entry_is_of_open_period() returns trigger language plpgsql as $$
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
drop trigger if exists journal_entry_in_order on journal_entry;
create constraint trigger journal_entry_in_order after insert on journal_entry
    deferrable initially deferred for each row execute function entry_is_of_open_period();

create or replace function closing_waits() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('closing'));
    new.closed_at := moment();
    return new;
end $$;
create or replace trigger closing_waits_for_entries before insert on closing
    for each row execute function closing_waits();

create or replace trigger journal_entry_append_only before update or delete on journal_entry
    for each row execute function append_only();
create or replace trigger journal_entry_not_truncated before truncate on journal_entry
    for each statement execute function append_only();
create or replace trigger posting_append_only before update or delete on posting
    for each row execute function append_only();
create or replace trigger posting_not_truncated before truncate on posting
    for each statement execute function append_only();
create or replace trigger closing_append_only before update or delete on closing
    for each row execute function append_only();
create or replace trigger closing_not_truncated before truncate on closing
    for each statement execute function append_only();
create or replace trigger inventory_posting_append_only before update or delete on inventory_posting
    for each row execute function append_only();
create or replace trigger inventory_posting_not_truncated before truncate on inventory_posting
    for each statement execute function append_only();
create or replace trigger document_append_only before update or delete on document
    for each row execute function append_only();
