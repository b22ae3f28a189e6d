-- Changes of purchase orders that nobody has approved yet.

-- name: change_lines(po_id, skus, units, receivable)!
-- Of one that is proposed. A line without units goes: nobody has seen it but us.
with gone as (
    delete from purchase_order_line l using unnest(:skus::text[], :units::bigint[]) as w (sku, units)
    where l.po_id = :po_id and l.sku = w.sku and w.units = 0
)
update purchase_order_line l set quantity = w.units, receivable = w.receivable
from unnest(:skus::text[], :units::bigint[], :receivable::bigint[]) as w (sku, units, receivable)
where l.po_id = :po_id and l.sku = w.sku and w.units > 0;
