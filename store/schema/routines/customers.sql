-- Erasing what is known of a person. Amounts, units, ids, states and days stay as they are: the books and the
-- counts of an order are whole without its customer.

-- The texts in a JSON value that are long enough to be looked for: shorter ones are in other words, too.
create or replace function texts_in(value jsonb) returns setof text language sql immutable as $$
    select distinct leaf #>> '{}' from jsonb_path_query(value, 'strict $.**') as leaf
    where jsonb_typeof(leaf) = 'string' and length(leaf #>> '{}') >= 3
$$;

create or replace function without_texts(its text, texts text[]) returns text language plpgsql immutable as $$
declare
    one text;
begin
    foreach one in array texts loop
        its := regexp_replace(its, regexp_replace(one, '([^[:alnum:][:space:]])', '\\\1', 'g'), '[erased]', 'gi');
    end loop;
    return its;
end $$;

-- Only longer ones: a short one may be a word that a program reads.
create or replace function without_texts(its jsonb, texts text[]) returns jsonb language plpgsql immutable as $$
begin
    return without_texts(its::text, array(select substr(quoted, 2, length(quoted) - 2)
                                          from unnest(texts) with ordinality as t (one, position),
                                               lateral (select to_jsonb(one)::text as quoted) q
                                          where length(one) >= 8 order by position))::jsonb;
end $$;

-- What is left of a person: a document of an order still has a buyer, and the country where it went decides
-- about its taxes.
create or replace function nobody(person jsonb, its_no bigint) returns jsonb language sql immutable as $$
    select jsonb_build_object('customer', jsonb_build_object('id', 'erased-' || its_no, 'name', '[erased]'))
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

-- Whether nothing happens to an order any more that would need to know its customer.
create or replace function is_at_rest(its_no bigint) returns boolean language plpgsql stable as $$
begin
    return exists (select from customer_order
                   where order_no = its_no and decision in ('rejected', 'cancelled', 'closed'))
       and not is_reopened(its_no)
       and not exists (select from attention where order_no = its_no and resolved_at is null);
end $$;

-- Erases the person of an order that is at rest, and every text that somebody typed about it; its documents
-- as soon as the law does not want them whole any more: at the end of the year of issue and `years` more.
-- False: it is not at rest, or erased already.
create or replace function person_erased(its_no bigint, years integer, its_who text, its_why text) returns boolean
language plpgsql as $$
declare
    its_order  text;
    its_person jsonb;
    texts      text[];
begin
    select order_id into its_order from customer_order where order_no = its_no for no key update;
    select person into its_person from order_person where order_no = its_no and erased_at is null for update;
    if its_person is null or not is_at_rest(its_no) then
        return false;
    end if;
    perform set_config('orderloom.erasing', 'on', true);
    texts := array(
        select one from (
            select texts_in(its_person #- '{customer,locale}' #- '{address,country}' #- '{billing,country}') as one
            union select why from order_event where order_no = its_no and who <> 'orderloom'
            union select reason from order_return where order_no = its_no
            union select reason from refund where order_no = its_no
            union select note from order_hold where order_no = its_no
            union select resolution from attention where order_no = its_no
        ) typed
        where length(one) >= 3 and strpos(lower(its_order), lower(one)) = 0 order by length(one) desc);
    update order_event
    set why = case when who = 'orderloom' then nullif(without_texts(why, texts), '') end,
        who = without_texts(who, texts), data = without_texts(data, texts)
    where order_no = its_no;
    update effect set answer = without_texts(answer, texts) where order_no = its_no and answer is not null;
    update answered_request set outcome = without_texts(outcome, texts) where order_no = its_no;
    update attention
    set reason = without_texts(reason, texts), resolution = nullif(without_texts(resolution, texts), '')
    where order_no = its_no;
    update order_hold set note = '[erased]' where order_no = its_no;
    update order_return set reason = '[erased]' where order_no = its_no;
    update refund set reason = '[erased]' where order_no = its_no;
    update payment_operation set message = nullif(without_texts(message, texts), '') where order_no = its_no;
    update shipment set refusal = nullif(without_texts(refusal, texts), '') where order_no = its_no;
    update carrier_event set detail = '[erased]' where order_no = its_no and detail is not null;
    update movement set why = without_texts(why, texts) where order_no = its_no and why is not null;
    update journal_entry set memo = without_texts(memo, texts) where order_no = its_no;
    update customer_order set reason = nullif(without_texts(reason, texts), '') where order_no = its_no;
    update credit_operation set why = nullif(without_texts(why, texts), '') where order_id = its_order;
    update reconciliation_difference
    set note = nullif(without_texts(note, texts), ''), why = without_texts(why, texts),
        ours = without_texts(ours, texts), theirs = without_texts(theirs, texts)
    where order_id = its_order;
    delete from wait_report where order_no = its_no;
    delete from label_file where order_no = its_no;
    update document set kept_until = make_date(extract(year from issued_on)::integer + years, 12, 31)
    where order_no = its_no and kept_until is null;
    update order_person
    set person = nobody(person, its_no), customer_id = 'erased-' || its_no, erased_at = moment()
    where order_no = its_no;
    insert into order_event (order_no, effect, what, who, why)
    values (its_no, 'person erased', 'person erased', its_who, nullif(without_texts(its_why, texts), ''));
    perform documents_erased(its_no);
    perform set_config('orderloom.erasing', '', true);
    return true;
end $$;

-- The same for some orders, in the sequence of their numbers. Answers which were erased. Payment companies say
-- of a person what they like, so of what they told about these orders nothing is left but that they did: it is
-- known again when it comes again. All events are looked through once, not once for each order.
create or replace function persons_erased(numbers bigint[], years integer, its_who text, its_why text)
returns setof bigint language plpgsql as $$
declare
    erased bigint[] := array(
        select one from (select one from unnest(numbers) as one order by one) in_turn
        where person_erased(one, years, its_who, its_why));
    about  text;
begin
    select '"(' || string_agg(regexp_replace(order_id, '([^[:alnum:]])', '\\\1', 'g'), '|') || ')"' into about
    from customer_order where order_no = any(erased);
    update provider_event set body = '{}'
    where processed_at is not null and body <> '{}' and body::text ~ about;
    return query select unnest(erased);
end $$;

-- Erases the person on documents whose time is over; null: of all orders, `at_most` at once. Answers how many.
create or replace function documents_erased(its_no bigint default null, at_most bigint default null)
returns bigint language plpgsql as $$
declare
    erased bigint;
begin
    perform set_config('orderloom.erasing', 'on', true);
    with due as (
        select seller, kind, series, year, running from document d
        where kept_until < books_day(d.seller) and (its_no is null or order_no = its_no)
        limit at_most for update skip locked
    )
    update document d set content = printed_for_nobody(content), kept_until = null
    from due where (d.seller, d.kind, d.series, d.year, d.running)
                 = (due.seller, due.kind, due.series, due.year, due.running);
    get diagnostics erased = row_count;
    return erased;
end $$;
