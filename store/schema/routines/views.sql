-- Where an order's money is. Null: there was none yet.
create or replace function payment_status_of(m order_money) returns text language sql immutable as $$
    select case
        when m.order_no is null or m.authorized = 0 and m.captured = 0 then 'unpaid'
        when m.disputed > 0 or m.disputed_abroad then 'disputed'
        when m.refund_granted > m.refunded then 'refund_owed'
        when m.captured > 0 and m.refunded = m.captured then 'refunded'
        when m.refunded > 0 then 'partly_refunded'
        when m.captured > 0 and m.captured >= m.capture_granted then 'paid'
        when m.released = m.authorized then 'voided'
        else 'authorized'
    end
$$;

-- One line per order, as people and tools ask for it. State follows the glossary.
drop view if exists order_overview;
create view order_overview as
select o.order_id, o.channel, o.seller, o.channel_order_id, p.customer_id, o.currency, o.total_minor,
       o.placed_at, o.received_at, o.decided_at, o.decision,
       coalesce(o.reason, '') as reason, o.digest,
       o.state, o.fulfilment_status,
       payment_status_of(m) as payment_status,
       coalesce(m.authorized, 0) as authorized_minor, coalesce(m.captured, 0) as captured_minor,
       coalesce(m.refunded, 0) as refunded_minor,
       coalesce(m.refund_granted, 0) as refund_granted_minor,
       l.ordered, l.allocated, l.picked, l.shipped, l.delivered, l.lost, l.cancelled, l.returned,
       l.return_requested,
       exists (select from attention a
               where a.order_no = o.order_no and a.resolved_at is null) as attention,
       h.note as held
from customer_order o
join order_person p using (order_no)
left join order_money m using (order_no)
left join lateral (
    select string_agg(reason || ': ' || note, '; ' order by since, hold_id) as note
    from order_hold where order_hold.order_no = o.order_no and released_at is null
) h on true
cross join lateral (
    select sum(ordered)::bigint as ordered, sum(allocated)::bigint as allocated,
           sum(picked)::bigint as picked, sum(shipped)::bigint as shipped,
           sum(delivered)::bigint as delivered, sum(lost)::bigint as lost,
           sum(cancelled)::bigint as cancelled, sum(returned)::bigint as returned,
           sum(return_requested)::bigint as return_requested
    from order_line where order_line.order_no = o.order_no
) l;

-- The orders of a list, from one of them on: the newest first, or the oldest. `only_…`: of these alone. One index
-- leads through them, that of the filter which leaves the fewest; the others are looked at on the way. After
-- `looks_at` orders the way ends (null: it does not), and the order that it has come to is answered as not listed:
-- so no page reads more than that, whatever is asked for. It makes the text of a statement and runs that, because a
-- statement that stands would be planned once for all filters. `by_placed`: they are sorted by when they were placed;
-- otherwise by when they were taken in.
create or replace function page_of_orders(
    wanted jsonb, only_channels text[], only_sellers text[], from_order text, is_rising boolean, at_most bigint,
    looks_at bigint
) returns table (listed_id text, is_listed boolean, by_placed boolean) language plpgsql stable rows 100
-- Few orders are looked at, each by its number: to read all of them at once would take longer, whatever is estimated.
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    its_channel text := coalesce(wanted ->> 'channel',
                                 case when cardinality(only_channels) = 1 then only_channels[1] end);
    placed_from timestamptz := wanted ->> 'placed_from';
    placed_to timestamptz := wanted ->> 'placed_to';
    received_from timestamptz := wanted ->> 'received_from';
    received_to timestamptz := wanted ->> 'received_to';
    open_parts text := $s$ state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped') $s$;
    promised text := 'promised_leave <= ' || quote_literal((wanted ->> 'promised_by')::date)
                     || ' and promised_on <= ' || quote_literal((wanted ->> 'promised_by')::date) || ' and' || open_parts;
    start customer_order;
    lead text := '';  -- by which moment they are sorted, before their number
    downward text := case when is_rising then '' else ' desc' end;
    way text;
    place text;
    conditions text;
    found text[];
    reached bigint;
