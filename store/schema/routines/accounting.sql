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

-- An entry with its postings, once per effect: two writers of one effect hold the same lock. `its_seller`: of an
-- entry of no order, where there are several.
create or replace function entry_posted(
    its_effect text, its_order bigint, its_memo text, its_currency text, accounts text[], amounts bigint[],
    its_seller text default null
) returns void language plpgsql as $$
declare
    the_entry bigint;
begin
    if is_booked(its_effect, its_order) then
        return;
    end if;
    insert into journal_entry (effect, order_no, seller, memo)
    values (its_effect, its_order, its_seller, its_memo)
    returning entry_id into the_entry;
    insert into posting (entry_id, account, amount_minor, currency)
    select the_entry, account, amount, its_currency
    from unnest(accounts, amounts) as p (account, amount)
    where amount <> 0;
end $$;

-- The units of a SKU that a seller owns, and what they have cost. Under the lock of the SKU's stock.
create or replace function held_by(its_seller text, its_sku text) returns jsonb
language plpgsql stable as $$
begin
    return jsonb_build_object(
        'quantity', coalesce((select quantity from holding where sku = its_sku and seller = its_seller), 0),
        'costs', coalesce((select jsonb_object_agg(currency, value_minor) from inventory_value
                           where sku = its_sku and seller = its_seller), '{}'));
end $$;

-- Moves units of one owner and their cost, and books that in one entry; a cost of zero makes no entry. `change`:
-- the units of each SKU, what they cost in each currency, and the postings that follow. `its_other`: the goods
-- come from that seller, or go to it. Goods that another seller has sold than owns are claimed from it, and it
-- has an entry of its own: they are what it has sold.
create or replace function goods_valued(
    change jsonb, its_effect text, its_order bigint, its_memo text, its_kind text, its_owner text,
    its_other text default null) returns void
language plpgsql as $$
declare
    sold_by  text;
    the_rows integer;
begin
    if its_other is null and its_order is not null then
        select nullif(seller, its_owner) into sold_by from customer_order
        where order_no = its_order and its_kind in ('shipped', 'returned');
    end if;
    with moved as (
        select * from jsonb_to_recordset(change -> 'units') as c (sku text, units bigint)
    ), counted as (
        update holding h set quantity = h.quantity + moved.units
        from moved where (h.sku, h.seller) = (moved.sku, its_owner)
        returning h.sku
    ), first as (
        insert into holding (sku, seller, quantity)
        select sku, its_owner, units from moved where sku not in (select sku from counted)
    ), changed as (
        select * from jsonb_to_recordset(change -> 'costs')
            as c (sku text, units bigint, currency text, amount bigint)
    ), lowered as (
        update inventory_value v set value_minor = v.value_minor + c.amount
        from changed c
        where (v.sku, v.seller, v.currency) = (c.sku, its_owner, c.currency) and c.amount < 0
    ), raised as (
        insert into inventory_value as v (sku, seller, currency, value_minor)
        select sku, its_owner, currency, amount from changed where amount > 0
        on conflict (sku, seller, currency) do update set value_minor = v.value_minor + excluded.value_minor
    ), entry as (
        insert into journal_entry (effect, order_no, seller, counterpart, memo)
        select its_effect, its_order, its_owner, coalesce(its_other, sold_by), its_memo
        where exists (select from changed)
        returning entry_id
    ), valued as (
        insert into inventory_posting (entry_id, sku, kind, units, currency, value_minor)
        select entry_id, sku, its_kind, units, currency, amount from entry, changed
    )
    insert into posting (entry_id, account, currency, amount_minor)
    select entry_id,
           case when sold_by is not null and account = 'cost_of_goods_sold' then 'intercompany' else account end,
           currency, amount
    from entry, jsonb_to_recordset(change -> 'postings') as p (account text, currency text, amount bigint);
    get diagnostics the_rows = row_count;
    if sold_by is null or the_rows = 0 then
        return;
    end if;
    with entry as (
        insert into journal_entry (effect, order_no, seller, counterpart, memo)
        values (its_effect || ':intercompany', its_order, sold_by, its_owner, its_memo)
        returning entry_id
    )
    insert into posting (entry_id, account, currency, amount_minor)
    select entry_id, side.account, currency, side.sign * amount
    from entry, jsonb_to_recordset(change -> 'postings') as p (account text, currency text, amount bigint)
    cross join lateral (values ('cost_of_goods_sold', 1), ('intercompany', -1)) as side (account, sign)
    where p.account = 'cost_of_goods_sold';
