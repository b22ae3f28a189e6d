-- The rules of returns, and what they need to know about an order.

-- name: list_rules()
select seller, channel, category, terms from return_rule
order by category nulls first, channel nulls first, seller nulls first;

-- name: unknown_scopes(sellers, channels)^
-- The first rule that names a seller or a channel that is not there; null: none does.
select r.number, k.kind, k.code
from unnest(:sellers::text[], :channels::text[]) with ordinality as r (seller, channel, number)
cross join lateral (values ('seller', r.seller), ('channel', r.channel)) as k (kind, code)
where k.code is not null
  and not exists (select from seller s where k.kind = 'seller' and s.seller = k.code)
  and not exists (select from channel c where k.kind = 'channel' and c.channel = k.code)
order by r.number limit 1;

-- name: begin_to_replace()$
-- One after the other: the rules of two writers are never mixed. Nothing else is locked with it.
select pg_advisory_xact_lock(hashtext('return_rules'));

-- name: replace_rules()!
delete from return_rule;

-- name: add_rules(sellers, channels, categories, terms)!
insert into return_rule (seller, channel, category, terms)
select * from unnest(:sellers::text[], :channels::text[], :categories::text[], :terms::jsonb[]);

-- name: basis(order_id)^
-- The order's lines, when the last of it was delivered, and the rules that may hold for it.
select o.seller, o.channel, o.currency::text, o.policy, moment() as now,
       (select max(coalesce((w.outcome ->> 'at')::timestamptz, f.changed_at))
        from fulfilment f
        left join wait_report w
            on w.order_no = f.order_no and w.activity_id = 'await_delivery:' || f.fulfilment_id
        where f.order_no = o.order_no and f.state = 'delivered') as delivered_at,
       (select jsonb_object_agg(l.line_id, jsonb_build_object(
            'category', i.category, 'ordered', l.ordered,
            'returnable', l.delivered - l.return_requested - l.returned,
            'worth', l.goods_minor + l.tax_minor + l.shipping_minor + l.shipping_tax_minor))
        from order_line l join item i using (sku) where l.order_no = o.order_no) as lines,
       (select coalesce(jsonb_agg(to_jsonb(r)), '[]') from return_rule r
        where (r.seller is null or r.seller = o.seller)
          and (r.channel is null or r.channel = o.channel)) as rules
from customer_order o where o.order_id = :order_id;

-- name: document(order_id)$
select document_of(order_no_of(:order_id));

-- name: record_of(order_id)^
-- What the order's customer has received and sent back, over all orders.
select coalesce(sum(l.delivered), 0)::bigint as delivered, coalesce(sum(l.returned), 0)::bigint as returned
from order_person p join order_line l using (order_no)
where p.customer_id = (select customer_id from order_person where order_no = order_no_of(:order_id));
