-- Labels of returns' parcels. Every writer but `claim` holds the order's lock.

-- name: want(return_id, label_key, fee_minor, service)!
-- Nothing → requested.
insert into return_label (order_no, return_id, label_key, service, location, fee_minor)
select o.order_no, :return_id, :label_key, coalesce(:service::text, s.shipping ->> 'service'),
       return_location(o.order_no, :return_id), :fee_minor
from customer_order o cross join lateral (select document_of(o.order_no) -> 'shipping' as shipping) s
where o.order_no = order_no_of(:return_id) and jsonb_typeof(s.shipping -> 'address') = 'object'
  -- Its parcel is here already.
  and not exists (select from unannounced_parcel p where p.order_no = o.order_no and p.return_id = :return_id)
on conflict (order_no, return_id) do nothing;

-- name: give_up(return_id, states)!
-- Wanted → unwanted. Of one that the carrier was never asked for, nothing is left to be done.
update return_label
set unwanted = true, tries = 0,
    label = case when asked_at is null then 'voided' else label end,
    try_after = case when asked_at is not null then moment() end
where order_no = order_no_of(:return_id) and return_id = :return_id and not unwanted
  and label = any(:states::text[]);

-- name: label_of(return_id)^
-- What is not needed costs the customer nothing.
select return_id, label, sold_by, carrier, tracking_number, refusal,
       case when unwanted then 0 else fee_minor end as fee_minor
from return_label where order_no = order_no_of(:return_id) and return_id = :return_id;

-- name: files_of(return_id)
select media_type, content, digest, kept_at
from return_label_file where order_no = order_no_of(:return_id) and return_id = :return_id order by media_type;

-- name: forget_files(kept, batch)$
-- Of returns that have ended, or whose parcel has been on its way for so long.
with over as (
    select f.order_no, f.return_id, f.media_type
    from return_label_file f join order_return r using (order_no, return_id)
    where f.kept_at < moment() - :kept::interval and r.changed_at < moment() - :kept::interval
      and r.state <> 'approved'
    order by f.kept_at limit :batch
    for update of f skip locked
), gone as (
    delete from return_label_file f using over o
    where (f.order_no, f.return_id, f.media_type) = (o.order_no, o.return_id, o.media_type)
)
select count(*) from over;

-- name: claim(carriers, lease, at_most)
-- What is to be done by now, and where the parcel comes from.
with due as (
    select order_no, return_id from return_label
    where try_after <= moment() order by try_after limit :at_most
    for no key update skip locked
), claimed as (
    update return_label l
    set tries = l.tries + 1, try_after = moment() + :lease::interval,
        asked_at = case when l.unwanted then l.asked_at else moment() end,
        sold_by = coalesce(l.sold_by, :carriers::jsonb ->> l.service, :carriers::jsonb ->> '')
    from due where (l.order_no, l.return_id) = (due.order_no, due.return_id)
    returning l.*
)
select return_id, label_key, label, unwanted, service, location, sold_by, tracking_number, tries,
       asked_at > moment() - interval '10 minutes' as may_be_bought,
       document_of(order_no) -> 'shipping' as shipping
from claimed;

-- name: bought(return_id, carrier, tracking_number, media_types, contents)$
-- requested → bought: true where it is wanted. So is one that counted as never bought: it is given back.
with known as (
    update return_label
    set label = 'bought', carrier = :carrier, tracking_number = :tracking_number, refusal = null, tries = 0,
        try_after = case when unwanted then moment() end
    where order_no = order_no_of(:return_id) and return_id = :return_id
      and (label = 'requested' or label = 'voided' and tracking_number is null)
    returning order_no, return_id, unwanted
), kept as (
    insert into return_label_file (order_no, return_id, media_type, content)
    select order_no, return_id, media_type, content
    from known, unnest(:media_types::text[], :contents::bytea[]) as f (media_type, content)
    where not unwanted
)
select not unwanted from known;

-- name: refused(return_id, refusal)$
-- requested → refused: true where it was wanted.
update return_label set label = 'refused', refusal = :refusal, try_after = null
where order_no = order_no_of(:return_id) and return_id = :return_id and label = 'requested'
returning not unwanted;

-- name: voided(return_id)$
-- requested or bought → voided. The number of one that was bought; null: none.
with before as (
    select order_no, return_id, tracking_number from return_label
    where order_no = order_no_of(:return_id) and return_id = :return_id and unwanted
      and label in ('requested', 'bought')
), gone as (
    delete from return_label_file f using before b where (f.order_no, f.return_id) = (b.order_no, b.return_id)
)
update return_label l set label = 'voided', try_after = null
from before b where (l.order_no, l.return_id) = (b.order_no, b.return_id)
returning l.tracking_number;

-- name: kept_by_carrier(return_id, refusal)$
update return_label set refusal = :refusal, try_after = null
where order_no = order_no_of(:return_id) and return_id = :return_id and unwanted and label = 'bought'
  and try_after is not null
returning true;

-- name: try_again(return_id, tries)!
-- After 2, 4, 8 … seconds, and each hour in the end. Not where somebody has claimed it since.
update return_label set try_after = moment() + least(3600, 2 ^ least(:tries::integer, 12)) * interval '1 second'
where order_no = order_no_of(:return_id) and return_id = :return_id and tries = :tries
  and try_after is not null;
