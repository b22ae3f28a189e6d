-- Links to customers' pages.

-- name: known(order_id)$
-- The order's number; null where it is not there, and where its person was erased.
select order_no from order_person
where order_no = order_no_of(:order_id) and erased_at is null;

-- name: order_named(order_no)^
-- The order with a number, and whether its person was erased.
select o.order_id, p.erased_at is not null as erased
from customer_order o join order_person p using (order_no) where o.order_no = :order_no;

-- name: looked_up(number, said)$
-- The newest order of this number, as its channel writes it or as we do, that goes to this postal code or whose
-- customer has this mail address. Signs that people leave out or add are not looked at.
select order_no
from customer_order join order_person p using (order_no)
where (order_id = :number or channel_order_id in (:number, '#' || :number, ltrim(:number, '#')))
  and p.erased_at is null
  and (lower(p.person #>> '{customer,email}') = lower(:said)
       or translate(lower(p.person #>> '{address,postal_code}'), ' -', '') = translate(lower(:said), ' -', ''))
order by order_no desc limit 1;