begin
    select * into start from customer_order where order_id = from_order;
    if wanted ->> 'customer_id' is not null then
        way := 'select order_no from order_person where customer_id = ' || quote_literal(wanted ->> 'customer_id');
    elsif (wanted ->> 'needs_attention')::boolean then
        way := 'select distinct order_no from attention where resolved_at is null';
    elsif (wanted ->> 'held')::boolean then
        way := 'select distinct order_no from order_hold where released_at is null';
    elsif placed_to - placed_from <= interval '31 days' then
        lead := 'placed_at';
    elsif received_to - received_from <= interval '31 days' then
        lead := 'received_at';
    elsif wanted ->> 'sku' is not null then
        way := 'select distinct order_no from order_line where sku = ' || quote_literal(wanted ->> 'sku');
    elsif promised is not null then
        way := 'select distinct order_no from fulfilment where ' || promised;
        promised := null;  -- All on this way are.
    elsif wanted ->> 'state' <> 'closed' then  -- Those have a list of their own.
        lead := 'received_at';
        way := 'select order_no, received_at as moment from order_in_state where state = ' || quote_literal(wanted ->> 'state');
    elsif wanted ->> 'country' is not null then
        way := $s$select order_no from order_person where person #>> '{address,country}' = $s$
               || quote_literal(wanted ->> 'country');
    elsif placed_from is not null or placed_to is not null then
        lead := 'placed_at';
    else
        lead := 'received_at';
    end if;
    if lead = 'received_at' then
        way := coalesce(way, 'select order_no, received_at as moment from customer_order where '
                             || coalesce('channel = ' || quote_literal(its_channel), 'true'))
               || coalesce(' and received_at >= ' || quote_literal(received_from), '')
               || coalesce(' and received_at < ' || quote_literal(received_to), '');
    elsif lead = 'placed_at' then
        way := format('select order_no, placed_at as moment from customer_order where placed_at >= %L and placed_at < %L',
                      coalesce(placed_from, '-infinity'), coalesce(placed_to, 'infinity'));
    end if;
    if start.order_no is not null then
        place := format(case lead when '' then ' and order_no %2$s %4$L' else ' and (%1$s, order_no) %2$s (%3$L, %4$L)' end,
                        lead, case when is_rising then '>' else '<' end,
                        case lead when 'placed_at' then start.placed_at else start.received_at end, start.order_no);
    end if;
    by_placed := lead = 'placed_at';
    lead := concat(case when lead <> '' then 'moment' || downward || ', ' end, 'order_no', downward);
    way := concat(way, place, ' order by ', lead, ' limit ' || looks_at);
    conditions := concat_ws(' and ', 'true',
        'o.channel = ' || quote_literal(its_channel),
        'o.channel = any(' || quote_literal(only_channels) || ')',
        'o.seller = ' || quote_literal(wanted ->> 'seller'),
        'o.seller = any(' || quote_literal(only_sellers) || ')',
        'o.state = ' || quote_literal(wanted ->> 'state'),
        'o.fulfilment_status = ' || quote_literal(wanted ->> 'goods'),
        '(select payment_status_of(m) from (select) x left join order_money m on m.order_no = o.order_no) = '
            || quote_literal(wanted ->> 'money'),
        'exists (select from attention a where a.order_no = o.order_no and a.resolved_at is null) = '
            || quote_literal(wanted ->> 'needs_attention'),
        'exists (select from order_hold h where h.order_no = o.order_no and h.released_at is null) = '
            || quote_literal(wanted ->> 'held'),
        'o.placed_at >= ' || quote_literal(placed_from),
        'o.placed_at < ' || quote_literal(placed_to),
        'o.received_at >= ' || quote_literal(received_from),
        'o.received_at < ' || quote_literal(received_to),
        'o.order_no in (select order_no from fulfilment where order_no = o.order_no and ' || promised || ')',
        'exists (select from fulfilment f where f.order_no = o.order_no and f.location = '
            || quote_literal(wanted ->> 'location') || ')',
        'exists (select from order_line l where l.order_no = o.order_no and l.sku = '
            || quote_literal(wanted ->> 'sku') || ')',
        $s$exists (select from order_person p where p.order_no = o.order_no and p.person #>> '{address,country}' = $s$
            || quote_literal(wanted ->> 'country') || ')',
        'o.currency = ' || quote_literal(wanted ->> 'currency'),
        'o.total_minor >= ' || (wanted ->> 'total_from')::bigint,
        'o.total_minor <= ' || (wanted ->> 'total_to')::bigint);
    execute format('select array(select o.order_id from (%s) way join customer_order o using (order_no) '
                   'where %s order by %s limit %s)', way, conditions, lead, at_most)
        into found;
    return query select one, true, by_placed from unnest(found) as one;
    if cardinality(found) < at_most and looks_at is not null then
        execute format('select order_no from (%s) way offset %s', way, looks_at - 1) into reached;
        return query select order_id, false, by_placed from customer_order where order_no = reached;
    end if;
end $$;

-- A text that names what an open page shows of an order: another one as soon as any of it is another one.
create or replace function order_mark(its_no bigint) returns text language plpgsql stable as $$
begin
    return (select left(md5(concat_ws(' ',
        (select max(event_id) from order_event where order_no = its_no),
        (select concat(max(changed_at), max(promised_on)) from fulfilment where order_no = its_no),
        (select max(received_at) from carrier_event where order_no = its_no),
        (select concat(count(*), max(requested_at), max(settled_at)) from payment_operation where order_no = its_no),
        (select concat(count(*), max(next_at)) from message where order_no = its_no),
        (select concat(count(*), count(*) filter (where pinned)) from order_note where order_no = its_no),
        (select concat(count(*), max(since)) from attention where order_no = its_no and resolved_at is null))), 16));
end $$;
