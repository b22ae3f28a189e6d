-- What must be true of customers: each query finds what breaks it. See ../audit.sql.

-- name: order_has_its_customer()
-- The one whom its person says; of an order whose person is erased, nobody.
select o.order_id, case when p.order_no is null then 'its person is nowhere'
                        else 'no customer has the key of its person' end as what
from customer_order o left join order_person p using (order_no)
     left join customer c on c.key = customer_key(p.customer_id, p.person)
where p.order_no is null
   or p.erased_at is null and c.customer_no is null and p.customer_id <> 'erased-' || p.order_no
order by o.order_id;

-- name: customer_has_an_order()
-- Who has none is erased with the last of them.
select 'C' || c.customer_no as customer
from customer c left join (
    select distinct customer_key(customer_id, person) as key from order_person where erased_at is null
) known using (key)
where c.erased_at is null and known.key is null
order by c.customer_no;

-- name: merge_is_on_record()
-- Whom a customer is merged into is what its merge says that is not undone.
select 'C' || coalesce(c.customer_no, m.customer_no) as customer, 'C' || c.into_no as kept, 'C' || m.into_no as said
from (select customer_no, into_no from customer where into_no is not null) c
full join (select customer_no, into_no from customer_merge where undone_at is null) m using (customer_no)
where c.into_no is distinct from m.into_no
order by 1;

-- name: merged_into_one_who_stands_alone()
-- An id leads to its person in one step, and to somebody who is known.
select 'C' || c.customer_no as customer, 'C' || o.customer_no as other,
       case when o.erased_at is not null then 'erased' else 'merged into C' || o.into_no end as what
from customer c join customer o on o.customer_no = c.into_no
where o.into_no is not null or o.erased_at is not null
order by c.customer_no;

-- name: erased_customer_is_forgotten()
-- Nothing that somebody wrote about one who is erased is left, nor what they wished or belonged to.
select 'C' || c.customer_no as customer, left_over.what, count(*) as rows
from customer c join (
    select customer_no, 'notes' as what from customer_note
    union all
    select customer_no, 'wishes' from customer_consent
    union all
    select customer_no, 'segments' from customer_segment_member
    union all
    select customer_no, 'reasons of merges' from customer_merge where why <> '[erased]'
    union all
    select into_no, 'reasons of merges' from customer_merge where why <> '[erased]'
) left_over using (customer_no)
where c.erased_at is not null
group by c.customer_no, left_over.what
order by c.customer_no, left_over.what;

-- name: erased_person_has_no_answers()
-- A mail server's answer may repeat to whom it was.
select order_id, count(*) as answers
from message join order_person p using (order_no) join customer_order using (order_no)
where p.erased_at is not null and answer is not null
group by order_id
order by order_id;
