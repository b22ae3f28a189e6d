-- name: present(order_id, request_id)^
-- Where an order stands, for an edit of it. Units that are just moving are in no fulfilment of `parts` and do not
-- wait: they cannot be taken away. `bought_to`: a supplier was told where to send goods of it.
select o.decision, o.policy::text as policy, document_of(o.order_no) as document,
       version_of(o.order_no) as version, p.wished -> :request_id as wished,
       (select jsonb_agg(jsonb_build_object(
            'line_id', l.line_id, 'sku', l.sku, 'ordered', l.ordered, 'cancelled', l.cancelled,
            'shipped', l.shipped) order by l.position)
        from order_line l where l.order_no = o.order_no) as lines,
       (select coalesce(jsonb_object_agg(f.fulfilment_id, jsonb_build_object(
            'state', f.state, 'handling', f.handling, 'location', f.location, 'label', s.label, 'claimed', (
                select coalesce(jsonb_object_agg(line_id, units), '{}')
                from (select line_id, min(quantity) as units from reservation r
                      where r.order_no = f.order_no and r.fulfilment_id = f.fulfilment_id and quantity > 0
                      group by line_id) r))), '{}')
        from fulfilment f left join shipment s using (order_no, fulfilment_id)
        where f.order_no = o.order_no
          and f.state in ('open', 'picking', 'picked', 'packed', 'labelled')) as parts,
       (select coalesce(jsonb_object_agg(line_id, backordered), '{}') from order_line l
        where l.order_no = o.order_no and backordered > 0) as waiting,
       exists (select from order_line_money m
               where m.order_no = o.order_no and (m.charged > 0 or m.invoiced > 0)) as charged,
       exists (select from charge c where c.order_no = o.order_no and c.ahead and c.units <> '{}'
                                       and c.captured_minor < c.amount_minor) as charging,
       exists (select from charge c where c.order_no = o.order_no and c.captured_minor < c.amount_minor) as unpaid,
       exists (select from purchase_order b join purchase_order_event e using (po_id)
               where b.order_no = o.order_no and b.drop_ship and b.state not in ('closed', 'cancelled')
                 and e.effect = 'ask') as bought_to,
       not exists (select from order_line l
                   where l.order_no = o.order_no and ordered > cancelled + shipped) as sent
from customer_order o join order_person p using (order_no) where o.order_id = :order_id;
