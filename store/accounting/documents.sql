-- Invoices and credit notes. Issued once, never changed.

-- name: basis(order_id, kind, part_id)^
-- Everything that a document consists of. The function stands in schema/routines/accounting.sql.
select * from document_basis(:order_id, :kind, :part_id);

-- name: append(kind, order_id, part_id, currency, worth, content)$
-- Takes the next number of its series and issues under it. The function stands beside it.
select document_issued(:kind, :order_id, :part_id, :currency, :worth::jsonb, :content::jsonb);

-- name: documents_numbered(number, seller, sellers)
-- Of a seller, or of some; null: of each.
select number, seller, issued_on, content from document
where number = :number and (:seller::text is null or seller = :seller)
  and (:sellers::text[] is null or seller = any(:sellers))
order by seller;

-- name: is_issued(kind, part_id)$
select exists (
    select from document
    where order_no = order_no_of(:part_id) and kind = :kind and part_id = :part_id);

-- name: order_is_there(order_id)$
select exists (select from customer_order where order_id = :order_id);

-- name: documents_of(order_id, after_at, after_number, at_most)
-- Behind the one that was issued then and has this number; null: from the first on.
select number, document.seller, kind, order_id, part_id, document.currency, amount_minor as total_minor,
       issued_on, issued_at
from document join customer_order using (order_no)
where order_id = :order_id
  and (:after_at::timestamptz is null or (issued_at, number) > (:after_at, :after_number::text))
order by issued_at, number limit :at_most::bigint;

-- name: newest(limit, kind, first, last, seller, sellers, after_at, after_number, after_seller)
-- Of a kind, or of both; issued on these days; of a seller, or of some; null: of each. Behind the one that was
-- issued then, has this number, and is of this seller. Of each seller and kind the newest are read along the
-- index. What is issued later than `last` is passed over there: nothing is dated before the day of its issue
-- anywhere on earth. How much later it can be dated is not known, so the other end has a month to spare.
select d.number, d.seller, d.kind, o.order_id, d.part_id, d.currency, d.amount_minor as total_minor,
       d.issued_on, d.issued_at
from seller s
cross join unnest(array['invoice', 'credit_note']) as k (kind)
cross join lateral (
    select * from document
    where seller = s.seller and kind = k.kind
      -- Never null, so that any plan begins there in the index.
      and (issued_at, number, seller) < (coalesce(:after_at::timestamptz, 'infinity'),
                                         coalesce(:after_number::text, ''), coalesce(:after_seller::text, ''))
      and issued_at < coalesce(:last::date + 2, 'infinity'::date)
      and issued_at > coalesce(:first::date - 31, '-infinity'::date)
      and (:last::date is null or issued_on <= :last) and (:first::date is null or issued_on >= :first)
    order by issued_at desc, number desc limit :limit
) d
join customer_order o using (order_no)
where (:seller::text is null or s.seller = :seller) and (:sellers::text[] is null or s.seller = any(:sellers))
  and (:kind::text is null or k.kind = :kind)
order by d.issued_at desc, d.number desc, d.seller desc limit :limit;
