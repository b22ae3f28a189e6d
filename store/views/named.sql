-- Orders as people name them.

-- name: named(text, as_id)
-- Orders whose id, or whose number as its channel writes it, this is; some of them where it is many.
(select order_id from customer_order where order_id in (:text, :as_id))
union
(select order_id from customer_order where channel_order_id = :text limit 5)
order by order_id;
