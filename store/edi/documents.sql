-- The documents in interchanges.

-- name: came(interchange_no, place, partner, code, group_control, set_control, reference, state, note, task)!
insert into edi_document (interchange_no, place, direction, partner, code, group_control, set_control, reference, state, note,
                          error)
values (:interchange_no, :place, 'in', :partner, :code, :group_control, :set_control, :reference, :state, nullif(:note, ''),
        nullif(:task, ''));

-- name: came_again(partner, code, reference, interchange_no)!
update edi_document set settled_at = moment(), note = format('it came again in interchange %s', :interchange_no::bigint)
where partner = :partner and direction = 'in' and code = :code and reference = :reference
  and state = 'rejected' and error is not null and settled_at is null;

-- name: went(interchange_no, partner, code, control, reference, subject, order_id, po_id, within)$
-- One that goes. Its receipt is awaited, unless it is a receipt itself. No row: one about the same was written before.
insert into edi_document (interchange_no, place, direction, partner, code, group_control, set_control, reference, subject,
                          order_id, po_id, state, receipt_due)
values (:interchange_no, 0, 'out', :partner, :code, :control, '0001', :reference, :subject, :order_id, :po_id,
        case when :within::interval is null then 'done' else 'open' end, moment() + :within::interval)
on conflict (partner, subject) where subject is not null do nothing
returning document_no;

-- name: is_written(partner, subject)$
select exists (select from edi_document where partner = :partner and subject = :subject);

-- name: is_waiting(partner, code, reference)$
-- Whether a document that came is not acted on yet.
select exists (
    select from edi_document
    where partner = :partner and code = :code and reference = :reference and direction = 'in' and state = 'waiting');

-- name: lock_waiting()^
-- The next one to act on.
select d.document_no, d.interchange_no, d.place, d.partner, d.code, d.tries, d.order_id, d.po_id, d.at
from edi_document d
where d.state = 'waiting' and d.try_after <= moment()
order by d.try_after, d.document_no limit 1
for update of d skip locked;

-- name: done(document_no, state, note, order_id, po_id, error)!
update edi_document
set state = :state, note = nullif(:note, ''), order_id = coalesce(:order_id, order_id), po_id = coalesce(:po_id, po_id),
    error = nullif(:error, '')
where document_no = :document_no;

-- name: later(document_no, error, pause, order_id)!
-- An answer that could not be acted on is about the purchase order that it names, where its sender supplies that.
update edi_document d
set tries = tries + 1, try_after = moment() + :pause::interval, error = nullif(:error, ''),
    order_id = coalesce(:order_id, order_id),
    po_id = coalesce(d.po_id, (
        select p.po_id from purchase_order p join edi_partner e using (supplier_id)
        where p.po_id = d.reference and e.partner = d.partner and d.code in ('855', '865')))
where document_no = :document_no;

-- name: receipt(partner, kind_codes, control, set_control, accepted, note)
-- A 997 names the group, and the document in it; an empty name is for all of it. Returns those that it is about.
update edi_document
set state = case when :accepted then 'accepted' else 'rejected' end,
    note = nullif(:note, ''),
    error = case when :accepted then null else 'the partner rejected it: ' || coalesce(nullif(:note, ''), 'it does not say why') end
where partner = :partner and direction = 'out' and group_control = :control and code = any(:kind_codes::text[])
  and (:set_control = '' or set_control = :set_control) and state in ('open', 'accepted', 'rejected')
returning document_no;

-- name: envelope_receipt(partner, control, why)$
-- A TA1 names an interchange. What the partner has acknowledged by a 997, it has read; a receipt of ours gets none.
with about as (
    select interchange_no from edi_interchange where direction = 'out' and partner = :partner and control = :control
), refused as (
    update edi_document set state = 'rejected', note = :why, error = 'the partner did not take it: ' || :why
    where interchange_no in (select interchange_no from about) and state in ('open', 'done') and :why <> ''
)
select exists (select from about);

-- name: settle(document_no, note)$
update edi_document set settled_at = moment(), note = 'settled: ' || :note,
       state = case state when 'waiting' then 'refused' else state end
where document_no = :document_no and settled_at is null and edi_document_task(edi_document) is not null
returning document_no;

-- name: settle_all(partner, po_id, task)!
update edi_document set settled_at = moment()
where partner = :partner and po_id = :po_id and settled_at is null and starts_with(error, :task);

-- name: of_interchanges(interchange_nos)
select document_no, interchange_no, place, direction, partner, code, group_control, set_control, reference, order_id, po_id, state, note,
       edi_document_task(d) as task, receipt_due, at
from edi_document d where interchange_no = any(:interchange_nos::bigint[]) order by interchange_no, place;

-- name: of_order(order_id, po_id)
select document_no, interchange_no, place, direction, partner, code, group_control, set_control, reference, order_id,
       po_id, state, note, edi_document_task(d) as task, receipt_due, at
from edi_document d where order_id = :order_id or po_id = :po_id order by document_no;
