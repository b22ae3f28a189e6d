-- Orders that lost money on a day.

-- name: of_day(sellers, channels, currency, day, accounts, at_most)
-- Orders that lost money on the day, the worst of each currency first, and why: refunds of the day, claims, disputes,
-- lost parcels, units that were not found, and what was booked for the order on the day. Null: in every currency.
select d.seller, o.order_id, d.channel, d.currency, d.day_minor, d.sold_minor, d.refunds_minor, d.cost_minor,
       d.others_minor, d.result_minor,
       array(select distinct r.kind from refund r where r.order_no = d.order_no
             and seller_day(d.seller, r.granted_at) = d.day order by r.kind) as refunds,
       array(select distinct r.reason from refund r where r.order_no = d.order_no
             and seller_day(d.seller, r.granted_at) = d.day order by r.reason) as reasons,
       array(select distinct c.kind from claim c where c.order_no = d.order_no
             and c.decision <> 'refused' order by c.kind) as claims,
       exists (select from dispute b where b.order_no = d.order_no and b.state = 'lost') as disputed,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'fulfilment_id', c.fulfilment_id, 'claim', c.state,
               'sent_again', exists (select from effect e where e.order_no = c.order_no
                                     and e.effect = 'reserve_again:' || c.fulfilment_id || ':shipped'
                                     and e.answer ->> 'fulfilments' <> '[]')) order by c.fulfilment_id)
           from carrier_claim_standing c join fulfilment f using (order_no, fulfilment_id)
           join shipment s using (order_no, fulfilment_id)
           where c.order_no = d.order_no and f.state = 'exception' and s.carrier_status = 'failure'), '[]') as lost_parcels,
       (select coalesce(sum(m.units::bigint), 0)::bigint
        from effect e cross join jsonb_each_text(e.answer -> 'missing') m (line_id, units)
        where e.order_no = d.order_no and starts_with(e.effect, 'pick:')) as not_found,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'account', p.account, 'amount_minor', p.amount_minor, 'memo', e.memo,
               'goods', (select coalesce(jsonb_object_agg(i.sku, abs(i.units)), '{}')
                         from inventory_posting i where i.entry_id = e.entry_id)) order by e.entry_id, p.account)
           from journal_entry e join posting p using (entry_id)
           where e.order_no = d.order_no and e.seller = d.seller and e.booked_on = d.day
             and p.currency = d.currency and p.account = any(:accounts::text[])), '[]') as booked
from day_loss d join customer_order o using (order_no)
where d.day = :day::date and (:sellers::text[] is null or d.seller = any(:sellers))
  and (:channels::text[] is null or d.channel = any(:channels))
  and (:currency::text is null or d.currency = :currency)
order by d.currency, d.result_minor, o.order_id limit :at_most;
