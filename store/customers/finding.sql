-- Customers, found by what somebody has in hand.

-- name: named(text, number, as_id, phones, words, channels, sellers, after, at_most)
-- The numbers of those that a text names, the newest first, behind the one with the number `after`; of these channels
-- and sellers (null: of all). `phones`: how a phone number may end; `words`: beginnings of words of a name; null: it is
-- none. The function stands in schema/routines/customers.sql.
select customer_no
from customers_named(:text, :number, :as_id, :phones::text[], :words, :channels::text[], :sellers::text[],
                     :after::bigint, :at_most) as theirs (customer_no);

-- name: listed(kind, segment, channels, sellers, after, at_most, looks_at)
-- Those of a kind or in a segment, the newest first; and the one that the way has ended at, where it has. The function
-- stands in schema/routines/customers.sql.
select customer_no, is_listed, made_at
from page_of_customers(:kind, :segment, :channels::text[], :sellers::text[], :after::bigint, :at_most, :looks_at);

-- name: told(numbers, channels, sellers)
-- What the orders that are seen say of these customers, in the sequence of their numbers here.
select customer_no, last.person #>> '{customer,name}' as name, last.person #>> '{customer,email}' as email,
       last.person #>> '{customer,phone}' as phone, last.person #>> '{customer,company}' as company,
       counted.orders, last.order_id as last_order_id, last.placed_at as last_order_at
from unnest(:numbers::bigint[]) with ordinality as theirs (customer_no, position)
     cross join lateral (select count(*) as orders, max(order_no) as last_no
              from orders_of_customer(customer_no) as n (order_no) join customer_order o using (order_no)
              where (:channels::text[] is null or o.channel = any(:channels))
                and (:sellers::text[] is null or o.seller = any(:sellers))) counted
     join lateral (select p.person, o.order_id, o.placed_at from order_person p join customer_order o using (order_no)
                   where p.order_no = counted.last_no) last on true
order by position;
