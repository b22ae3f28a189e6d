-- Notes on orders. The order's row is locked by whoever writes one.

-- name: write(order_id, note, pinned, who)^
insert into order_note (order_no, note_no, note, pinned, who)
select order_no, coalesce((select max(note_no) from order_note n where n.order_no = o.order_no), 0) + 1, :note,
       :pinned, :who
from customer_order o where order_id = :order_id
returning note_no, note, who, at, pinned;

-- name: pin(order_id, note_no, pinned)^
update order_note set pinned = :pinned where order_no = order_no_of(:order_id) and note_no = :note_no::bigint
returning note_no, note, who, at, pinned;

-- name: notes(order_id, after, at_most)
-- The latest first, behind the one with this number.
select note_no, note, who, at, pinned from order_note
where order_no = order_no_of(:order_id) and (:after::bigint is null or note_no < :after)
order by note_no desc limit :at_most;