end $$;

-- Everything that a document consists of, and the number that the part has already. `earlier`: the order's
-- documents in the order of their issue, with the units of each line.
create or replace function document_basis(
    its_order text, its_kind text, its_part text
) returns table (
    placed jsonb, seller jsonb, today date, handed_over_on date, names jsonb, earlier jsonb, number text, goods bigint,
    tax bigint, shipping bigint, shipping_tax bigint
) language plpgsql stable rows 1 as $$
#variable_conflict use_column
begin
    return query
    select document_of(o.order_no) as placed,
           (select jsonb_strip_nulls(to_jsonb(s) - 'series') from seller s where s.seller = o.seller) as seller,
           books_day(o.seller) as today,
           (select seller_day(o.seller, handed_over_at) from shipment
            where order_no = o.order_no and fulfilment_id = its_part) as handed_over_on,
           coalesce((
               select jsonb_object_agg(i.sku, i.name) from item i
               where i.name is not null and i.sku in (
                   select l ->> 'sku' from jsonb_array_elements(o.document -> 'lines') l)
           ), '{}') as names,
           coalesce((
               select jsonb_agg(jsonb_build_object(
                   'number', d.number, 'kind', d.kind, 'issued_on', d.issued_on,
                   'taxes', d.content -> 'taxes', 'shipping_minor', d.content -> 'shipping_minor',
                   'shipping_tax_minor', d.content -> 'shipping_tax_minor',
                   'fees', coalesce(d.content -> 'fees', '[]'),
                   'rounding_minor', d.content -> 'rounding_minor',
                   'units', (
                       select coalesce(jsonb_object_agg(l ->> 'line_id', (l ->> 'quantity')::bigint), '{}')
                       from jsonb_array_elements(d.content -> 'lines') l
                   ))
                   -- A correction of an erased order names whom its invoice names.
                   || case when p.erased_at is null and p.customer_id <> 'erased-' || o.order_no then '{}'
                           else jsonb_build_object('buyer', d.content -> 'buyer',
                                                   'deliver_to', d.content -> 'deliver_to') end
                   order by d.issued_at, d.number)
               from document d where d.order_no = o.order_no
           ), '[]') as earlier,
           d.number, d.goods_minor::bigint, d.tax_minor::bigint, d.shipping_minor::bigint,
           d.shipping_tax_minor::bigint
    from customer_order o
    join order_person p using (order_no)
    left join document d on d.order_no = o.order_no and d.kind = its_kind and d.part_id = its_part
    where o.order_id = its_order;
end $$;

-- A document's number, as its series' format writes it: {year}, and {number} or {number:digits}.
create or replace function number_written(format text, its_year integer, its_number integer) returns text
language plpgsql immutable as $$
declare
    digits integer := coalesce(substring(format from '\{number:([0-9]+)\}')::integer, 1);
begin
    return regexp_replace(
        replace(format, '{year}', its_year::text), '\{number(:[0-9]+)?\}',
        lpad(its_number::text, greatest(digits, length(its_number::text)), '0'));
end $$;

-- Takes the next number of its seller's series and issues under it. The counter stays locked until commit:
-- nothing may be locked after it. Another format begins a series of its own with the first number that the
-- seller has set; later years of it begin with 1.
create or replace function document_issued(
    its_kind text, its_order text, its_part text, its_currency text, worth jsonb,
    its_content jsonb) returns text
