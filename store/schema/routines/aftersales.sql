-- Where a return's parcel goes, if nobody says another place: to where it left, if it could not be delivered or was
-- lost, and otherwise to where the order was first sent from. Never to where codes are, and to a supplier's place only
-- if all else of the order came from there, too.
create or replace function return_location(its_order bigint, its_return text) returns text
language sql stable as $$
    select location from fulfilment f
    where f.order_no = its_order
    order by exists (select from order_return r
                     where r.order_no = its_order and r.return_id = its_return and r.fulfilment_id = f.fulfilment_id) desc,
             handling = 'digital', handling = 'drop_ship', state in ('shipped', 'delivered', 'exception') desc,
             length(fulfilment_id), fulfilment_id
    limit 1
$$;

-- Parcels that carriers are to pay for.

-- By when a claim for a parcel must be filed.
create or replace function carrier_claim_due(its_carrier text, handed_over timestamptz) returns timestamptz
language sql stable as $$
    select handed_over + make_interval(days => coalesce(
        (select file_within_days from carrier_term t where t.carrier = its_carrier), 30))
$$;

-- Claims to carriers, and lost parcels for which none was filed yet (`due`). `is_found`: the parcel came back, or reached
-- its customer.
drop view if exists carrier_claim_standing;
create view carrier_claim_standing as
with claimed as (
    select c.order_no, c.fulfilment_id, coalesce(c.outcome, 'filed') as state, c.filed_at as since, c.amount_minor,
           c.currency::text, c.reference::text, c.filed_by, c.filed_at, c.paid_minor, c.note::text, c.decided_by,
           c.decided_at, c.turned_up
    from carrier_claim c
    union all
    select f.order_no, f.fulfilment_id, 'due', f.changed_at, null, o.currency::text, null, null, null, 0, null, null,
           null, null
    from fulfilment f join shipment s using (order_no, fulfilment_id) join customer_order o using (order_no)
    where f.state = 'exception' and s.carrier_status = 'failure'
      and not exists (select from carrier_claim c where c.order_no = f.order_no and c.fulfilment_id = f.fulfilment_id)
)
select claimed.*, s.carrier::text, s.tracking_number::text,
       carrier_claim_due(s.carrier, s.handed_over_at) as file_by,
       exists (select from order_return r
               where r.order_no = s.order_no and r.fulfilment_id = s.fulfilment_id and r.kind = 'found')
       or s.carrier_status = 'failure' and exists (
           select from carrier_event e
           where e.order_no = s.order_no and e.fulfilment_id = s.fulfilment_id and e.status = 'delivered') as is_found
from claimed join shipment s using (order_no, fulfilment_id);
