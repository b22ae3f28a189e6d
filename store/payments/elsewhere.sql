-- Refunds that companies made without Orderloom. Every writer locks the order's row.

-- name: charged_by(provider, reference)^
-- The authorization that the company calls so, or that a charge with this name belongs to.
select coalesce(authorization_key, payment_key) as payment_key, order_id from payment
where provider = :provider and reference = :reference and kind in ('authorize', 'capture')
  and state = 'succeeded'
order by requested_at, payment_key limit 1;

-- name: owed_of(order_id)
-- Refunds of an order that are not paid, or came back; without what is being paid now. Oldest first.
select r.refund_id, r.kind, r.pay_to, r.came_back_minor,
       r.amount_minor - r.issued_minor - coalesce((
           select sum(p.amount_minor) from payment_operation p
           where p.order_no = r.order_no and p.kind = 'refund' and p.part_of = r.refund_id
             and p.state in ('requested', 'unknown')), 0)::bigint as left_minor
from refund r
where r.order_no = order_no_of(:order_id) and r.issued_minor - r.came_back_minor < r.amount_minor
order by r.granted_at, r.refund_id;

-- name: done_by_hand(order_id)
-- Refunds that a person reported as paid by hand. What a bank has given back is none of these.
select p.payment_key, p.amount_minor from payment p
where p.order_no = order_no_of(:order_id) and p.kind = 'refund' and p.provider = 'by_hand'
  and p.state = 'succeeded'
  and not exists (
      select from journal_entry e join posting w using (entry_id)
      where e.order_no = p.order_no and e.effect = p.payment_key and w.account = 'write_offs')
order by p.requested_at, p.payment_key;

-- name: room_of(order_id)^
-- room: charged, and neither paid back nor owed. unpaid: captured, and not paid back or being so.
select m.charged - m.refund_granted as room,
       greatest(0, m.captured - m.refunded - coalesce((
           select sum(p.amount_minor) from payment_operation p
           where p.order_no = m.order_no and p.kind = 'refund'
             and p.state in ('requested', 'unknown')), 0))::bigint as unpaid
from order_money m where m.order_no = order_no_of(:order_id);