language plpgsql as $$
declare
    the_no     bigint;
    its_seller text;
    its_series jsonb;
    its_format text;
    today      date;
    counter    document_counter;
    its_number text;
begin
    select o.order_no, o.seller, s.series -> its_kind into the_no, its_seller, its_series
    from customer_order o join seller s using (seller) where o.order_id = its_order;
    its_format := its_series ->> 'format';
    today := books_day(its_seller);
    insert into document_counter as c (seller, kind, series, year, first_number, last_number, last_on)
    select s.seller, s.kind, s.series, s.year, n.first, n.first, today
    from (select its_seller as seller, its_kind as kind,
                 regexp_replace(its_format, '\{number:[0-9]+\}', '{number}') as series,
                 case when strpos(its_format, '{year}') > 0 then extract(year from today)::integer else 0 end
                     as year) s
    cross join lateral (
        select case when exists (select from document_counter o
                                 where (o.seller, o.kind, o.series) = (s.seller, s.kind, s.series))
                    then 1 else (its_series ->> 'first')::integer end as first) n
    on conflict (seller, kind, series, year) do update
    set last_number = c.last_number + 1, last_on = greatest(c.last_on, excluded.last_on)
    returning * into counter;
    its_number := number_written(its_format, counter.year, counter.last_number);
    insert into document (number, seller, kind, series, year, running, previous, order_no, part_id, currency,
                          goods_minor, tax_minor, shipping_minor, shipping_tax_minor, content, issued_on)
    values (its_number, its_seller, its_kind, counter.series, counter.year, counter.last_number,
            case when counter.last_number > counter.first_number then counter.last_number - 1 end,
            the_no, its_part, its_currency,
            (worth ->> 'goods')::bigint, (worth ->> 'tax')::bigint, (worth ->> 'shipping')::bigint,
            (worth ->> 'shipping_tax')::bigint, its_content, counter.last_on);
    return its_number;
end $$;

create or replace function an_effect_is_booked_once() returns trigger language plpgsql as $$
begin
    if is_booked(new.effect, new.order_no) then
        raise exception '% is booked already', new.effect
            using errcode = 'unique_violation', constraint = 'an_effect_is_booked_once';
    end if;
    if new.seller is null then
        if new.order_no is null then
            new.seller := only_seller();
        else
            new.seller := (select seller from customer_order where order_no = new.order_no);
        end if;
    end if;
    if new.booked_on is null then
        new.booked_on := books_day(new.seller);
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

-- Entries and closings of a seller at the same time. This trigger runs at commit, when the transaction has nothing else to
-- wait for. It takes a lock that transactions with entries share, and holds it until the end. A closing waits
-- until nobody holds it. So a transaction that commits after a closing has seen the closing.
create or replace function entry_is_of_open_period() returns trigger language plpgsql as $$
declare
    closed date;
    added  date;
begin
    if not exists (select from posting where entry_id = new.entry_id) then
        raise exception 'journal entry % has no postings', new.entry_id
            using errcode = 'check_violation';
    end if;
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a journal entry is written in a transaction that is read committed: another '
            'one does not see what has been closed' using errcode = 'restrict_violation';
    end if;
    perform pg_advisory_xact_lock_shared(hashtext('closing'), hashtext(new.seller));
    select (select max(through) from closing where seller = new.seller),
           (select max(day) from book_day where seller = new.seller) into closed, added;
    if new.booked_on <= closed then
        raise exception 'the books of % are closed through %: they take no entry of %',
            new.seller, closed, new.booked_on using errcode = 'restrict_violation';
    end if;
    if new.booked_on <= added then
        insert into book_day (seller, day, late_entry, entries) values (new.seller, new.booked_on, new.entry_id, 1);
        insert into book_day_account (seller, day, late_entry, account, currency, debit_minor, credit_minor)
        select new.seller, new.booked_on, new.entry_id, account, currency,
               greatest(amount_minor, 0), greatest(-amount_minor, 0)
        from posting where entry_id = new.entry_id;
    end if;
    return null;
