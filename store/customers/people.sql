-- Who ordered, and where it goes; erasing it. The functions stand in schema/routines/customers.sql.

-- name: orders_of(customer, number, channels, sellers, after, at_most)
-- The orders of a customer's id, of a mail address, or of an id that an erased order's documents still have; with
-- those of whoever is merged with that customer, also by the number of one of them.
-- Newest first, of these channels and sellers (null: of all), behind the one with the number `after`.
-- `known_for`: why the person has still to be known.
select o.order_no, o.order_id, o.channel, o.seller, o.state, o.placed_at, o.received_at, p.customer_id,
       document_of(o.order_no) as document, p.asked_at, p.erased_at, known_for(o.order_no) as known_for
from (
    select order_no from order_person where customer_id = :customer
    union
    select order_no from order_person
    where lower(person #>> '{customer,email}') = lower(:customer) and person #>> '{customer,email}' is not null
    union
    select orders_of_customer(coalesce(into_no, customer_no)) from customer
    where customer_no = :number or key in ('id:' || :customer, 'mail:' || lower(:customer))
    union
    select order_no from document where content #>> '{buyer,number}' = :customer and kept_until is not null
) found
-- Nobody knows how few they are, and all orders would be read to be joined: so each is looked up by its number.
cross join lateral (select * from customer_order where order_no = found.order_no offset 0) o
cross join lateral (select * from order_person where order_no = found.order_no offset 0) p
where (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers)) and (:after::bigint is null or o.order_no < :after)
order by o.order_no desc limit :at_most::bigint;

