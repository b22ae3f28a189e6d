-- migrate:up

-- Something was billed that was decided after a refund of the same order: to the minor unit, its amount
-- then depends on the sequence of the two.
alter table order_money add column billed_after_refund boolean not null default false;
-- Of what is there, the sequence is known by the times of its records alone.
update order_money m set billed_after_refund = true
where exists (
    select from refund r where r.order_id = m.order_id and (
        exists (select from payment p where p.order_id = m.order_id and p.kind = 'capture'
                and p.requested_at > r.granted_at)
        or exists (select from journal_entry e where e.order_id = m.order_id
                   and starts_with(e.effect, 'invoice:') and e.at > r.granted_at)));

-- migrate:down

alter table order_money drop column billed_after_refund;