end $$;
drop trigger if exists journal_entry_in_order on journal_entry;
create constraint trigger journal_entry_in_order after insert on journal_entry
    deferrable initially deferred for each row execute function entry_is_of_open_period();

-- Adds up the next day of a seller's books that is over. Returns it; null: all are added up, or somebody keeps an entry
-- uncommitted. It holds the lock of a closing, so that each entry is either there already, or sees this day's row and adds
-- itself. It waits a second for it and no longer: whoever commits an entry meanwhile waits behind it.
create or replace function book_day_added(its_seller text) returns date language plpgsql
set lock_timeout = '1s' as $$
declare
    the_day date := next_book_day(its_seller);
begin
    if (the_day < seller_day(its_seller, moment())) is not true then
        return null;
    end if;
    begin
        perform pg_advisory_xact_lock(hashtext('closing'), hashtext(its_seller));
    exception when lock_not_available then
        return null;
    end;
    -- Meanwhile somebody may have added it up, or written an entry of a day before it: the next look sees that.
    if the_day = next_book_day(its_seller) then
        insert into book_day (seller, day, entries)
        select its_seller, the_day, count(*) from journal_entry where seller = its_seller and booked_on = the_day;
        insert into book_day_account (seller, day, account, currency, debit_minor, credit_minor)
        select its_seller, the_day, account, currency,
               sum(greatest(amount_minor, 0)), sum(greatest(-amount_minor, 0))
        from journal_entry e join posting p using (entry_id)
        where e.seller = its_seller and e.booked_on = the_day
        group by account, currency;
    end if;
    return the_day;
end $$;

-- The first day with entries of which none is added up.
create or replace function next_book_day(its_seller text) returns date language plpgsql stable as $$
begin
    return (select min(booked_on) from journal_entry
            where seller = its_seller
              and booked_on > coalesce((select max(day) from book_day where seller = its_seller), '-infinity'));
end $$;

create or replace function closing_waits() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('closing'), hashtext(new.seller));
    new.closed_at := moment();
    if new.through >= seller_day(new.seller, new.closed_at) then
        raise exception 'the books are closed through a day that is over, and % is not', new.through
            using errcode = 'check_violation', constraint = 'closed_day_is_over';
    end if;
    return new;
end $$;
create or replace trigger closing_waits_for_entries before insert on closing
    for each row execute function closing_waits();

-- Nobody can write an entry of these days any more: what came before the last closing is carried forward.
create or replace function balances_carried_forward() returns trigger language plpgsql as $$
declare
    before date := (select max(through) from closing where seller = new.seller and through < new.through);
begin
    insert into closed_balance (seller, through, account, currency, amount_minor)
    select new.seller, new.through, account, currency, sum(amount_minor)
    from (
        select account, currency, amount_minor from closed_balance where seller = new.seller and through = before
        union all
        select p.account, p.currency, p.amount_minor
        from journal_entry e join posting p using (entry_id)
        where e.seller = new.seller and e.booked_on > coalesce(before, '-infinity') and e.booked_on <= new.through
    ) every
    group by account, currency having sum(amount_minor) <> 0;
    return null;
end $$;
create or replace trigger closing_carries_balances_forward after insert on closing
    for each row execute function balances_carried_forward();

create or replace trigger journal_entry_append_only before update or delete on journal_entry
    for each row execute function append_only();
create or replace trigger journal_entry_not_truncated before truncate on journal_entry
    for each statement execute function append_only();
create or replace trigger posting_append_only before update or delete on posting
    for each row execute function append_only();
create or replace trigger posting_not_truncated before truncate on posting
    for each statement execute function append_only();
create or replace trigger closed_balance_append_only before update or delete on closed_balance
    for each row execute function append_only();
create or replace trigger closed_balance_not_truncated before truncate on closed_balance
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
