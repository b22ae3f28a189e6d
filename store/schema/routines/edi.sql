-- What of a document needs a person; null: nothing does.
create or replace function edi_document_task(d edi_document) returns text language sql stable as $$
    select case when d.settled_at is not null then null
                when d.error is not null then d.error
                when d.state = 'open' and d.receipt_due < moment()
                then format('the partner has not acknowledged it since %s',
                            to_char(d.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end
$$;

-- What is credited after an order's end is told, too: it is looked at again.
create or replace function edi_order_is_told_again() returns trigger language plpgsql as $$
begin
    update edi_order e set ended_at = null
    from customer_order o where o.order_no = new.order_no and e.order_id = o.order_id and e.ended_at is not null;
    return null;
end $$;
create or replace trigger document_is_told_by_edi after insert on document
    for each row execute function edi_order_is_told_again();
