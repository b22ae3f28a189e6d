-- What must be true of purchase orders: each query finds what breaks it. See ../audit.sql.

-- name: purchase_line_adds_up()
select po_id, sku, received, cancelled, quantity, receivable
from purchase_order_line
where not (0 <= received and received <= receivable and 0 <= cancelled and cancelled <= quantity)
order by po_id, sku;

-- name: purchase_is_its_movements()
-- Every unit that was received is in the journal, for the location that it was bought for.
select l.po_id, l.sku, l.received, coalesce(m.units, 0) as moved
from purchase_order_line l
left join lateral (
    select sum(on_hand_change) as units from movement m
    where m.sku = l.sku and m.location = l.location and m.kind = 'received'
      and starts_with(m.effect, 'receive:' || l.po_id || ':')
) m on true
where l.received <> coalesce(m.units, 0)
order by l.po_id, l.sku;

-- name: need_is_ordered_once()
-- What is bought for orders is a need of each of them.
select sku, location, count(*) as orders
from purchase_order_line where answered_at is null and not for_order
group by sku, location having count(*) > 1
order by sku, location;

-- name: settled_purchase_is_done()
select po_id, p.state, sum(outstanding) as units
from purchase_order p join purchase_order_line l using (po_id)
where p.state in ('closed', 'cancelled') and outstanding > 0
group by po_id, p.state
order by po_id;
