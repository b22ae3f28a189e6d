-- Invoices and credit notes. Issued once, never changed.

-- name: basis(order_id, kind, part_id)^
-- Everything that a document consists of. The function stands in schema/routines/accounting.sql.
select * from document_basis(:order_id, :kind, :part_id);

-- name: append(kind, order_id, part_id, currency, worth, content)$
-- Takes the next number of its series and issues under it. The function stands beside it.
select document_issued(:kind, :order_id, :part_id, :currency, :worth::jsonb, :content::jsonb);

-- name: documents_numbered(number, seller)
-- Of a seller; null: of each.
select number, seller, issued_on, content from document
where number = :number and (:seller::text is null or seller = :seller) order by seller;

-- name: is_issued(kind, part_id)$
select exists (
    select from document
    where order_no = order_no_of(:part_id) and kind = :kind and part_id = :part_id);

-- name: order_is_there(order_id)$
select exists (select from customer_order where order_id = :order_id);

-- name: documents_of(order_id)
select number, document.seller, kind, order_id, part_id, document.currency, amount_minor as total_minor, issued_on
from document join customer_order using (order_no)
where order_id = :order_id order by issued_at, number;

-- name: newest(limit, seller)
-- Of a seller; null: of each.
select d.number, d.seller, d.kind, o.order_id, d.part_id, d.currency, d.amount_minor as total_minor, d.issued_on
from seller s
cross join lateral (
    select * from document where seller = s.seller order by issued_at desc, number desc limit :limit
) d
join customer_order o using (order_no)
where :seller::text is null or s.seller = :seller
order by d.issued_at desc, d.number desc limit :limit;