-- name: called(customer, number, sellers)
-- What channels call the customer whom an id, a channel's or ours, or a mail address names: first what was written, then
-- what they were called last. With the seller and the currency of the last order under each; of these sellers (null: of
-- all) alone. `customer_no`: a mail address may be of several customers.
select customer_id, customer_of(order_no) as customer_no, name, seller, currency from (
select distinct on (p.customer_id) p.customer_id, order_no, person #>> '{customer,name}' as name, seller, currency
from (
    select order_no from order_person where customer_id = :customer
    union
    select order_no from order_person
    where lower(person #>> '{customer,email}') = lower(:customer) and person #>> '{customer,email}' is not null
    union
    select orders_of_customer(coalesce(into_no, customer_no)) from customer
    where customer_no = :number or key in ('id:' || :customer, 'mail:' || lower(:customer))
) found join order_person p using (order_no) join customer_order using (order_no)
where p.erased_at is null and (:sellers::text[] is null or seller = any(:sellers))
order by p.customer_id, order_no desc
) last order by customer_id = :customer desc, order_no desc;

-- name: hold(customer, number)
-- The customers whom an id or a mail address names, with all who are merged: nobody merges them or undoes it until the
-- transaction ends.
with root as (
    select coalesce(into_no, customer_no) as root from customer
    where customer_no = :number or key in ('id:' || :customer, 'mail:' || lower(:customer))
    union
    select customer_of(order_no) from order_person
    where lower(person #>> '{customer,email}') = lower(:customer) and person #>> '{customer,email}' is not null
      and erased_at is null
    union
    select customer_of(order_no) from order_person where customer_id = :customer and erased_at is null
)
select customer_no from customer
where customer_no in (select root from root) or into_no in (select root from root)
order by customer_no for share;

-- name: namesake(customer, number)^
-- Of one whom our id names: whether they are known, and another one whom a channel calls by the same id.
select (select count(*) from customer where customer_no = :number and erased_at is null) > 0 as is_ours,
       (select coalesce(o.into_no, o.customer_no) from customer o, customer c
        where o.key = 'id:' || :customer and c.customer_no = :number and c.erased_at is null
          and coalesce(o.into_no, o.customer_no) <> coalesce(c.into_no, c.customer_no)) as namesake;

-- name: told_about(order_no)$
-- All that was written down about one order, for the one whom it is about.
select jsonb_build_object(
    'story', (select coalesce(jsonb_agg(to_jsonb(e) - '{order_no,effect,xact}'::text[] order by e.event_id), '[]')
              from order_event e where e.order_no = :order_no),
    'documents', (select coalesce(jsonb_agg(jsonb_build_object(
                      'number', d.number, 'kind', d.kind, 'issued_on', d.issued_on, 'content', d.content,
                      'kept_until', d.kept_until) order by d.issued_at), '[]')
                  from document d where d.order_no = :order_no),
    'parcels', (select coalesce(jsonb_agg(jsonb_build_object(
                    'fulfilment_id', s.fulfilment_id, 'carrier', s.carrier,
                    'tracking_number', s.tracking_number, 'handed_over_at', s.handed_over_at,
                    'refusal', s.refusal) order by s.fulfilment_id), '[]')
                from shipment s where s.order_no = :order_no),
    'scans', (select coalesce(jsonb_agg(jsonb_build_object(
                  'part_id', c.part_id, 'status', c.status, 'detail', c.detail)), '[]')
              from (select fulfilment_id as part_id, status, detail from carrier_event where order_no = :order_no
                    union all
                    select return_id, status, detail from return_scan where order_no = :order_no) c),
    'payments', (select coalesce(jsonb_agg(jsonb_build_object(
                     'kind', o.kind, 'state', o.state, 'amount_minor', o.amount_minor, 'currency', o.currency,
                     'provider', o.provider, 'reference', o.reference, 'message', o.message)
                     order by o.requested_at), '[]')
                 from payment_operation o where o.order_no = :order_no),
    'refunds', (select coalesce(jsonb_agg(jsonb_build_object(
                    'refund_id', r.refund_id, 'kind', r.kind, 'amount_minor', r.amount_minor,
                    'currency', r.currency, 'reason', r.reason, 'granted_at', r.granted_at)
                    order by r.granted_at), '[]')
                from refund r where r.order_no = :order_no),
    'returns', (select coalesce(jsonb_agg(jsonb_build_object(
                    'return_id', r.return_id, 'state', r.state, 'reason', r.reason) order by r.return_id), '[]')
                from order_return r where r.order_no = :order_no),
    'holds', (select coalesce(jsonb_agg(to_jsonb(h) - 'order_no' order by h.since, h.hold_id), '[]')
              from order_hold h where h.order_no = :order_no),
    'attention', (select coalesce(jsonb_agg(to_jsonb(a) - 'order_no' order by a.since), '[]')
                  from attention a where a.order_no = :order_no));

-- name: ask(order_nos)!
-- It is to be erased, once it has ended.
update order_person set asked_at = coalesce(asked_at, moment())
where order_no = any(:order_nos::bigint[]) and erased_at is null;

-- name: tell_asked(order_no, who, why)!
insert into order_event (order_no, effect, what, who, why)
values (:order_no, 'erasure asked for', 'erasure asked for', :who, nullif(:why, ''));

-- name: erase(order_no, years, who, why)$
select person_erased(:order_no, :years, :who, :why);

-- name: standing(order_no)^
-- How it stands with one order's person; how many of its documents are whole though it is erased, until when.
select p.erased_at, known_for(p.order_no) as known_for, d.documents, d.until
from order_person p,
     lateral (select count(*) as documents, max(kept_until) as until from document d
              where d.order_no = p.order_no and d.kept_until is not null) d
where p.order_no = :order_no;

-- name: erase_credit(customers)$
select credit_erased(:customers::text[]);

-- name: asked_for(at_most)
-- Those that are to be erased and can be by now.
select order_no from order_person
where asked_at is not null and erased_at is null and known_for(order_no) is null
order by order_no limit :at_most;

-- name: kept_long_enough(kept, at_most)
-- The orders that ended so long ago. None of them was taken in later than that, and numbers grow with the time.
select order_no from order_person join customer_order using (order_no)
where erased_at is null
  and order_no <= (select order_no from customer_order where received_at < moment() - :kept::interval
                   order by received_at desc limit 1)
  and decided_at < moment() - :kept::interval and known_for(order_no) is null
order by order_no limit :at_most;

-- name: erase_documents(at_most)$
select documents_erased(:at_most);

-- name: written_about(customer, number)$
-- What is kept about a person beside the orders: notes, consent, that customers are one, and segments.
with person as (
    select customer_no from customer c join (
        select coalesce(into_no, customer_no) as root from customer
        where customer_no = :number or key in ('id:' || :customer, 'mail:' || lower(:customer))
    ) named on root in (c.customer_no, c.into_no)
)
select jsonb_build_object(
    'notes', (select coalesce(jsonb_agg(to_jsonb(n) - 'note_no' order by n.note_no), '[]')
              from customer_note n where n.customer_no in (select customer_no from person)),
    'consent', (select coalesce(jsonb_agg(to_jsonb(s) - 'consent_no' order by s.consent_no), '[]')
                from customer_consent s where s.customer_no in (select customer_no from person)),
    'segments', (select coalesce(jsonb_agg(jsonb_build_object('segment', b.segment, 'since', b.since)
                                           order by b.segment), '[]')
                 from customer_segment_member b where b.customer_no in (select customer_no from person)),
    'merges', (select coalesce(jsonb_agg(to_jsonb(m) - 'merge_no' order by m.merge_no), '[]')
               from customer_merge m
               where m.customer_no in (select customer_no from person) or m.into_no in (select customer_no from person)));
