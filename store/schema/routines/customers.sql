-- Erasing what is known of a person. Amounts, units, ids, states and days stay as they are: the books and the
-- counts of an order are whole without its customer. Texts that people and companies wrote go as a whole, by
-- the column that they stand in: a name that is looked for can be spelled some other way.

-- A value without the texts in it that somebody wrote. Keys, codes, ids and numbers stay: programs read them.
create or replace function without_typed(its jsonb) returns jsonb language plpgsql immutable as $$
begin
    return case jsonb_typeof(its)
        when 'object' then (
            select coalesce(jsonb_object_agg(key, case
                when key = any('{why,reason,note,message,detail,refusal,refused}') and jsonb_typeof(value) = 'string'
                    then to_jsonb('[erased]'::text)
                else without_typed(value) end), '{}')
            from jsonb_each(its))
        when 'array' then (
            select coalesce(jsonb_agg(without_typed(one) order by position), '[]')
            from jsonb_array_elements(its) with ordinality as a (one, position))
        else its end;
end $$;

-- The person of an erased order. Documents still need a buyer, taxes depend on the country, and a correction is
-- written in the language of its document, so country and language stay.
create or replace function nobody(person jsonb, its_no bigint) returns jsonb language sql immutable as $$
    select jsonb_build_object('customer', jsonb_strip_nulls(jsonb_build_object(
               'id', 'erased-' || its_no, 'name', '[erased]', 'locale', person #> '{customer,locale}')))
           || coalesce((
               select jsonb_object_agg(part, jsonb_build_object(
                   'name', '[erased]', 'line1', '[erased]', 'city', '[erased]',
                   'country', person #> array[part, 'country']))
               from unnest('{address,billing}'::text[]) as part
               where jsonb_typeof(person -> part) = 'object'), '{}')
$$;

-- A printed document without the person on it.
create or replace function printed_for_nobody(content jsonb) returns jsonb language sql immutable as $$
    select content || jsonb_build_object(
        'buyer', jsonb_build_object('name', '[erased]', 'address', '[]'::jsonb, 'number', ''),
        'deliver_to', jsonb_build_object('name', '[erased]', 'address', '[]'::jsonb, 'number', ''),
        'reason', case when content ->> 'reason' = '' then '' else '[erased]' end)
$$;

-- Why an order's customer has still to be known; null: nothing happens to it any more.
create or replace function known_for(its_no bigint) returns text language plpgsql stable as $$
begin
    return (
        select case
            when o.decision not in ('rejected', 'cancelled', 'closed') then 'open'
            when is_reopened(its_no) then 'late'
            when exists (select from attention a where a.order_no = its_no and a.resolved_at is null)
                then 'attention'
            when exists (select from unannounced_parcel p where p.order_no = its_no and p.ended_at is null)
                then 'attention'
            when exists (select from claim c where c.order_no = its_no and c.decision is null) then 'claim'
            when exists (select from dispute d where d.order_no = its_no and d.closed_at is null) then 'dispute'
            when exists (select from order_money m where m.order_no = its_no and m.refund_granted > m.refunded)
                then 'refund'
        end
        from customer_order o where o.order_no = its_no);
end $$;

-- A late message may name an erased person again: the order is marked, and its person is erased again when it
-- has nothing to do any more. The caller holds the order's lock, so no erasing of it is under way.
create or replace function known_again(its_no bigint) returns void language plpgsql as $$
begin
    update order_person set erased_at = null, asked_at = moment() where order_no = its_no and erased_at is not null;
end $$;

-- A carrier's late scan may have a text, which may name the person.
create or replace function carrier_says_something() returns trigger language plpgsql as $$
begin
    perform known_again(new.order_no);
    return null;
end $$;
create or replace trigger carrier_says_something after insert on carrier_event
    for each row when (new.detail is not null) execute function carrier_says_something();
create or replace trigger carrier_says_something after insert on return_scan
    for each row when (new.detail is not null) execute function carrier_says_something();

-- A late note may name anybody.
create or replace trigger note_says_something after insert on order_note
    for each row execute function carrier_says_something();

-- A parcel that nobody announced may have photos of what it holds.
create or replace trigger parcel_shows_something after insert or update of order_no on unannounced_parcel
    for each row when (new.order_no is not null) execute function carrier_says_something();

-- Erases the person of an order to which nothing happens any more, and every text that somebody wrote about it;
-- its documents as soon as the law does not want them whole any more: at the end of the year of issue and
-- `years` more. False: it is not over, or erased already.
create or replace function person_erased(its_no bigint, years integer, its_who text, its_why text) returns boolean
language plpgsql as $$
declare
    its_order    text;
    its_person   jsonb;
    its_customer text;
begin
    select order_id into its_order from customer_order where order_no = its_no for no key update;
    select person, customer_id into its_person, its_customer from order_person where order_no = its_no and erased_at is null for update;
    if its_person is null or known_for(its_no) is not null then
        return false;
    end if;
    perform set_config('orderloom.erasing', 'on', true);
    update order_event set why = null, data = without_typed(data)
    where order_no = its_no and effect not in ('erasure asked for', 'person erased');
    update effect set answer = without_typed(answer) where order_no = its_no and answer is not null;
    update answered_request set outcome = without_typed(outcome) where order_no = its_no;
    update attention set reason = '[erased]', resolution = split_part(resolution, ':', 1) where order_no = its_no;
    update order_hold set note = '[erased]', end_note = null where order_no = its_no;
    update return_unit set photo = null, reference = null
    where order_no = its_no and (photo is not null or reference is not null);
    update unannounced_parcel set why = case when why is not null then '[erased]' end,
                                  note = case when note is not null then '[erased]' end
    where order_no = its_no;
    update unannounced_unit u set photo = null from unannounced_parcel p
    where p.parcel_no = u.parcel_no and p.order_no = its_no and u.photo is not null;
    update return_label set refusal = '[erased]' where order_no = its_no and refusal is not null;
    update return_scan set detail = '[erased]' where order_no = its_no and detail is not null;
    update order_return
    set reason = '[erased]', ended_because = case when ended_because is not null then '[erased]' end
    where order_no = its_no;
    update carrier_claim set note = '[erased]' where order_no = its_no and note is not null;
    update claim set reason = '[erased]', evidence = '{}', note = '[erased]' where order_no = its_no;
    update refund set reason = '[erased]' where order_no = its_no;
    update payment_operation set message = null where order_no = its_no and message is not null;
    update shipment set refusal = '[erased]' where order_no = its_no and refusal is not null;
    update carrier_event set detail = '[erased]' where order_no = its_no and detail is not null;
    update movement set why = its_order where order_no = its_no;
    -- The books say what they said: a reason stands in the entry of a refund that was granted, and in no other.
    update journal_entry set memo = 'refund granted' where order_no = its_no and effect like 'granted:%';
    update credit_operation set why = null where order_id = its_order and why is not null;
    update reconciliation_difference set note = '[erased]' where order_id = its_order and note is not null;
    update customer_order set reason = null where order_no = its_no;
    delete from wait_report where order_no = its_no;
    -- An interchange is kept as it came or went, and says where the goods go.
    update edi_interchange set raw = null
    where interchange_no in (select interchange_no from edi_document where order_id = its_order);
    delete from label_file where order_no = its_no;
    delete from return_label_file where order_no = its_no;
    delete from pick_up where order_no = its_no;
    delete from order_note where order_no = its_no;
    update outside_work set said = null where order_no = its_no and said is not null;
    update licence set code = 'erased-' || licence_no where order_no = its_no;
    update document set kept_until = make_date(extract(year from issued_on)::integer + years, 12, 31)
    where order_no = its_no and kept_until is null and content #>> '{buyer,name}' <> '[erased]';
    update order_version set reason = '[erased]' where order_no = its_no;
    update order_person
    set person = nobody(person, its_no), earlier = '{}', wished = '{}', customer_id = 'erased-' || its_no,
        erased_at = moment()
    where order_no = its_no;
    insert into order_event (order_no, effect, what, who, why)
    values (its_no, 'person erased', 'person erased', its_who, nullif(its_why, ''));
    perform documents_erased(null, its_no);
    perform set_config('orderloom.erasing', '', true);
    perform credit_erased(array[its_customer]);
    return true;
end $$;

-- Erases the person on documents whose time is over, some at once, of all orders or of one. Answers how many.
create or replace function documents_erased(at_most bigint, its_no bigint default null)
returns bigint language plpgsql as $$
declare
    erased bigint;
begin
    perform set_config('orderloom.erasing', 'on', true);
    with due as (
        select seller, kind, series, year, running from document d
        -- By the latest day of any seller first: an index finds those few.
        where kept_until < (select max(books_day(s.seller)) from seller s)
          and kept_until < books_day(d.seller) and (its_no is null or order_no = its_no)
        limit at_most for update skip locked
    )
    update document d set content = printed_for_nobody(content), kept_until = null
    from due where (d.seller, d.kind, d.series, d.year, d.running)
                 = (due.seller, due.kind, due.series, due.year, due.running);
    get diagnostics erased = row_count;
    return erased;
end $$;

-- Store credit that is spent belongs to nobody any more. Answers how many accounts were let go. One with a
-- balance is the customer's money, and stays, as does that of a customer who is known by another order.
create or replace function credit_erased(customers text[]) returns bigint language plpgsql as $$
declare
    spent text[];
begin
    spent := array(
        select account_id from credit_account a
        where customer_id = any(customers) and balance_minor = 0 and authorized_minor = 0
          and not exists (select from order_person p where p.customer_id = a.customer_id)
        order by account_id for update);
    perform set_config('orderloom.erasing', 'on', true);
    update journal_entry set memo = 'store credit given'
    where order_no is null
      and effect in (select key from credit_operation where account_id = any(spent) and kind = 'issue');
    update credit_operation set why = null, request = '[erased]' where account_id = any(spent);
    update credit_account set customer_id = 'erased-' || account_id where account_id = any(spent);
    perform set_config('orderloom.erasing', '', true);
    return cardinality(spent);
end $$;

-- By what an order's customer is recognised: the channel's id; of a guest, who has an id for one order only, the
-- mail address, where there is one.
create or replace function customer_key(its_id text, its_person jsonb) returns text language sql immutable as $$
    select case when its_id like 'guest-%' and its_person #>> '{customer,email}' is not null
                then 'mail:' || lower(its_person #>> '{customer,email}') else 'id:' || its_id end
$$;

-- The numbers of the orders that have this key and are not erased.
create or replace function orders_with_key(its_key text) returns setof bigint language plpgsql stable rows 20 as $$
begin
    if its_key like 'mail:%' then
        -- Not by how the id begins: no plan may read the index of all guests for one of them.
        return query select order_no from order_person
            where lower(person #>> '{customer,email}') = substr(its_key, 6)
              and person #>> '{customer,email}' is not null and left(customer_id, 6) = 'guest-' and erased_at is null;
    else
        return query select order_no from order_person
            where customer_id = substr(its_key, 4) and customer_key(customer_id, person) = its_key
              and erased_at is null;
    end if;
end $$;

-- A customer's orders, and those of whoever is merged into this one.
create or replace function orders_of_customer(its_no bigint) returns setof bigint language sql stable rows 20 as $$
    select orders_with_key(c.key) from customer c
    where (c.customer_no = its_no or c.into_no = its_no) and c.erased_at is null
$$;

-- The customer of an order, or the one that this is merged into; null: it is erased.
create or replace function customer_of(its_no bigint) returns bigint language plpgsql stable as $$
begin
    return (select coalesce(c.into_no, c.customer_no)
            from order_person p join customer c on c.key = customer_key(p.customer_id, p.person)
            where p.order_no = its_no and p.erased_at is null);
end $$;

-- Orders come, and with them customers. Who is known already is kept from being erased meanwhile. Sorted, because
-- two writers of the same rows wait for each other.
create or replace function customers_come() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    keys  text[];
    there text[];
    known bigint[];
begin
    select array_agg(distinct customer_key(customer_id, person)) into keys from arrived;
    select array_agg(customer_no), array_agg(key) into known, there
    from (select customer_no, key from customer where key = any(keys) order by customer_no for key share) it;
    if known is not null then
        insert into customer_change (customer_no, what) select unnest(known), 'ordered';
        keys := array(select k from unnest(keys) as k where k <> all(there) order by k);
    end if;
    if cardinality(keys) > 0 then
        with come as (
            insert into customer (key) select unnest(keys) on conflict do nothing returning customer_no
        )
        insert into customer_change (customer_no, what) select customer_no, 'created' from come;
    end if;
    return null;
end $$;
create or replace trigger customers_come after insert on order_person
    referencing new table as arrived for each statement execute function customers_come();

-- Nobody knows the customer any more. What was merged into it, or it into another, stands alone again.
create or replace function customer_erased(its_no bigint) returns void language plpgsql as $$
begin
    perform from customer where customer_no = its_no or into_no = its_no order by customer_no for update;
    delete from customer_note where customer_no = its_no;
    delete from customer_consent where customer_no = its_no;
    delete from customer_segment_member where customer_no = its_no;
    update customer_merge
    set why = '[erased]', undone_at = coalesce(undone_at, moment()), undone_by = coalesce(undone_by, 'orderloom'),
        undone_why = case when undone_at is null then 'erased' else '[erased]' end
    where customer_no = its_no or into_no = its_no;
    with alone as (
        update customer set into_no = null where into_no = its_no returning customer_no
    )
    insert into customer_change (customer_no, what, into_no) select customer_no, 'unmerged', its_no from alone;
    update customer set key = 'erased:' || customer_no, erased_at = moment(), into_no = null
    where customer_no = its_no;
    insert into customer_change (customer_no, what) values (its_no, 'erased');
end $$;

-- The customer with this key, who is there from now on and stays until the transaction ends. One who comes with another
-- order at this moment is waited for.
create or replace function customer_with_key(its_key text) returns bigint language plpgsql as $$
declare
    its_no bigint;
begin
    for attempt in 1..10 loop
        insert into customer (key) values (its_key) on conflict do nothing returning customer_no into its_no;
        if found then
            insert into customer_change (customer_no, what) values (its_no, 'created');
            return its_no;
        end if;
        select customer_no into its_no from customer where key = its_key for key share;
        if found then
            insert into customer_change (customer_no, what) values (its_no, 'ordered');
            return its_no;
        end if;
    end loop;
    raise exception 'the customer of an order comes and goes' using errcode = 'serialization_failure';
end $$;

-- An order gets another customer: its person is erased, or an edit has changed a guest's mail address. A customer
-- who has no other order goes with it, or has the new address from now on. The caller holds the order's lock.
create or replace function customer_goes() returns trigger language plpgsql as $$
declare
    former_key text := customer_key(old.customer_id, old.person);
    later_key  text := case when new.erased_at is null then customer_key(new.customer_id, new.person) end;
    former_no  bigint;
    later_no   bigint;
begin
    -- All whom it may be about, in the one sequence.
    perform from customer
    where key in (former_key, later_key) or into_no = (select customer_no from customer where key = former_key)
    order by customer_no for update;
    select customer_no into former_no from customer where key = former_key;
    if former_no is not null and exists (select from orders_with_key(former_key)) then
        insert into customer_change (customer_no, what) values (former_no, 'changed');
        former_no := null;
    end if;
    if later_key is not null then
        if former_no is not null and not exists (select from customer where key = later_key) then
            begin
                update customer set key = later_key where customer_no = former_no;
                insert into customer_change (customer_no, what) values (former_no, 'changed');
                return null;
            exception when unique_violation then
                null;  -- Whose address it is has just ordered for the first time.
            end;
        end if;
        later_no := customer_with_key(later_key);
        update customer_note set customer_no = later_no where customer_no = former_no;
        update customer_consent set customer_no = later_no where customer_no = former_no;
    end if;
    if former_no is not null then
        perform customer_erased(former_no);
    end if;
    return null;
end $$;
create or replace trigger customer_goes after update of customer_id, person on order_person for each row
    when (old.erased_at is null
          and customer_key(old.customer_id, old.person) <> customer_key(new.customer_id, new.person))
    execute function customer_goes();

-- An edit has changed who or where the customer is, and it is the same customer.
create or replace function customer_changes() returns trigger language plpgsql as $$
begin
    insert into customer_change (customer_no, what)
    select customer_no, 'changed' from customer where key = customer_key(new.customer_id, new.person);
    return null;
end $$;
create or replace trigger customer_changes after update of person on order_person for each row
    when (old.erased_at is null and new.erased_at is null and old.person <> new.person
          and customer_key(old.customer_id, old.person) = customer_key(new.customer_id, new.person))
    execute function customer_changes();

-- A customer is the same person as another one, into which none is merged that is merged itself: so an id leads to
-- its person in one step, and never in a circle.
create or replace function customers_merged(its_no bigint, its_into bigint, its_who text, its_why text)
returns void language plpgsql as $$
declare
    one   customer;
    other customer;
begin
    perform from customer where customer_no in (its_no, its_into) order by customer_no for no key update;
    select * into one from customer where customer_no = its_no and erased_at is null;
    if not found then
        perform refuse('not_found', format('there is no customer C%s', its_no));
    end if;
    select * into other from customer where customer_no = its_into and erased_at is null;
    if not found then
        perform refuse('not_found', format('there is no customer C%s', its_into));
    elsif its_no = its_into then
        perform refuse('refused', format('C%s is one customer; name another one to merge it into', its_no),
                       'same_customer');
    elsif one.into_no = its_into then
        return;
    elsif one.into_no is not null then
        perform refuse('refused', format('C%s is merged into C%s already; undo that first', its_no, one.into_no),
                       'already_merged');
    elsif other.into_no is not null then
        perform refuse('refused', format('C%s is merged into C%s: merge into that one', its_into, other.into_no),
                       'merged_elsewhere');
    elsif exists (select from customer where into_no = its_no) then
        perform refuse('refused', format(
            'others are merged into C%s: merge C%s into it, or undo those first', its_no, its_into), 'has_merged');
    elsif exists (select from order_person p
                  where p.asked_at is not null and p.erased_at is null
                    and (p.order_no in (select orders_with_key(one.key))
                         or p.order_no in (select orders_with_key(other.key)))) then
        perform refuse('refused', 'somebody has asked to erase one of the two', 'being_erased');
    end if;
    insert into customer_merge (customer_no, into_no, who, why) values (its_no, its_into, its_who, its_why);
    update customer set into_no = its_into where customer_no = its_no;
    insert into customer_change (customer_no, what, into_no) values (its_no, 'merged', its_into);
end $$;

-- Two customers are two again, each with its orders, notes and consent. Answers which one it was merged into.
create or replace function customer_unmerged(its_no bigint, its_who text, its_why text) returns bigint
language plpgsql as $$
declare
    former bigint;
begin
    select into_no into former from customer where customer_no = its_no and erased_at is null for no key update;
    if not found then
        perform refuse('not_found', format('there is no customer C%s', its_no));
    elsif former is null then
        perform refuse('refused', format('C%s is merged into no other customer', its_no), 'not_merged');
    end if;
    update customer_merge set undone_at = moment(), undone_by = its_who, undone_why = its_why
    where customer_no = its_no and undone_at is null;
    update customer set into_no = null where customer_no = its_no;
    insert into customer_change (customer_no, what, into_no) values (its_no, 'unmerged', former);
    return former;
end $$;

-- Whether an order is of one of these channels and sellers. Null: of any.
create or replace function is_sold_by(its_no bigint, only_channels text[], only_sellers text[]) returns boolean
language plpgsql stable as $$
begin
    return only_channels is null and only_sellers is null or exists (
        select from customer_order o
        where o.order_no = its_no and (only_channels is null or o.channel = any(only_channels))
          and (only_sellers is null or o.seller = any(only_sellers)));
end $$;

-- The numbers of customers that a text names, the newest first, behind the number `behind`. Of a name that many have,
-- those of the latest 200 orders: where it is frequent these are among the latest 4,000; where it is not, all with this
-- name are few enough to be sorted. Nobody knows beforehand how many a text names; few are shown, so each order and each
-- customer is looked up by its key.
create or replace function customers_named(
    its_text text, its_number bigint, as_id text, phones text[], its_words text, only_channels text[],
    only_sellers text[], behind bigint, at_most bigint
) returns setof bigint language sql stable rows 20
set plan_cache_mode = force_custom_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
    with of_the_latest as materialized (
        select order_no from (select order_no, person from order_person where its_words is not null and erased_at is null
                              order by order_no desc limit 4000) latest
        where words_of_names(person) @@ to_tsquery('simple', its_words)
          and (only_channels is null and only_sellers is null or is_sold_by(order_no, only_channels, only_sellers))
        limit 200
    ), by_name as (
        select order_no from of_the_latest
        union
        -- By a sum no index is sorted, so that the one of the words leads.
        (select order_no from order_person
         where (select count(*) from of_the_latest) < 200
           and words_of_names(person) @@ to_tsquery('simple', its_words) and erased_at is null
           and (only_channels is null and only_sellers is null or is_sold_by(order_no, only_channels, only_sellers))
         order by order_no + 0 desc limit 200)
    ), named as (
        select coalesce(into_no, customer_no) as customer_no from customer
        where customer_no = its_number and erased_at is null or key in ('id:' || its_text, 'mail:' || lower(its_text))
        union
        select coalesce(c.into_no, c.customer_no) from (
            select order_no from order_person
            where lower(person #>> '{customer,email}') = lower(its_text) and person #>> '{customer,email}' is not null
              and erased_at is null
            union
            -- Others than guests are found by their key.
            select order_no from order_person where customer_id = its_text and its_text like 'guest-%' and erased_at is null
            union
            select order_no from customer_order where order_id in (its_text, as_id)
            union
            select order_no from customer_order where channel_order_id in (its_text, '#' || its_text)
            union
            select order_no from unnest(phones) as phone (ending) join order_person
                on reverse(regexp_replace(person #>> '{customer,phone}', '[^0-9]', '', 'g')) ~>=~ reverse(phone.ending)
               -- A colon comes after 9.
               and reverse(regexp_replace(person #>> '{customer,phone}', '[^0-9]', '', 'g')) ~<~ (reverse(phone.ending) || ':')
               and person #>> '{customer,phone}' is not null and erased_at is null
            union
            select order_no from by_name
        ) by_order join order_person p using (order_no) join customer c on c.key = customer_key(p.customer_id, p.person)
        where p.erased_at is null
          and (only_channels is null and only_sellers is null or is_sold_by(order_no, only_channels, only_sellers))
    )
    select distinct customer_no from named
    where (behind is null or customer_no < behind)
    order by customer_no desc limit at_most
$$;

-- Whether a customer has an order of these channels and sellers (null: of any) that makes them one `of_kind`: 'open', not
-- over; 'again', two that count; 'business', for a company; 'private', none for a company; 'owing', of which something
-- is due and not paid; 'owed_back', of which something is to be paid back; null: any order. Each order is looked up by its
-- number, without a join: a plan that stands begins at the wrong end of one now and then. Who sold it is asked of the few
-- that are of the kind, or of none where all are seen: `case` and `or` keep the sequence, which `and` does not.
create or replace function is_customer(its_no bigint, of_kind text, only_channels text[], only_sellers text[])
returns boolean language plpgsql stable as $$
declare
    sees_all boolean := only_channels is null and only_sellers is null;
begin
    if of_kind is null then
        return sees_all or exists (
            select from orders_of_customer(its_no) as n (order_no) where is_sold_by(order_no, only_channels, only_sellers));
    elsif of_kind = 'open' then
        return exists (
            select from orders_of_customer(its_no) as n (order_no)
            where case when (select state from order_in_state s where s.order_no = n.order_no)
                            in ('received', 'held', 'confirmed', 'in_fulfilment')
                       then sees_all or is_sold_by(order_no, only_channels, only_sellers) end);
    elsif of_kind = 'again' then
        return (
            select count(*) = 2
            from (select from orders_of_customer(its_no) as n (order_no)
                  where case when (select decision from customer_order o where o.order_no = n.order_no)
                                  not in ('rejected', 'cancelled')
                             then sees_all or is_sold_by(order_no, only_channels, only_sellers) end
                  limit 2) two);
    elsif of_kind in ('business', 'private') then
        return (
            -- Where no order is seen there is nothing to tell, and it is neither.
            select bool_or((
                select coalesce(p.person #>> '{customer,company}', p.person #>> '{customer,tax_number}') is not null
                from order_person p where p.order_no = n.order_no)) is not distinct from (of_kind = 'business')
            from orders_of_customer(its_no) as n (order_no)
            where sees_all or is_sold_by(order_no, only_channels, only_sellers));
    elsif of_kind = 'owing' then
        return exists (
            select from orders_of_customer(its_no) as n (order_no)
            where case when (select charged > captured from order_money m where m.order_no = n.order_no)
                       then sees_all or is_sold_by(order_no, only_channels, only_sellers) end);
    elsif of_kind = 'owed_back' then
        return exists (
            select from orders_of_customer(its_no) as n (order_no)
            where case when (select refund_granted > refunded from order_money m where m.order_no = n.order_no)
                       then sees_all or is_sold_by(order_no, only_channels, only_sellers) end);
    end if;
    return false;
end $$;

-- The numbers of customers, the newest first, behind the number `behind`: those `of_kind`, or in a segment as a worker
-- saw it last. Each is asked about in turn, until `at_most` are found. After `looks_at` of them the way ends, and the one
-- that it has come to is answered as not listed: so no page reads more than that, however few are found.
-- Plans that stand: to plan the questions about each customer anew takes longer than they do.
create or replace function page_of_customers(
    of_kind text, its_segment text, only_channels text[], only_sellers text[], behind bigint, at_most bigint,
    looks_at bigint
) returns table (customer_no bigint, is_listed boolean, made_at timestamptz) language plpgsql stable rows 20
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    is_own boolean;
    looked bigint := 0;
    found  bigint := 0;
begin
    for customer_no, made_at, is_own in
        (select c.customer_no, c.made_at, c.into_no is null and c.erased_at is null from customer c
         where its_segment is null and c.customer_no < coalesce(behind, 9223372036854775807)
         order by c.customer_no desc limit looks_at)
        union all
        (select m.customer_no, c.made_at, c.into_no is null and c.erased_at is null
         from customer_segment_member m join customer c using (customer_no)
         where m.segment = its_segment and m.customer_no < coalesce(behind, 9223372036854775807)
         order by m.customer_no desc limit looks_at)
        order by 1 desc
    loop
        looked := looked + 1;
        is_listed := is_own and is_customer(customer_no, of_kind, only_channels, only_sellers);
        if is_listed then
            found := found + 1;
            return next;
        end if;
        exit when found = at_most;
        if looked = looks_at then
            is_listed := false;
            return next;
        end if;
    end loop;
end $$;
