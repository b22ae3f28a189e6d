-- What of a document needs a person; null: nothing does.
create or replace function edi_document_task(d edi_document) returns text language sql stable as $$
    select case when d.settled_at is not null then null
                when d.error is not null then d.error
                when d.state = 'open' and d.receipt_due < moment()
                then format('the partner has not acknowledged it since %s',
                            to_char(d.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) end
$$;
