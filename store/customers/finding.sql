-- Customers, found by what somebody has in hand.

-- name: found(text, number, as_id, phones, words, channels, sellers, after, at_most)
-- Those that a text names, the newest first, behind the one with the number `after`; of these channels and sellers
-- (null: of all). `phones`: how a phone number may end; `words`: beginnings of words of a name; null: it is none.
with named as (
    select coalesce(into_no, customer_no) as customer_no from customer
    where customer_no = :number and erased_at is null or key in ('id:' || :text, 'mail:' || lower(:text))
    union
    select coalesce(c.into_no, c.customer_no) from (
        select order_no from order_person
        where lower(person #>> '{customer,email}') = lower(:text) and person #>> '{customer,email}' is not null
          and erased_at is null
        union
        -- Others than guests are found by their key.
        select order_no from order_person where customer_id = :text and :text like 'guest-%' and erased_at is null
        union
        select order_no from customer_order where order_id in (:text, :as_id)
        union
        select order_no from customer_order where channel_order_id in (:text, '#' || :text)
        union
        select order_no from unnest(:phones::text[]) as phone (ending) join order_person
            on reverse(regexp_replace(person #>> '{customer,phone}', '[^0-9]', '', 'g')) ~>=~ reverse(phone.ending)
           -- A colon comes after 9.
           and reverse(regexp_replace(person #>> '{customer,phone}', '[^0-9]', '', 'g')) ~<~ (reverse(phone.ending) || ':')
           and person #>> '{customer,phone}' is not null and erased_at is null
        union
        select order_no from order_person
        where words_of_names(person) @@ to_tsquery('simple', :words)
          and erased_at is null
    ) by_order join customer_order o using (order_no) join order_person p using (order_no)
         join customer c on c.key = customer_key(p.customer_id, p.person)
    where p.erased_at is null
      and (:channels::text[] is null or o.channel = any(:channels))
      and (:sellers::text[] is null or o.seller = any(:sellers))
), theirs as (
    select distinct customer_no from named
    where (:after::bigint is null or customer_no < :after)
)
select customer_no, last.person #>> '{customer,name}' as name, last.person #>> '{customer,email}' as email,
       last.person #>> '{customer,phone}' as phone, last.person #>> '{customer,company}' as company,
       counted.orders, last.order_id as last_order_id, last.placed_at as last_order_at
from theirs,
     lateral (select count(*) as orders, max(order_no) as last_no
              from orders_of_customer(customer_no) as n (order_no) join customer_order o using (order_no)
              where (:channels::text[] is null or o.channel = any(:channels))
                and (:sellers::text[] is null or o.seller = any(:sellers))) counted
     join lateral (select p.person, o.order_id, o.placed_at from order_person p join customer_order o using (order_no)
                   where p.order_no = counted.last_no) last on true
order by customer_no desc limit :at_most;
