-- Segments, and what they look at.

-- name: segments()
select segment, document, changed_at, changed_by from customer_segment order by segment;

-- name: save(segment, document, who)!
insert into customer_segment (segment, document, changed_by) values (:segment, :document, :who)
on conflict (segment) do update
set document = excluded.document, changed_by = excluded.changed_by, changed_at = moment();

-- name: remove(segment)$
delete from customer_segment where segment = :segment returning segment;

-- name: contacts(customer_no, after, at_most)
-- A block of customers with all that segments and CRMs ask of them, those after one with this number; or one alone.
-- Who is merged into another counts there. Orders that were rejected or cancelled as a whole do not count, but for
-- who somebody is, and what was paid.
with block as materialized (
    select customer_no as root from customer
    where into_no is null and erased_at is null
      and (:customer_no::bigint is null or customer_no = :customer_no) and customer_no > :after
    order by customer_no limit :at_most
), person as materialized (
    select root, root as customer_no from block
    union all
    select into_no, customer_no from customer where into_no in (select root from block)
), theirs as materialized (
    select p.root, o.order_no, o.channel, o.seller, o.currency, o.placed_at,
           o.decision not in ('rejected', 'cancelled') as counts,
           case when o.decision in ('rejected', 'cancelled') then 0 else o.total_minor end as ordered,
           m.captured as paid, m.captured - m.refunded as kept
    from person p join customer c using (customer_no), lateral orders_with_key(c.key) as n (order_no)
         join customer_order o using (order_no) join order_money m using (order_no)
), worth as (
    select root, jsonb_object_agg(currency, jsonb_build_object('ordered', ordered, 'paid', paid, 'kept', kept)) as worth
    from (select root, currency, sum(ordered) as ordered, sum(paid) as paid, sum(kept) as kept
          from theirs group by root, currency) each_currency
    group by root
), counted as (
    select root, count(*) filter (where counts) as orders, min(placed_at) filter (where counts) as first_order_at,
           max(placed_at) filter (where counts) as last_order_at, array_agg(distinct channel) as channels,
           array_agg(distinct seller) as sellers, max(order_no) as last_no,
           array_remove(array_agg(distinct p.person #>> '{address,country}'), null) as countries
    from theirs join order_person p using (order_no) group by root
), units as (
    select root, sum(delivered)::bigint as delivered, sum(returned)::bigint as returned
    from theirs join order_line using (order_no) group by root
), said as (
    select root, jsonb_object_agg(kind, given) as consent
    from (select distinct on (root, kind) root, kind, given
          from person join customer_consent s using (customer_no)
          order by root, kind, s.at desc, consent_no desc) latest
    group by root
)
select root as customer_no, orders, first_order_at, last_order_at, coalesce(delivered, 0) as units_delivered,
       coalesce(returned, 0) as units_returned, worth, channels, sellers, countries,
       coalesce(consent, '{}') as consent, last.person, o.received_at as last_received_at
from block left join counted using (root) left join worth using (root) left join units using (root)
     left join said using (root) left join order_person last on last.order_no = last_no
     left join customer_order o on o.order_no = last_no
order by root;
