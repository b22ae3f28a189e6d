-- Who belonged to which segment when somebody looked last.

-- name: turn()$
-- One at a time looks; null: another one does, or there is nothing to look at.
select after from customer_segment_look
where exists (select from customer_segment) or exists (select from customer_segment_member)
for update skip locked;

-- name: settle(customer_nos, segments, after, upto, unread)!
-- Customers who are erased meanwhile come to belong to nothing. Customers are locked before rows of theirs go, as
-- whoever erases them does it.
with theirs as materialized (
    select customer_no, segment from unnest(:customer_nos::bigint[], :segments::text[]) as t (customer_no, segment)
), there as materialized (
    select customer_no from customer
    where customer_no in (select customer_no from theirs) and erased_at is null and into_no is null
    order by customer_no for key share
), gone as (
    delete from customer_segment_member m
    where customer_no > :after and (:upto::bigint is null or customer_no <= :upto) and segment <> all(:unread::text[])
      and (select count(*) from there) >= 0
      and not exists (select from theirs t where (t.customer_no, t.segment) = (m.customer_no, m.segment))
    returning customer_no, segment
), come as (
    insert into customer_segment_member (customer_no, segment)
    select customer_no, segment from theirs join there using (customer_no)
    on conflict do nothing returning customer_no, segment
), told as (
    insert into customer_change (customer_no, what, segment)
    select customer_no, 'segment_left', segment from gone
    union all
    select customer_no, 'segment_entered', segment from come
)
update customer_segment_look set after = coalesce(:upto::bigint, 0);
