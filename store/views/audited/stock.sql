-- What must be true of stock, and of the goods behind it: each query finds what breaks it. See ../audit.sql.

-- name: stock_is_its_movements()
select s.sku, s.location, c.what, c.kept, c.moved
from stock s
left join (
    select sku, location, sum(on_hand_change) as on_hand, sum(allocated_change) as allocated
    from movement group by sku, location
) m using (sku, location)
cross join lateral (values ('on hand', s.on_hand, coalesce(m.on_hand, 0)),
                           ('allocated', s.allocated, coalesce(m.allocated, 0)))
    as c (what, kept, moved)
where c.kept <> c.moved
order by s.sku, s.location, c.what;

-- name: allocated_is_reserved()
select s.sku, s.location, s.allocated, coalesce(r.reserved, 0) as reserved
from stock s
left join (
    select sku, location, sum(quantity * per_unit) as reserved
    from reservation where quantity > 0 group by sku, location
) r using (sku, location)
where s.allocated <> coalesce(r.reserved, 0)
order by s.sku, s.location;

-- name: soft_reserved_is_there()
-- Soft reservations of baskets and backorders, against the units that nobody has allocated.
select s.sku, s.location, r.quantity, s.on_hand - s.allocated as unallocated
from stock s
join (
    select sku, location, sum(quantity) as quantity from soft_reservation
    where expires_at is null or expires_at > transaction_moment() group by sku, location
) r using (sku, location)
where r.quantity > s.on_hand - s.allocated
order by s.sku, s.location;

-- name: soft_reserved_is_waited_for()
select o.order_id, b.line_id, sum(r.quantity) as quantity, b.quantity as waits
from soft_reservation r
join backorder b using (order_no, line_id)
join customer_order o using (order_no)
group by b.order_no, b.line_id, o.order_no
having sum(r.quantity) > b.quantity
order by o.order_id, b.line_id;

-- name: transfer_is_its_movements()
-- What a transfer says left and arrived, against what was booked where.
select t.transfer_id, l.sku, c.what, c.kept, c.moved
from transfer t join transfer_line l using (transfer_id)
cross join lateral (
    select -coalesce(sum(on_hand_change) filter (where location = t.from_location), 0) as sent,
           coalesce(sum(on_hand_change) filter (where location = t.to_location), 0) as arrived
    from movement m
    where m.sku = l.sku and m.kind = 'transferred'
      and starts_with(m.effect, 'transfer:' || t.transfer_id || ':')
) m
cross join lateral (values
    ('sent', l.sent, m.sent), ('arrived', l.arrived, m.arrived),
    ('on their way', case when t.closed_at is null then 0 else l.sent - l.arrived - l.lost end, 0)
) as c (what, kept, moved)
where c.kept <> c.moved
order by t.transfer_id, l.sku, c.what;

-- name: goods_are_their_movements()
-- What parcels and returns hold, against what was booked for them: of a kit, each of its parts.
with made_of as (
    select distinct order_no, line_id, sku, per_unit from reservation
), counted as (
    select 'ship:' || f.fulfilment_id as effect, r.sku, -sum(l.picked * r.per_unit) as units
    from fulfilment f
    join fulfilment_line l using (order_no, fulfilment_id)
    join reservation r using (order_no, fulfilment_id, line_id)
    where f.state in ('shipped', 'delivered', 'exception')
    group by f.fulfilment_id, r.sku
    union all
    select 'return:' || l.return_id, m.sku, sum(
        (l.restocked + l.scrapped + l.refurbished + l.to_supplier) * m.per_unit)
    from return_line l join made_of m using (order_no, line_id)
    group by l.return_id, m.sku
    union all
    select 'scrap:' || l.return_id, m.sku, -sum(l.scrapped * m.per_unit)
    from return_line l join made_of m using (order_no, line_id)
    group by l.return_id, m.sku
    union all
    select 'supplier:' || l.return_id, m.sku, -sum(l.to_supplier * m.per_unit)
    from return_line l join made_of m using (order_no, line_id)
    group by l.return_id, m.sku
), booked as (
    select effect, sku, sum(on_hand_change) as units from movement
    where kind in ('shipped', 'returned', 'to_supplier') or kind = 'written_off' and starts_with(effect, 'scrap:')
    group by effect, sku
)
select split_part(effect, ':', 1) as what, regexp_replace(effect, '^[^:]*:', '') as part_id, sku,
       coalesce(c.units, 0) as units, coalesce(b.units, 0) as moved
from counted c full join booked b using (effect, sku)
where coalesce(c.units, 0) <> coalesce(b.units, 0)
order by effect, sku;

-- name: stock_not_oversold()
select sku, location, on_hand, allocated from stock
where not (0 <= allocated and allocated <= on_hand)
order by sku, location;

-- name: codes_are_stock()
-- Of what is digital, each unit on hand is a code to sell, and each code is a unit.
select s.sku, s.location, s.on_hand, coalesce(c.free, 0) as free
from stock s join item i using (sku)
left join (select sku, location, count(*) filter (where given_at is null) as free
           from licence group by sku, location) c using (sku, location)
where (i.handling = 'digital' or c.sku is not null) and s.on_hand <> coalesce(c.free, 0)
order by s.sku, s.location;

-- name: codes_are_given()
-- What was handed over of digital goods are as many codes.
select f.fulfilment_id, w.units, g.given
from fulfilment f
cross join lateral (
    select coalesce(sum(l.picked * r.per_unit), 0) as units
    from fulfilment_line l join reservation r using (order_no, fulfilment_id, line_id)
    where l.order_no = f.order_no and l.fulfilment_id = f.fulfilment_id) w
cross join lateral (
    select count(*) as given from licence c where c.order_no = f.order_no and c.fulfilment_id = f.fulfilment_id) g
where f.handling = 'digital'
  and g.given <> case when f.state in ('shipped', 'delivered', 'exception') then w.units else 0 end
order by f.order_no, f.fulfilment_id;

-- name: work_is_where_its_goods_are()
-- A workshop that has begun has its goods, and what it has done has left.
select f.fulfilment_id, w.state as work, f.state
from outside_work w join fulfilment f using (order_no, fulfilment_id)
where f.state = 'cancelled' and w.state in ('begun', 'done') or f.state = 'labelled' and w.state = 'done'
order by f.order_no, f.fulfilment_id;
