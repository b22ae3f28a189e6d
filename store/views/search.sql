-- What was typed into one box.

-- name: found(text, ids, numbers, codes, goods, kinds, channels, sellers, at_most)
-- Things of these kinds that this text names exactly, of these channels and sellers (null: of all). Each kind is
-- looked up along an index: of `at_most` of each kind at most. `ids`: the order's id, or a part's, that it may be;
-- `numbers`: of a channel; `codes`: as carriers and documents write it; `goods`: as it may stand on goods.
select * from (
    (select 'order' as kind, o.order_id as id, o.order_id, o.seller,
            concat_ws(', ', o.channel, o.channel_order_id, o.state) as title
     from (
        select order_no from customer_order where order_id = any(:ids::text[])
        union
        select order_no from customer_order where channel_order_id = any(:numbers::text[])
     ) named join customer_order o using (order_no)
     where 'order' = any(:kinds::text[])
       and (:channels::text[] is null or o.channel = any(:channels))
       and (:sellers::text[] is null or o.seller = any(:sellers))
     order by o.order_no desc limit :at_most)
    union all
    (select 'fulfilment', f.fulfilment_id, o.order_id, o.seller, concat_ws(', ', f.location, f.state)
     from unnest(:ids) as part (id)
     join fulfilment f on f.order_no = order_no_of(part.id) and f.fulfilment_id = part.id
     join customer_order o using (order_no)
     where 'fulfilment' = any(:kinds)
       and (:channels::text[] is null or o.channel = any(:channels))
       and (:sellers::text[] is null or o.seller = any(:sellers)))
    union all
    (select 'return', r.return_id, o.order_id, o.seller, r.state
     from unnest(:ids) as part (id)
     join order_return r on r.order_no = order_no_of(part.id) and r.return_id = part.id
     join customer_order o using (order_no)
     where 'return' = any(:kinds)
       and (:channels::text[] is null or o.channel = any(:channels))
       and (:sellers::text[] is null or o.seller = any(:sellers)))
    union all
    (select 'parcel', s.tracking_number, o.order_id, o.seller, concat_ws(', ', s.carrier, s.carrier_status)
     from shipment s join customer_order o using (order_no)
     where 'parcel' = any(:kinds) and s.tracking_number = any(:codes::text[])
       and (:channels::text[] is null or o.channel = any(:channels))
       and (:sellers::text[] is null or o.seller = any(:sellers))
     order by o.order_no desc limit :at_most)
    union all
    (select 'payment', p.reference, o.order_id, o.seller, concat_ws(', ', p.provider, p.kind, p.state)
     from payment_operation p join customer_order o using (order_no)
     where 'payment' = any(:kinds) and p.reference = :text
       and (:channels::text[] is null or o.channel = any(:channels))
       and (:sellers::text[] is null or o.seller = any(:sellers))
     order by o.order_no desc limit :at_most)
    union all
    (select 'document', d.number, o.order_id, d.seller,
            concat_ws(', ', replace(d.kind, '_', ' '), d.seller, d.issued_on)
     from document d join customer_order o using (order_no)
     where 'document' = any(:kinds) and d.number = any(:codes)
       and (:channels::text[] is null or o.channel = any(:channels))
       and (:sellers::text[] is null or d.seller = any(:sellers))
     order by d.issued_at desc limit :at_most)
    union all
    (select 'purchase_order', po_id, null, null, concat_ws(', ', supplier_id, state)
     from purchase_order where 'purchase_order' = any(:kinds) and po_id = any(:codes))
    union all
    (select 'item', sku, null, null, coalesce(name, sku) from item
     where 'item' = any(:kinds)
       and sku in (select unnest(:goods::text[]) union select sku from item_code where code = any(:goods)))
    union all
    (select 'transfer', transfer_id, null, null, concat_ws(' → ', from_location, to_location)
     from transfer where 'transfer' = any(:kinds) and transfer_id = :text)
    union all
    (select 'claim', c.claim_id, o.order_id, o.seller, c.kind
     from unnest(:ids) as part (id)
     join claim c on c.order_no = order_no_of(part.id) and c.claim_id = part.id
     join customer_order o using (order_no)
     where 'claim' = any(:kinds)
       and (:channels::text[] is null or o.channel = any(:channels))
       and (:sellers::text[] is null or o.seller = any(:sellers)))
    union all
    -- One that whoever has its code may spend is of no channel.
    (select 'voucher', account_id, null, seller, concat_ws(', ', replace(kind, '_', ' '), seller)
     from credit_account
     where 'voucher' = any(:kinds) and account_id = :text and kind <> 'store_credit'
       and :channels::text[] is null and (:sellers::text[] is null or seller = any(:sellers)))
    union all
    -- An id, and the ids under which a mail address has ordered. Credit is a person's as a whole.
    (select 'customer', customer_id, null, null, customer_id
     from (
        (select p.customer_id from order_person p join customer_order o using (order_no)
         where p.customer_id = :text
           and (:channels::text[] is null or o.channel = any(:channels))
           and (:sellers::text[] is null or o.seller = any(:sellers)) limit 1)
        union
        (select p.customer_id from order_person p join customer_order o using (order_no)
         where lower(p.person #>> '{customer,email}') = lower(:text) and p.person #>> '{customer,email}' is not null
           and (:channels::text[] is null or o.channel = any(:channels))
           and (:sellers::text[] is null or o.seller = any(:sellers)) limit :at_most)
        union
        select customer_id from credit_account
        where customer_id = :text and :channels::text[] is null and :sellers::text[] is null
     ) person
     where 'customer' = any(:kinds) limit :at_most)
) anything
order by array_position(:kinds, kind), id;

-- name: goods(words, beginnings, at_most)
-- Items that have all of these words, or parts of them, in their SKU or name: those that begin so first. The index leads to
-- them; no more than 500 are looked at.
select sku, coalesce(name, sku) as title
from (select sku, name from item
      where words_within(searched(sku || ' ' || coalesce(name, ''))) @@ :words::text::tsquery limit 500) found
order by searched(sku || ' ' || coalesce(name, '')) like all(:beginnings::text[]) desc, sku limit :at_most;

-- name: beginning(beginnings, sellers, at_most)
-- Orders whose ids begin so, of these sellers (null: of all). The index leads to them; where they are of other sellers,
-- no more than 200 are looked at.
select o.order_id, o.state from unnest(:beginnings::text[]) as one (beginning)
cross join lateral (
    select order_id, state, seller from customer_order
    where order_id >= one.beginning and order_id < one.beginning || chr(1114111)
    order by order_id limit case when :sellers::text[] is null then :at_most::bigint else 200 end
) o
where :sellers is null or o.seller = any(:sellers)
order by o.order_id limit :at_most;
