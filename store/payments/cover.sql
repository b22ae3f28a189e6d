-- What stands at payment companies for an order, and the parcels that it has to be enough for.

-- name: paying(order_id)^
-- All that a decision about an order's authorizations needs. The function stands in
-- schema/routines/payments.sql.
select * from paying_of(:order_id);

-- name: channel_of(order_id)$
select channel from customer_order where order_no = order_no_of(:order_id);

-- name: bring(order_id, provider, token)!
insert into brought_tender (order_no, provider, token)
values (order_no_of(:order_id), :provider, :token)
on conflict (order_no) do update
set provider = excluded.provider, token = excluded.token, brought_at = excluded.brought_at;

-- name: charged_ahead(order_id)^
-- Whether the order is charged as a whole, before anything of it is sent, and all of that is paid; and whether
-- there are units that it is not charged for, such as those that were added later.
select exists (select from charge
               where order_no = order_no_of(:order_id) and ahead and units <> '{}'
                 and captured_minor = amount_minor) as is_charged,
       exists (select from order_line l left join order_line_money m using (order_no, line_id)
               where l.order_no = order_no_of(:order_id)
                 and l.ordered - l.cancelled > coalesce(m.charged - m.refunded, 0)) as has_more;

-- name: perhaps_ending(after_no, after_id, batch)
-- Parcels that wait for their hand-over, whose orders were not told, and for which not enough is authorized
-- for as long as `renew_before`. No authorization is renewed sooner before its end; which of these are to be
-- renewed is the rule of domain.payments.cover.
select f.order_no, f.fulfilment_id, order_of(f.fulfilment_id) as order_id, s.to_charge_minor,
       s.renew_before
from fulfilment f join shipment s using (order_no, fulfilment_id)
where f.state = 'labelled' and s.to_charge_minor > 0 and s.unpaid_at is null
  and (f.order_no, f.fulfilment_id) > (:after_no, :after_id)
  and (select coalesce(sum(p.amount_minor - p.capture_granted - p.released), 0) < s.to_charge_minor
       from payment p
       where p.order_no = f.order_no and p.kind = 'authorize' and p.state = 'succeeded'
         and coalesce(p.part_of, f.fulfilment_id) = f.fulfilment_id
         and (p.expires_at is null or p.expires_at > moment() + s.renew_before))
order by f.order_no, f.fulfilment_id limit :batch;
