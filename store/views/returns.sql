-- Returns, as people and tools read them. Reads only.

-- name: find(state, order_id, return_id, channels, sellers, after_at, after_id, at_most)
-- Those that changed last come first. Of orders of these channels and sellers (null: of all), behind the one
-- that changed then and has this id.
select r.return_id, o.order_id, o.channel, o.seller, r.kind, r.state, r.reason, r.asks, r.ended_because,
       r.fulfilment_id, r.changed_at,
       (select x.order_id from exchange e join customer_order x on x.order_no = e.exchange_no
        where (e.order_no, e.return_id) = (r.order_no, r.return_id)) as exchange_order_id,
       (select jsonb_build_object(
            'state', b.label, 'carrier', b.carrier, 'tracking_number', b.tracking_number, 'refusal', b.refusal,
            'fee_minor', b.fee_minor, 'currency', o.currency, 'carrier_status', b.carrier_status,
            'first_scan_at', b.first_scan_at, 'last_scan_at', b.last_scan_at)
        from return_label b where b.order_no = r.order_no and b.return_id = r.return_id) as label,
       (select jsonb_agg(jsonb_build_object(
            'line_id', l.line_id, 'sku', l.sku, 'quantity', l.quantity, 'reason_code', l.reason_code,
            'restocked', l.restocked, 'scrapped', l.scrapped, 'refurbished', l.refurbished,
            'to_supplier', l.to_supplier,
            'units', (select coalesce(jsonb_agg(jsonb_build_object(
                          'quantity', u.quantity, 'condition', u.condition, 'disposition', u.disposition,
                          'photo', u.photo, 'reference', u.reference, 'lacks', u.lacks) order by u.number), '[]')
                      from return_unit u
                      where (u.order_no, u.return_id, u.line_id) = (l.order_no, l.return_id, l.line_id)))
            order by l.line_id)
        from return_line l where l.order_no = r.order_no and l.return_id = r.return_id) as lines
from order_return r join customer_order o using (order_no)
where (:state::text is null or r.state = :state)
  and (:order_id::text is null or o.order_id = :order_id)
  and (:return_id::text is null or r.return_id = :return_id)
  and (:channels::text[] is null or o.channel = any(:channels))
  and (:sellers::text[] is null or o.seller = any(:sellers))
  and (:after_at::timestamptz is null or (r.changed_at, r.return_id) < (:after_at, :after_id::text))
order by r.changed_at desc, r.return_id desc limit :at_most::bigint;
