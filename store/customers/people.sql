-- Who ordered, and where it goes; erasing it. The functions stand in schema/routines/customers.sql.

-- name: orders_of(customer)
-- The orders of a customer's id, or of a mail address, newest first. `ended`: nothing happens to it any more.
select o.order_no, o.order_id, o.channel, o.seller, o.state, o.placed_at, o.received_at, p.customer_id,
       document_of(o.order_no) as document, p.asked_at, p.erased_at, is_at_rest(o.order_no) as ended
from order_person p join customer_order o using (order_no)
where p.customer_id = :customer
   or lower(p.person #>> '{customer,email}') = lower(:customer) and p.person #>> '{customer,email}' is not null
order by p.order_no desc;

-- name: told_about(order_no)$
-- All that was written down about one order, for the one whom it is about.
select jsonb_build_object(
    'story', (select coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'what', e.what, 'who', e.who, 'why', e.why)
                                        order by e.event_id), '[]')
              from order_event e where e.order_no = :order_no),
    'documents', (select coalesce(jsonb_agg(jsonb_build_object(
                      'number', d.number, 'kind', d.kind, 'issued_on', d.issued_on, 'content', d.content)
                      order by d.issued_at), '[]')
                  from document d where d.order_no = :order_no),
    'parcels', (select coalesce(jsonb_agg(jsonb_build_object(
                    'fulfilment_id', s.fulfilment_id, 'carrier', s.carrier,
                    'tracking_number', s.tracking_number, 'handed_over_at', s.handed_over_at)
                    order by s.fulfilment_id), '[]')
                from shipment s where s.order_no = :order_no),
    'payments', (select coalesce(jsonb_agg(jsonb_build_object(
                     'kind', o.kind, 'state', o.state, 'amount_minor', o.amount_minor, 'currency', o.currency,
                     'provider', o.provider, 'reference', o.reference) order by o.requested_at), '[]')
                 from payment_operation o where o.order_no = :order_no),
    'returns', (select coalesce(jsonb_agg(jsonb_build_object(
                    'return_id', r.return_id, 'state', r.state, 'reason', r.reason) order by r.return_id), '[]')
                from order_return r where r.order_no = :order_no));

-- name: ask(order_nos)!
-- It is to be erased, once it has ended.
update order_person set asked_at = coalesce(asked_at, moment())
where order_no = any(:order_nos::bigint[]) and erased_at is null;

-- name: erase(order_nos, years, who, why)
select persons_erased(:order_nos::bigint[], :years, :who, :why) as order_no;

-- name: documents_kept(order_no)^
-- How many documents of an order whose person is erased are whole still, and until when.
select count(*) as documents, max(kept_until) as until from document
where order_no = :order_no and kept_until is not null;

-- name: erase_credit(customers)!
-- Accounts without a balance belong to nobody from now on; one that has some is the customer's until it is spent.
update credit_account set customer_id = 'erased-' || account_id
where customer_id = any(:customers::text[]) and balance_minor = 0 and authorized_minor = 0;

-- name: asked_for(at_most)
-- Those that are to be erased and can be by now.
select order_no from order_person
where asked_at is not null and erased_at is null and is_at_rest(order_no)
order by order_no limit :at_most;

-- name: kept_long_enough(kept, at_most)
-- The orders that ended so long ago. None of them was taken in later than that, and numbers grow with the time.
select order_no from order_person join customer_order using (order_no)
where erased_at is null
  and order_no <= (select order_no from customer_order where received_at < moment() - :kept::interval
                   order by received_at desc limit 1)
  and decided_at < moment() - :kept::interval and is_at_rest(order_no)
order by order_no limit :at_most;

-- name: erase_documents(at_most)$
select documents_erased(null, :at_most);
