-- Versions of an order's document. The order's row is locked by every function that writes here.

-- name: versions_of(order_id)
-- Oldest first, the present one last: of that nobody has changed anything yet. The person of a version is the one
-- that was kept when the next change of it came.
with mine as (
    select o.order_no, p.earlier, p.person
    from customer_order o join order_person p using (order_no) where o.order_id = :order_id
)
select v.version, v.total_minor, o.currency, v.request_id, v.changes, v.reason, v.who, v.changed_at,
       with_person(v.document, coalesce((
           select value from jsonb_each(m.earlier) where key::integer >= v.version
           order by key::integer limit 1), m.person)) as document
from mine m join order_version v using (order_no) join customer_order o using (order_no)
union all
select version_of(o.order_no), o.total_minor, o.currency, null, '[]', null, null, null, document_of(o.order_no)
from mine join customer_order o using (order_no)
order by version;

-- name: changes_since(order_id, version)
-- What was changed since that version was the present one, oldest first.
select version, changes, who, changed_at from order_version
where order_no = order_no_of(:order_id) and version >= :version order by version;

-- name: wish(order_id, request_id, person)$
-- Nothing kept → kept for a request. The function stands in schema/routines/orders.sql.
select edit_wished(:order_id, :request_id, :person::jsonb);

-- name: forget(order_id, request_id)!
-- Kept for a request → forgotten: the request was refused.
update order_person set wished = wished - :request_id
where order_no = order_no_of(:order_id) and wished ? :request_id;

-- name: edited(order_id, document, total, lines, request_id, changes, reason, who)$
-- A new version takes the place of the present one. The function stands in schema/routines/orders.sql.
select order_edited(order_no_of(:order_id), :document::jsonb, :total, :lines::jsonb, :request_id, :changes::jsonb,
                    :reason, :who);

-- name: present(order_id)$
select version_of(order_no_of(:order_id));
