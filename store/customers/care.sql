-- Notes, consent, and which customers are one person.

-- name: note(customer_no, contact, order_id, note, who)^
-- Nothing is written about one who is erased.
insert into customer_note (customer_no, contact, order_id, note, who)
select customer_no, :contact, :order_id, :note, :who from customer
where customer_no = :customer_no and erased_at is null for key share
returning note_no, contact, order_id, note, who, at;

-- name: is_theirs(customer_no, order_id)$
-- Whether an order is of a customer, or of one who is merged into it.
select customer_of(order_no_of(:order_id)) is not distinct from :customer_no;

-- name: notes(customer_no, after, at_most)
-- Those about a customer and whoever is merged into it, the latest first, behind the one with this number.
select note_no, contact, order_id, note, who, n.at from customer_note n join customer c using (customer_no)
where (c.customer_no = :customer_no or c.into_no = :customer_no) and (:after::bigint is null or note_no < :after)
order by note_no desc limit :at_most;

-- name: say(customer_no, kind, given, how, who)$
-- Of a customer and of whoever is merged into it, so that it stays said when that is undone. How many these are.
with theirs as (
    select customer_no from customer
    where (customer_no = :customer_no or into_no = :customer_no) and erased_at is null
    order by customer_no for key share
), said as (
    insert into customer_consent (customer_no, kind, given, how, who, at)
    select customer_no, :kind, :given, :how, :who, transaction_moment() from theirs returning customer_no
), told as (
    insert into customer_change (customer_no, what) select customer_no, 'consent_changed' from said
)
select count(*) from said;

-- name: words(customer_no)
-- What a customer has said of each kind, and whoever is merged into it: the latest first.
select kind, given, how, who, s.at
from customer_consent s join customer c using (customer_no)
where c.customer_no = :customer_no or c.into_no = :customer_no
group by kind, given, how, who, s.at order by kind, s.at desc, max(consent_no) desc;

-- name: said_for_order(order_id, kind)$
-- The latest word of an order's customer about this kind of message; null: they have said nothing.
select (select s.given from customer_consent s join customer c using (customer_no)
        where (c.customer_no = it.customer_no or c.into_no = it.customer_no) and s.kind = :kind
        order by s.at desc, s.consent_no desc limit 1)
from (select customer_of(order_no_of(:order_id)) as customer_no) it;

-- name: merge(customer_no, into_no, who, why)$
select customers_merged(:customer_no, :into_no, :who, :why);

-- name: unmerge(customer_no, who, why)$
select customer_unmerged(:customer_no, :who, :why);

-- name: merges(customer_no)
-- All merges of a customer, of others into it and of it into others, the latest first.
select customer_no, into_no, who, why, merged_at, undone_at, undone_by, undone_why from customer_merge
where customer_no = :customer_no or into_no = :customer_no order by merge_no desc;
