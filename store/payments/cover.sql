-- Whether a fulfilment may be sent: its money is authorized until it leaves, or charged already.

-- name: cover_of(order_id, fulfilment_id, until)^
-- What can be charged for a fulfilment, and whether all of that lasts: until then, or it is so new that
-- another authorization would last no longer, as one is that was made since the parcel was packed.
select coalesce(sum(p.amount_minor - p.capture_granted - p.released), 0)::bigint as room,
       coalesce(bool_and(
           p.expires_at is null or p.expires_at > :until
           or p.expires_at > moment() and p.requested_at >= f.changed_at
           or moment() - p.requested_at < (p.expires_at - p.requested_at) / 10), true) as lasts,
       exists (select from payment_operation e
               where e.order_no = order_no_of(:order_id) and e.kind = 'capture' and e.state = 'failed'
                 and e.code in ('expired', 'already_voided')) as one_was_ended
from fulfilment f
left join payment p
    on p.order_no = f.order_no and p.kind = 'authorize' and p.state = 'succeeded'
       and p.amount_minor > p.capture_granted + p.released
       and coalesce(p.part_of, f.fulfilment_id) = f.fulfilment_id
where f.order_no = order_no_of(:order_id) and f.fulfilment_id = :fulfilment_id;

-- name: promised_besides(order_id, fulfilment_id)$
-- What other parcels, about to leave or not charged yet, need of the shared authorizations. Nothing as
-- long as no company has ended one before its time: enough was authorized for all of them.
select coalesce(sum(s.to_charge_minor), 0)::bigint
from shipment s join fulfilment f using (order_no, fulfilment_id)
where s.order_no = order_no_of(:order_id) and s.fulfilment_id <> :fulfilment_id
  and s.label in ('requested', 'bought') and f.state in ('packed', 'labelled', 'shipped')
  and not exists (
      select from payment_operation c
      where c.order_no = s.order_no and c.kind = 'capture' and c.part_of = s.fulfilment_id
        and c.state <> 'failed')
  and not exists (
      select from payment_authorization a
      where a.order_no = s.order_no and a.part_of = s.fulfilment_id
        and a.amount_minor > a.capture_granted + a.released)
  and exists (
      select from payment_operation e
      where e.order_no = order_no_of(:order_id) and e.kind = 'capture' and e.state = 'failed'
        and e.code in ('expired', 'already_voided'));

-- name: is_charged(fulfilment_id)$
-- The order is charged as a whole, before anything of it is sent: then every line is.
select coalesce(bool_and(o.charged > 0), true)
from fulfilment_line l
join order_line o using (order_no, line_id)
where l.order_no = order_no_of(:fulfilment_id) and l.fulfilment_id = :fulfilment_id
  and exists (select from reservation r
              where r.order_no = l.order_no and r.fulfilment_id = l.fulfilment_id
                and r.line_id = l.line_id and r.quantity > 0);

-- name: tell_ending(batch)
-- Parcels that wait for their hand-over, and whose authorization ends soon, or was ended by a company:
-- their orders are told, once for each time that they wait. One that never lasts long is renewed at
-- half of its time.
with ending as (
    select f.order_no, f.fulfilment_id
    from fulfilment f join shipment s using (order_no, fulfilment_id)
    where f.state = 'labelled' and s.to_charge_minor > 0 and s.unpaid_at is null
      and (select coalesce(sum(p.amount_minor - p.capture_granted - p.released), 0) < s.to_charge_minor
                  or bool_or(p.expires_at < moment() + least(
                      s.renew_before, (p.expires_at - p.requested_at) / 2))
           from payment p
           where p.order_no = f.order_no and p.kind = 'authorize' and p.state = 'succeeded'
             and p.amount_minor > p.capture_granted + p.released
             and coalesce(p.part_of, f.fulfilment_id) = f.fulfilment_id)
    limit :batch
    for update of f skip locked
)
update shipment s set unpaid_at = moment()
from ending where s.order_no = ending.order_no and s.fulfilment_id = ending.fulfilment_id
returning s.fulfilment_id, order_of(s.fulfilment_id) as order_id;
