-- Exchanges: what comes back pays for another order. Whoever writes has locked the order of the return.

-- name: agree(return_id, exchange_order_id, mode, tender_minor, currency)!
insert into exchange (order_no, return_id, exchange_no, mode, tender_minor, currency)
values (order_no_of(:return_id), :return_id, order_no_of(:exchange_order_id), :mode, :tender_minor, :currency);

-- name: start_now(order_id)!
-- To be started in some seconds → at once: no door starts it.
update order_to_start set start_after = moment() where order_no = order_no_of(:order_id);

-- name: of_order(exchange_order_id)^
-- The exchange that pays for this order, as it stands.
select * from exchange_standing where exchange_no = order_no_of(:exchange_order_id);

-- name: of_return(return_id)^
-- The exchange that this return pays for, as it stands.
select * from exchange_standing where order_no = order_no_of(:return_id) and return_id = :return_id;

-- name: settle(return_id, came, is_back)$
-- Not settled → settled. The function stands in schema/routines/payments.sql.
select exchange_settled(order_no_of(:return_id), :return_id, :came, :is_back);

-- name: not_needed(return_id)$
-- What a return has paid to its exchange order, and is neither charged there, nor to be, nor given back yet: because
-- what was authorized of it there is released.
select greatest(0, e.settled_minor - e.room_minor
    - (select coalesce(sum(a.capture_granted), 0) from payment_authorization a
       where a.order_no = e.exchange_no and a.provider = 'exchange')
    - (select coalesce(sum(b.amount_minor), 0)
       from exchange_payback b
       join payment_operation p on p.order_no = e.exchange_no and p.payment_key = b.payment_key
       where (b.order_no, b.return_id) = (e.order_no, e.return_id) and p.kind = 'void'))::bigint
from exchange_standing e where e.order_no = order_no_of(:return_id) and e.return_id = :return_id;

-- name: to_settle(batch)
-- Returns that have ended without money, or of which a person has approved that something comes, and whose
-- exchange orders have not heard of it: `ended`, with whether any goods came, or `goes_ahead`.
select e.order_no, e.return_id, e.order_id, e.exchange_order_id, e.return_state not in ('approved', 'in_transit') as ended,
       exists (select from return_line l where l.order_no = e.order_no and l.return_id = e.return_id
               and l.restocked + l.scrapped + l.refurbished + l.to_supplier > 0) as is_back
from exchange_standing e
where e.settled_at is null
  and (e.return_state in ('refused', 'closed')
       or e.return_state in ('received', 'refunded')
          and not exists (select from refund r where r.order_no = e.order_no and r.refund_id = e.return_id
                          and r.amount_minor > 0)
       or e.return_state in ('approved', 'in_transit') and e.mode = 'advance'
          and exists (select from order_hold h where h.order_no = e.exchange_no
                      and h.reason = 'awaiting_return' and h.released_at is null))
order by e.order_no, e.return_id limit :batch;

-- name: given(return_id)^
-- The refund of a return that is with its exchange order now: each takes the place of the one before. Null: none.
select payment_key, amount_minor, (select count(*) from payment_operation n
                                   where n.order_no = p.order_no and n.part_of = :return_id
                                     and n.kind = 'refund' and n.provider = 'exchange'
                                     and n.authorization_key is null) as number
from payment_operation p
where order_no = order_no_of(:return_id) and part_of = :return_id and kind = 'refund' and provider = 'exchange'
  and authorization_key is null and state = 'succeeded';

-- name: payback(return_id, payment_key)^
select b.payment_key, b.return_id, b.returned_key, b.amount_minor, e.currency, b.ended_at
from exchange_payback b join exchange e using (order_no, return_id) where b.order_no = order_no_of(:return_id) and b.payment_key = :payment_key;

-- name: begin_payback(payment_key, return_id, returned_key, amount_minor)!
insert into exchange_payback (payment_key, order_no, return_id, returned_key, amount_minor)
values (:payment_key, order_no_of(:return_id), :return_id, :returned_key, :amount_minor);

-- name: end_payback(return_id, payment_key)!
-- Begun → paid, or a person is asked.
update exchange_payback set ended_at = moment()
where order_no = order_no_of(:return_id) and payment_key = :payment_key and ended_at is null;

-- name: charged(exchange_order_id)$
-- What was asked for of an exchange order's authorizations that its exchange has made.
select coalesce(sum(p.amount_minor), 0)::bigint from payment p
join payment_authorization a on a.order_no = p.order_no and a.authorization_key = p.authorization_key
where p.order_no = order_no_of(:exchange_order_id) and p.kind = 'capture' and p.state <> 'failed'
  and a.provider = 'exchange';
