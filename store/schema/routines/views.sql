-- One line per order, as people and tools ask for it. State follows the glossary.
drop view if exists order_overview;
create view order_overview as
select o.order_id, o.channel, o.seller, o.channel_order_id, p.customer_id, o.currency, o.total_minor,
       o.placed_at, o.received_at, o.decided_at, o.decision,
       coalesce(o.reason, '') as reason, o.digest,
       o.state, o.fulfilment_status,
       case
           when m.order_no is null or m.authorized = 0 and m.captured = 0 then 'unpaid'
           when m.disputed > 0 or m.disputed_abroad then 'disputed'
           when m.refund_granted > m.refunded then 'refund_owed'
           when m.captured > 0 and m.refunded = m.captured then 'refunded'
           when m.refunded > 0 then 'partly_refunded'
           when m.captured > 0 and m.captured >= m.capture_granted then 'paid'
           when m.released = m.authorized then 'voided'
           else 'authorized'
       end as payment_status,
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

-- The orders of a list, newest first, behind one that was received at `after_at`. `only_…`: of these alone. A
-- function, because a statement that finds them and also shows them would be planned anew each time: without
-- the filters' values nobody knows that they are few.
create or replace function page_of_orders(
    its_channel text, its_seller text, its_state text, its_customer text, attended boolean,
    placed_from timestamptz, placed_to timestamptz, only_channels text[], only_sellers text[],
    after_at timestamptz, after_order text, at_most bigint
) returns setof text language plpgsql stable rows 100 as $$
declare
    parked bigint[];
    -- The place of the order behind which the page begins: before it comes whatever is newer.
    place timestamptz := coalesce(after_at, 'infinity');
    place_no bigint := coalesce(order_no_of(after_order), 9223372036854775807);
begin
    if attended is not null then
        parked := array(select order_no from attention where resolved_at is null);
    end if;
    if its_customer is not null then
        return query
        select o.order_id from order_person p join customer_order o using (order_no)
        where p.customer_id = its_customer and p.order_no < place_no
          and (its_state is null or o.state = its_state)
          and (its_channel is null or o.channel = its_channel)
          and (its_seller is null or o.seller = its_seller)
          and (only_channels is null or o.channel = any(only_channels))
          and (only_sellers is null or o.seller = any(only_sellers))
          and (attended is null or (o.order_no = any(parked)) = attended)
          and (placed_from is null or o.placed_at >= placed_from)
          and (placed_to is null or o.placed_at < placed_to)
        order by p.order_no desc limit at_most;
    elsif its_state <> 'closed' then  -- Those have a list of their own.
        return query
        select o.order_id from order_in_state listed join customer_order o using (order_no)
        where listed.state = its_state and (listed.received_at, listed.order_no) < (place, place_no)
          and (its_channel is null or o.channel = its_channel)
          and (its_seller is null or o.seller = its_seller)
          and (only_channels is null or o.channel = any(only_channels))
          and (only_sellers is null or o.seller = any(only_sellers))
          and (attended is null or (o.order_no = any(parked)) = attended)
          and (placed_from is null or o.placed_at >= placed_from)
          -- Days that are over are looked up first: they lie far back among the orders received.
          and (placed_to is null or o.order_no = any(array(
              select p.order_no from customer_order p
              where p.placed_at >= coalesce(placed_from, '-infinity') and p.placed_at < placed_to)))
        order by listed.received_at desc, listed.order_no desc limit at_most;
    else
        return query
        select o.order_id from customer_order o
        where (o.received_at, o.order_no) < (place, place_no)
          and (its_state is null or o.state = its_state)
          and (its_channel is null or o.channel = its_channel)
          and (its_seller is null or o.seller = its_seller)
          and (only_channels is null or o.channel = any(only_channels))
          and (only_sellers is null or o.seller = any(only_sellers))
          and (attended is distinct from true or o.order_no = any(parked))
          and (attended is distinct from false or o.order_no <> all(parked))
          and (placed_from is null or o.placed_at >= placed_from)
          -- Days that are over are looked up first: they lie far back among the orders received.
          and (placed_to is null or o.order_no = any(array(
              select p.order_no from customer_order p
              where p.placed_at >= coalesce(placed_from, '-infinity') and p.placed_at < placed_to)))
        order by o.received_at desc, o.order_no desc limit at_most;
    end if;
end $$;
