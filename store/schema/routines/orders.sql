create or replace trigger order_event_append_only before update or delete on order_event
    for each row execute function append_only();
create or replace trigger order_event_not_truncated before truncate on order_event
    for each statement execute function append_only();

-- An order's document apart: what is about a person, the rest, and both together again. domain/orders/order.py
-- says what each part is.
create or replace function person_in(document jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_object_agg(part, document -> part) filter (where document ? part), '{}')
           || case when document #> '{shipping,address}' is null then '{}'
                   else jsonb_build_object('address', document #> '{shipping,address}') end
    from unnest('{customer,billing,note,gift_message,extra}'::text[]) as part
$$;
create or replace function without_person(document jsonb) returns jsonb language sql immutable as $$
    select (document - '{customer,billing,note,gift_message,extra}'::text[]) #- '{shipping,address}'
$$;
create or replace function with_person(document jsonb, person jsonb) returns jsonb language sql immutable as $$
    select document || (person - 'address')
           || case when person ? 'address' then jsonb_build_object(
                       'shipping', document -> 'shipping' || jsonb_build_object('address', person -> 'address'))
                   else '{}' end
$$;

-- An order as it was placed.
create or replace function document_of(its_no bigint) returns jsonb language plpgsql stable as $$
begin
    return (select with_person(o.document, p.person)
            from customer_order o join order_person p using (order_no) where o.order_no = its_no);
end $$;

-- The number of an order's present version.
create or replace function version_of(its_no bigint) returns integer language sql stable as $$
    select coalesce(max(version), 0) + 1 from order_version where order_no = its_no
$$;

-- Keeps what an edit changes of the person until the order meets the request, or refuses it; once for each. At most
-- fifty: of an order that refuses so many, all are forgotten.
create or replace function edit_wished(its_order text, its_request text, its_person jsonb) returns void
language plpgsql as $$
declare
    its customer_order;
    had order_person;
begin
    select * into its from customer_order where order_id = its_order for no key update;
    if not found then
        perform refuse('not_found', format(
            'there is no order %s; `orderloom orders` lists what is there', its_order));
    end if;
    select * into had from order_person where order_no = its.order_no;
    if exists (select from order_version where order_no = its.order_no and request_id = its_request) then
        return;
    elsif its.decision not in ('received', 'confirmed') then
        perform refuse('refused', format('order %s is %s; nothing can be changed', its_order, its.decision),
                       'order_' || its.decision);
    elsif had.wished -> its_request <> its_person then
        perform refuse('conflict', format('request %s was made before with other content', its_request));
    end if;
    update order_person p
    set wished = case when (select count(*) from jsonb_object_keys(p.wished)) < 50 then p.wished else '{}' end
                 || jsonb_build_object(its_request, its_person)
    where p.order_no = its.order_no;
end $$;

-- An order's document becomes a new version of it; the one of before is kept. `lines`: every line of the order as
-- it is from now on, with its worth; those that were not there are added. A unit that is taken away has been given
-- back and cancelled before: it is not ordered any more, but of a line that is gone as a whole. The caller holds
-- the order's lock, and has looked that nothing of it is charged, if amounts change. Answers the new number.
create or replace function order_edited(
    its_no bigint, its_document jsonb, its_total bigint, lines jsonb, its_request text, its_changes jsonb,
    its_reason text, its_who text, out its_version integer
) language plpgsql as $$
begin
    insert into order_version (order_no, version, document, total_minor, request_id, changes, reason, who)
    select order_no, version_of(order_no), document, total_minor, its_request, its_changes, its_reason, its_who
    from customer_order where order_no = its_no
    returning version + 1 into its_version;
    update customer_order set document = without_person(its_document), total_minor = its_total where order_no = its_no;
    update order_person
    set earlier = case when person = person_in(its_document) then earlier
                       else earlier || jsonb_build_object(its_version - 1, person) end,
        person = person_in(its_document), wished = wished - its_request
    where order_no = its_no;
    update order_line_money m set sendable = m.sendable + new.ordered - l.ordered
    from jsonb_to_recordset(lines) as new (line_id text, ordered bigint), order_line l
    where m.order_no = its_no and l.order_no = its_no and l.line_id = new.line_id and m.line_id = new.line_id
      and m.sendable is not null;
    update order_line l
    set ordered = new.ordered, cancelled = l.cancelled - new.given_back, goods_minor = new.goods,
        tax_minor = new.tax, shipping_minor = new.shipping, shipping_tax_minor = new.shipping_tax
    from jsonb_to_recordset(lines) as new (
        line_id text, ordered bigint, given_back bigint, goods bigint, tax bigint, shipping bigint, shipping_tax bigint)
    where l.order_no = its_no and l.line_id = new.line_id;
    insert into order_line (order_no, line_id, position, sku, ordered, goods_minor, tax_minor, shipping_minor,
                            shipping_tax_minor, includes_tax, handling)
    select its_no, new.line_id,
           (select max(position) from order_line where order_no = its_no) + row_number() over (order by number),
           new.sku, new.ordered, new.goods, new.tax, new.shipping, new.shipping_tax,
           coalesce((its_document ->> 'prices_include_tax')::boolean, false), new.handling
    from jsonb_array_elements(lines) with ordinality as a (line, number),
         jsonb_to_record(line) as new (
             line_id text, sku text, handling text, ordered bigint, goods bigint, tax bigint, shipping bigint, shipping_tax bigint)
    where not exists (select from order_line l where l.order_no = its_no and l.line_id = new.line_id);
end $$;

-- To be started → begun. Returns those of these orders that were not begun before; they are locked, in the
-- sequence of their ids, because two writers of the same orders wait for each other.
create or replace function begin_orders(order_ids text[]) returns setof text
language plpgsql as $$
begin
    return query
    with begun as (
        select order_no, order_id from order_to_start join customer_order using (order_no)
        where order_id = any(order_ids) order by order_id for no key update
    )
    delete from order_to_start using begun where order_to_start.order_no = begun.order_no
    returning begun.order_id;
end $$;

-- What the first units of a line are worth: of a net price and of the tax on it each its share, rounded down;
-- where the price includes tax, the share of both together, the tax that is in it, and the rest. The rule is
-- that of domain.orders.amounts.LineWorth.
create or replace function first_tax(
    net numeric, tax numeric, units numeric, ordered numeric, includes_tax boolean) returns numeric
language sql immutable as $$
    select case when includes_tax
        then coalesce(div(tax * div((net + tax) * units, ordered), nullif(net + tax, 0)), 0)
        else div(tax * units, ordered) end
$$;
create or replace function first_net(
    net numeric, tax numeric, units numeric, ordered numeric, includes_tax boolean) returns numeric
language sql immutable as $$
    select case when includes_tax
        then div((net + tax) * units, ordered) - first_tax(net, tax, units, ordered, true)
        else div(net * units, ordered) end
$$;

-- How far an order has come. Units: `moving` are on their way or to come, `arrived` are delivered or lost,
-- `begun` are picked or shipped. This is the one rule of it; the triggers below keep its answer in
-- customer_order, where lists look for it, and the audit compares the two.
create or replace function order_state(
    decision text, is_held boolean, moving numeric, arrived numeric, begun numeric) returns text
language sql immutable as $$
    select case
        when decision in ('rejected', 'cancelled', 'closed') then decision
        when is_held then 'held'
        when decision = 'received' then decision
        when moving = 0 and arrived > 0 then 'delivered'
        when begun > 0 then 'in_fulfilment'
        else 'confirmed'
    end
$$;

drop view if exists computed_order_state;
create view computed_order_state as
select o.order_no, o.order_id,
       order_state(o.decision,
                   exists (select from order_hold h
                           where h.order_no = o.order_no and h.released_at is null),
                   sum(ordered - cancelled - delivered - lost),
                   sum(delivered + lost),
                   sum(picked + shipped)) as state,
       case
           when sum(shipped) = 0 then 'unfulfilled'
           when sum(ordered - cancelled - delivered - lost) = 0 then 'fulfilled'
           else 'partly_fulfilled'
       end as fulfilment_status
from customer_order o join order_line using (order_no)
group by o.order_no;

-- Whoever changes what a state is made of has locked the order's row. A plan that is made while the tables
-- are nearly empty would read them whole, and a connection keeps it until they are next analyzed: so here
-- and in lines_moved, rows are found by their keys, whatever the planner knows.
create or replace function keep_order_states() returns trigger language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    update customer_order o set state = now.state, fulfilment_status = now.fulfilment_status
    from computed_order_state now
    where o.order_no = now.order_no and now.order_no = any(array(select order_no from changed))
      and o.order_no = any(array(select order_no from changed))
      and (o.state, o.fulfilment_status) is distinct from (now.state, now.fulfilment_status);
    return null;
end $$;
create or replace trigger order_line_changed after update on order_line
    referencing new table as changed for each statement execute function keep_order_states();
create or replace trigger order_is_held after insert on order_hold
    referencing new table as changed for each statement execute function keep_order_states();
create or replace trigger order_is_released after update on order_hold
    referencing new table as changed for each statement execute function keep_order_states();

-- Whether an order has ended so long ago that nobody knows any more what its steps have done: then they do
-- nothing.
create or replace function is_over(its_no bigint, its_decision text) returns boolean
language plpgsql stable as $$
begin
    return its_decision in ('rejected', 'cancelled', 'closed')
       and not exists (select from effect where order_no = its_no and effect = 'ended');
end $$;

-- Whether a closed order has something to do that came late.
create or replace function is_reopened(its_no bigint) returns boolean language sql stable as $$
    select exists (select from effect
                   where order_no = its_no and effect = 'ended' and ended_at = 'infinity')
$$;

-- Adds to the counts of a set of lines; null: nothing to add for any of them. The constraints of order_line
-- refuse impossible sums.
create or replace function lines_moved(
    order_ids text[], line_ids text[],
    more_backordered bigint[] default null,
    more_allocated bigint[] default null,
    more_picked bigint[] default null,
    more_shipped bigint[] default null,
    more_delivered bigint[] default null,
    more_lost bigint[] default null,
    more_cancelled bigint[] default null,
    more_return_requested bigint[] default null,
    more_returned bigint[] default null
) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    update order_line as l
    set backordered = l.backordered + coalesce(d.backordered, 0),
        allocated = l.allocated + coalesce(d.allocated, 0),
        picked = l.picked + coalesce(d.picked, 0),
        shipped = l.shipped + coalesce(d.shipped, 0),
        delivered = l.delivered + coalesce(d.delivered, 0),
        lost = l.lost + coalesce(d.lost, 0),
        cancelled = l.cancelled + coalesce(d.cancelled, 0),
        return_requested = l.return_requested + coalesce(d.return_requested, 0),
        returned = l.returned + coalesce(d.returned, 0)
    from unnest(order_ids, line_ids, more_backordered, more_allocated, more_picked, more_shipped,
                more_delivered, more_lost, more_cancelled, more_return_requested, more_returned)
        as d (order_id, line_id, backordered, allocated, picked, shipped, delivered, lost, cancelled,
              return_requested, returned)
    where l.order_no = order_no_of(d.order_id) and l.line_id = d.line_id;
end $$;

-- Each effect is remembered, with its answer, and told; one that is remembered already is not told again.
-- An order that is over is told only what comes after its end.
create or replace function told(
    order_ids text[], effects text[], answers jsonb[], whats text[], whos text[], whys text[],
    data jsonb[], after_end boolean
) returns void language plpgsql as $$
#variable_conflict use_column
begin
    with given as (
        select order_no, is_over(order_no, decision) as is_over, e.*
        from unnest(order_ids, effects, answers, whats, whos, whys, data)
            with ordinality as e (order_id, effect, answer, what, who, why, data, position),
            lateral (select order_no, decision from customer_order o where o.order_id = e.order_id offset 0) o
    ), done as (
        insert into effect (order_no, effect, answer)
        select order_no, effect, answer from given where not is_over
        on conflict (order_no, effect) do nothing
        returning order_no, effect
    )
    insert into order_event (order_no, effect, what, who, why, data)
    select order_no, effect, what, who, nullif(why, ''), data
    from given left join done using (order_no, effect)
    where done.order_no is not null or is_over and after_end
    order by position;
    if after_end then
        perform known_again(order_no_of(one)) from unnest(order_ids) as one;
    end if;
end $$;

-- The order's number, and an effect if it was done, for one who holds the order's lock.
create or replace function effect_of(
    its_order text, its_effect text, out the_no bigint, out is_done boolean, out its_answer jsonb
) language plpgsql as $$
declare
    its_decision text;
begin
    select order_no, decision into the_no, its_decision from customer_order where order_id = its_order;
    if the_no is null then
        perform refuse('not_found', format(
            'there is no order %s; `orderloom orders` lists what is there', its_order));
    elsif is_over(the_no, its_decision) then
        perform refuse('conflict', format(
            'order %s is %s, and has been for long; nothing was done again', its_order, its_decision));
    end if;
    select coalesce(answer, '{}') into its_answer from effect
    where order_no = the_no and effect = its_effect;
    is_done := found;
end $$;

-- A decision is written together with the state that follows from it. From an end on, the time runs after
-- which the order's effects go.
create or replace function keep_decided_state() returns trigger language plpgsql as $$
begin
    select order_state(new.decision,
                       exists (select from order_hold h
                               where h.order_no = new.order_no and h.released_at is null),
                       sum(ordered - cancelled - delivered - lost),
                       sum(delivered + lost),
                       sum(picked + shipped))
    into new.state from order_line where order_no = new.order_no;
    if new.decision in ('rejected', 'cancelled', 'closed') then
        insert into effect (order_no, effect, answer, ended_at)
        values (new.order_no, 'ended', to_jsonb(new.decision), moment())
        on conflict (order_no, effect) do nothing;
    end if;
    return new;
end $$;
create or replace function list_new_orders() returns trigger language plpgsql as $$
begin
    insert into order_in_state (order_no, state, received_at)
    select order_no, state, received_at from created where state <> 'closed';
    return null;
end $$;
create or replace trigger orders_are_new after insert on customer_order
    referencing new table as created for each statement execute function list_new_orders();

create or replace function list_by_state() returns trigger language plpgsql as $$
begin
    if new.state = 'closed' then
        delete from order_in_state where order_no = new.order_no;
    else
        insert into order_in_state (order_no, state, received_at)
        values (new.order_no, new.state, new.received_at)
        on conflict (order_no) do update set state = excluded.state;
    end if;
    return null;
end $$;
create or replace trigger state_has_changed after update on customer_order for each row
    when (new.state is distinct from old.state) execute function list_by_state();

create or replace trigger order_is_decided before update of decision on customer_order
    for each row execute function keep_decided_state();

-- With an order its holds end.
create or replace function end_holds() returns trigger language plpgsql as $$
begin
    update order_hold set released_at = moment(), released_by = 'orderloom', end_note = 'the order is ' || new.decision
    where order_no = new.order_no and released_at is null;
    return null;
end $$;
create or replace trigger order_has_ended after update of decision on customer_order for each row
    when (new.decision in ('rejected', 'cancelled', 'closed')) execute function end_holds();

-- What keeps the goods of an order here, in words; null: nothing does. A hold for its payment is not among it.
create or replace function kept_here_by(its_no bigint) returns text language plpgsql stable as $$
begin
    return (select string_agg(format('%s, %s, which %s sees to: %s', hold_id, replace(reason, '_', ' '), owner, note),
                              '; ' order by since, hold_id)
            from order_hold where order_no = its_no and released_at is null and reason <> 'payment');
end $$;

-- Which rules there are that hold orders: another text after each change. '': none.
create or replace function hold_rules_revision() returns text language plpgsql stable as $$
begin
    return (select coalesce(md5(string_agg(rule || document::text, '|' order by rule)), '') from hold_rule);
end $$;
