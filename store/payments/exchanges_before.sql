-- The exchanges that an order came by. Reads only.

-- name: paid_by(order_id)
-- The order, and those whose returns pay for it, its own before them.
with recursive payer as (
    select o.order_no, o.order_id::text, 1 as depth from customer_order o where o.order_id = :order_id
    union all
    select e.order_no, o.order_id::text, p.depth + 1
    from payer p join exchange e on e.exchange_no = p.order_no
    join customer_order o on o.order_no = e.order_no
    where coalesce(e.settled_minor, e.tender_minor) > 0
)
select order_id from payer order by depth;

-- name: pays_all_the_same(order_id)!
-- Of an exchange order that nobody pays but what comes back: from now on that from which it comes pays the rest.
insert into brought_tender (order_no, provider, token)
select e.exchange_no, payer ->> 'provider', payer ->> 'token'
from exchange e cross join payer_of(e.exchange_no) as payer
where e.exchange_no = order_no_of(:order_id) and payer ->> 'provider' <> 'exchange'
  and last_payment(e.exchange_no) ->> 'provider' = 'exchange'
on conflict (order_no) do nothing;
