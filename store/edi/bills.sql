-- What suppliers have billed.

-- name: before(po_id, partner, number)
-- Units that other bills had of a purchase order.
select key as sku, sum(value::bigint)::bigint as units
from edi_bill b, lateral jsonb_each_text(b.units)
where po_id = :po_id and not (partner = :partner and number = :number) group by key;

-- name: keep(partner, number, po_id, units, total)$
insert into edi_bill (partner, number, po_id, units, total) values (:partner, :number, :po_id, :units, :total)
on conflict (partner, number) do nothing returning number;

-- name: of_purchase(po_id)
select partner, number, units, total, at from edi_bill where po_id = :po_id order by at, partner, number;
