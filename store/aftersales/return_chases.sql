-- Returns of which nothing has come in time. The order's row is locked by every writer.

-- name: overdue(at_most)
select return_id from order_return
where state in ('approved', 'in_transit') and kind <> 'undeliverable' and chase_at <= moment()
order by chase_at limit :at_most;

-- name: chase(return_id)^
-- Overdue → told once more, or not any more (`ends`). None where it is not overdue by now. One that a carrier has
-- is never ended: a person is told, once.
with late as (
    select r.order_no, r.return_id, r.chased, r.state = 'in_transit' as is_in_transit,
           case when r.state = 'approved' then (o.policy ->> 'chase_every')::interval end as every,
           r.state = 'approved' and r.chased >= coalesce((o.policy ->> 'chases_max')::integer, 0) as ends
    from order_return r join customer_order o using (order_no)
    where r.order_no = order_no_of(:return_id) and r.return_id = :return_id
      and r.state in ('approved', 'in_transit') and r.kind <> 'undeliverable' and r.chase_at <= moment()
), told as (
    update order_return r set chased = r.chased + 1, chase_at = moment() + late.every
    from late where (r.order_no, r.return_id) = (late.order_no, late.return_id) and not late.ends
)
select chased + 1 as number, ends, is_in_transit from late;
