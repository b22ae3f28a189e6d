-- How often the papers of parcels were printed.

-- name: times(order_ids, whats)
-- By the lines of their orders' stories; what was never printed has no row.
select what, count(*)::integer as times from order_event
where order_no = any(array(select order_no from customer_order where order_id = any(:order_ids::text[])))
  and what = any(:whats::text[])
group by what;
