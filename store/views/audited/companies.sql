-- What must be true of what the sandbox companies have: each query finds what breaks it. See ../audit.sql.

-- name: provider_has_our_payments()
-- Recorded as done: done there, once (its key is unique), to the cent. A void releases there what is
-- not captured there, also what a capture was asked for that failed. A refund that was made there without
-- us has no key of ours. What a person has settled in reconciliation stays settled.
select p.order_id, p.payment_key, p.kind, p.currency, p.amount_minor,
       c.kind as provider_kind, c.currency as provider_currency,
       coalesce(c.amount_minor, 0) as provider_minor
from payment p
left join payment a on a.order_no = p.order_no and a.payment_key = p.authorization_key
left join sandbox.payment_call c on c.key = p.payment_key and c.code is null
where p.state = 'succeeded' and p.provider = 'sandbox' and p.amount_minor > 0
  and strpos(p.payment_key, ':elsewhere:') = 0
  and ((c.order_id, c.kind, c.currency, c.reference)
           is distinct from (p.order_id, p.kind, p.currency, p.reference)
       or c.payment_reference is distinct from coalesce(a.reference, p.reference)
       or c.amount_minor <> p.amount_minor
          and (p.kind <> 'void' or c.amount_minor <> a.amount_minor - a.captured))
  and not exists (
      select from reconciliation_difference d
      where d.provider = p.provider and d.resolution = 'resolved' and d.ours ->> 'key' = p.payment_key)
union all
select p.order_id, min(p.payment_key), p.kind, p.currency, sum(p.amount_minor)::bigint, c.kind, c.currency,
       coalesce(c.amount_minor, 0)
from payment p
join payment a on a.order_no = p.order_no and a.payment_key = p.authorization_key
left join sandbox.payment_call c on c.reference = p.reference and c.code is null
where p.state = 'succeeded' and p.provider = 'sandbox' and strpos(p.payment_key, ':elsewhere:') > 0
group by p.order_id, p.reference, p.kind, p.currency, a.reference, c.kind, c.currency, c.payment_reference,
         c.amount_minor
having (c.kind, c.currency, c.payment_reference, c.amount_minor)
       is distinct from (p.kind, p.currency, a.reference, sum(p.amount_minor)::bigint)
order by order_id, payment_key;

-- name: provider_has_no_others()
-- Done there: recorded here, or with its outcome still open, or settled by a person in reconciliation. An
-- authorization that was given up as never made and turned out to have been made is voided, with nothing
-- about it here but the failure.
select c.order_id, coalesce(c.key, c.reference) as payment_key, c.kind, c.currency, c.amount_minor,
       coalesce(p.state, 'not recorded') as state, (c.called_at at time zone 'UTC')::date as day
from sandbox.payment_call c
left join payment p on p.payment_key = c.key
where c.code is null
  and coalesce(p.state, '') not in ('succeeded', 'requested', 'unknown')
  and not exists (
    select from payment e
    where e.provider = 'sandbox' and e.reference = c.reference and e.kind = 'refund'
      and e.state = 'succeeded')
  and not exists (
    select from reconciliation_difference d
    where d.provider = 'sandbox' and d.resolution = 'resolved'
      and d.theirs ->> 'reference' = c.reference)
  and not exists (
    select from sandbox.payment s
    join sandbox.payment_call made on made.payment_reference = s.reference
    join payment a on a.payment_key = made.key and a.kind = 'authorize' and a.state = 'failed'
    where s.reference = c.payment_reference and s.voided and c.kind in ('authorize', 'void'))
order by c.order_id, c.id;

-- name: label_is_at_carrier()
-- What carries a parcel is one label, bought and not given back.
select order_of(f.fulfilment_id) as order_id, f.fulfilment_id, f.state, p.tracking_number,
       count(s.id) as sold, count(s.id) filter (where s.voided) as voided
from fulfilment f
join shipment p using (order_no, fulfilment_id)
left join sandbox.label s on s.fulfilment_id = f.fulfilment_id
    and (s.carrier, s.tracking_number) = (p.carrier, p.tracking_number)
where f.state in ('labelled', 'shipped', 'delivered', 'exception') and p.carrier = 'sandbox'
group by f.order_no, f.fulfilment_id, p.tracking_number
having not (count(s.id) = 1 and count(s.id) filter (where s.voided) = 0)
order by order_id, f.fulfilment_id;

-- name: no_label_too_many()
-- Of parcels that left, and of those that come back.
select min(order_of(s.fulfilment_id)) as order_id, s.fulfilment_id, count(*) as labels,
       string_agg(s.tracking_number, ', ' order by s.id) as tracking_numbers
from sandbox.label s
left join fulfilment f using (fulfilment_id)
left join return_label r on r.return_id = s.fulfilment_id and r.label in ('requested', 'bought')
where not s.voided
  -- That of an opened parcel is about to be given back.
  and not exists (select from unused_label u
                  where u.fulfilment_id = s.fulfilment_id and u.tracking_number = s.tracking_number
                    and u.voided_at is null)
group by s.fulfilment_id
having count(*) > 1 or count(f.fulfilment_id) + count(r.return_id) = 0
order by s.fulfilment_id;

-- name: recalled_label_is_voided()
-- A label of what was not sent after all, or of a parcel that was opened and got another one, was given back by
-- the time that its order is settled.
select o.order_id, f.fulfilment_id, o.decision, s.tracking_number
from fulfilment f
join customer_order o using (order_no)
join sandbox.label s on s.fulfilment_id = f.fulfilment_id and not s.voided
where (f.state = 'cancelled' or exists (
    select from unused_label u
    where u.order_no = f.order_no and u.fulfilment_id = f.fulfilment_id and u.tracking_number = s.tracking_number)
) and o.decision in ('rejected', 'cancelled', 'closed') and not exists (
    select from attention a
    where a.order_no = f.order_no and a.step = 'void_label ' || f.fulfilment_id
      and starts_with(a.resolution, 'done:'))
order by o.order_id, f.fulfilment_id;

-- name: label_is_of_the_present_way()
-- A parcel that waits for its hand-over has a label of the service by which its order goes now.
select o.order_id, f.fulfilment_id, s.service, o.document #>> '{shipping,service}' as wanted
from fulfilment f
join shipment s using (order_no, fulfilment_id)
join customer_order o using (order_no)
where f.state = 'labelled' and s.service <> o.document #>> '{shipping,service}'
order by o.order_id, f.fulfilment_id;
