-- Invoices and credit notes. Issued once, never changed.

-- name: basis(order_id, kind, part_id, zone)^
-- Everything that a document consists of, and the number that the part has already. `earlier`: the
-- order's documents in the order of their issue, with the units of each line.
select o.document as placed,
       (moment() at time zone :zone)::date as today,
       (select (handed_over_at at time zone :zone)::date from shipment
        where order_no = o.order_no and fulfilment_id = :part_id) as handed_over_on,
       coalesce((
           select jsonb_object_agg(i.sku, i.name) from item i
           where i.name is not null and i.sku in (
               select l ->> 'sku' from jsonb_array_elements(o.document -> 'lines') l)
       ), '{}') as names,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'number', d.number, 'kind', d.kind, 'issued_on', d.issued_on, 'units', (
                   select coalesce(jsonb_object_agg(l ->> 'line_id', (l ->> 'quantity')::bigint), '{}')
                   from jsonb_array_elements(d.content -> 'lines') l
               )) order by d.issued_at, d.number)
           from document d where d.order_no = o.order_no
       ), '[]') as earlier,
       d.number, d.goods_minor as goods, d.tax_minor as tax, d.shipping_minor as shipping,
       d.shipping_tax_minor as shipping_tax
from customer_order o
left join document d on d.order_no = o.order_no and d.kind = :kind and d.part_id = :part_id
where o.order_id = :order_id;

-- name: append(kind, zone, order_id, part_id, currency, goods, tax, shipping, shipping_tax, content)$
-- Takes the next number of its series and issues under it. The counter stays locked until commit.
with today as (
    select (moment() at time zone :zone)::date as day
), counted as (
    insert into document_counter as c (kind, year, last_number, last_on)
    select :kind, extract(year from day)::integer, 1, day from today
    on conflict (kind, year) do update
    set last_number = c.last_number + 1, last_on = greatest(c.last_on, excluded.last_on)
    returning kind, year, last_number, last_on
)
insert into document (kind, year, running, order_no, part_id, currency, goods_minor, tax_minor,
                      shipping_minor, shipping_tax_minor, content, issued_on)
select kind, year, last_number, order_no_of(:order_id), :part_id, :currency, :goods::bigint, :tax::bigint,
       :shipping::bigint, :shipping_tax::bigint, :content::jsonb, last_on
from counted
returning number;

-- name: document_of(number)^
select number, issued_on, content from document where number = :number;

-- name: is_issued(kind, part_id)$
select exists (
    select from document
    where order_no = order_no_of(:part_id) and kind = :kind and part_id = :part_id);

-- name: order_is_there(order_id)$
select exists (select from customer_order where order_id = :order_id);

-- name: documents_of(order_id)
select number, kind, order_id, part_id, document.currency, amount_minor as total_minor, issued_on
from document join customer_order using (order_no)
where order_id = :order_id order by issued_at, number;

-- name: newest(limit)
select number, kind, order_id, part_id, document.currency, amount_minor as total_minor, issued_on
from document join customer_order using (order_no)
order by issued_at desc, number desc limit :limit;
